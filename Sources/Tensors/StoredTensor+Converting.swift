extension StoredTensor {
  /// The same numbers rounded to `type`, ties to even, in memory of their own.
  public func converted(to type: ElementType) -> StoredTensor {
    let memory = RoundedElements(byteCount: count * type.size)
    let start = Shared(pointer: memory.start)
    let block = 1 << 16
    let total = count
    Parallelism.forEach((total + block - 1) / block) { index in
      let first = index * block
      let length = min(block, total - first)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: length) { numbers in
        guard let numbers = numbers.baseAddress else { return }
        convert(from: first, count: length, into: numbers)
        ElementRounding.round(
          numbers, count: length, to: type, into: start.pointer + first * type.size)
      }
    }
    return StoredTensor(
      shape: shape, type: type, start: UnsafeRawPointer(memory.start), owner: memory)
  }

  /// A matrix with its rows for columns, in memory of its own; plain numbers keep their type.
  public func transposed() -> StoredTensor {
    precondition(shape.count == 2, "\(shape) is not a matrix")
    guard case .plain(let type) = encoding else { return StoredTensor(tensor.transposed()) }
    let (rows, columns) = (shape[0], shape[1])
    let memory = RoundedElements(byteCount: count * type.size)
    withUnsafeBytes { bytes in
      switch type {
      case .float32: Self.turn(bytes, UInt32.self, rows, columns, into: memory.start)
      case .float16, .bfloat16: Self.turn(bytes, UInt16.self, rows, columns, into: memory.start)
      }
    }
    return StoredTensor(
      shape: [columns, rows], type: type, start: UnsafeRawPointer(memory.start), owner: memory
    ).computing(in: arithmetic)
  }

  /// Writes a matrix's elements to `out`, rows for columns, square by square.
  private static func turn<T: BitwiseCopyable>(
    _ bytes: UnsafeRawPointer, _: T.Type, _ rows: Int, _ columns: Int,
    into out: UnsafeMutableRawPointer
  ) {
    let side = 64
    let size = MemoryLayout<T>.size
    let shared = Shared(pointer: (bytes, out.assumingMemoryBound(to: T.self)))
    Parallelism.forEach((rows + side - 1) / side) { band in
      let (bytes, out) = shared.pointer
      for first in stride(from: 0, to: columns, by: side) {
        for column in first..<min(columns, first + side) {
          for row in band * side..<min(rows, (band + 1) * side) {
            // Files may have it at any alignment.
            out[column * rows + row] = bytes.loadUnaligned(
              fromByteOffset: (row * columns + column) * size, as: T.self)
          }
        }
      }
    }
  }

  /// The bytes of elements `first` to below `first + count`, rounded to `type`.
  package func bytes(from first: Int, count: Int, as type: ElementType) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count * type.size) { out, initialised in
      if let out = out.baseAddress {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, count)) { numbers in
          guard let numbers = numbers.baseAddress else { return }
          convert(from: first, count: count, into: numbers)
          ElementRounding.round(numbers, count: count, to: type, into: out)
        }
      }
      initialised = count * type.size
    }
  }
}

/// Memory that is filled once, before anybody else sees it.
private final class RoundedElements: Sendable {
  nonisolated(unsafe) let start: UnsafeMutableRawPointer
  init(byteCount: Int) {
    start = .allocate(byteCount: max(1, byteCount), alignment: 64)
  }
  deinit { start.deallocate() }
}

extension StoredTensor {
  /// The number at a place, counted along all axes.
  package func number(at place: Int) -> Float {
    bytes(from: place, count: 1, as: .float32).withUnsafeBytes {
      $0.loadUnaligned(as: Float.self)
    }
  }

  /// The place of the first NaN or infinity; nil where all numbers are finite.
  package func firstNonFinite() -> Int? {
    let piece = 1 << 20
    return stride(from: 0, to: count, by: piece).lazy.compactMap { first in
      let bytes = bytes(from: first, count: min(piece, count - first), as: .float32)
      return ElementType.float32.firstNonFinite(in: bytes).map { first + $0 }
    }.first
  }
}

extension ElementType {
  /// The place of the first NaN or infinity among numbers of this type, one after another.
  package func firstNonFinite(in bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBytes { bytes in
      switch self {
      case .float32: Self.first(in: bytes.bindMemory(to: UInt32.self), exponent: 0x7F80_0000)
      case .bfloat16: Self.first(in: bytes.bindMemory(to: UInt16.self), exponent: 0x7F80)
      case .float16: Self.first(in: bytes.bindMemory(to: UInt16.self), exponent: 0x7C00)
      }
    }
  }

  /// The place of the first word whose exponent is the highest.
  private static func first<Word: FixedWidthInteger>(
    in words: UnsafeBufferPointer<Word>, exponent: Word
  ) -> Int? {
    // Asking for any runs many words at a time, which looking for the first does not.
    var any: Word = 0
    for word in words { any |= word & exponent == exponent ? 1 : 0 }
    return any == 0 ? nil : words.firstIndex { $0 & exponent == exponent }
  }
}
