/// A word of a template.
struct Token {
  enum Kind: Equatable {
    case data(Text)
    case blockBegin, blockEnd, variableBegin, variableEnd
    case name(String)
    case integer(Int)
    case float(Double)
    case text(Text)
    case symbol(String)
    case end
  }

  let kind: Kind
  /// Where it begins, as an index into the template's scalars.
  let place: Int

  /// What it is, in a reader's words.
  var described: String {
    switch kind {
    case .data: "text"
    case .blockBegin: "'{%'"
    case .blockEnd: "'%}'"
    case .variableBegin: "'{{'"
    case .variableEnd: "'}}'"
    case .name(let name): "'\(name)'"
    case .integer(let number): "\(number)"
    case .float(let number): Number.written(number).string
    case .text: "a text"
    case .symbol(let symbol): "'\(symbol)'"
    case .end: "the template's end"
    }
  }
}

/// Cuts a template into words as jinja2 does with `trim_blocks` and `lstrip_blocks`.
struct Lexer {
  let source: Text
  var place = 0
  private var tokens: [Token] = []
  /// Whether what comes begins a line, so that spaces before a tag are the tag's.
  private var startsLine = true

  /// The text with its line ends made equal, and without the last one.
  static func normalized(_ text: Text) -> Text {
    var result = Text()
    result.reserveCapacity(text.count)
    for (index, scalar) in text.enumerated() {
      if scalar == "\r" {
        result.append("\n")
      } else if scalar != "\n" || index == 0 || text[index - 1] != "\r" {
        result.append(scalar)
      }
    }
    if result.last == "\n" { result.removeLast() }
    return result
  }

  /// The words of a normalized text.
  static func tokens(of source: Text) throws(Fault) -> [Token] {
    var lexer = Lexer(source: source)
    try lexer.readRoot()
    lexer.add(.end, source.count)
    return lexer.tokens
  }

  private init(source: Text) { self.source = source }

  mutating func add(_ kind: Token.Kind, _ place: Int) {
    tokens.append(Token(kind: kind, place: place))
  }

  func at(_ offset: Int) -> Unicode.Scalar? {
    place + offset < source.count ? source[place + offset] : nil
  }

  private func has(_ text: String, at index: Int) -> Bool {
    var index = index
    for scalar in text.unicodeScalars {
      guard index < source.count, source[index] == scalar else { return false }
      index += 1
    }
    return true
  }

  private func skippingSpace(from index: Int) -> Int {
    var index = index
    while index < source.count, source[index].isPythonSpace { index += 1 }
    return index
  }

  private mutating func readRoot() throws(Fault) {
    while place < source.count {
      var tag = place
      while tag < source.count,
        !(source[tag] == "{" && tag + 1 < source.count
          && "%{#".unicodeScalars.contains(source[tag + 1]))
      {
        tag += 1
      }
      guard tag < source.count else {
        add(.data(Text(source[place...])), place)
        place = source.count
        return
      }
      let sign =
        tag + 2 < source.count && "+-".unicodeScalars.contains(source[tag + 2])
        ? source[tag + 2] : nil
      addData(place..<tag, sign: sign, isVariable: source[tag + 1] == "{")
      place = tag + (sign == nil ? 2 : 3)
      startsLine = false
      switch source[tag + 1] {
      case "#": try readComment(from: tag)
      case "{":
        add(.variableBegin, tag)
        try readTag(from: tag, isBlock: false)
      default:
        if let end = rawBegin() {
          place = end
          startsLine = source[end - 1] == "\n"
          try readRaw(from: tag)
        } else {
          add(.blockBegin, tag)
          try readTag(from: tag, isBlock: true)
        }
      }
    }
  }

  /// Adds the text before a tag, without what the tag takes away.
  private mutating func addData(
    _ range: Range<Int>, sign: Unicode.Scalar?, isVariable: Bool
  ) {
    var text = Text(source[range])
    if sign == "-" {
      text = text.stripped(left: false)
    } else if sign != "+", !isVariable {
      let line = text.lastIndex(of: "\n").map { $0 + 1 } ?? 0
      if line > 0 || startsLine, text[line...].allSatisfy(\.isPythonSpace) {
        text.removeSubrange(line...)
      }
    }
    if !text.isEmpty { add(.data(text), range.lowerBound) }
  }

  /// Where `{% raw %}` ends, if it stands here behind its `{%`.
  private func rawBegin() -> Int? {
    var index = skippingSpace(from: place)
    guard has("raw", at: index) else { return nil }
    index = skippingSpace(from: index + 3)
    if has("-%}", at: index) { return skippingSpace(from: index + 3) }
    return has("%}", at: index) ? index + 2 : nil
  }

  /// Where a tag ends that may end here: behind it and what it takes away.
  private func end(_ mark: String, trims: Bool, at index: Int) -> Int? {
    if trims, has("+" + mark, at: index) { return index + 3 }
    if has("-" + mark, at: index) { return skippingSpace(from: index + 3) }
    guard has(mark, at: index) else { return nil }
    return index + (trims && index + 2 < source.count && source[index + 2] == "\n" ? 3 : 2)
  }

  private mutating func readComment(from tag: Int) throws(Fault) {
    var index = place
    while index < source.count {
      if let end = end("#}", trims: true, at: index) {
        place = end
        startsLine = source[end - 1] == "\n"
        return
      }
      index += 1
    }
    throw Fault(.syntax, "this comment has no end; it ends with '#}'", at: tag)
  }

  private mutating func readRaw(from tag: Int) throws(Fault) {
    var index = place
    while index < source.count {
      defer { index += 1 }
      guard has("{%", at: index) else { continue }
      var name = index + 2
      let sign =
        name < source.count && "+-".unicodeScalars.contains(source[name])
        ? source[name] : nil
      name = skippingSpace(from: sign == nil ? name : name + 1)
      guard has("endraw", at: name) else { continue }
      name = skippingSpace(from: name + 6)
      guard let end = end("%}", trims: true, at: name) else { continue }
      addData(place..<index, sign: sign, isVariable: false)
      place = end
      startsLine = source[end - 1] == "\n"
      return
    }
    throw Fault(.syntax, "this 'raw' has no end; it ends with '{% endraw %}'", at: tag)
  }

  /// Reads the words of a tag and its end.
  private mutating func readTag(from tag: Int, isBlock: Bool) throws(Fault) {
    var open: [(symbol: Unicode.Scalar, place: Int)] = []
    while place < source.count {
      if open.isEmpty, let end = end(isBlock ? "%}" : "}}", trims: isBlock, at: place) {
        add(isBlock ? .blockEnd : .variableEnd, place)
        place = end
        startsLine = source[end - 1] == "\n"
        return
      }
      let scalar = source[place]
      if scalar.isPythonSpace {
        place += 1
      } else if scalar == "'" || scalar == "\"" {
        try readText(scalar)
      } else if ("0"..."9").contains(scalar) {
        try readNumber()
      } else if scalar == "_" || scalar.isPythonLetter {
        readName()
        if case .name(let name)? = tokens.last?.kind, !name.utf8.allSatisfy({ $0 < 128 }) {
          throw Fault(
            .notBuilt, "the name '\(name)' with letters outside ASCII is not built here",
            at: tokens.last?.place)
        }
      } else {
        try readSymbol(&open)
      }
    }
    let mark = isBlock ? "%}" : "}}"
    throw Fault(.syntax, "this tag has no end; it ends with '\(mark)'", at: tag)
  }

  private mutating func readName() {
    let start = place
    while let scalar = at(0), scalar == "_" || scalar.isPythonLetter || scalar.isPythonNumeric {
      place += 1
    }
    add(.name(Text(source[start..<place]).string), start)
  }

  private mutating func readSymbol(
    _ open: inout [(symbol: Unicode.Scalar, place: Int)]
  ) throws(Fault) {
    let start = place
    for symbol in ["**", "//", "==", "!=", ">=", "<="] where has(symbol, at: place) {
      add(.symbol(symbol), start)
      place += 2
      return
    }
    let scalar = source[place]
    guard "+-/*%~[](){}><=.:|,;".unicodeScalars.contains(scalar) else {
      throw Fault(.syntax, "'\(scalar)' means nothing here", at: start)
    }
    switch scalar {
    case "(", "[", "{": open.append((scalar == "(" ? ")" : scalar == "[" ? "]" : "}", start))
    case ")", "]", "}":
      guard let expected = open.popLast() else {
        throw Fault(.syntax, "'\(scalar)' closes nothing", at: start)
      }
      guard expected.symbol == scalar else {
        throw Fault(
          .syntax, "'\(scalar)' stands where '\(expected.symbol)' should be", at: start)
      }
    default: break
    }
    add(.symbol(String(scalar)), start)
    place += 1
  }
}
