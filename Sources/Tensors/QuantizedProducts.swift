internal import CKernels

extension QuantizedMatrix {
  /// Writes the product of one row of activations with the transposed matrix to `out`.
  ///
  /// Integers times activations are added in float32; the scales are applied to the sums, for a
  /// group or a row, never to single weights.
  func multiply(row x: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    switch parts {
    case .rows(let integers, let scales):
      integers.withPointer { start in
        scales.withUnsafeBufferPointer { scales in
          guard let scales = scales.baseAddress else { return }
          let shared = Shared(pointer: (start, x, scales, out))
          forEachBand { first, count in
            let (start, x, scales, out) = shared.pointer
            ck_int8_matvec(start + first * inputs, scales + first, x, out + first, count, inputs)
          }
        }
      }
    case .groups(let groups):
      let each = 32 / groups.bits
      var padded = [Float](repeating: 0, count: (inputs + each - 1) / each * each)
      for place in 0..<inputs { padded[place] = x[groups.order?[place] ?? place] }
      let groupCount = (inputs + groups.groupSize - 1) / groups.groupSize
      var sums = [Float](repeating: 0, count: groupCount)
      ck_group_sums(padded, inputs, groups.groupSize, &sums)
      withKernelArgument(groups) { weight in
        padded.withUnsafeBufferPointer { x in
          sums.withUnsafeBufferPointer { sums in
            guard let x = x.baseAddress, let sums = sums.baseAddress else { return }
            let shared = Shared(pointer: (weight, x, sums, out))
            forEachBand { first, count in
              let (weight, x, sums, out) = shared.pointer
              ck_groups_matvec(weight, x, sums, first, count, out + first)
            }
          }
        }
      }
    }
  }

  /// Calls `body` for a band of outputs a thread.
  ///
  /// An output's sum lies in one band, so that it does not depend on how wide that is.
  private func forEachBand(_ body: @Sendable (_ first: Int, _ count: Int) -> Void) {
    let bands = max(1, min(Parallelism.threadCount, outputs / 64))
    let width = ((outputs + bands - 1) / bands + 63) / 64 * 64
    Parallelism.forEach((outputs + width - 1) / width) { band in
      body(band * width, min(width, outputs - band * width))
    }
  }
}
