internal import Checkpoints
public import Tensors
public import Tracing

/// One block of the Q-Former: post-norm, as in BERT, with a second attention that looks at the
/// picture in some blocks, and one MLP for queries, another for text.
public struct QFormerBlock: Sendable, Tapped {
  /// `[T, D]`: what the block gives.
  public static let output = Tap("output", .token, .channel, says: "The tokens after the block.")
  /// The block's own tap.
  public static let taps = [output]

  let address: Address
  let attention: Attention
  let attentionNorm: Norm
  let crossAttention: Attention?
  let crossAttentionNorm: Norm?
  let queryMLP: MLP
  let queryNorm: Norm
  let textMLP: MLP?
  let textNorm: Norm?

  init(
    from weights: inout WeightReader, at address: Address, _ shape: QFormer.Shape,
    imageWidth: Int, looksAtImage: Bool
  ) throws(CheckpointError) {
    self.address = address
    let (width, epsilon) = (shape.width, shape.epsilon)
    var looking = Attention.Shape(width: width, headCount: shape.headCount)
    attention = try Attention(from: &weights, at: address / "attention", looking)
    attentionNorm = try Norm(
      from: &weights, at: address / "attention_norm", width: width, epsilon: epsilon)
    if looksAtImage {
      looking.sourceWidth = imageWidth
      crossAttention = try Attention(from: &weights, at: address / "cross_attention", looking)
      crossAttentionNorm = try Norm(
        from: &weights, at: address / "cross_attention_norm", width: width, epsilon: epsilon)
    } else {
      (crossAttention, crossAttentionNorm) = (nil, nil)
    }
    let mlp = MLP.Shape(
      width: width, hiddenWidth: shape.hiddenWidth,
      activation: shape.activation)
    queryMLP = try MLP(from: &weights, at: address / "query_mlp", mlp)
    queryNorm = try Norm(
      from: &weights, at: address / "query_norm", width: width, epsilon: epsilon)
    if shape.readsText {
      textMLP = try MLP(from: &weights, at: address / "text_mlp", mlp)
      textNorm = try Norm(
        from: &weights, at: address / "text_norm", width: width, epsilon: epsilon)
    } else {
      (textMLP, textNorm) = (nil, nil)
    }
  }

  /// Runs the block on `x` `[Q + L, D]`: the first `queryCount` rows are queries, which look at
  /// `image` `[T, S]`; the rest is text.
  public func callAsFunction(
    _ x: Tensor, queryCount: Int, image: Tensor?, mask: Tensor?, trace: inout Trace
  ) -> Tensor {
    let attended = attentionNorm(
      x + attention(x, mask: mask, trace: &trace), trace: &trace)
    var parts: [Tensor] = []
    if queryCount > 0 {
      var queries = attended.rows(0..<queryCount)
      if let image, let crossAttention, let crossAttentionNorm {
        queries = crossAttentionNorm(
          queries + crossAttention(queries, source: image, trace: &trace), trace: &trace)
      }
      parts.append(queryNorm(queries + queryMLP(queries, trace: &trace), trace: &trace))
    }
    if queryCount < attended.shape[0], let textMLP, let textNorm {
      let text = attended.rows(queryCount..<attended.shape[0])
      parts.append(textNorm(text + textMLP(text, trace: &trace), trace: &trace))
    }
    return trace.pass(Tensor.concatenated(parts), Self.output, at: address)
  }
}
