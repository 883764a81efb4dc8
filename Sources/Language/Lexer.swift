/// Splits a text into tokens, with Python's rules for lines and indentation.
struct Lexer {
  let source: Source
  let end: Int
  var place: Int
  var tokens: [Token] = []
  var diagnostics: [Diagnostic] = []
  /// How many more there were than are kept.
  var omittedCount = 0
  /// Brackets that are open, with their places.
  var brackets: [(symbol: Symbol, range: SourceRange)] = []
  /// Set where the text ends inside something: a string in triple quotes, a joined line.
  var endsInside = false
  private var indents: [(columns: Int, alternative: Int)] = [(0, 0)]
  private var atLineStart = true
  /// Whether the range is one expression, in which line ends mean nothing.
  private let isExpression: Bool

  var bytes: [UInt8] { source.bytes }

  init(_ source: Source, range: SourceRange, isExpression: Bool = false) {
    self.source = source
    self.isExpression = isExpression
    place = range.start
    end = min(range.end, source.bytes.count)
    if isExpression { atLineStart = false }
  }

  mutating func run() {
    while place < end {
      if atLineStart, brackets.isEmpty, !isExpression {
        guard readIndentation() else { continue }
      }
      readToken()
    }
    finish()
  }

  func byte(_ ahead: Int = 0) -> UInt8? {
    place + ahead < end ? bytes[place + ahead] : nil
  }

  mutating func add(_ kind: Token.Kind, from start: Int) {
    tokens.append(Token(kind: kind, range: SourceRange(start, place)))
  }

  mutating func report(_ message: String, _ range: SourceRange, hint: String? = nil) {
    guard diagnostics.count < 1000 else {
      omittedCount += 1
      return
    }
    diagnostics.append(Diagnostic(message, source: source, range: range, hint: hint))
  }

  // MARK: Lines

  /// Reads the space before a line; false where the line is empty or only a comment.
  private mutating func readIndentation() -> Bool {
    let start = place
    var (columns, alternative) = (0, 0)
    while let byte = byte(), byte == 0x20 || byte == 0x09 || byte == 0x0C {
      if byte == 0x09 {
        columns = (columns / 8 + 1) * 8
        alternative += 1
      } else {
        columns += 1
        alternative += 1
      }
      place += 1
    }
    if byte() == nil || byte() == 0x0A || byte() == 0x0D || byte() == 0x23 {
      skipComment()
      if byte() == 0x0D { place += 1 }
      if byte() == 0x0A { place += 1 }
      return false
    }
    atLineStart = false
    let current = indents[indents.count - 1]
    if columns > current.columns {
      if alternative <= current.alternative { reportTabs(start) }
      indents.append((columns, alternative))
      add(.indent, from: start)
    } else if columns < current.columns {
      while indents.count > 1, indents[indents.count - 1].columns > columns {
        indents.removeLast()
        add(.dedent, from: place)
      }
      if indents[indents.count - 1].columns != columns {
        report(
          "this line is indented like no line above it", SourceRange(start, place),
          hint: "indent every line of a block alike")
        indents[indents.count - 1] = (columns, alternative)
      }
    } else if alternative != current.alternative {
      reportTabs(start)
    }
    return true
  }

  private mutating func reportTabs(_ start: Int) {
    report(
      "tabs and spaces are mixed in the indentation", SourceRange(start, place),
      hint: "use four spaces a level")
  }

  private mutating func skipComment() {
    guard byte() == 0x23 else { return }
    while let byte = byte(), byte != 0x0A { place += 1 }
  }

  private mutating func readToken() {
    let start = place
    guard let first = byte() else { return }
    switch first {
    case 0x20, 0x09, 0x0C, 0x0D: place += 1
    case 0x0A:
      place += 1
      if brackets.isEmpty, !isExpression {
        add(.newline, from: start)
        atLineStart = true
      }
    case 0x23: skipComment()
    case 0x5C: readContinuation()
    case 0x22, 0x27: readString(start: start, prefix: "")
    case 0x30...0x39: readNumber()
    case 0x2E where byte(1).map { (0x30...0x39).contains($0) } ?? false: readNumber()
    case 0x25 where startsStatement: readMagic()
    default:
      if isIdentifierStart() { readName() } else { readSymbol() }
    }
  }

  /// A backslash before the line end joins two lines.
  private mutating func readContinuation() {
    let start = place
    place += 1
    if byte() == 0x0D { place += 1 }
    if byte() == 0x0A {
      place += 1
      if place >= end { endsInside = true }
      return
    }
    if place >= end { endsInside = true }
    report("a backslash may only stand at the end of a line", SourceRange(start, start + 1))
  }

  private var startsStatement: Bool {
    guard brackets.isEmpty, !isExpression else { return false }
    switch tokens.last?.kind {
    case nil, .newline, .indent, .dedent: return true
    default: return false
    }
  }

  private mutating func readMagic() {
    let start = place
    while byte() == 0x25, place < start + 2 { place += 1 }
    while isIdentifierPart() { advanceScalar() }
    add(.magic(source.text(of: SourceRange(start, place))), from: start)
  }

  private mutating func finish() {
    if let open = brackets.first {
      report("'\(open.symbol.rawValue)' is never closed", open.range)
      tokens.append(Token(kind: .invalid, range: SourceRange(end, end)))
    }
    let place = SourceRange(end, end)
    if !isExpression {
      if let last = tokens.last, last.kind != .newline {
        tokens.append(Token(kind: .newline, range: place))
      }
      for _ in 1..<indents.count { tokens.append(Token(kind: .dedent, range: place)) }
    }
    tokens.append(Token(kind: .end, range: place))
  }

  // MARK: Names and symbols

  func scalar() -> (scalar: Unicode.Scalar, length: Int)? {
    guard let first = byte() else { return nil }
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    let text = source.text(of: SourceRange(place, min(place + length, end)))
    guard let scalar = text.unicodeScalars.first else { return nil }
    return (scalar, length)
  }

  mutating func advanceScalar() { place += scalar()?.length ?? 1 }

  private func isIdentifierStart() -> Bool {
    guard let scalar = scalar()?.scalar else { return false }
    return scalar == "_" || scalar.properties.isXIDStart
  }

  func isIdentifierPart() -> Bool {
    guard let scalar = scalar()?.scalar else { return false }
    return scalar == "_" || scalar.properties.isXIDContinue
  }

  private mutating func readName() {
    let start = place
    while isIdentifierPart() { advanceScalar() }
    let name = source.text(of: SourceRange(start, place))
    if byte() == 0x22 || byte() == 0x27 {
      let prefix = name.lowercased()
      if ["r", "f", "b", "u", "rf", "fr", "br", "rb", "t"].contains(prefix) {
        readString(start: start, prefix: prefix)
        return
      }
    }
    guard let keyword = Keyword(rawValue: name) else { return add(.name(name), from: start) }
    if !brackets.isEmpty, keyword.opensStatement, isFirstOnLine(start), !isExpression {
      giveUpBrackets(before: start)
    }
    add(.keyword(keyword), from: start)
  }

  private func isFirstOnLine(_ start: Int) -> Bool {
    var index = start - 1
    while index >= 0, bytes[index] == 0x20 || bytes[index] == 0x09 { index -= 1 }
    return index < 0 || bytes[index] == 0x0A
  }

  /// A statement's first word on a line of its own: the bracket above was forgotten.
  private mutating func giveUpBrackets(before start: Int) {
    if let open = brackets.last {
      report("'\(open.symbol.rawValue)' is never closed", open.range)
    }
    brackets = []
    var lineStart = start
    while lineStart > 0, bytes[lineStart - 1] != 0x0A { lineStart -= 1 }
    tokens.append(Token(kind: .invalid, range: SourceRange(lineStart, lineStart)))
    tokens.append(Token(kind: .newline, range: SourceRange(lineStart, lineStart)))
    place = lineStart
    if readIndentation() { while isIdentifierPart() { advanceScalar() } }
  }

  private mutating func readSymbol() {
    let start = place
    for (candidate, symbol) in Symbol.byFirstByte[bytes[place]] ?? []
    where place + candidate.count <= end
      && bytes[place..<place + candidate.count].elementsEqual(candidate)
    {
      place += candidate.count
      track(symbol, SourceRange(start, place))
      return
    }
    let found = scalar()?.scalar
    advanceScalar()
    let shown = found.map { "'\($0)'" } ?? "this"
    switch found {
    case "!":
      report("Fovea has no `!`", SourceRange(start, place), hint: "write not; unequal is !=")
    case "$", "`":
      report("\(shown) means nothing here", SourceRange(start, place))
    case "“", "”", "‘", "’", "„", "«", "»":
      report(
        "\(shown) is no quotation mark here", SourceRange(start, place), hint: "write \" or '")
    default:
      report("the character \(shown) means nothing here", SourceRange(start, place))
    }
    add(.invalid, from: start)
  }

  private mutating func track(_ symbol: Symbol, _ range: SourceRange) {
    switch symbol {
    case .open, .openBracket, .openBrace: brackets.append((symbol, range))
    case .close, .closeBracket, .closeBrace:
      guard let open = brackets.popLast() else {
        report("'\(symbol.rawValue)' closes nothing", range)
        tokens.append(Token(kind: .invalid, range: range))
        return
      }
      let wanted: Symbol =
        open.symbol == .open ? .close : open.symbol == .openBracket ? .closeBracket : .closeBrace
      if wanted != symbol {
        let (line, _) = source.position(of: open.range.start)
        report(
          "'\(symbol.rawValue)' cannot close the '\(open.symbol.rawValue)' of line \(line)", range,
          hint: "'\(wanted.rawValue)' is missing")
        tokens.append(Token(kind: .invalid, range: range))
        return
      }
    default: break
    }
    tokens.append(Token(kind: .symbol(symbol), range: range))
  }
}
