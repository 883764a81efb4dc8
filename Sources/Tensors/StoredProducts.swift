internal import CKernels

/// A function of one number that a product applies to its result before it leaves the cache.
public enum Pointwise: Sendable {
  /// As it is.
  case identity
  /// `Tensor.gelu`.
  case gelu
  /// `Tensor.quickGELU`.
  case quickGELU
  /// `Tensor.relu`.
  case relu
  /// `Tensor.silu`.
  case silu
  /// `Tensor.tanhGELU`.
  case tanhGELU

  /// Applies the function to every element.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: x
    case .gelu: x.gelu()
    case .quickGELU: x.quickGELU()
    case .relu: x.relu()
    case .silu: x.silu()
    case .tanhGELU: x.tanhGELU()
    }
  }

  fileprivate var code: ck_activation {
    switch self {
    case .identity: CK_IDENTITY
    case .gelu: CK_GELU
    case .quickGELU: CK_QUICK_GELU
    case .relu: CK_RELU
    case .silu: CK_SILU
    case .tanhGELU: CK_GELU_TANH
    }
  }
}

/// How many rows of weights one block has: fixed, so that results do not depend on threads, and
/// few enough for a core's own cache together with the activations.
private let chunk = 64

extension Tensor {
  /// The product with stored weights `[N, K]`, one row an output: `[M, K]` gives `[M, N]`, plus
  /// `bias`, through `activation`.
  ///
  /// The weights' `arithmetic` says how it is computed; they are read where they lie. But for
  /// double precision a row of the result has the same bits whatever rows are computed with it.
  ///
  /// - Precondition: `self` is a matrix and the inner lengths agree.
  public func matmulTransposed(
    _ weight: StoredTensor, bias: Tensor? = nil, activation: Pointwise = .identity
  ) -> Tensor {
    precondition(
      rank == 2 && weight.shape.count == 2 && shape[1] == weight.shape[1],
      "cannot multiply \(shape) by weights \(weight.shape)")
    precondition(
      bias.map { $0.count == weight.shape[0] } ?? true,
      "\(bias?.count ?? 0) biases for \(weight.shape[0]) outputs")
    let arithmetic = Arithmetic.override ?? weight.arithmetic
    Work.note(
      operations: 2 * count * weight.shape[0], weightBytes: weight.byteCount,
      isBFloat16: arithmetic == .bfloat16 && weight.isMultipliedInPairs)
    guard arithmetic != .float64 else { return inDouble(weight, bias, activation) }
    let rounds = arithmetic == .bfloat16
    switch weight.quantized?.parts {
    case .groups(let groups):
      // The integers are never rounded.
      let inPairs = rounds && weight.isMultipliedInPairs
      let x = rounds && !inPairs ? roundedToBFloat16() : self
      return x.grouped(weight, groups, inPairs: inPairs, bias, activation)
    case .rows(let integers, let scales):
      return integers.withPointer {
        tiled(weight, $0, CK_INT8, scales: scales, rounds: rounds, bias, activation)
      }
    case nil:
      return weight.withUnsafeBytes {
        tiled(weight, $0, weight.type.code, scales: nil, rounds: rounds, bias, activation)
      }
    }
  }

  /// The product by this project's own kernels with rows of numbers at `start`.
  private func tiled(
    _ weight: StoredTensor, _ start: UnsafeRawPointer, _ element: ck_element, scales: [Float]?,
    rounds: Bool, _ bias: Tensor?, _ activation: Pointwise
  ) -> Tensor {
    let (m, k, n) = (shape[0], shape[1], weight.shape[0])
    let instructions = Instructions.current.code
    let threads = Parallelism.threadCount
    let scratchSize = ck_scratch_size(instructions, rounds ? 1 : 0, element, m, k, chunk)
    return Tensor.filled([m, n]) { out in
      Packed.with(self, instructions, rounds: rounds, element) { packed in
        let shared = Shared(pointer: (packed, start, out, bias?.elements, scales))
        Parallelism.forEach((n + chunk - 1) / chunk) { index in
          let (packed, start, out, bias, scales) = shared.pointer
          let first = index * chunk
          let next = min(n, first + threads * chunk)
          withUnsafeTemporaryAllocation(byteCount: scratchSize, alignment: 64) { scratch in
            ck_multiply(
              instructions, rounds ? 1 : 0, packed, m, k, start, element, scales, first,
              min(chunk, n - first), next, min(chunk, n - next), bias, activation.code, out, n,
              scratch.baseAddress)
          }
        }
      }
    }
  }

  /// The product with integers in groups.
  private func grouped(
    _ weight: StoredTensor, _ groups: QuantizedMatrix.GroupParts, inPairs: Bool, _ bias: Tensor?,
    _ activation: Pointwise
  ) -> Tensor {
    let (m, n) = (shape[0], weight.shape[0])
    return Tensor.filled([m, n]) { out in
      elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress, let matrix = weight.quantized else {
          return out.update(repeating: 0, count: m * n)
        }
        if inPairs {
          matrix.multiplyInPairs(groups, rows: x, count: m, into: out)
        } else {
          matrix.multiply(groups, rows: x, count: m, into: out)
        }
      }
      ck_finish(out, n, m, n, bias?.elements, activation.code)
    }
  }

  private func inDouble(
    _ weight: StoredTensor, _ bias: Tensor?, _ activation: Pointwise
  ) -> Tensor {
    let (m, k, n) = (shape[0], shape[1], weight.shape[0])
    let block = 256
    let result = Tensor.filled([m, n]) { out in
      guard k > 0 else { return out.update(repeating: 0, count: m * n) }
      let shared = Shared(pointer: out)
      Parallelism.forEach((n + block - 1) / block) { index in
        let first = index * block
        let wide = weight.rows(Array(first..<min(n, first + block)))
        elements.withUnsafeBufferPointer { x in
          wide.elements.withUnsafeBufferPointer { w in
            guard let x = x.baseAddress, let w = w.baseAddress else { return }
            LibraryProduct(m: m, n: wide.shape[0], k: k, isDouble: true)(
              LibraryMatrix(start: x, stride: k),
              LibraryMatrix(start: w, stride: k, isTransposed: true),
              into: shared.pointer + first, stride: n)
          }
        }
      }
      if let bias { ck_add_bias(out, bias.elements, m, n) }
    }
    return activation(result)
  }

  /// Every element rounded to bfloat16, ties to even.
  public func roundedToBFloat16() -> Tensor {
    Tensor.filled(shape) { out in ck_round_to_bfloat16(elements, out, count) }
  }
}

extension StoredTensor {
  /// Whether products in bfloat16 use the processor's own, rather than numbers rounded to that.
  ///
  /// 8-bit integers in groups do not.
  fileprivate var isMultipliedInPairs: Bool {
    guard Instructions.current.haveBFloat16 else { return false }
    if case .groups(let groups) = quantized?.parts { return groups.bits == 4 }
    return true
  }
}

/// The instructions that products use: chosen for the CPU when the program runs.
package enum Instructions: Sendable, CaseIterable, CustomStringConvertible {
  /// What every CPU has, AVX2 where it is there.
  case portable
  /// AVX-512.
  case avx512
  /// AVX-512 with products of bfloat16.
  case avx512BFloat16
  /// Tiles of bfloat16 besides.
  case amx

  /// The best of this CPU.
  package static let best: Instructions =
    switch ck_best_instructions() {
    case CK_AMX: .amx
    case CK_AVX512_BFLOAT16: .avx512BFloat16
    case CK_AVX512: .avx512
    default: .portable
    }

  /// Those of the current task: the best, unless a test sets lesser ones.
  @TaskLocal package static var current: Instructions = best

  /// Whether they multiply bfloat16.
  var haveBFloat16: Bool { self == .avx512BFloat16 || self == .amx }

  /// Whether weights in float16 are multiplied in bfloat16 as they lie, about as fast as if stored so.
  ///
  /// Rounding them takes no longer than reading them. Tiles of bfloat16 take nothing else.
  package var takeFloat16AsBFloat16: Bool { self == .avx512BFloat16 }

  /// As processors are described.
  package var description: String {
    switch self {
    case .portable: "no AVX-512"
    case .avx512: "AVX-512"
    case .avx512BFloat16: "AVX-512 with bfloat16"
    case .amx: "AMX"
    }
  }

  var code: ck_instructions {
    switch self {
    case .portable: CK_PORTABLE
    case .avx512: CK_AVX512
    case .avx512BFloat16: CK_AVX512_BFLOAT16
    case .amx: CK_AMX
    }
  }
}

extension ElementType {
  fileprivate var code: ck_element {
    switch self {
    case .float32: CK_FLOAT32
    case .float16: CK_FLOAT16
    case .bfloat16: CK_BFLOAT16
    }
  }
}

/// Activations laid out as the kernels read them.
private enum Packed {
  static func with(
    _ x: Tensor, _ instructions: ck_instructions, rounds: Bool, _ element: ck_element,
    _ body: (UnsafeRawPointer) -> Void
  ) {
    let (rows, columns) = (x.shape[0], x.shape[1])
    let rounds: Int32 = rounds ? 1 : 0
    let size = ck_packed_size(instructions, rounds, element, rows, columns)
    withUnsafeTemporaryAllocation(byteCount: max(64, size), alignment: 64) { buffer in
      guard let start = buffer.baseAddress else { return }
      let shared = Shared(pointer: start)
      let panels = ck_panel_count(instructions, rounds, element, rows)
      Parallelism.forEach(panels) { panel in
        ck_pack_panel(
          instructions, rounds, element, x.elements, rows, columns, panel, shared.pointer)
      }
      body(UnsafeRawPointer(start))
    }
  }
}
