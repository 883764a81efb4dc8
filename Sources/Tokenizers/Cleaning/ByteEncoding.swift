/// An encoding of one byte a character, in which UTF-8 may have been read by mistake.
struct ByteEncoding: Sendable {
  let name: String
  /// Whether bytes that it does not define stand for themselves, and byte 1A for U+FFFD.
  let isLenient: Bool
  private let bytes: [Unicode.Scalar: UInt8]

  /// All that are tried, in order.
  static let all = tables.map {
    ByteEncoding(name: $0.name, isLenient: $0.isLenient, points: $0.points)
  }

  private init(name: String, isLenient: Bool, points: String) {
    (self.name, self.isLenient) = (name, isLenient)
    var bytes: [Unicode.Scalar: UInt8] = [:]
    for byte in UInt8(0)..<0x80 { bytes[Unicode.Scalar(byte)] = byte }
    if isLenient {
      bytes["\u{1A}"] = nil
      bytes["\u{FFFD}"] = 0x1A
    }
    for (offset, scalar) in Self.scalars(points).enumerated() {
      bytes[scalar] = UInt8(0x80 + offset)
    }
    self.bytes = bytes
  }

  /// The bytes that a text had; nil where it has a character that no byte stands for.
  func bytes(of text: [Unicode.Scalar]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in text {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }

  /// The characters of bytes 80 to 9F in Windows-1252; those it does not define stand for themselves.
  static func lenientWindows1252(_ byte: UInt8) -> Unicode.Scalar {
    byte < 0x80 || byte > 0x9F ? Unicode.Scalar(byte) : controls[Int(byte) - 0x80]
  }

  /// The character of a byte in Windows-1252; nil for one that it does not define.
  static func windows1252(_ byte: UInt8) -> Unicode.Scalar? {
    [0x81, 0x8D, 0x8F, 0x90, 0x9D].contains(byte) ? nil : lenientWindows1252(byte)
  }

  private static let controls: [Unicode.Scalar] =
    tables.first { $0.name == "windows-1252" }.map { scalars($0.points) } ?? []

  private static func scalars(_ points: String) -> [Unicode.Scalar] {
    points.split(separator: " ").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
  }
}
