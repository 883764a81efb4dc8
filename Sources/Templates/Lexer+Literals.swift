extension Lexer {
  /// Digits, single underscores among them, from `index` on; nil where there are none.
  private func digits(from index: Int, where isDigit: (Unicode.Scalar) -> Bool) -> Int? {
    var index = index
    guard index < source.count, isDigit(source[index]) else { return nil }
    while index < source.count {
      if isDigit(source[index]) {
        index += 1
      } else if source[index] == "_", index + 1 < source.count, isDigit(source[index + 1]) {
        index += 2
      } else {
        break
      }
    }
    return index
  }

  private static func isDecimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  mutating func readNumber() throws(Fault) {
    let start = place
    if let end = floatEnd() {
      let text = Text(source[start..<end].filter { $0 != "_" }).string
      guard let number = Double(text) else {
        throw Fault(.syntax, "'\(text)' is no number", at: start)
      }
      add(.float(number), start)
      place = end
      return
    }
    var (end, radix, first) = (start + 1, 10, start)
    if source[start] == "0" {
      let kinds: [(Unicode.Scalar, Int)] = [("b", 2), ("o", 8), ("x", 16)]
      let mark = at(1)?.properties.lowercaseMapping.unicodeScalars.first
      if let (_, base) = kinds.first(where: { $0.0 == mark }),
        let stop = digits(
          from: start + 2 + (at(2) == "_" ? 1 : 0),
          where: { Int(String($0), radix: base) != nil })
      {
        (end, radix, first) = (stop, base, start + 2)
      } else {
        end = digits(from: start) { $0 == "0" } ?? end
      }
    } else {
      end = digits(from: start, where: Self.isDecimal) ?? end
    }
    let text = Text(source[first..<end].filter { $0 != "_" }).string
    guard let number = Int(text, radix: radix) else {
      throw Fault(.notBuilt, "the number \(text), beyond 64 bits, is not built here", at: start)
    }
    add(.integer(number), start)
    place = end
  }

  /// Where a number with a fraction or an exponent ends, if one stands here.
  private func floatEnd() -> Int? {
    if place > 0, source[place - 1] == "." { return nil }
    guard var end = digits(from: place, where: Self.isDecimal) else { return nil }
    var isFloat = false
    if end < source.count, source[end] == ".",
      let stop = digits(from: end + 1, where: Self.isDecimal)
    {
      (end, isFloat) = (stop, true)
    }
    if end < source.count, source[end] == "e" || source[end] == "E" {
      var power = end + 1
      if power < source.count, source[power] == "+" || source[power] == "-" { power += 1 }
      if let stop = digits(from: power, where: Self.isDecimal) { (end, isFloat) = (stop, true) }
    }
    return isFloat ? end : nil
  }

  mutating func readText(_ quote: Unicode.Scalar) throws(Fault) {
    let start = place
    var text = Text()
    place += 1
    while let scalar = at(0) {
      if scalar == quote {
        place += 1
        add(.text(text), start)
        return
      }
      if scalar == "\\" {
        try readEscape(into: &text)
      } else {
        text.append(scalar)
        place += 1
      }
    }
    throw Fault(.syntax, "this text has no end; it ends with \(quote)", at: start)
  }

  private static let plain: [Unicode.Scalar: Unicode.Scalar] = [
    "\\": "\\", "'": "'", "\"": "\"", "a": "\u{7}", "b": "\u{8}", "f": "\u{C}", "n": "\n",
    "r": "\r", "t": "\t", "v": "\u{B}",
  ]

  private mutating func readEscape(into text: inout Text) throws(Fault) {
    let start = place
    guard let letter = at(1) else {
      place += 1
      return
    }
    place += 2
    if let scalar = Self.plain[letter] { return text.append(scalar) }
    switch letter {
    case "\n": return
    case "0"..."7":
      var number = 0
      place -= 1
      for _ in 0..<3 {
        guard let digit = at(0), ("0"..."7").contains(digit) else { break }
        number = number * 8 + Int(digit.value - 48)
        place += 1
      }
      if let scalar = Unicode.Scalar(UInt32(number)) { text.append(scalar) }
    case "x", "u", "U":
      let length = letter == "x" ? 2 : letter == "u" ? 4 : 8
      let digits = place + length <= source.count ? Text(source[place..<place + length]) : []
      guard !digits.isEmpty, digits.allSatisfy({ $0.properties.isASCIIHexDigit }),
        let number = UInt32(digits.string, radix: 16)
      else {
        throw Fault(.syntax, "'\\\(letter)' needs \(length) hexadecimal digits", at: start)
      }
      guard let scalar = Unicode.Scalar(number) else {
        throw Fault(
          .notBuilt, "'\\\(letter)\(digits.string)', half a surrogate pair, is not built here",
          at: start)
      }
      text.append(scalar)
      place += length
    case "N": throw Fault(.notBuilt, "'\\N{…}' is not built here", at: start)
    default:
      guard letter.value < 128 else {
        throw Fault(.notBuilt, "'\\' before '\(letter)' is not built here", at: start)
      }
      text += ["\\", letter]
    }
  }
}
