internal import CKernels

/// What a processor offers for products with quantized weights, the best last.
package enum QuantizedInstructions: Sendable, CaseIterable {
  /// What every processor has.
  case portable
  /// 256-bit vectors.
  case avx2
  /// 512-bit vectors.
  case avx512
  /// 512-bit vectors with products of 8-bit integers.
  case vnni

  /// Those that this processor has.
  package static let available = allCases.filter { ck_quantized_path_is_available($0.path) != 0 }

  /// What products use: the best there is, unless a test asks for less.
  @TaskLocal package static var current = available.last ?? .portable

  fileprivate var path: ck_quantized_path {
    switch self {
    case .portable: CK_QUANTIZED_PORTABLE
    case .avx2: CK_QUANTIZED_AVX2
    case .avx512: CK_QUANTIZED_AVX512
    case .vnni: CK_QUANTIZED_VNNI
    }
  }
}

extension QuantizedMatrix {
  /// Writes the product of one row of activations with the transposed matrix to `out`.
  ///
  /// Rows: integers become float32 and are multiplied and added in it. Groups: activations become
  /// whole numbers of 24 bits times a power of two for each 128 of a group, whose products with the
  /// integers are added exactly. Both are as good as float32; the scales are applied to sums, for a
  /// row or a group, never to single weights.
  func multiply(row x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    let path = QuantizedInstructions.current.path
    switch parts {
    case .rows(let integers, let scales):
      integers.withPointer { start in
        scales.withUnsafeBufferPointer { scales in
          guard let scales = scales.baseAddress else { return }
          let shared = Shared(pointer: (start, x, scales, out))
          forEachBand { first, count in
            let (start, x, scales, out) = shared.pointer
            ck_int8_matvec(
              start + first * inputs, scales + first, x, out + first, count, inputs, path)
          }
        }
      }
    case .groups(let groups):
      guard inputs > 0 else { return out.update(repeating: 0, count: outputs) }
      withDigits(of: x, groups) { digits, spans in
        withKernelArgument(groups) { weight in
          let shared = Shared(pointer: (weight, digits, spans, out))
          forEachBand { first, count in
            let (weight, digits, spans, out) = shared.pointer
            ck_groups_matvec(weight, digits, spans, first, count, path, out + first)
          }
        }
      }
    }
  }

  /// Calls `body` with a row of activations as the kernel for groups takes them.
  private func withDigits(
    of x: UnsafePointer<Float>, _ groups: GroupParts,
    _ body: (UnsafePointer<Int32>, UnsafePointer<ck_span_of_digits>) -> Void
  ) {
    let each = 32 / groups.bits
    let words = (inputs + each - 1) / each
    // Spans are 128 inputs of a group, or what is left of it.
    let spans = (inputs / groups.groupSize + 1) * ((groups.groupSize + 127) / 128)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: words * each / 4 * 3) { digits in
      withUnsafeTemporaryAllocation(of: ck_span_of_digits.self, capacity: spans) { spans in
        guard let digits = digits.baseAddress, let spans = spans.baseAddress else { return }
        if let order = groups.order {
          let arranged = order.map { x[Int($0)] }
          ck_split_digits(arranged, inputs, groups.groupSize, Int32(groups.bits), digits, spans)
        } else {
          ck_split_digits(x, inputs, groups.groupSize, Int32(groups.bits), digits, spans)
        }
        body(digits, spans)
      }
    }
  }

  /// Calls `body` for a band of outputs a thread.
  ///
  /// An output's sum lies in one band, so that it does not depend on how wide that is.
  private func forEachBand(_ body: @Sendable (_ first: Int, _ count: Int) -> Void) {
    let bands = max(1, min(Parallelism.threadCount, outputs / 64))
    let width = max(64, ((outputs + bands - 1) / bands + 63) / 64 * 64)
    Parallelism.forEach((outputs + width - 1) / width) { band in
      body(band * width, min(width, outputs - band * width))
    }
  }
}
