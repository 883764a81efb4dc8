/// A message in Google's protocol buffers' encoding, of which a SentencePiece file is one: fields one
/// after the other, each a number, a kind and a value.
///
/// It reads what it is asked for and steps over the rest; every length is held against what is there.
struct ProtocolMessage {
  /// What a field holds.
  enum Value {
    case integer(UInt64)
    case eightBytes
    /// A message, a text or bytes: where they lie.
    case bytes(Range<Int>)
    case fourBytes(UInt32)
  }

  /// Why bytes are no message, and where.
  struct Failure: Error {
    let offset: Int
    let found: String
    let expected: String
  }

  let bytes: [UInt8]
  private var place: Int
  private let end: Int

  /// The message that the bytes of `range` are, or all of them.
  init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
    self.bytes = bytes
    place = range?.lowerBound ?? 0
    end = range?.upperBound ?? bytes.count
  }

  /// The next field; nil at the end.
  mutating func next() throws(Failure) -> (number: Int, value: Value)? {
    guard place < end else { return nil }
    let start = place
    let tag = try integer()
    let number = Int(tag >> 3)
    guard number >= 1 && number < 1 << 29 else {
      throw Failure(offset: start, found: "field \(number)", expected: "a number from 1 on")
    }
    switch tag & 7 {
    case 0: return (number, .integer(try integer()))
    case 1:
      _ = try take(8, "8 bytes")
      return (number, .eightBytes)
    case 2:
      let length = try integer()
      return (number, .bytes(try take(length, "\(length) bytes")))
    case 5:
      let range = try take(4, "4 bytes")
      let bits = bytes[range].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return (number, .fourBytes(bits))
    default:
      throw Failure(
        offset: start, found: "a field of kind \(tag & 7)", expected: "kinds 0, 1, 2 and 5")
    }
  }

  private mutating func take(_ count: UInt64, _ expected: String) throws(Failure) -> Range<Int> {
    let left = end - place
    guard count <= UInt64(left) else {
      throw Failure(offset: place, found: "\(left) bytes to the end", expected: expected)
    }
    defer { place += Int(count) }
    return place..<place + Int(count)
  }

  /// A whole number, seven bits a byte, the lowest first.
  private mutating func integer() throws(Failure) -> UInt64 {
    var value: UInt64 = 0
    let start = place
    for shift in stride(from: 0, to: 70, by: 7) {
      guard place < end else {
        throw Failure(offset: start, found: "the end", expected: "a whole number")
      }
      let byte = bytes[place]
      place += 1
      if shift == 63 && byte > 1 { break }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw Failure(offset: start, found: "more than 64 bits", expected: "a whole number")
  }
}
