internal import Models
internal import Tracing

extension BrokenNumber {
  /// What it is.
  var kind: String { number.isNaN ? "NaN" : "infinity" }
}

extension RepeatableModel {
  /// Indices in words: `patch 3,4, channel 12`.
  func words(_ index: [Int], axes: [Axis], at address: Address, inputs: RunInputs) -> String {
    zip(axes, index).map { axis, index in
      name(of: index, on: axis, at: address, inputs: inputs) ?? "\(axis.rawValue) \(index)"
    }.joined(separator: ", ")
  }

  /// Where a run has its first NaN or infinity, in words; nil where all are finite.
  func brokenPlace(
    _ inputs: RunInputs, isCancelled: @escaping @Sendable () -> Bool
  ) throws -> String? {
    let broken = try BrokenNumber.first(
      in: { try pass(inputs, trace: &$0) }, places: outline(inputs).places.map(\.address),
      isCancelled: isCancelled)
    return broken.map {
      "\($0.kind) first at \($0.address): "
        + words($0.index, axes: $0.axes, at: $0.address, inputs: inputs)
    }
  }
}
