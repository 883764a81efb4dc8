extension Tensor {
  /// Attention scores of each head, in double precision, a head a product.
  ///
  /// `[Q, D]` queries by `[T, D]` keys give `[H, Q, T]`, times `scale`. Head `h` reads channels
  /// `h·D/H` to `(h+1)·D/H`.
  func headScoresInDouble(keys: Tensor, headCount: Int, scale: Float) -> Tensor {
    let width = shape[1] / headCount
    return Tensor.joined(
      (0..<headCount).map { head in
        let channels = head * width..<(head + 1) * width
        return columns(channels).matmulTransposed(keys.columns(channels), scale: scale)
      }, shape: [headCount, shape[0], keys.shape[0]])
  }

  /// What each query gathers, in double precision: patterns `[H, Q, T]` by values `[T, D]` give
  /// `[Q, D]`, the heads side by side.
  func headMixInDouble(values: Tensor) -> Tensor {
    let width = values.shape[1] / shape[0]
    let heads = (0..<shape[0]).map { head in
      row(head).matmul(values.columns(head * width..<(head + 1) * width))
    }
    return Tensor.joined(heads, shape: [shape[0], shape[1], width]).permuted(1, 0, 2)
      .reshaped(shape[1], values.shape[1])
  }

  private static func joined(_ tensors: [Tensor], shape: [Int]) -> Tensor {
    Tensor(tensors.flatMap(\.elements), shape: shape)
  }

  /// The columns in `range` of a matrix.
  public func columns(_ range: Range<Int>) -> Tensor {
    precondition(rank == 2 && range.lowerBound >= 0 && range.upperBound <= shape[1])
    return Tensor(
      gather(shape: [shape[0], range.count], strides: [shape[1], 1], start: range.lowerBound),
      shape: [shape[0], range.count])
  }
}
