extension Parser {
  mutating func atom() throws(Stopped) -> Expression {
    let range = token.range
    switch kind {
    case .name(let name):
      advance()
      return Expression(.name(name), range)
    case .integer(let magnitude):
      guard let number = Int(exactly: magnitude) else {
        throw fail("whole numbers have 64 bits: at most 9223372036854775807", at: range)
      }
      advance()
      return Expression(.integer(number), range)
    case .float(let number):
      advance()
      return Expression(.float(number), range)
    case .text, .formatted: return try strings()
    case .keyword(.none):
      advance()
      return Expression(.none, range)
    case .keyword(.yes), .keyword(.no):
      let truth = at(.yes)
      advance()
      return Expression(.bool(truth), range)
    case .symbol(.ellipsis):
      advance()
      return Expression(.ellipsis, range)
    case .symbol(.open): return try parenthesised()
    case .symbol(.openBracket): return try listDisplay()
    case .symbol(.openBrace): return try dictionaryDisplay()
    case .symbol(.star), .symbol(.power):
      throw fail(
        "Fovea has no starred expressions; see help('language')", at: range,
        hint: "join lists with +")
    case .symbol(let symbol) where symbol.refusalHint != nil: throw unexpected()
    case .keyword(let keyword) where keyword.refusal != nil: throw unexpected()
    case .keyword(.not):
      throw fail("'not' needs brackets here", at: range, hint: "write (not …)")
    case .keyword(let keyword):
      throw fail(
        "a value is missing before '\(keyword.rawValue)'", at: range,
        hint: keyword == .lambda ? "put the lambda in brackets" : nil)
    case .newline, .end, .dedent, .indent:
      throw fail("a value is missing", at: SourceRange(previousEnd, previousEnd))
    case .magic:
      throw fail("a % line stands alone", at: range)
    case .symbol, .invalid:
      throw fail("a value is missing\(before)", at: range)
    }
  }

  /// One string, or several next to each other, which are joined.
  private mutating func strings() throws(Stopped) -> Expression {
    let start = token.range.start
    var parts: [FormattedPart] = []
    var isFormatted = false
    loop: while true {
      switch kind {
      case .text(let text): parts.append(.text(text))
      case .formatted(let pieces):
        isFormatted = true
        parts += try pieces.isEmpty ? [] : self.parts(pieces)
      default: break loop
      }
      advance()
    }
    let range = SourceRange(start, previousEnd)
    if isFormatted { return Expression(.formatted(parts), range) }
    let text = parts.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    return Expression(.text(text), range)
  }

  private mutating func parts(_ pieces: [FormattedPiece]) throws(Stopped) -> [FormattedPart] {
    var parts: [FormattedPart] = []
    for piece in pieces {
      switch piece {
      case .text(let text): parts.append(.text(text))
      case .field(let range, let conversion, let format, let showsSource):
        if let showsSource { parts.append(.text(showsSource)) }
        let value = try field(range)
        let shown = showsSource != nil && conversion == nil && format.isEmpty
        parts.append(
          .field(value, conversion: shown ? "r" : conversion, format: try self.parts(format)))
      }
    }
    return parts
  }

  /// The expression between the braces of an f-string.
  private mutating func field(_ range: SourceRange) throws(Stopped) -> Expression {
    var lexer = Lexer(source, range: range, isExpression: true)
    lexer.run()
    guard lexer.diagnostics.isEmpty else {
      diagnostics += lexer.diagnostics
      throw Stopped()
    }
    if lexer.tokens.count <= 1 {
      throw fail("an f-string field is empty", at: SourceRange(range.start - 1, range.end + 1))
    }
    var parser = Parser(source, lexer.tokens)
    parser.nesting = nesting
    do {
      let value = try parser.nested { parser throws(Stopped) in
        let value = try parser.expressionList()
        if parser.kind != .end { throw parser.unexpected() }
        return value
      }
      diagnostics += parser.diagnostics
      return value
    } catch {
      diagnostics += parser.diagnostics
      throw error
    }
  }

  private mutating func parenthesised() throws(Stopped) -> Expression {
    let start = token.range.start
    advance()
    if take(.close) { return Expression(.tuple([]), SourceRange(start, previousEnd)) }
    let value = try expressionList()
    if at(.for) {
      throw fail(
        "Fovea has no generator expressions", at: token.range,
        hint: "write a list: [… for … in …]")
    }
    guard take(.close) else {
      if at(.assign) || at(.walrus) { throw unexpected() }
      throw fail("')' is missing\(before)", at: missingPlace)
    }
    return Expression(value.kind, SourceRange(start, previousEnd))
  }

  private mutating func listDisplay() throws(Stopped) -> Expression {
    let start = token.range.start
    advance()
    if take(.closeBracket) { return Expression(.list([]), SourceRange(start, previousEnd)) }
    let first = try expression()
    if at(.for) {
      let clauses = try comprehensionClauses()
      try expectClosing(.closeBracket, "list")
      return Expression(.listComprehension(first, clauses), SourceRange(start, previousEnd))
    }
    var parts = [first]
    while take(.comma) {
      if at(.closeBracket) { break }
      parts.append(try expression())
    }
    try expectClosing(.closeBracket, "list")
    return Expression(.list(parts), SourceRange(start, previousEnd))
  }

  private mutating func dictionaryDisplay() throws(Stopped) -> Expression {
    let start = token.range.start
    advance()
    var entries: [(key: Expression, value: Expression)] = []
    while !at(.closeBrace) {
      if at(.power) || at(.star) { throw unexpectedStar() }
      let key = try expression()
      guard take(.colon) else {
        if at(.comma) || at(.closeBrace) || at(.for) {
          throw fail("Fovea has no sets", at: key.range, hint: "use a list, or {key: value}")
        }
        throw fail("':' is missing after a key\(before)", at: missingPlace)
      }
      let value = try expression()
      if at(.for), entries.isEmpty {
        let clauses = try comprehensionClauses()
        try expectClosing(.closeBrace, "dict")
        return Expression(
          .dictionaryComprehension(key: key, value: value, clauses),
          SourceRange(start, previousEnd))
      }
      entries.append((key, value))
      guard take(.comma) else { break }
    }
    try expectClosing(.closeBrace, "dict")
    return Expression(.dictionary(entries), SourceRange(start, previousEnd))
  }

  private mutating func unexpectedStar() -> Stopped {
    fail(
      "Fovea has no starred expressions; see help('language')", at: token.range,
      hint: "join lists with +")
  }

  private mutating func expectClosing(_ symbol: Symbol, _ what: String) throws(Stopped) {
    guard !take(symbol) else { return }
    if at(.assign) || at(.walrus) { throw unexpected() }
    throw fail(
      "',' or '\(symbol.rawValue)' is missing in this \(what)\(before)", at: missingPlace)
  }

  private mutating func comprehensionClauses() throws(Stopped) -> [ComprehensionClause] {
    var clauses: [ComprehensionClause] = []
    while true {
      if take(.for) {
        let target = try targetList()
        guard take(.in) else {
          throw fail("'in' is missing in this for\(before)", at: missingPlace)
        }
        let sequence = try nested { parser throws(Stopped) in try parser.operators(1) }
        clauses.append(.loop(target: target, sequence: sequence))
      } else if take(.if) {
        let condition = try nested { parser throws(Stopped) in try parser.operators(1) }
        clauses.append(.condition(condition))
      } else {
        return clauses
      }
    }
  }
}
