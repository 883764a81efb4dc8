public import Tensors
internal import Tracing

extension Attention {
  /// Runs self-attention on several sequences whose rows stand under each other, `[ΣT, D]`.
  ///
  /// One product a projection for the rows of all, attention for each sequence alone. No tap is
  /// passed.
  ///
  /// - Parameters:
  ///   - counts: how many rows each sequence has.
  ///   - mask: `[T, T]` for a sequence of so many rows, or nil where everything is seen.
  public func callAsFunction(
    batch tokens: Tensor, counts: [Int], mask: (Int) -> Tensor? = { _ in nil }
  ) -> Tensor {
    var trace = Trace.nothing
    let (q, k, v) = projected(tokens, trace: &trace)
    var mixed: [Tensor] = []
    var start = 0
    for count in counts {
      let rows = start..<start + count
      start += count
      let heads = HeadAttention(
        queries: q.picking(rows), keys: k.picking(rows), values: v.picking(rows),
        headCount: shape.headCount, keyHeadCount: shape.keyHeadCount, scale: scale,
        mask: mask(count))
      mixed.append(heads.attend().mixed)
    }
    return outputProjection(Tensor.concatenated(mixed), trace: &trace)
  }
}

extension TransformerBlock {
  /// Runs the block on several sequences whose rows stand under each other, `[ΣT, D]`.
  ///
  /// Every linear layer takes the rows of all in one product. No tap is passed.
  ///
  /// - Parameters:
  ///   - counts: how many rows each sequence has.
  ///   - mask: `[T, T]` for a sequence of so many rows, or nil where everything is seen.
  public func callAsFunction(
    batch x: Tensor, counts: [Int], mask: (Int) -> Tensor? = { _ in nil }
  ) -> Tensor {
    var trace = Trace.nothing
    let middle = x + attention(batch: norm1(x, trace: &trace), counts: counts, mask: mask)
    return middle + mlp(norm2(middle, trace: &trace), trace: &trace)
  }
}
