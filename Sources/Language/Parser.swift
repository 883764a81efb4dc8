/// Reads tokens into a tree, and goes on after an error at the next statement.
struct Parser {
  /// How deep expressions and blocks may be nested.
  static let nestingLimit = 200
  /// How many operators may follow each other, as in `1 + 1 + 1 + …`.
  static let chainLimit = 1000

  /// Thrown where a statement cannot be read on; the diagnostic is recorded already.
  struct Stopped: Error {}

  let source: Source
  let tokens: [Token]
  var index = 0
  var diagnostics: [Diagnostic] = []
  var nesting = 0
  var functionDepth = 0
  var loopDepth = 0

  init(_ source: Source, _ tokens: [Token]) { (self.source, self.tokens) = (source, tokens) }

  // MARK: Tokens

  var token: Token { tokens[min(index, tokens.count - 1)] }
  var kind: Token.Kind { token.kind }
  var previousEnd: Int { index > 0 ? tokens[index - 1].range.end : token.range.start }

  func at(_ symbol: Symbol) -> Bool { kind == .symbol(symbol) }
  func at(_ keyword: Keyword) -> Bool { kind == .keyword(keyword) }
  func peek(_ ahead: Int = 1) -> Token.Kind { tokens[min(index + ahead, tokens.count - 1)].kind }

  mutating func advance() { if index < tokens.count - 1 { index += 1 } }

  mutating func take(_ symbol: Symbol) -> Bool {
    guard at(symbol) else { return false }
    advance()
    return true
  }

  mutating func take(_ keyword: Keyword) -> Bool {
    guard at(keyword) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: Symbol, _ purpose: String) throws(Stopped) {
    guard !take(symbol) else { return }
    throw fail("'\(symbol.rawValue)' is missing \(purpose)\(before)", at: missingPlace)
  }

  /// Where something is missing: at the next token, or after the last one at a line's end.
  var missingPlace: SourceRange {
    switch kind {
    case .newline, .end, .dedent, .indent: SourceRange(previousEnd, previousEnd)
    default: token.range
    }
  }

  var before: String {
    switch kind {
    case .newline, .end, .dedent, .indent: ""
    default: " before '\(shortened(source.text(of: token.range)))'"
    }
  }

  func shortened(_ text: String) -> String {
    text.count > 30 ? text.prefix(29) + "…" : text
  }

  /// Records a diagnostic; a token that the lexer reported already is not reported again.
  mutating func fail(_ message: String, at range: SourceRange, hint: String? = nil) -> Stopped {
    if kind != .invalid {
      diagnostics.append(Diagnostic(message, source: source, range: range, hint: hint))
    }
    return Stopped()
  }

  mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
    diagnostics.append(Diagnostic(message, source: source, range: range, hint: hint))
  }

  /// Runs `body` one level deeper.
  mutating func nested<R>(_ body: (inout Parser) throws(Stopped) -> R) throws(Stopped) -> R {
    nesting += 1
    defer { nesting -= 1 }
    guard nesting <= Self.nestingLimit else {
      throw fail(
        "this is nested more than \(Self.nestingLimit) deep", at: token.range,
        hint: "give parts of it names on lines of their own")
    }
    return try body(&self)
  }

  // MARK: Programs

  mutating func program() -> [Statement] {
    while kind == .newline { advance() }
    if case .magic(let written) = kind, written.hasPrefix("%%") {
      do {
        return [try cell(written)]
      } catch {
        resynchronise()
      }
    }
    return statements()
  }

  /// All statements up to the end.
  mutating func statements() -> [Statement] {
    var statements: [Statement] = []
    while kind != .end {
      if kind == .newline || kind == .dedent {
        advance()
      } else if kind == .indent {
        report(
          "this line is indented, but no block begins above it", at: token.range,
          hint: "take the spaces before it away")
        advance()
      } else {
        statement(into: &statements)
      }
    }
    return statements
  }

  /// Reads one logical line, or one compound statement; goes on after it whatever happens.
  mutating func statement(into statements: inout [Statement]) {
    let outer = (nesting, functionDepth, loopDepth)
    do {
      try statementOrLine(into: &statements)
    } catch {
      (nesting, functionDepth, loopDepth) = outer
      resynchronise()
    }
  }

  /// Skips the rest of the line; a block below it is still read for its own errors.
  mutating func resynchronise() {
    while kind != .newline, kind != .end { advance() }
    if kind == .newline { advance() }
    guard kind == .indent else { return }
    guard nesting < Self.nestingLimit else { return skipBlock() }
    nesting += 1
    functionDepth += 1
    loopDepth += 1
    var ignored: [Statement] = []
    advance()
    while kind != .dedent, kind != .end {
      if kind == .newline || kind == .indent { advance() } else { statement(into: &ignored) }
    }
    if kind == .dedent { advance() }
    nesting -= 1
    functionDepth -= 1
    loopDepth -= 1
  }

  /// Skips a block and the blocks in it, without looking at what they hold.
  private mutating func skipBlock() {
    var depth = 0
    repeat {
      if kind == .indent { depth += 1 }
      if kind == .dedent { depth -= 1 }
      advance()
    } while depth > 0 && kind != .end
  }

  mutating func statementOrLine(into statements: inout [Statement]) throws(Stopped) {
    if let compound = try compoundStatement() {
      statements.append(compound)
      return
    }
    while true {
      statements.append(try simpleStatement())
      guard take(.semicolon) else { break }
      if kind == .newline || kind == .end {
        // A `;` at the end keeps the value of an expression quiet.
        if let last = statements.popLast() {
          if case .expression(let value, _) = last.kind {
            statements.append(Statement(kind: .expression(value, quiet: true), range: last.range))
          } else {
            statements.append(last)
          }
        }
        break
      }
    }
    try endOfLine()
  }

  private mutating func endOfLine() throws(Stopped) {
    switch kind {
    case .newline: advance()
    case .end, .dedent: break
    default: throw unexpected()
    }
  }

  /// The diagnostic for a token that cannot stand here.
  mutating func unexpected() -> Stopped {
    switch kind {
    case .symbol(let symbol):
      if let hint = symbol.refusalHint {
        return fail("Fovea has no `\(symbol.rawValue)`", at: token.range, hint: hint)
      }
      if symbol == .assign {
        return fail(
          "'=' assigns, and cannot stand here", at: token.range, hint: "to compare, write ==")
      }
      if symbol == .colon {
        return fail(
          "':' cannot stand here", at: token.range,
          hint: "blocks begin with if, for, while or def; Fovea has no type annotations")
      }
    case .keyword(let keyword):
      if let refusal = keyword.refusal {
        return fail(
          "Fovea has no `\(refusal.name)`; see help('language')", at: token.range,
          hint: refusal.hint)
      }
    case .name(let name) where name == "print" || index == 0: break
    default: break
    }
    if case .name(let word)? = index > 0 ? tokens[index - 1].kind : nil, startsOperand {
      let next = shortened(source.text(of: token.range))
      if word == "print" {
        return fail("print is a function", at: token.range, hint: "write print(\(next))")
      }
      if word == "exec" {
        return fail("Fovea has no `\(word)`; see help('language')", at: token.range)
      }
      return fail(
        "an operator or a comma is missing between '\(shortened(word))' and '\(next)'",
        at: token.range, hint: "a call is written \(shortened(word))(\(next))")
    }
    if let what = describeMissing() { return fail(what, at: missingPlace) }
    return fail(
      "'\(shortened(source.text(of: token.range)))' cannot stand here", at: token.range)
  }

  var startsOperand: Bool {
    switch kind {
    case .name, .integer, .float, .text, .formatted: true
    default: false
    }
  }

  private func describeMissing() -> String? {
    switch kind {
    case .newline, .end, .dedent: "the line ends too early"
    case .indent: "this line is indented, but no block begins above it"
    default: nil
    }
  }
}

extension Program {
  /// Reads `source`, or the part of it in `range`.
  public init(parsing source: Source, range: SourceRange? = nil) {
    var lexer = Lexer(source, range: range ?? source.range)
    lexer.run()
    var parser = Parser(source, lexer.tokens)
    let statements = parser.program()
    let found = lexer.diagnostics + parser.diagnostics
    let ordered = found.enumerated().sorted {
      ($0.element.range.start, $0.offset) < ($1.element.range.start, $1.offset)
    }.map(\.element)
    self.init(
      source: source, statements: statements,
      diagnostics: Self.few(ordered, and: lexer.omittedCount, in: source))
  }

  /// The most that is shown of what is wrong with one text.
  private static let diagnosticLimit = 20

  /// Digits in groups of three.
  private static func grouped(_ count: Int) -> String {
    var digits = Array(String(count))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return String(digits)
  }

  /// The first ones, and how many more there are: a file that is no script has one a character.
  private static func few(
    _ ordered: [Diagnostic], and omitted: Int, in source: Source
  ) -> [Diagnostic] {
    guard ordered.count > diagnosticLimit else { return ordered }
    let rest = ordered.count - diagnosticLimit / 2 + omitted
    let next = ordered[diagnosticLimit / 2]
    let severity: Diagnostic.Severity =
      ordered.contains { $0.severity == .error } ? .error : .warning
    return ordered.prefix(diagnosticLimit / 2) + [
      Diagnostic(
        "and \(grouped(rest)) more like these, from here on", severity: severity, source: source,
        range: next.range)
    ]
  }

  /// Whether more lines are needed before `text` can run, as a prompt asks after each line.
  ///
  /// So it is where a bracket or a string in triple quotes is open, after a backslash, and in a
  /// block or below `%%time` until an empty line ends it.
  public static func isIncomplete(_ text: String) -> Bool {
    let source = Source(name: "", text: text)
    var lexer = Lexer(source, range: source.range)
    lexer.run()
    if !lexer.brackets.isEmpty || lexer.endsInside { return true }
    let lastLine = source.text(of: source.range(ofLine: source.lineStarts.count))
    if lastLine.hasSuffix("\\") { return true }
    let isBlank = lastLine.allSatisfy { $0 == " " || $0 == "\t" || $0 == "\r" }
    if case .magic(let written)? = lexer.tokens.first(where: { $0.kind != .newline })?.kind,
      written.hasPrefix("%%")
    {
      return !isBlank
    }
    let meaningful = lexer.tokens.filter {
      $0.kind != .newline && $0.kind != .dedent && $0.kind != .end
    }
    // A header without its block goes on, but an empty line gives up on it.
    if meaningful.last?.kind == .symbol(.colon) { return !isBlank || source.lineStarts.count < 2 }
    let hasBlock = lexer.tokens.contains { $0.kind == .indent }
    return hasBlock && !isBlank
  }
}
