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
    self.init(
      address: place.address, axes: place.tap.axes, index: tensor.shape.index(ofPlace: offset),
      number: tensor.elements[offset])
  }

  private static func offset(in tensor: Tensor, at address: Address) -> Int? {
    // Before softmax, negative infinity is where a mask forbids to look.
    tensor.firstNonFinite(allowingMasks: address.parts.last == "scores")
  }
}

extension BrokenNumber {
  /// Looks for the first place of a run with NaN or infinity; nil where all are finite.
  ///
  /// Nothing is kept: every place is looked at as it passes, and the run ends at the first.
  ///
  /// - Parameter replay: the run, or the part of it that is to be looked through.
  public static func first(
    in replay: Replay, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> BrokenNumber? {
    let found = Mutex<BrokenNumber?>(nil)
    var trace = Trace.nothing
    trace.observer = { record in
      found.withLock { found in
        guard found == nil else { return }
        found = BrokenNumber(
          in: record.tensor, at: ForcedRun.Place(address: record.address, tap: record.tap))
      }
    }
    trace.isCancelled = { isCancelled() || found.withLock { $0 != nil } }
    do { try replay(&trace) } catch let stop as Cancelled { if isCancelled() { throw stop } }
    return found.withLock { $0 }
  }
}
