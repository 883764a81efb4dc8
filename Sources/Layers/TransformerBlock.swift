public import Checkpoints
public import Tensors
public import Tracing

/// One pre-norm transformer block: `x += attention(norm1 x)`, then `x += mlp(norm2 x)`.
///
/// `[T, D]` in and out. Without a mask it is a vision encoder's block; with a causal mask and a
/// cache, a language decoder's.
public struct TransformerBlock: Sendable, Tapped {
  /// `[T, D]`: between the attention and the MLP.
  public static let middle = Tap(
    "middle", .token, .channel, says: "The tokens after attention was added.")
  /// `[T, D]`: what the block gives.
  public static let output = Tap("output", .token, .channel, says: "The tokens after the block.")
  /// The block's own taps, in the order a run passes them.
  public static let taps = [middle, output]

  let address: Address
  let norm1, norm2: LayerNorm
  /// The block's attention layer.
  public let attention: Attention
  /// The block's MLP.
  public let mlp: MLP

  /// Reads `norm1`, `attention`, `norm2` and `mlp` below `address`.
  public init(
    from weights: inout WeightReader, at address: Address, width: Int, hiddenWidth: Int,
    headCount: Int, activation: Activation, epsilon: Float, isFused: Bool = false,
    hasInputBias: Bool = true
  ) throws(CheckpointError) {
    self.address = address
    norm1 = try LayerNorm(
      from: &weights, at: address / "norm1", width: width, epsilon: epsilon)
    attention = try Attention(
      from: &weights, at: address / "attention", width: width, headCount: headCount,
      isFused: isFused, hasInputBias: hasInputBias)
    norm2 = try LayerNorm(
      from: &weights, at: address / "norm2", width: width, epsilon: epsilon)
    mlp = try MLP(
      from: &weights, at: address / "mlp", width: width, hiddenWidth: hiddenWidth,
      activation: activation)
  }

  /// Runs the block on `x` `[T, D]`.
  ///
  /// - Parameters:
  ///   - mask: `[Q, T]`, added to the attention's scores.
  ///   - cache: the attention's keys and values of earlier tokens, or nil where none are kept.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, cache: inout KeyValues?, trace: inout Trace
  ) -> Tensor {
    let gathered = attention(norm1(x, trace: &trace), mask: mask, cache: &cache, trace: &trace)
    let middle = trace.pass(x + gathered, Self.middle, at: address)
    let output = middle + mlp(norm2(middle, trace: &trace), trace: &trace)
    return trace.pass(output, Self.output, at: address)
  }

  /// Runs the block on `x` `[T, D]` without mask or cache.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    var none: KeyValues?
    return self(x, cache: &none, trace: &trace)
  }
}
