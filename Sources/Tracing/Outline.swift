internal import Synchronization
public import Tensors

/// The places that a run is going to pass, and the shapes there.
///
/// The run itself is made for its shapes alone: nothing is computed, and it says beforehand what a
/// trace will keep.
public struct Outline: Sendable {
  /// One place of the run.
  public struct Place: Sendable {
    /// The tap's full address.
    public let address: Address
    /// The length of each axis.
    public let shape: [Int]
    /// What each axis counts.
    public let axes: [Axis]
    /// The weight of the product that gives it; nil where it is no product's result.
    public let weight: StoredTensor?

    /// Bytes of its numbers, which are float32.
    public var byteCount: Int { shape.reduce(4) { $0.multipliedOrLargest(by: $1) } }
  }

  /// The places, in the order of the run.
  public private(set) var places: [Place] = []

  /// Nothing is passed.
  public init() {}

  /// Everything that `replay` passes, made for its shapes alone.
  ///
  /// - Throws: what `replay` throws.
  public init(of replay: (inout Trace) throws -> Void) throws {
    let passed = Mutex<[Place]>([])
    var trace = Trace.nothing
    trace.observer = { record in
      let place = Place(
        address: record.address, shape: record.tensor.shape, axes: record.tap.axes,
        weight: record.weight)
      passed.withLock { $0.append(place) }
    }
    try ShapesAlone.run { try replay(&trace) }
    places = passed.withLock { $0 }
  }

  /// The places that `isIncluded` chooses.
  public func filtered(by isIncluded: (Address) -> Bool) -> Outline {
    var filtered = self
    filtered.places.removeAll { !isIncluded($0.address) }
    return filtered
  }

  /// This outline, then another's places.
  public mutating func append(_ other: Outline) { places += other.places }

  /// Bytes of all places.
  public var byteCount: Int {
    places.reduce(0) { sum, place in
      let (next, overflow) = sum.addingReportingOverflow(place.byteCount)
      return overflow ? .max : next
    }
  }

  /// Bytes of the largest tensor that a run holds even where nothing is kept: attention's scores
  /// and patterns are made for who keeps them alone.
  public var largestByteCount: Int {
    places.lazy.filter { !["scores", "pattern"].contains($0.address.parts.last) }
      .map(\.byteCount).max() ?? 0
  }
}

extension Int {
  /// The product, or the largest number where it would be more.
  fileprivate func multipliedOrLargest(by factor: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
