internal import Glibc

extension JSON {
  /// Where and why bytes are not JSON.
  public struct Failure: HasExitCode, Equatable, CustomStringConvertible {
    /// What was found and what was expected.
    public let message: String
    /// The place in bytes, from 0.
    public let offset: Int
    /// The line, from 1.
    public let line: Int
    /// The character on the line, from 1.
    public let column: Int

    /// The sentence shown to people.
    public var description: String { "line \(line), column \(column): \(message)" }
    /// Bad data.
    public var exitCode: Int32 { ExitCode.badData }
  }

  /// Reads JSON's tokens one after another.
  ///
  /// The bytes are checked to be UTF-8 before the first token, so strings need no second check.
  package struct Scanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// The next byte to read.
    package private(set) var position = 0

    /// Starts at the first of `bytes`, which must stay where they are while the scanner is used.
    package init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) {
      self.bytes = bytes
      if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
        throw failure("starts with a byte order mark, which JSON does not allow; remove it", at: 0)
      }
      if let place = bytes.firstNotUTF8 { throw failure("is not UTF-8", at: place) }
    }

    /// States a failure at `offset`, or where the scanner stands.
    package func failure(_ message: String, at offset: Int? = nil) -> Failure {
      let offset = min(offset ?? position, bytes.count)
      var (line, column) = (1, 1)
      for byte in bytes[..<offset] {
        if byte == 0x0A {
          (line, column) = (line + 1, 1)
        } else if byte & 0xC0 != 0x80 {
          column += 1
        }
      }
      return Failure(message: message, offset: offset, line: line, column: column)
    }

    /// The byte after any white space, not taken; nil at the end.
    package mutating func peek() -> UInt8? {
      while position < bytes.count {
        let byte = bytes[position]
        guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
        position += 1
      }
      return nil
    }

    /// Takes `mark` if it comes next, after any white space.
    package mutating func take(_ mark: Unicode.Scalar) -> Bool {
      guard let next = peek(), UInt32(next) == mark.value else { return false }
      position += 1
      return true
    }

    /// What stands here, in a reader's words.
    package mutating func found() -> String {
      guard let byte = peek() else { return "the end of the text" }
      let rest = String(decoding: bytes[position..<min(bytes.count, position + 4)], as: UTF8.self)
      let character = byte < 0x20 ? "\\u{\(String(byte, radix: 16))}" : String(rest.prefix(1))
      return "'\(character.withVisibleControls)'"
    }

    /// A string's text.
    ///
    /// The scanner stands on its opening quote.
    package mutating func string() throws(Failure) -> String {
      let opening = position
      position += 1
      let start = position
      while position < bytes.count {
        let byte = bytes[position]
        if byte == 0x22 {
          let text = String(
            decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]),
            as: UTF8.self)
          position += 1
          return text
        }
        if byte == 0x5C { return try escapedString(from: start, opening: opening) }
        if byte < 0x20 { throw controlCharacter(byte) }
        position += 1
      }
      throw failure("this string has no closing quote", at: opening)
    }

    private func controlCharacter(_ byte: UInt8) -> Failure {
      failure(
        byte == 0x0A
          ? "a line break inside a string; write it as \\n"
          : "control character \(byte) inside a string; write it as \\u00\(byte < 16 ? "0" : "")"
            + String(byte, radix: 16))
    }

    private mutating func escapedString(
      from start: Int, opening: Int
    ) throws(Failure) -> String {
      var text = [UInt8](bytes[start..<position])
      while position < bytes.count {
        let byte = bytes[position]
        if byte == 0x22 {
          position += 1
          return String(decoding: text, as: UTF8.self)
        }
        if byte < 0x20 { throw controlCharacter(byte) }
        if byte == 0x5C {
          try escape(into: &text)
        } else {
          text.append(byte)
          position += 1
        }
      }
      throw failure("this string has no closing quote", at: opening)
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
      let start = position
      guard position + 1 < bytes.count else {
        throw failure("the text ends inside an escape", at: start)
      }
      let letter = bytes[position + 1]
      position += 2
      switch letter {
      case 0x22, 0x5C, 0x2F: text.append(letter)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "u"):
        let unit = try codeUnit(escapeAt: start)
        var value = UInt32(unit)
        if unit & 0xF800 == 0xD800 {
          guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == 0x5C,
            bytes[position + 1] == UInt8(ascii: "u")
          else { throw failure("half of a surrogate pair", at: start) }
          position += 2
          let low = try codeUnit(escapeAt: start)
          guard low & 0xFC00 == 0xDC00 else {
            throw failure("half of a surrogate pair", at: start)
          }
          value = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF))
        }
        guard let scalar = Unicode.Scalar(value) else {
          throw failure("half of a surrogate pair", at: start)
        }
        text.append(contentsOf: Array(String(Character(scalar)).utf8))
      default: throw failure("an escape that JSON does not have", at: start)
      }
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit(escapeAt start: Int) throws(Failure) -> UInt16 {
      var unit: UInt16 = 0
      for _ in 0..<4 {
        guard position < bytes.count,
          let digit = Character(Unicode.Scalar(bytes[position]))
            .hexDigitValue
        else { throw failure("\\u needs four hexadecimal digits", at: start) }
        unit = unit << 4 | UInt16(truncatingIfNeeded: digit)
        position += 1
      }
      return unit
    }

    /// A number.
    ///
    /// The scanner stands on its first byte.
    package mutating func number() throws(Failure) -> JSON {
      let start = position
      let negative = bytes[position] == UInt8(ascii: "-")
      if negative { position += 1 }
      var value: Int? = 0
      let first = position
      while position < bytes.count, let digit = Self.digit(bytes[position]) {
        if let old = value {
          let (ten, overflow) = old.multipliedReportingOverflow(by: 10)
          let (next, overflow2) =
            negative
            ? ten.subtractingReportingOverflow(digit) : ten.addingReportingOverflow(digit)
          value = overflow || overflow2 ? nil : next
        }
        position += 1
      }
      guard position > first else { throw failure("a number needs a digit here") }
      if position - first > 1, bytes[first] == UInt8(ascii: "0") {
        throw failure("a number must not start with 0", at: start)
      }
      var isWhole = true
      if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
        isWhole = false
        position += 1
        try digits("a decimal point needs a digit after it")
      }
      if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
        isWhole = false
        position += 1
        if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D {
          position += 1
        }
        try digits("an exponent needs a digit")
      }
      if isWhole, let value { return .integer(value) }
      let text = String(
        decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
      guard let number = Double(text), number.isFinite else {
        throw failure("a number too large for 64 bits", at: start)
      }
      return .number(number)
    }

    private mutating func digits(_ message: String) throws(Failure) {
      let start = position
      while position < bytes.count, Self.digit(bytes[position]) != nil { position += 1 }
      if position == start { throw failure(message) }
    }

    private static func digit(_ byte: UInt8) -> Int? {
      byte >= 0x30 && byte <= 0x39 ? Int(byte) - 0x30 : nil
    }

    /// Takes `word` if it comes next.
    package mutating func take(word: StaticString) -> Bool {
      let length = word.utf8CodeUnitCount
      guard position + length <= bytes.count, let start = bytes.baseAddress,
        memcmp(start + position, word.utf8Start, length) == 0
      else { return false }
      position += length
      return true
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Where the first byte stands that no UTF-8 text has there; nil where all is well.
  package var firstNotUTF8: Int? {
    guard let base = baseAddress else { return nil }
    let raw = UnsafeRawPointer(base)
    var place = 0
    while place < count {
      if place + 8 <= count,
        raw.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        place += 8
        continue
      }
      let byte = base[place]
      if byte < 0x80 {
        place += 1
        continue
      }
      let (length, low, high): (Int, UInt8, UInt8)
      switch byte {
      case 0xC2...0xDF: (length, low, high) = (2, 0x80, 0xBF)
      case 0xE0: (length, low, high) = (3, 0xA0, 0xBF)
      case 0xED: (length, low, high) = (3, 0x80, 0x9F)
      case 0xE1...0xEF: (length, low, high) = (3, 0x80, 0xBF)
      case 0xF0: (length, low, high) = (4, 0x90, 0xBF)
      case 0xF1...0xF3: (length, low, high) = (4, 0x80, 0xBF)
      case 0xF4: (length, low, high) = (4, 0x80, 0x8F)
      default: return place
      }
      guard place + length <= count, base[place + 1] >= low, base[place + 1] <= high else {
        return place
      }
      for next in 1..<length where base[place + next] & 0xC0 != 0x80 { return place }
      place += length
    }
    return nil
  }
}
