extension Lexer {
  /// Reads a string whose prefix letters end at `place`.
  mutating func readString(start: Int, prefix: String) {
    guard let quote = byte() else { return }
    let isTriple = byte(1) == quote && byte(2) == quote
    let opening = SourceRange(start, place + (isTriple ? 3 : 1))
    place += isTriple ? 3 : 1
    let isRaw = prefix.contains("r")
    if prefix.contains("f") {
      guard let pieces = readPieces(quote, isTriple, isRaw, opening: opening) else { return }
      return add(.formatted(pieces), from: start)
    }
    var text = ""
    while true {
      guard let next = byte(), isTriple || next != 0x0A else {
        return reportUnclosed(opening, isTriple)
      }
      if closes(quote, isTriple) {
        place += isTriple ? 3 : 1
        break
      }
      readCharacter(into: &text, isRaw: isRaw)
    }
    if prefix.contains("b") || prefix == "t" {
      report(
        "Fovea has no `\(prefix)\"…\"` strings", SourceRange(start, place),
        hint: "leave out the \(prefix)")
      return add(.invalid, from: start)
    }
    add(.text(text), from: start)
  }

  private func closes(_ quote: UInt8, _ isTriple: Bool) -> Bool {
    byte() == quote && (!isTriple || (byte(1) == quote && byte(2) == quote))
  }

  private mutating func reportUnclosed(_ opening: SourceRange, _ isTriple: Bool) {
    if isTriple { endsInside = true }
    report(
      "this string is never closed", opening,
      hint: isTriple ? nil : "a string in single quotes ends on its line; \"\"\"…\"\"\" may go on")
    add(.invalid, from: opening.start)
  }

  /// Reads one character of a string, or one escape.
  private mutating func readCharacter(into text: inout String, isRaw: Bool) {
    guard byte() == 0x5C else {
      let start = place
      advanceScalar()
      // A line end is "\n" however the file writes it.
      if bytes[start] == 0x0D, byte() == 0x0A { return }
      text += source.text(of: SourceRange(start, place))
      return
    }
    let start = place
    place += 1
    guard let letter = byte() else { return }
    if isRaw {
      advanceScalar()
      text += source.text(of: SourceRange(start, place))
      return
    }
    let simple: [UInt8: String] = [
      0x6E: "\n", 0x74: "\t", 0x72: "\r", 0x5C: "\\", 0x27: "'", 0x22: "\"", 0x61: "\u{7}",
      0x62: "\u{8}", 0x66: "\u{C}", 0x76: "\u{B}", 0x0A: "",
    ]
    if let known = simple[letter] {
      place += 1
      text += known
      return
    }
    switch letter {
    case 0x0D where byte(1) == 0x0A: place += 2
    case 0x78: readHexadecimal(2, start, into: &text)
    case 0x75: readHexadecimal(4, start, into: &text)
    case 0x55: readHexadecimal(8, start, into: &text)
    case 0x30...0x37:
      var value: UInt32 = 0
      var count = 0
      while count < 3, let digit = byte(), (0x30...0x37).contains(digit) {
        value = value * 8 + UInt32(digit - 0x30)
        place += 1
        count += 1
      }
      text.unicodeScalars.append(Unicode.Scalar(value) ?? "\u{FFFD}")
    case 0x4E:
      place += 1
      report(
        "Fovea has no `\\N{…}`", SourceRange(start, place),
        hint: "write the character itself, or \\u and four digits")
    default:
      // Python keeps the backslash of an escape that it does not know.
      text += "\\"
    }
  }

  private mutating func readHexadecimal(_ count: Int, _ start: Int, into text: inout String) {
    place += 1
    let first = place
    while place - first < count, let digit = byte(), Character(Unicode.Scalar(digit)).isHexDigit {
      place += 1
    }
    let digits = source.text(of: SourceRange(first, place))
    guard digits.count == count, let value = UInt32(digits, radix: 16),
      let scalar = Unicode.Scalar(value)
    else {
      report(
        "\\\(source.text(of: SourceRange(start + 1, start + 2))) wants \(count) hexadecimal digits of a character",
        SourceRange(start, place))
      return
    }
    text.unicodeScalars.append(scalar)
  }

  // MARK: f-strings

  /// The pieces up to the closing quote; nil where it is missing, which is reported.
  private mutating func readPieces(
    _ quote: UInt8, _ isTriple: Bool, _ isRaw: Bool, opening: SourceRange
  ) -> [FormattedPiece]? {
    var pieces: [FormattedPiece] = []
    var text = ""
    while true {
      guard let next = byte(), isTriple || next != 0x0A else {
        reportUnclosed(opening, isTriple)
        return nil
      }
      if closes(quote, isTriple) {
        place += isTriple ? 3 : 1
        break
      }
      switch next {
      case 0x7B where byte(1) == 0x7B, 0x7D where byte(1) == 0x7D:
        text += next == 0x7B ? "{" : "}"
        place += 2
      case 0x7B:
        guard let field = readField(quote, isTriple, depth: 0) else { return nil }
        if !text.isEmpty { pieces.append(.text(text)) }
        text = ""
        pieces.append(field)
      case 0x7D:
        report("a single '}' in an f-string", SourceRange(place, place + 1), hint: "write }}")
        place += 1
      default: readCharacter(into: &text, isRaw: isRaw)
      }
    }
    if !text.isEmpty { pieces.append(.text(text)) }
    return pieces
  }

  /// Reads `{expression!r:format}`; nil where it does not end, which is reported.
  private mutating func readField(
    _ quote: UInt8, _ isTriple: Bool, depth: Int
  ) -> FormattedPiece? {
    let opening = SourceRange(place, place + 1)
    place += 1
    let first = place
    var nesting = 0
    var showsSource: String?
    scan: while true {
      guard let next = byte(), isTriple || next != 0x0A else {
        report("'{' is never closed in this f-string", opening)
        if byte() == nil, isTriple { endsInside = true }
        add(.invalid, from: opening.start)
        return nil
      }
      switch next {
      case 0x28, 0x5B, 0x7B: nesting += 1
      case 0x29, 0x5D: nesting -= 1
      case 0x7D where nesting > 0: nesting -= 1
      case 0x7D: break scan
      case 0x3A where nesting <= 0: break scan
      case 0x21 where nesting <= 0 && byte(1) != 0x3D: break scan
      case 0x3D where nesting <= 0 && isSelfDocumenting(first):
        showsSource = source.text(of: SourceRange(first, place + 1))
        break scan
      case 0x22, 0x27:
        if closes(quote, isTriple) {
          report("'{' is never closed in this f-string", opening)
          place += isTriple ? 3 : 1
          add(.invalid, from: opening.start)
          return nil
        }
        skipNestedString()
        continue scan
      default: break
      }
      advanceScalar()
    }
    let expression = SourceRange(first, place)
    if showsSource != nil {
      place += 1
      while byte() == 0x20 {
        showsSource? += " "
        place += 1
      }
    }
    var conversion: Character?
    if byte() == 0x21 {
      place += 1
      let letter = byte().map { Character(Unicode.Scalar($0)) }
      if let letter, "rsa".contains(letter) {
        conversion = letter
        place += 1
      } else {
        report("after '!' comes r, s or a", SourceRange(place - 1, place + 1))
      }
    }
    var format: [FormattedPiece] = []
    if byte() == 0x3A {
      place += 1
      guard let pieces = readFormat(quote, isTriple, depth: depth, opening: opening) else {
        return nil
      }
      format = pieces
    }
    guard byte() == 0x7D else {
      report("'{' is never closed in this f-string", opening)
      add(.invalid, from: opening.start)
      return nil
    }
    place += 1
    return .field(
      expression: expression, conversion: conversion, format: format, showsSource: showsSource)
  }

  /// Whether the `=` at `place` ends the expression, as in `{x=}`.
  private func isSelfDocumenting(_ first: Int) -> Bool {
    guard place > first, byte(1) != 0x3D, !"=!<>".utf8.contains(bytes[place - 1]) else {
      return false
    }
    var ahead = 1
    while byte(ahead) == 0x20 { ahead += 1 }
    return byte(ahead) == 0x7D || byte(ahead) == 0x3A || byte(ahead) == 0x21
  }

  private mutating func readFormat(
    _ quote: UInt8, _ isTriple: Bool, depth: Int, opening: SourceRange
  ) -> [FormattedPiece]? {
    var pieces: [FormattedPiece] = []
    var text = ""
    while let next = byte(), next != 0x7D, next != 0x0A, !closes(quote, isTriple) {
      if next == 0x7B {
        guard depth == 0 else {
          report("fields in a format cannot hold fields again", SourceRange(place, place + 1))
          return nil
        }
        guard let field = readField(quote, isTriple, depth: 1) else { return nil }
        if !text.isEmpty { pieces.append(.text(text)) }
        text = ""
        pieces.append(field)
      } else {
        readCharacter(into: &text, isRaw: false)
      }
    }
    if !text.isEmpty { pieces.append(.text(text)) }
    return pieces
  }

  /// Steps over a string inside a field.
  private mutating func skipNestedString() {
    guard let quote = byte() else { return }
    place += 1
    while let next = byte(), next != quote, next != 0x0A {
      if next == 0x5C { place += 1 }
      advanceScalar()
    }
    if byte() == quote { place += 1 }
  }
}
