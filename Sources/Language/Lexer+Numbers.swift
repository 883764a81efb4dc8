extension Lexer {
  /// Reads a number as Python does: underscores between digits, 0x, 0o, 0b, points, exponents.
  mutating func readNumber() {
    let start = place
    if byte() == 0x30, let letter = byte(1).map({ $0 | 0x20 }),
      let radix = [0x78: 16, 0x6F: 8, 0x62: 2][Int(letter)]
    {
      place += 2
      readDigits(start: start, radix: radix)
      return
    }
    var isFloat = false
    takeDigits()
    if byte() == 0x2E {
      isFloat = true
      place += 1
      takeDigits()
    }
    if let letter = byte(), letter | 0x20 == 0x65 {
      let sign = byte(1) == 0x2B || byte(1) == 0x2D ? 1 : 0
      if let digit = byte(1 + sign), (0x30...0x39).contains(digit) {
        isFloat = true
        place += 1 + sign
        takeDigits()
      }
    }
    let text = source.text(of: SourceRange(start, place))
    if let letter = byte(), letter | 0x20 == 0x6A {
      place += 1
      return refuse("Fovea has no complex numbers", start)
    }
    guard !isIdentifierPart() else {
      while isIdentifierPart() { advanceScalar() }
      return refuse(
        "'\(source.text(of: SourceRange(start, place)))' is neither a number nor a name", start)
    }
    guard !text.hasSuffix("_"), !text.contains("__") else {
      return refuse("an underscore may only stand between two digits", start)
    }
    let digits = text.filter { $0 != "_" }
    if isFloat {
      guard let number = Double(digits.hasSuffix(".") ? digits + "0" : digits) else {
        return refuse("'\(text)' is no number", start)
      }
      return add(.float(number), from: start)
    }
    if digits.count > 1, digits.hasPrefix("0"), digits.contains(where: { $0 != "0" }) {
      return refuse("a whole number cannot begin with 0", start)
    }
    addInteger(digits, radix: 10, start)
  }

  private mutating func takeDigits() {
    while let byte = byte(), (0x30...0x39).contains(byte) || byte == 0x5F { place += 1 }
  }

  private mutating func readDigits(start: Int, radix: Int) {
    let first = place
    while isIdentifierPart() { advanceScalar() }
    let text = source.text(of: SourceRange(first, place))
    let digits = text.filter { $0 != "_" }
    guard !digits.isEmpty, !text.hasSuffix("_"),
      digits.allSatisfy({ $0.isASCII && Int(String($0), radix: radix) != nil })
    else {
      return refuse(
        "'\(source.text(of: SourceRange(start, place)))' is no number of base \(radix)", start)
    }
    addInteger(digits, radix: radix, start)
  }

  private mutating func addInteger(_ digits: String, radix: Int, _ start: Int) {
    guard let number = UInt64(digits, radix: radix), number <= 1 << 63 else {
      return refuse(
        "whole numbers have 64 bits: at most 9223372036854775807", start,
        hint: "write it as a float, such as 1e20")
    }
    add(.integer(number), from: start)
  }

  private mutating func refuse(_ message: String, _ start: Int, hint: String? = nil) {
    report(message, SourceRange(start, place), hint: hint)
    add(.invalid, from: start)
  }
}
