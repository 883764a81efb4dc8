internal import CKernels
internal import COpenBLAS
internal import Glibc

/// OpenBLAS, which multiplies matrices.
///
/// Opened and not linked: while it is loaded it starts a thread for every core, and ends the process
/// where the system has none. It is told to start none; products are spread by `Parallelism`.
public enum ProductLibrary {
  private static let file = "libopenblas.so.0"

  struct Functions {
    typealias Sgemm =
      @convention(c) (
        CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Float,
        UnsafePointer<Float>, blasint, UnsafePointer<Float>, blasint, Float,
        UnsafeMutablePointer<Float>, blasint
      ) -> Void
    typealias Dgemm =
      @convention(c) (
        CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Double,
        UnsafePointer<Double>, blasint, UnsafePointer<Double>, blasint, Double,
        UnsafeMutablePointer<Double>, blasint
      ) -> Void

    let sgemm: Sgemm
    let dgemm: Dgemm
  }

  private static let opened = Result<Functions, LibraryShortage> { () throws(LibraryShortage) in
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    // Two of its thousands of functions are called, and what they call is its own: looking up everything
    // in all libraries would take ten milliseconds.
    guard let handle = dlopen(file, RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND),
      let sgemm = dlsym(handle, "cblas_sgemm"),
      let dgemm = dlsym(handle, "cblas_dgemm")
    else { throw LibraryShortage(reason: dlerror().map { String(cString: $0) } ?? file) }
    return Functions(
      sgemm: unsafeBitCast(sgemm, to: Functions.Sgemm.self),
      dgemm: unsafeBitCast(dgemm, to: Functions.Dgemm.self))
  }

  /// Opens it, before the first product.
  ///
  /// - Throws: `LibraryShortage` where it is not there or finds no memory.
  public static func open() throws(LibraryShortage) { _ = try opened.get() }

  static let functions: Functions = {
    do { return try opened.get() } catch { fatalError("\(error)") }
  }()
}

/// A library that cannot be opened.
public struct LibraryShortage: Error, CustomStringConvertible {
  /// What the system said.
  let reason: String

  /// The sentence shown to people.
  public var description: String {
    "OpenBLAS cannot be opened (\(reason)): run scripts/setup, or allow more memory (ulimit -v)"
  }
}

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

  /// Writes `scale` times `a` by `b` to rows of `out` that lie `stride` elements apart.
  func callAsFunction(
    _ a: LibraryMatrix, _ b: LibraryMatrix, into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    if isDouble { return inDouble(a, b, into: out, stride: stride) }
    ProductLibrary.functions.sgemm(
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
    ProductLibrary.functions.dgemm(
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
