internal import CKernels

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
    Work.note(operations: 2 * batches * m * n * k)
    let aStep = rank > 2 ? m * k : 0
    let bStep = other.rank > 2 ? k * n : 0
    // A batch is split into bands of rows, whose height does not depend on the thread count. Only
    // where a band would take long is it lower, and split into columns, so that it can be stopped.
    let band = k > 1 << 18 ? 8 : k > 1 << 15 ? 32 : 128
    let bands = (m + band - 1) / band
    let width = k * n > 1 << 24 ? max(512, (1 << 24) / k / 512 * 512) : n
    let panels = width == 0 ? 1 : max(1, (n + width - 1) / width)
    let isDouble = Arithmetic.override == .float64
    return Tensor.filled(leading + [m, n]) { out in
      guard k > 0 else { return out.update(repeating: 0, count: batches * m * n) }
      elements.withUnsafeBufferPointer { a in
        other.elements.withUnsafeBufferPointer { b in
          guard let a = a.baseAddress, let b = b.baseAddress else { return }
          let shared = Shared(pointer: (a, b, out))
          Parallelism.forEach(batches * bands * panels) { index in
            let (a, b, out) = shared.pointer
            let (batch, first) = (index / panels / bands, index / panels % bands * band)
            let column = index % panels * width
            LibraryProduct(
              m: min(band, m - first), n: min(width, n - column), k: k, scale: scale,
              isDouble: isDouble)(
                LibraryMatrix(start: a + batch * aStep + first * k, stride: k),
                LibraryMatrix(
                  start: b + batch * bStep + column * (otherTransposed ? k : 1),
                  stride: otherColumns, isTransposed: otherTransposed),
                into: out + batch * m * n + first * n + column, stride: n)
          }
        }
      }
    }
  }

  /// Runs once, before the first tensor is computed.
  ///
  /// Every layer makes tensors of the sizes of the layer before: handing their pages back to the
  /// system in between costs up to a third of a vision transformer's time.
  private static let keepsFreedMemory: Void = ck_keep_freed_memory()

  /// A tensor whose every element `write` sets, given where they start; not called for none.
  package static func filled(_ shape: [Int], _ write: (UnsafeMutablePointer<Float>) -> Void)
    -> Tensor
  {
    if ShapesAlone.isOn { return Tensor([], shape: shape) }
    _ = keepsFreedMemory
    let total = shape.reduce(1, *)
    let elements = [Float](unsafeUninitializedCapacity: total) { out, count in
      if total > 0, let out = out.baseAddress { write(out) }
      count = total
    }
    return Tensor(elements, shape: shape)
  }
}
