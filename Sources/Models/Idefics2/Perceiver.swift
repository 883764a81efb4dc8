internal import Checkpoints
public import Layers
internal import Tensors
internal import Tracing

extension Idefics2 {
  /// A perceiver resampler: learned latents gather from a picture's tokens, and from themselves, in a few
  /// blocks: `[P, E]` to `[Q, E]`, whatever `P` is.
  ///
  /// Alayrac et al. 2022, arXiv:2204.14198. Keys and values are made of the picture's tokens and behind them
  /// the latents, each normalised by a norm of its own; the picture's tokens stay what they are. No positions.
  public struct Perceiver: Sendable {
    /// What a perceiver is like.
    public struct Shape: Sendable, Equatable {
      /// How many latents there are, `Q`.
      public let latentCount: Int
      /// How many blocks there are.
      public let blockCount: Int
      /// The attention of latents on tokens and latents.
      public let attention: Attention.Shape
      /// What follows it.
      public let mlp: MLP.Shape
      /// What the norms add to the variance.
      public let epsilon: Float

      /// Channels of a latent, `E`.
      public var width: Int { attention.width }
    }

    /// What it is like.
    public let shape: Shape
    /// `[Q, E]`: the learned latents, the same for every picture.
    let latents: Tensor
    let blocks: [Block]
    let norm: Norm

    private static let root = Address("resampler")

    /// Reads it below the address `resampler`.
    init(from weights: inout WeightReader, _ shape: Shape) throws(CheckpointError) {
      self.shape = shape
      latents = try weights.take(
        Self.root / "latents", shape: [shape.latentCount, shape.width]
      ).tensor
      var blocks: [Block] = []
      for index in 0..<shape.blockCount {
        blocks.append(try Block(from: &weights, at: Self.root / "blocks" / index, shape))
      }
      self.blocks = blocks
      norm = try Norm(
        from: &weights, at: Self.root / "norm", width: shape.width, epsilon: shape.epsilon,
        kind: .rootMeanSquare)
    }
  }
}

extension Idefics2.Perceiver {
  /// One block: `x += attention(norm x on norm context and norm x)`, then `x += mlp(norm x)`.
  struct Block: Sendable, Tapped {
    /// `[Q, E]`: between the attention and the MLP.
    static let middle = Tap(
      "middle", .query, .channel, says: "The latents after attention was added.")
    /// `[Q, E]`: what the block gives.
    static let output = Tap("output", .query, .channel, says: "The latents after the block.")
    static let taps = [middle, output]

    let address: Address
    let latentNorm, contextNorm, norm2: Norm
    let attention: Attention
    let mlp: MLP

    /// Reads `latent_norm`, `context_norm`, `attention`, `norm2` and `mlp` below `address`.
    init(
      from weights: inout WeightReader, at address: Address, _ shape: Shape
    ) throws(CheckpointError) {
      self.address = address
      func norm(_ name: String) throws(CheckpointError) -> Norm {
        try Norm(
          from: &weights, at: address / name, width: shape.width, epsilon: shape.epsilon,
          kind: .rootMeanSquare)
      }
      latentNorm = try norm("latent_norm")
      contextNorm = try norm("context_norm")
      attention = try Attention(from: &weights, at: address / "attention", shape.attention)
      norm2 = try norm("norm2")
      mlp = try MLP(from: &weights, at: address / "mlp", shape.mlp)
    }

    /// Latents `[Q, E]` look at a picture's tokens, the context `[P, E]`, and at themselves.
    ///
    /// - Parameter mask: `[Q, P + Q]`, added to the scores; nil where everything is seen.
    func callAsFunction(
      _ latents: Tensor, context: Tensor, mask: Tensor?, trace: inout Trace
    ) -> Tensor {
      let asked = latentNorm(latents, trace: &trace)  // [Q, E]
      let seen = Tensor.concatenated([contextNorm(context, trace: &trace), asked])  // [P + Q, E]
      let gathered = attention(asked, source: seen, mask: mask, trace: &trace)
      let middle = trace.pass(latents + gathered, Self.middle, at: address)
      let output = middle + mlp(norm2(middle, trace: &trace), trace: &trace)
      return trace.pass(output, Self.output, at: address)
    }
  }
}
