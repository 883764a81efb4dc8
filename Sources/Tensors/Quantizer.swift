internal import CKernels

/// A way to round weights to small integers.
public enum Quantization: Sendable, Hashable {
  /// 8 bits with sign: the scale of a row is its largest absolute weight / 127.
  case int8
  /// 4 bits in groups of `groupSize` inputs, each with a float16 scale and a zero point.
  ///
  /// A group tries its whole range and four smaller ones, each with the scale that fits best, and
  /// takes the one of the least squared error.
  case int4(groupSize: Int = Quantization.groupSize)

  /// Inputs of a group where no other number is asked for.
  public static let groupSize = 64

  /// How what it makes is written down.
  package var encoding: Encoding {
    switch self {
    case .int8: .int8
    case .int4(let groupSize): .groups(bits: 4, groupSize: groupSize)
    }
  }
}

extension StoredTensor {
  /// The matrix rounded to small integers, read row block by row block.
  ///
  /// A row (int8) or group (int4) that holds NaN or infinity becomes NaN.
  ///
  /// - Parameter scaleType: the type that scales of rows are rounded to before anything is divided by them;
  ///   nil for the type of the matrix, as quanto does. Those of groups are float16.
  /// - Precondition: two axes; a group size is a multiple of 8.
  public func quantized(
    to quantization: Quantization, scaleType: ElementType? = nil
  ) -> StoredTensor {
    precondition(shape.count == 2, "a matrix can be quantized, not \(shape)")
    switch quantization {
    case .int8: return StoredTensor(quantizedRows(scaleType ?? plainType))
    case .int4(let groupSize):
      precondition(groupSize > 0 && groupSize.isMultiple(of: 8), "groups of \(groupSize)")
      return StoredTensor(quantizedGroups(of: groupSize))
    }
  }

  /// Rows in one block; a multiple of 8, so that no word of zero points is in two blocks.
  private static let block = 64

  private func forEachBlock(
    _ body: @Sendable (_ first: Int, _ count: Int, _ rows: UnsafePointer<Float>) -> Void
  ) {
    let (outputs, inputs) = (shape[0], shape[1])
    Parallelism.forEach((outputs + Self.block - 1) / Self.block) { index in
      let first = index * Self.block
      let count = min(Self.block, outputs - first)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: count * inputs) { rows in
        guard let rows = rows.baseAddress else { return }
        convert(from: first * inputs, count: count * inputs, into: rows)
        body(first, count, rows)
      }
    }
  }

  /// The type of its numbers; float32 where they are integers with scales.
  private var plainType: ElementType {
    if case .plain(let type) = encoding { type } else { .float32 }
  }

  private func quantizedRows(_ scaleType: ElementType) -> QuantizedMatrix {
    let (outputs, inputs) = (shape[0], shape[1])
    let type =
      switch scaleType {
      case .float32: CK_SCALE_FLOAT32
      case .float16: CK_SCALE_FLOAT16
      case .bfloat16: CK_SCALE_BFLOAT16
      }
    var scales = [Float](repeating: 0, count: outputs)
    let integers = StoredBytes(count: count) { start in
      scales.withUnsafeMutableBufferPointer { scales in
        guard let scales = scales.baseAddress else { return }
        let shared = Shared(pointer: (start.assumingMemoryBound(to: Int8.self), scales))
        forEachBlock { first, count, rows in
          let (start, scales) = shared.pointer
          for row in 0..<count {
            ck_int8_pack(
              rows + row * inputs, start + (first + row) * inputs, scales + first + row, inputs,
              type)
          }
        }
      }
    }
    return QuantizedMatrix(
      outputs: outputs, inputs: inputs, parts: .rows(integers: integers, scales: scales))
  }

  private func quantizedGroups(of groupSize: Int) -> QuantizedMatrix {
    let (outputs, inputs) = (shape[0], shape[1])
    let groups = (inputs + groupSize - 1) / groupSize
    let zeroWords = (outputs + 7) / 8
    // One piece of memory for all three parts, filled together.
    let sizes = [(inputs + 7) / 8 * outputs * 4, groups * zeroWords * 4, groups * outputs * 2]
    let all = StoredBytes(count: sizes.reduce(0, +)) { start in
      let shared = Shared(pointer: start)
      forEachBlock { first, count, rows in
        let words = shared.pointer
        let zeros = words + sizes[0]
        let scales = zeros + sizes[1]
        ck_groups_pack(
          rows, count, inputs, outputs, first, groupSize, 5,
          words.assumingMemoryBound(to: UInt32.self), zeros.assumingMemoryBound(to: UInt32.self),
          scales.assumingMemoryBound(to: UInt16.self))
      }
    }
    return QuantizedMatrix(
      outputs: outputs, inputs: inputs,
      parts: .groups(
        QuantizedMatrix.GroupParts(
          bits: 4, groupSize: groupSize, words: all.part(0..<sizes[0]),
          zeros: all.part(sizes[0]..<sizes[0] + sizes[1]),
          scales: all.part(sizes[0] + sizes[1]..<all.count))))
  }
}

extension StoredBytes {
  /// Some of the bytes, kept by the same owner.
  package func part(_ range: Range<Int>) -> StoredBytes {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
    return withPointer {
      StoredBytes(start: $0 + range.lowerBound, count: range.count, owner: owner)
    }
  }
}
