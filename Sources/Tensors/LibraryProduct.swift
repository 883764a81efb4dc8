internal import CKernels
internal import COpenBLAS

/// A matrix in memory as the library reads it: rows that lie `stride` elements apart.
struct LibraryMatrix {
  var start: UnsafePointer<Float>
  var stride: Int
  var isTransposed = false
}

/// One product of OpenBLAS, kept to one thread: blocks are spread over threads by `Parallelism`, so
/// that the sums do not depend on how many there are.
struct LibraryProduct {
  /// The result's rows and columns, and the length of the sums.
  var m: Int, n: Int, k: Int
  var scale: Float = 1
  /// Whether products and sums are double precision, on copies of the matrices.
  var isDouble = false

  /// Runs once, before the first product.
  static let oneThreadEach: Void = openblas_set_num_threads(1)

  /// Writes `scale` times `a` by `b` to rows of `out` that lie `stride` elements apart.
  func callAsFunction(
    _ a: LibraryMatrix, _ b: LibraryMatrix, into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    if isDouble { return inDouble(a, b, into: out, stride: stride) }
    cblas_sgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), scale,
      a.start, blasint(a.stride), b.start, blasint(b.stride), 0, out, blasint(stride))
  }

  private func inDouble(
    _ a: LibraryMatrix, _ b: LibraryMatrix, into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    let wideA = widened(a, rows: a.isTransposed ? k : m, columns: a.isTransposed ? m : k)
    let wideB = widened(b, rows: b.isTransposed ? n : k, columns: b.isTransposed ? k : n)
    var result = [Double](repeating: 0, count: m * n)
    cblas_dgemm(
      CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
      b.isTransposed ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), blasint(k), Double(scale),
      wideA, blasint(a.isTransposed ? m : k), wideB, blasint(b.isTransposed ? k : n), 0, &result,
      blasint(n))
    result.withUnsafeBufferPointer { result in
      guard let start = result.baseAddress else { return }
      for row in 0..<m { ck_float64_to_float32(start + row * n, out + row * stride, n) }
    }
  }

  private func widened(_ matrix: LibraryMatrix, rows: Int, columns: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: rows * columns) { wide, count in
      count = rows * columns
      guard let wide = wide.baseAddress else { return }
      for row in 0..<rows {
        ck_float32_to_float64(matrix.start + row * matrix.stride, wide + row * columns, columns)
      }
    }
  }
}

/// A pointer that blocks on several threads write disjoint parts of.
struct Shared<T>: @unchecked Sendable {
  // Each block touches only its own part, and the buffer outlives the loop.
  let pointer: T
}
