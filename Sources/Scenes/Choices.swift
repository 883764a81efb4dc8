/// SplitMix64 (Steele, Lea, Flood, 2014): a stream of numbers that is the same on every machine.
///
/// Swift's own generators may change between versions of the standard library, and so would every
/// scene; this one is thirty lines of integer arithmetic and never changes.
public struct RandomSource: Sendable {
  private var state: UInt64

  /// A stream that depends on `seed` alone.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from `range`, evenly distributed to within 2⁻³².
  public mutating func number(in range: ClosedRange<Int>) -> Int {
    let width = UInt64(range.upperBound - range.lowerBound) &+ 1
    return range.lowerBound + Int(((next() >> 32) &* width) >> 32)
  }

  /// An element of `choices`, which must not be empty.
  public mutating func element<Element>(of choices: [Element]) -> Element {
    choices[number(in: 0...(choices.count - 1))]
  }

  /// True `percent` times in a hundred.
  public mutating func chance(percent: Int) -> Bool {
    number(in: 0...99) < percent
  }
}
