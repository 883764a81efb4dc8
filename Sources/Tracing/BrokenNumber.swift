internal import Synchronization
internal import Tensors

/// A NaN or an infinity, where a run has it first.
public struct BrokenNumber: Sendable, Equatable {
  /// The place.
  public let address: Address
  /// What its axes count.
  public let axes: [Axis]
  /// The indices of the first such number.
  public let index: [Int]
  /// NaN, or an infinity.
  public let number: Float
  /// The entry of a batch that has it; nil where there is one alone.
  public internal(set) var entry: Int?
}

extension BrokenNumber {
  /// The first NaN or infinity of a tensor; nil where all numbers are finite.
  init?(in tensor: Tensor, at place: ForcedRun.Place) {
    guard let offset = Self.offset(in: tensor, at: place.address) else { return nil }
    var (rest, index) = (offset, [Int]())
    for length in tensor.shape.reversed() {
      index.insert(rest % length, at: 0)
      rest /= length
    }
    self.init(
      address: place.address, axes: place.tap.axes, index: index,
      number: tensor.elements[offset])
  }

  private static func offset(in tensor: Tensor, at address: Address) -> Int? {
    // Before softmax, negative infinity is where a mask forbids to look.
    let isScores = address.parts.last == "scores"
    return tensor.elements.firstIndex { !$0.isFinite && !(isScores && $0 == -.infinity) }
  }
}

extension BrokenNumber {
  /// Looks for the first place of a run with NaN or infinity; nil where all are finite.
  ///
  /// Nothing is kept: every place is looked at as it passes, and the run ends at the first.
  ///
  /// - Parameter places: those that the run passes.
  public static func first(
    in replay: Replay, places: [Address],
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> BrokenNumber? {
    let found = Mutex<Address?>(nil)
    var edits: [Address: Trace.Edit] = [:]
    for address in places {
      edits[address] = { tensor in
        let isBroken = offset(in: tensor, at: address) != nil
        found.withLock { if $0 == nil, isBroken { $0 = address } }
        return tensor
      }
    }
    var trace = Trace(edits: edits) { _ in false }
    trace.isCancelled = { isCancelled() || found.withLock { $0 != nil } }
    do { try replay(&trace) } catch let stop as Cancelled { if isCancelled() { throw stop } }
    guard let address = found.withLock({ $0 }) else { return nil }
    // Once more, for its axes and its numbers.
    var kept = Trace { $0 == address }
    kept.isCancelled = { isCancelled() }
    try replay(&kept)
    return kept.records.first.flatMap {
      BrokenNumber(in: $0.tensor, at: ForcedRun.Place(address: address, tap: $0.tap))
    }
  }
}
