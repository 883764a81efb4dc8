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
  /// Writes the products of `count` rows of activations with the transposed matrix, whose integers
  /// are in groups, to `out`.
  ///
  /// Activations become whole numbers of 24 bits times a power of two for each 128 of a group, whose
  /// products with the integers are added exactly. That is as good as float32; the scales are
  /// applied to the sum of a group, never to single weights. A row of the result has the same bits
  /// whatever rows are computed with it.
  func multiply(
    _ groups: GroupParts, rows x: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    guard inputs > 0 else { return out.update(repeating: 0, count: count * outputs) }
    let path = QuantizedInstructions.current.path
    withDigits(of: x, count: count, groups) { digits, digitCount, spans, spanCount in
      withKernelArgument(groups) { weight in
        let shared = Shared(pointer: (weight, digits, spans, out))
        forEachBand(activations: count) { first, width in
          let (weight, digits, spans, out) = shared.pointer
          ck_groups_multiply(
            weight, digits, digitCount, spans, spanCount, count, first, width, path, out + first,
            outputs)
        }
      }
    }
  }

  /// The same with activations rounded to bfloat16, on a processor that multiplies such numbers.
  ///
  /// An integer less 8 is a bfloat16 number exactly, and the products of a group's inputs, up to 128, are
  /// added in float32 before the scale is applied: nothing about the weights is rounded here either. A
  /// row of the result has the same bits whatever rows are computed with it.
  ///
  /// - Precondition: integers of 4 bits.
  func multiplyInPairs(
    _ groups: GroupParts, rows x: UnsafePointer<Float>, count: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    guard inputs > 0 else { return out.update(repeating: 0, count: count * outputs) }
    let (pairCount, sumCount) = ((inputs + 7) / 8 * 4, spanCount(groups))
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count * pairCount) { pairs in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count * sumCount) { sums in
        guard let pairs = pairs.baseAddress, let sums = sums.baseAddress else { return }
        let shared = Shared(pointer: (x, pairs, sums))
        let together = Int(CK_PAIR_LINES)
        Parallelism.forEach((count + together - 1) / together) { block in
          let (x, pairs, sums) = shared.pointer
          for row in block * together..<min(count, (block + 1) * together) {
            withArranged(x + row * inputs, groups) { line in
              ck_pair_up(line, inputs, groups.groupSize, count, row, pairs, sums)
            }
          }
        }
        withKernelArgument(groups) { weight in
          let shared = Shared(pointer: (weight, pairs, sums, out))
          forEachBand(activations: count) { first, width in
            let (weight, pairs, sums, out) = shared.pointer
            ck_pairs_multiply(weight, pairs, sums, count, first, width, out + first, outputs)
          }
        }
      }
    }
  }

  /// No fewer than the spans of a row: 128 inputs of a group, or what is left of it.
  private func spanCount(_ groups: GroupParts) -> Int {
    (inputs / groups.groupSize + 1) * ((groups.groupSize + 127) / 128)
  }

  /// Calls `body` with a row of activations in the order of the groups.
  private func withArranged(
    _ line: UnsafePointer<Float>, _ groups: GroupParts, _ body: (UnsafePointer<Float>) -> Void
  ) {
    guard let order = groups.order else { return body(line) }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { arranged in
      guard let start = arranged.baseAddress else { return }
      for (place, input) in order.enumerated() { start[place] = line[Int(input)] }
      body(start)
    }
  }

  /// Calls `body` with rows of activations as the kernel for groups takes them, and how many digits
  /// and spans each has.
  private func withDigits(
    of x: UnsafePointer<Float>, count: Int, _ groups: GroupParts,
    _ body: (UnsafePointer<Int32>, Int, UnsafePointer<ck_span_of_digits>, Int) -> Void
  ) {
    let each = 32 / groups.bits
    let digitCount = (inputs + each - 1) / each * each / 4 * 3
    let spanCount = spanCount(groups)
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count * digitCount) { digits in
      withUnsafeTemporaryAllocation(
        of: ck_span_of_digits.self, capacity: count * spanCount
      ) { spans in
        guard let digits = digits.baseAddress, let spans = spans.baseAddress else { return }
        let shared = Shared(pointer: (x, digits, spans))
        Parallelism.forEach(count) { row in
          let (x, digits, spans) = shared.pointer
          withArranged(x + row * inputs, groups) { line in
            ck_split_digits(
              line, inputs, groups.groupSize, Int32(groups.bits), digits + row * digitCount,
              spans + row * spanCount)
          }
        }
        body(digits, digitCount, spans, spanCount)
      }
    }
  }

  /// Calls `body` for bands of outputs.
  ///
  /// A single row of activations takes a band a thread, so that the weights are read from end to
  /// end; several take bands of weights that stay in a core's cache until the last row had them. An
  /// output's sum lies in one band, so that it does not depend on how wide that is.
  private func forEachBand(
    activations: Int, _ body: @Sendable (_ first: Int, _ count: Int) -> Void
  ) {
    let bands = max(1, min(Parallelism.threadCount, outputs / 64))
    let width = activations > 1 ? 64 : max(64, ((outputs + bands - 1) / bands + 63) / 64 * 64)
    Parallelism.forEach((outputs + width - 1) / width) { band in
      body(band * width, min(width, outputs - band * width))
    }
  }
}
