internal import CKernels

/// How a stored tensor's numbers are written down.
public enum Encoding: Sendable, Hashable {
  /// One number an element.
  case plain(ElementType)
  /// A matrix of 8-bit integers from -128 to 127 with one float32 scale a row: weight = scale · q.
  case int8
  /// A matrix of integers of 4 or 8 `bits` without sign, with a scale and a zero point for each row
  /// and each `groupSize` columns of it: weight = scale · (q - zero).
  case groups(bits: Int, groupSize: Int)

  /// What people call it: `bfloat16`, `int8`, `int4`.
  public var name: String {
    switch self {
    case .plain(let type): type.rawValue
    case .int8: "int8"
    case .groups(let bits, _): "int\(bits)"
    }
  }
}

/// Bytes somewhere in memory or in a mapped file, and what keeps them there unchanged.
public struct StoredBytes: Sendable {
  /// How many there are.
  public let count: Int
  let owner: any AnyObject & Sendable
  /// Immutable for as long as `owner` lives, hence safe to share.
  nonisolated(unsafe) let start: UnsafeRawPointer

  /// Bytes that `owner` keeps readable and unchanged.
  package init(start: UnsafeRawPointer, count: Int, owner: any AnyObject & Sendable) {
    (self.start, self.count, self.owner) = (start, count, owner)
  }

  /// Zeroed memory that `fill` writes once.
  package init(count: Int, fill: (UnsafeMutableRawPointer) throws -> Void) rethrows {
    let memory = OwnedBytes(count: count)
    try fill(memory.start)
    self.init(start: UnsafeRawPointer(memory.start), count: count, owner: memory)
  }

  /// Calls `body` with the bytes; the pointer is valid inside it only.
  package func withPointer<R, Failure: Error>(
    _ body: (UnsafeRawPointer) throws(Failure) -> R
  ) throws(Failure) -> R {
    defer { withExtendedLifetime(owner) {} }
    return try body(start)
  }
}

/// Memory that is written once, before anybody else sees it.
private final class OwnedBytes: Sendable {
  nonisolated(unsafe) let start: UnsafeMutableRawPointer
  init(count: Int) {
    start = .allocate(byteCount: max(1, count), alignment: 64)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: max(1, count))
  }
  deinit { start.deallocate() }
}

/// A matrix `[outputs, inputs]` of small integers and the scales that make weights of them.
package struct QuantizedMatrix: Sendable {
  /// The parts, where they lie.
  package enum Parts: Sendable {
    /// Integers with sign, row by row, and a scale a row.
    case rows(integers: StoredBytes, scales: [Float])
    /// Groups along the input.
    case groups(GroupParts)
  }

  /// Integers in groups along the input, packed as GPTQ publishes them.
  package struct GroupParts: Sendable {
    /// 4 or 8.
    package let bits: Int
    /// How many inputs share a scale.
    package let groupSize: Int
    /// `[⌈inputs · bits / 32⌉, outputs]` words: neighbouring inputs of one output, lowest bits first.
    package let words: StoredBytes
    /// `[groups, ⌈outputs · bits / 32⌉]` words: zero points less 1, packed along the outputs.
    package let zeros: StoredBytes
    /// `[groups, outputs]` float16 or float32 numbers.
    package let scales: StoredBytes
    /// Whether the scales are float32.
    package let scalesAreWide: Bool
    /// Which input stands at each place, where the groups are not made of neighbours; nil for order.
    package let order: [Int32]?

    /// Joins parts whose sizes fit together.
    package init(
      bits: Int, groupSize: Int, words: StoredBytes, zeros: StoredBytes, scales: StoredBytes,
      scalesAreWide: Bool = false, order: [Int32]? = nil
    ) {
      (self.bits, self.groupSize, self.words, self.zeros) = (bits, groupSize, words, zeros)
      (self.scales, self.scalesAreWide, self.order) = (scales, scalesAreWide, order)
    }
  }

  /// How many rows.
  package let outputs: Int
  /// How many columns.
  package let inputs: Int
  /// The integers and scales.
  package let parts: Parts

  /// Joins parts of a matrix.
  ///
  /// - Precondition: the parts are as large as the matrix asks for.
  package init(outputs: Int, inputs: Int, parts: Parts) {
    (self.outputs, self.inputs, self.parts) = (outputs, inputs, parts)
    switch parts {
    case .rows(let integers, let scales):
      precondition(integers.count == outputs * inputs && scales.count == outputs)
    case .groups(let parts):
      let each = 32 / parts.bits
      let groups = (inputs + parts.groupSize - 1) / parts.groupSize
      precondition(parts.bits == 4 || parts.bits == 8)
      precondition(parts.groupSize.isMultiple(of: each) || groups <= 1)
      precondition(parts.words.count == (inputs + each - 1) / each * outputs * 4)
      precondition(parts.zeros.count == groups * ((outputs + each - 1) / each) * 4)
      precondition(parts.scales.count == groups * outputs * (parts.scalesAreWide ? 4 : 2))
      precondition(parts.order.map { $0.count == inputs } ?? true)
    }
  }

  /// Neighbouring rows, where they lie; nil of groups, whose words are woven along the outputs.
  func rows(_ range: Range<Int>) -> QuantizedMatrix? {
    guard case .rows(let integers, let scales) = parts else { return nil }
    let bytes = StoredBytes(
      start: integers.start + range.lowerBound * inputs, count: range.count * inputs,
      owner: integers.owner)
    return QuantizedMatrix(
      outputs: range.count, inputs: inputs,
      parts: .rows(integers: bytes, scales: Array(scales[range])))
  }

  /// How the numbers are written down.
  package var encoding: Encoding {
    switch parts {
    case .rows: .int8
    case .groups(let parts): .groups(bits: parts.bits, groupSize: parts.groupSize)
    }
  }

  /// How many bytes everything takes.
  package var byteCount: Int {
    switch parts {
    case .rows(let integers, let scales): integers.count + scales.count * 4
    case .groups(let parts):
      parts.words.count + parts.zeros.count + parts.scales.count + (parts.order?.count ?? 0) * 4
    }
  }

  /// Writes rows from `first` on as float32, each weight as the reference gives it.
  package func convert(firstRow first: Int, rows: Int, into out: UnsafeMutablePointer<Float>) {
    switch parts {
    case .rows(let integers, let scales):
      integers.withPointer { start in
        for row in 0..<rows {
          ck_int8_to_float32(
            start + (first + row) * inputs, scales[first + row], out + row * inputs, inputs)
        }
      }
    case .groups(let groups):
      withKernelArgument(groups) { weight in
        ck_groups_to_float32(weight, first, rows, out)
      }
      guard let order = groups.order else { return }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { line in
        guard let line = line.baseAddress else { return }
        for row in 0..<rows {
          line.update(from: out + row * inputs, count: inputs)
          for (place, input) in order.enumerated() { out[row * inputs + Int(input)] = line[place] }
        }
      }
    }
  }

  /// Writes elements from number `first` on, row by row, as float32.
  func convert(from first: Int, count: Int, into out: UnsafeMutablePointer<Float>) {
    guard count > 0, inputs > 0 else { return }
    if first.isMultiple(of: inputs), count.isMultiple(of: inputs) {
      return convert(firstRow: first / inputs, rows: count / inputs, into: out)
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: inputs) { line in
      guard let line = line.baseAddress else { return }
      var (next, written) = (first, 0)
      while written < count {
        let (row, column) = next.quotientAndRemainder(dividingBy: inputs)
        let length = min(inputs - column, count - written)
        convert(firstRow: row, rows: 1, into: line)
        (out + written).update(from: line + column, count: length)
        next += length
        written += length
      }
    }
  }

  /// Words `[⌈inputs · bits / 32⌉, outputs]` with their integers brought into another order.
  ///
  /// - Parameters:
  ///   - order: the input that comes to each place; a permutation.
  ///   - isBackwards: whether it is the place that each input comes to instead.
  package static func reordered(
    _ words: StoredBytes, by order: [Int32], isBackwards: Bool = false, outputs: Int, bits: Int
  ) -> StoredBytes {
    StoredBytes(count: words.count) { out in
      words.withPointer {
        ck_groups_reorder(
          $0, order, isBackwards ? 1 : 0, order.count, outputs, Int32(bits),
          out.assumingMemoryBound(to: UInt32.self))
      }
    }
  }

  /// Calls `body` with the groups as the kernels take them.
  func withKernelArgument<R>(
    _ groups: GroupParts, _ body: (UnsafePointer<ck_groups>) -> R
  ) -> R {
    groups.words.withPointer { words in
      groups.zeros.withPointer { zeros in
        groups.scales.withPointer { scales in
          var weight = ck_groups(
            words: words, zeros: zeros, scales: scales, inputs: inputs, outputs: outputs,
            group: groups.groupSize, bits: Int32(groups.bits),
            scales_are_wide: groups.scalesAreWide ? 1 : 0)
          return withUnsafePointer(to: &weight, body)
        }
      }
    }
  }
}
