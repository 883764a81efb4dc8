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
    let scale = 1 / Float(width / headCount).squareRoot()
    var fused: Tensor?
    var parts: (q: Tensor, k: Tensor, v: Tensor)?
    switch projections {
    case .fused(let qkv): fused = qkv(tokens, trace: &trace)  // [ΣT, 3D]
    case .separate(let query, let key, let value):
      parts = (
        query(tokens, trace: &trace), key(tokens, trace: &trace), value(tokens, trace: &trace)
      )
    }
    var mixed: [Tensor] = []
    var start = 0
    for count in counts {
      let rows = start..<start + count
      start += count
      let (q, k, v): (Channels, Channels, Channels)  // [T, D]
      if let fused {
        q = Channels(fused, rows: rows, channels: 0..<width)
        k = Channels(fused, rows: rows, channels: width..<2 * width)
        v = Channels(fused, rows: rows, channels: 2 * width..<3 * width)
      } else if let parts {
        q = Channels(parts.q, rows: rows)
        k = Channels(parts.k, rows: rows)
        v = Channels(parts.v, rows: rows)
      } else {
        continue
      }
      let heads = HeadAttention(
        queries: q, keys: k, values: v, headCount: headCount, scale: scale, mask: mask(count))
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
