internal import Budget

/// A sequence that ends early where somebody asks to stop, which is looked at every 65,536 elements.
///
/// What is made of it then is a part, and nobody looks at it.
struct UntilStopped<Base: IteratorProtocol>: Sequence, IteratorProtocol {
  private var base: Base
  private var count = 0

  init(_ base: Base) { self.base = base }

  mutating func next() -> Base.Element? {
    count += 1
    if count & 0xFFFF == 0, Stop.isRequested { return nil }
    return base.next()
  }
}

extension Sequence {
  /// The elements, as long as nobody asks to stop.
  var untilStopped: UntilStopped<Iterator> { UntilStopped(makeIterator()) }
}
