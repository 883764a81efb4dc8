internal import CKernels
internal import COpenBLAS

/// One matrix product of the library, kept to one thread: blocks are spread over threads by
/// `Parallelism`, so that the sums do not depend on how many there are.
private func multiply(
  _ a: UnsafePointer<Float>, aTransposed: Bool, _ b: UnsafePointer<Float>, bTransposed: Bool,
  _ out: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int, lda: Int, ldb: Int, ldc: Int,
  scale: Float = 1
) {
  cblas_sgemm(
    CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
    blasint(m), blasint(n), blasint(k), scale, a, blasint(lda), b, blasint(ldb), 0, out,
    blasint(ldc))
}

/// Runs once, before the first product.
private let oneThreadEach: Void = {
  openblas_set_num_threads(1)
  // Every layer makes tensors of the sizes of the layer before: handing their pages back to the
  // system in between costs a third of a vision transformer's time.
  ck_keep_freed_memory()
}()

/// A pointer that blocks on several threads write disjoint parts of.
private struct Shared<T>: @unchecked Sendable {
  // Each block touches only its own part, and the buffer outlives the loop.
  let pointer: T
}

extension Tensor {
  /// The matrix product: `[..., M, K]` by `[..., K, N]` gives `[..., M, N]`.
  ///
  /// - Precondition: the inner lengths agree; the leading axes are equal, or one side has none.
  public func matmul(_ other: Tensor) -> Tensor {
    product(other, otherTransposed: false, scale: 1)
  }

  /// The product with the other matrix transposed: `[..., M, K]` by `[..., N, K]`, times `scale`.
  public func matmulTransposed(_ other: Tensor, scale: Float = 1) -> Tensor {
    product(other, otherTransposed: true, scale: scale)
  }

  private func product(_ other: Tensor, otherTransposed: Bool, scale: Float) -> Tensor {
    precondition(rank >= 2 && other.rank >= 2, "cannot multiply \(shape) by \(other.shape)")
    let (m, k) = (shape[rank - 2], shape[rank - 1])
    let otherRows = other.shape[other.rank - 2]
    let otherColumns = other.shape[other.rank - 1]
    let n = otherTransposed ? otherRows : otherColumns
    let leading = rank > 2 ? Array(shape.dropLast(2)) : Array(other.shape.dropLast(2))
    precondition(
      k == (otherTransposed ? otherColumns : otherRows)
        && (rank == 2 || other.rank == 2 || shape.dropLast(2) == other.shape.dropLast(2)),
      "cannot multiply \(shape) by \(other.shape)\(otherTransposed ? " transposed" : "")")
    let batches = leading.reduce(1, *)
    let aStep = rank > 2 ? m * k : 0
    let bStep = other.rank > 2 ? k * n : 0
    _ = oneThreadEach
    // A batch is split into bands of rows; the band's height is fixed, not the thread count's.
    let band = 128
    let bands = (m + band - 1) / band
    let result = [Float](unsafeUninitializedCapacity: batches * m * n) { out, count in
      count = batches * m * n
      guard count > 0, let out = out.baseAddress else { return }
      guard k > 0 else {
        out.initialize(repeating: 0, count: count)
        return
      }
      elements.withUnsafeBufferPointer { a in
        other.elements.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return }
          let shared = Shared(pointer: (a, b, out))
          Parallelism.forEach(batches * bands) { index in
            let (a, b, out) = shared.pointer
            let (batch, first) = (index / bands, index % bands * band)
            multiply(
              a + batch * aStep + first * k, aTransposed: false, b + batch * bStep,
              bTransposed: otherTransposed, out + batch * m * n + first * n,
              m: min(band, m - first), n: n, k: k, lda: k, ldb: otherColumns, ldc: n, scale: scale)
          }
        }
      }
    }
    return Tensor(result, shape: leading + [m, n])
  }

  /// The product with stored weights `[N, K]`, one row an output: `[M, K]` gives `[M, N]`.
  ///
  /// Weights in half precision are widened block by block, never as a whole; a single row takes a
  /// path of its own that reads them once.
  ///
  /// - Precondition: `self` is a matrix and the inner lengths agree.
  public func matmulTransposed(_ weight: StoredTensor, bias: Tensor? = nil) -> Tensor {
    precondition(
      rank == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "cannot multiply \(shape) by weights \(weight.shape)")
    let (m, k, n) = (shape[0], shape[1], weight.shape[0])
    _ = oneThreadEach
    let block = 256
    let result = [Float](unsafeUninitializedCapacity: m * n) { out, count in
      count = m * n
      guard count > 0, let out = out.baseAddress else { return }
      elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        let shared = Shared(pointer: (x, out))
        Parallelism.forEach((n + block - 1) / block) { index in
          let (x, out) = shared.pointer
          let first = index * block
          let rows = min(block, n - first)
          if m == 1 {
            weight.multiply(row: x, firstRow: first, rows: rows, into: out + first)
          } else {
            weight.withFloats(from: first * k, count: rows * k) { w in
              multiply(
                x, aTransposed: false, w, bTransposed: true, out + first, m: m, n: rows, k: k,
                lda: k, ldb: k, ldc: n)
            }
          }
        }
      }
      if let bias {
        precondition(bias.count == n, "\(bias.count) biases for \(n) outputs")
        ck_add_bias(out, bias.elements, m, n)
      }
    }
    return Tensor(result, shape: [m, n])
  }
}

extension StoredTensor {
  fileprivate func multiply(
    row x: UnsafePointer<Float>, firstRow: Int, rows: Int, into out: UnsafeMutablePointer<Float>
  ) {
    withUnsafeBytes { bytes in
      let start = bytes + firstRow * shape[1] * type.size
      switch type {
      case .float32: ck_matvec_float32(start, x, out, rows, shape[1])
      case .float16: ck_matvec_float16(start, x, out, rows, shape[1])
      case .bfloat16: ck_matvec_bfloat16(start, x, out, rows, shape[1])
      }
    }
  }

  /// Calls `body` with float32 elements: the stored ones where they are, else a scratch copy.
  fileprivate func withFloats(
    from first: Int, count: Int, _ body: (UnsafePointer<Float>) -> Void
  ) {
    withUnsafeBytes { bytes in
      let start = bytes + first * type.size
      if type == .float32, Int(bitPattern: start).isMultiple(of: MemoryLayout<Float>.alignment) {
        body(start.assumingMemoryBound(to: Float.self))
      } else {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { scratch in
          guard let scratch = scratch.baseAddress else { return }
          convert(from: first, count: count, into: scratch)
          body(scratch)
        }
      }
    }
  }
}

extension Tensor {
  /// Attention scores of each head.
  ///
  /// `[Q, D]` queries by `[T, D]` keys give `[H, Q, T]`, times `scale`. Head `h` reads channels `h·D/H` to `(h+1)·D/H`, where they lie.
  ///
  /// - Precondition: `headCount` divides the channels, which both sides share.
  public func headScores(keys: Tensor, headCount: Int, scale: Float) -> Tensor {
    precondition(rank == 2 && keys.rank == 2 && shape[1] == keys.shape[1])
    let (m, n, width) = (shape[0], keys.shape[0], shape[1])
    precondition(width.isMultiple(of: headCount), "\(width) channels in \(headCount) heads")
    let k = width / headCount
    _ = oneThreadEach
    let result = [Float](unsafeUninitializedCapacity: headCount * m * n) { out, count in
      count = headCount * m * n
      guard count > 0, let out = out.baseAddress else { return }
      elements.withUnsafeBufferPointer { q in
        keys.elements.withUnsafeBufferPointer { t in
          guard let q = q.baseAddress, let t = t.baseAddress else { return }
          let shared = Shared(pointer: (q, t, out))
          Parallelism.forEach(headCount) { head in
            let (q, t, out) = shared.pointer
            multiply(
              q + head * k, aTransposed: false, t + head * k, bTransposed: true, out + head * m * n,
              m: m, n: n, k: k, lda: width, ldb: width, ldc: n, scale: scale)
          }
        }
      }
    }
    return Tensor(result, shape: [headCount, m, n])
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
    _ = oneThreadEach
    let result = [Float](unsafeUninitializedCapacity: m * width) { out, count in
      count = m * width
      guard count > 0, let out = out.baseAddress else { return }
      elements.withUnsafeBufferPointer { p in
        values.elements.withUnsafeBufferPointer { v in
          guard let p = p.baseAddress, let v = v.baseAddress else { return }
          let shared = Shared(pointer: (p, v, out))
          Parallelism.forEach(headCount) { head in
            let (p, v, out) = shared.pointer
            multiply(
              p + head * m * n, aTransposed: false, v + head * k, bTransposed: false,
              out + head * k, m: m, n: k, k: n, lda: n, ldb: width, ldc: width)
          }
        }
      }
    }
    return Tensor(result, shape: [m, width])
  }

  /// The columns in `range` of a matrix.
  public func columns(_ range: Range<Int>) -> Tensor {
    precondition(rank == 2 && range.lowerBound >= 0 && range.upperBound <= shape[1])
    return Tensor(
      gather(shape: [shape[0], range.count], strides: [shape[1], 1], start: range.lowerBound),
      shape: [shape[0], range.count])
  }
}
