internal import CKernels

extension Tensor {
  /// The product with stored weights `[N, K]`, one row an output: `[M, K]` gives `[M, N]`.
  ///
  /// The weights' `arithmetic` says how it is computed. They are read where they lie and widened
  /// block by block, never as a whole; a single row reads them once.
  ///
  /// - Precondition: `self` is a matrix and the inner lengths agree.
  public func matmulTransposed(_ weight: StoredTensor, bias: Tensor? = nil) -> Tensor {
    precondition(
      rank == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "cannot multiply \(shape) by weights \(weight.shape)")
    let (m, n) = (shape[0], weight.shape[0])
    Work.note(operations: 2 * m * n * shape[1], weightBytes: weight.byteCount)
    let arithmetic = Arithmetic.override ?? weight.arithmetic
    _ = LibraryProduct.oneThreadEach
    let rows = arithmetic == .bfloat16 ? roundedToBFloat16() : self
    return Tensor.filled([m, n]) { out in
      rows.elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return out.update(repeating: 0, count: m * n) }
        if m == 1 && arithmetic != .float64 {
          weight.multiply(row: x, into: out, roundsWeights: arithmetic == .bfloat16)
        } else {
          weight.multiply(rows: x, count: m, into: out, arithmetic)
        }
      }
      if let bias {
        precondition(bias.count == n, "\(bias.count) biases for \(n) outputs")
        ck_add_bias(out, bias.elements, m, n)
      }
    }
  }

  /// Every element rounded to bfloat16, ties to even.
  public func roundedToBFloat16() -> Tensor {
    Tensor.filled(shape) { out in ck_round_to_bfloat16(elements, out, count) }
  }
}

extension StoredTensor {
  /// How many rows of weights one block has: fixed, so that results do not depend on threads.
  private static let block = 256

  private func forEachBlock(_ body: @Sendable (_ firstRow: Int, _ rows: Int) -> Void) {
    let outputs = shape[0]
    Parallelism.forEach((outputs + Self.block - 1) / Self.block) { index in
      body(index * Self.block, min(Self.block, outputs - index * Self.block))
    }
  }

  fileprivate func multiply(
    row x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, roundsWeights: Bool
  ) {
    if let quantized { return quantized.multiply(row: x, into: out) }
    let shared = Shared(pointer: (x, out))
    let inputs = shape[1]
    forEachBlock { first, rows in
      let (x, out) = shared.pointer
      withUnsafeBytes { bytes in
        let start = bytes + first * inputs * type.size
        switch type {
        case .bfloat16: ck_matvec_bfloat16(start, x, out + first, rows, inputs)
        case _ where roundsWeights:
          withFloats(firstRow: first, rows: rows, rounded: true) {
            ck_matvec_float32($0, x, out + first, rows, inputs)
          }
        case .float32: ck_matvec_float32(start, x, out + first, rows, inputs)
        case .float16: ck_matvec_float16(start, x, out + first, rows, inputs)
        }
      }
    }
  }

  fileprivate func multiply(
    rows x: UnsafePointer<Float>, count m: Int, into out: UnsafeMutablePointer<Float>,
    _ arithmetic: Arithmetic
  ) {
    let shared = Shared(pointer: (x, out))
    let (outputs, inputs) = (shape[0], shape[1])
    forEachBlock { first, rows in
      let (x, out) = shared.pointer
      withFloats(firstRow: first, rows: rows, rounded: arithmetic == .bfloat16) { w in
        LibraryProduct(m: m, n: rows, k: inputs, isDouble: arithmetic == .float64)(
          LibraryMatrix(start: x, stride: inputs),
          LibraryMatrix(start: w, stride: inputs, isTransposed: true),
          into: out + first, stride: outputs)
      }
    }
  }

  /// Calls `body` with rows as float32: the stored ones where they are, else a scratch copy.
  private func withFloats(
    firstRow: Int, rows: Int, rounded: Bool, _ body: (UnsafePointer<Float>) -> Void
  ) {
    let (first, count) = (firstRow * shape[1], rows * shape[1])
    if quantized != nil {
      // The integers are exact and stay so: rounding is for plain weights.
      return withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { scratch in
        guard let scratch = scratch.baseAddress else { return }
        convert(from: first, count: count, into: scratch)
        body(scratch)
      }
    }
    withUnsafeBytes { bytes in
      let start = bytes + first * type.size
      let isAligned = Int(bitPattern: start).isMultiple(of: MemoryLayout<Float>.alignment)
      if type == .float32, isAligned, !rounded {
        body(start.assumingMemoryBound(to: Float.self))
      } else {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { scratch in
          guard let scratch = scratch.baseAddress else { return }
          convert(from: first, count: count, into: scratch)
          if rounded, type != .bfloat16 { ck_round_to_bfloat16(scratch, scratch, count) }
          body(scratch)
        }
      }
    }
  }
}
