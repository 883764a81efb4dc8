/// Numbers in the bytes of a file, little-endian and at any address.
enum RawNumbers {
  /// The integers; nil where the type has none, or where one does not fit an `Int`.
  static func integers(_ bytes: [UInt8], _ type: StoredType) -> [Int]? {
    switch type {
    case .bool, .uint8: return bytes.map(Int.init)
    case .int8: return bytes.map { Int(Int8(bitPattern: $0)) }
    case .uint16: return each(bytes, UInt16.self) { Int(UInt16(littleEndian: $0)) }
    case .int16: return each(bytes, Int16.self) { Int(Int16(littleEndian: $0)) }
    case .uint32: return each(bytes, UInt32.self) { Int(UInt32(littleEndian: $0)) }
    case .int32: return each(bytes, Int32.self) { Int(Int32(littleEndian: $0)) }
    case .int64: return each(bytes, Int64.self) { Int(Int64(littleEndian: $0)) }
    case .uint64:
      let numbers = each(bytes, UInt64.self) { Int(exactly: UInt64(littleEndian: $0)) }
      return numbers.contains(nil) ? nil : numbers.compactMap(\.self)
    case .float16, .bfloat16, .float32, .float64: return nil
    }
  }

  /// The numbers, rounded to float32.
  static func floats(_ bytes: [UInt8], _ type: StoredType) -> [Float] {
    switch type {
    case .float64:
      each(bytes, UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
    case .float32: each(bytes, UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
    case .bfloat16:
      each(bytes, UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
    case .float16: each(bytes, UInt16.self) { Float(Float16(bitPattern: UInt16(littleEndian: $0))) }
    case .uint64: each(bytes, UInt64.self) { Float(UInt64(littleEndian: $0)) }
    default: (integers(bytes, type) ?? []).map(Float.init)
    }
  }

  /// Numbers in double precision as they are.
  static func doubles(_ bytes: [UInt8]) -> [Double] {
    each(bytes, UInt64.self) { Double(bitPattern: UInt64(littleEndian: $0)) }
  }

  private static func each<Stored, Result>(
    _ bytes: [UInt8], _: Stored.Type, _ convert: (Stored) -> Result
  ) -> [Result] where Stored: FixedWidthInteger {
    let size = MemoryLayout<Stored>.size
    return bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / size).map {
        convert(bytes.loadUnaligned(fromByteOffset: $0 * size, as: Stored.self))
      }
    }
  }
}
