public import Checkpoints
public import Tensors
public import Tracing

/// Normalisation of each token's channels, then a scale and, in one kind, a shift.
public struct Norm: Sendable, Tapped {
  /// How a token is normalised.
  public enum Kind: Sendable {
    /// To mean 0 and deviation 1 (Ba, Kiros, Hinton 2016, arXiv:1607.06450).
    case layer
    /// To root mean square 1, without a shift (Zhang, Sennrich 2019, arXiv:1910.07467).
    case rootMeanSquare
  }

  /// `[T, D]`: the normalised rows.
  public static let output = Tap("output", .token, .channel, says: "The rows, normalised.")
  /// The layer's one tap.
  public static let taps = [output]

  let address: Address
  let scale: Tensor  // [D]
  /// `[D]`; nil in the kind without one.
  let shift: Tensor?
  let epsilon: Float

  /// Reads `weight` and, of a layer norm, `bias`, both `[width]`.
  public init(
    from weights: inout WeightReader, at address: Address, width: Int, epsilon: Float,
    kind: Kind = .layer
  ) throws(CheckpointError) {
    (self.address, self.epsilon) = (address, epsilon)
    scale = try weights.take(address / "weight", shape: [width]).tensor
    shift = kind == .layer ? try weights.take(address / "bias", shape: [width]).tensor : nil
  }

  /// Normalises each row of `x`.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    let normalised =
      shift.map { x.layerNormalised(scale: scale, shift: $0, epsilon: epsilon) }
      ?? x.rootMeanSquareNormalised(scale: scale, epsilon: epsilon)
    return trace.pass(normalised, Self.output, at: address)
  }
}
