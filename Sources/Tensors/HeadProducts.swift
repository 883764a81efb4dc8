extension Tensor {
  /// Attention scores of each head.
  ///
  /// `[Q, D]` queries by `[T, D]` keys give `[H, Q, T]`, times `scale`. Head `h` reads channels
  /// `h·D/H` to `(h+1)·D/H`, where they lie.
  ///
  /// - Precondition: `headCount` divides the channels, which both sides share.
  public func headScores(keys: Tensor, headCount: Int, scale: Float) -> Tensor {
    precondition(rank == 2 && keys.rank == 2 && shape[1] == keys.shape[1])
    let (m, n, width) = (shape[0], keys.shape[0], shape[1])
    precondition(width.isMultiple(of: headCount), "\(width) channels in \(headCount) heads")
    let k = width / headCount
    Work.note(operations: 2 * headCount * m * n * k)
    let isDouble = Arithmetic.override == .float64
    _ = LibraryProduct.oneThreadEach
    return Tensor.filled([headCount, m, n]) { out in
      elements.withUnsafeBufferPointer { q in
        keys.elements.withUnsafeBufferPointer { t in
          guard let q = q.baseAddress, let t = t.baseAddress else { return }
          let shared = Shared(pointer: (q, t, out))
          Parallelism.forEach(headCount) { head in
            let (q, t, out) = shared.pointer
            LibraryProduct(m: m, n: n, k: k, scale: scale, isDouble: isDouble)(
              LibraryMatrix(start: q + head * k, stride: width),
              LibraryMatrix(start: t + head * k, stride: width, isTransposed: true),
              into: out + head * m * n, stride: n)
          }
        }
      }
    }
  }

  /// What each query gathers: patterns `[H, Q, T]` by values `[T, D]` give `[Q, D]`, the heads side
  /// by side.
  ///
  /// - Precondition: `T` agrees and `H` divides `D`.
  public func headMix(values: Tensor) -> Tensor {
    precondition(rank == 3 && values.rank == 2 && shape[2] == values.shape[0])
    let (headCount, m, n, width) = (shape[0], shape[1], shape[2], values.shape[1])
    precondition(width.isMultiple(of: headCount), "\(width) channels in \(headCount) heads")
    let k = width / headCount
    Work.note(operations: 2 * headCount * m * n * k)
    let isDouble = Arithmetic.override == .float64
    _ = LibraryProduct.oneThreadEach
    return Tensor.filled([m, width]) { out in
      elements.withUnsafeBufferPointer { p in
        values.elements.withUnsafeBufferPointer { v in
          guard let p = p.baseAddress, let v = v.baseAddress else {
            return out.update(repeating: 0, count: m * width)
          }
          let shared = Shared(pointer: (p, v, out))
          Parallelism.forEach(headCount) { head in
            let (p, v, out) = shared.pointer
            LibraryProduct(m: m, n: k, k: n, isDouble: isDouble)(
              LibraryMatrix(start: p + head * m * n, stride: n),
              LibraryMatrix(start: v + head * k, stride: width),
              into: out + head * k, stride: width)
          }
        }
      }
    }
  }

  /// The columns in `range` of a matrix.
  public func columns(_ range: Range<Int>) -> Tensor {
    precondition(rank == 2 && range.lowerBound >= 0 && range.upperBound <= shape[1])
    return Tensor(
      gather(shape: [shape[0], range.count], strides: [shape[1], 1], start: range.lowerBound),
      shape: [shape[0], range.count])
  }
}
