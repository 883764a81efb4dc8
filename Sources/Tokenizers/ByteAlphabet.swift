/// GPT-2's printable stand-ins for the 256 bytes, in which byte-level vocabularies are written.
///
/// A byte that prints in Latin-1 stands for itself; the others follow from U+0100 on, so that a
/// space is `Ġ` and a line break `Ċ`.
enum ByteAlphabet {
  /// The stand-in of each byte.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 256
    return (0..<256).map { (byte: UInt32) in
      let prints = (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174
      defer { if !prints { next += 1 } }
      return Unicode.Scalar(prints ? byte : next) ?? " "
    }
  }()

  /// The byte of each stand-in, by its code point; -1 where a scalar is none.
  private static let bytes: [Int16] = {
    var bytes = [Int16](repeating: -1, count: 512)
    for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar.value)] = Int16(byte) }
    return bytes
  }()

  /// The byte that `scalar` stands for.
  static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
    guard scalar.value < 512 else { return nil }
    let byte = bytes[Int(scalar.value)]
    return byte < 0 ? nil : UInt8(byte)
  }

  /// Appends the stand-in of a byte, in UTF-8.
  static func append(_ byte: UInt8, to utf8: inout [UInt8]) {
    let value = scalars[Int(byte)].value
    if value < 0x80 {
      utf8.append(UInt8(value))
    } else {
      utf8.append(UInt8(0xC0 | value >> 6))
      utf8.append(UInt8(0x80 | value & 0x3F))
    }
  }

  /// The bytes that a token stands for; the token's own bytes if one character stands for none.
  static func bytes(of token: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard let byte = byte(scalar) else { return Array(token.utf8) }
      bytes.append(byte)
    }
    return bytes
  }
}
