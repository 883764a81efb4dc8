public import Checkpoints
public import Tensors
public import Tracing

/// Layer normalisation over channels: each row gets mean 0 and deviation 1, then a scale and shift.
public struct LayerNorm: Sendable, Tapped {
  /// `[T, D]`: the normalised rows.
  public static let output = Tap("output", .token, .channel, says: "The rows, normalised.")
  /// The layer's one tap.
  public static let taps = [output]

  let address: Address
  let scale: Tensor  // [D]
  let shift: Tensor  // [D]
  let epsilon: Float

  /// Reads `weight` and `bias`, both `[width]`.
  public init(
    from weights: inout WeightReader, at address: Address, width: Int, epsilon: Float
  ) throws(CheckpointError) {
    (self.address, self.epsilon) = (address, epsilon)
    scale = try weights.take(address / "weight", shape: [width]).tensor
    shift = try weights.take(address / "bias", shape: [width]).tensor
  }

  /// Normalises each row of `x`.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    trace.pass(
      x.layerNormalised(scale: scale, shift: shift, epsilon: epsilon), Self.output, at: address)
  }
}
