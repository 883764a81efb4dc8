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

  /// What a block is like.
  public struct Shape: Sendable, Equatable {
    /// Its attention.
    public var attention: Attention.Shape
    /// Its MLP.
    public var mlp: MLP.Shape
    /// How both norms normalise.
    public var norm: Norm.Kind
    /// What they add to the variance.
    public var epsilon: Float

    /// A block of these layers.
    public init(
      attention: Attention.Shape, mlp: MLP.Shape, norm: Norm.Kind = .layer, epsilon: Float
    ) {
      (self.attention, self.mlp) = (attention, mlp)
      (self.norm, self.epsilon) = (norm, epsilon)
    }
  }

  let address: Address
  let norm1, norm2: Norm
  /// The block's attention layer.
  public let attention: Attention
  /// The block's MLP.
  public let mlp: MLP

  /// Reads `norm1`, `attention`, `norm2` and `mlp` below `address`.
  public init(
    from weights: inout WeightReader, at address: Address, _ shape: Shape
  ) throws(CheckpointError) {
    self.address = address
    let width = shape.attention.width
    norm1 = try Norm(
      from: &weights, at: address / "norm1", width: width, epsilon: shape.epsilon,
      kind: shape.norm)
    attention = try Attention(from: &weights, at: address / "attention", shape.attention)
    norm2 = try Norm(
      from: &weights, at: address / "norm2", width: width, epsilon: shape.epsilon,
      kind: shape.norm)
    mlp = try MLP(from: &weights, at: address / "mlp", shape.mlp)
  }

  /// Reads `count` blocks, numbered from 0, below `address`.
  public static func read(
    _ count: Int, from weights: inout WeightReader, below address: Address, _ shape: Shape
  ) throws(CheckpointError) -> [TransformerBlock] {
    var blocks: [TransformerBlock] = []
    for index in 0..<count {
      blocks.append(try TransformerBlock(from: &weights, at: address / index, shape))
    }
    return blocks
  }

  /// Runs the block on `x` `[T, D]`.
  ///
  /// - Parameters:
  ///   - mask: `[Q, T]`, added to the attention's scores.
  ///   - rotation: turns the attention's queries and keys.
  ///   - cache: the attention's keys and values of earlier tokens, or nil where none are kept.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, rotation: Rotation? = nil, cache: inout KeyValues?,
    trace: inout Trace
  ) -> Tensor {
    let gathered = attention(
      norm1(x, trace: &trace), mask: mask, rotation: rotation, cache: &cache, trace: &trace)
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
