extension Parser {
  // MARK: Blocks

  mutating func compoundStatement() throws(Stopped) -> Statement? {
    let start = token.range.start
    guard case .keyword(let keyword) = kind else {
      if at(.at) {
        throw fail(
          "Fovea has no decorators; see help('language')", at: token.range,
          hint: "call the function on the result")
      }
      if case .magic = kind { return try magic() }
      if at(.question) {
        advance()
        let help = try helpStatement(start, name: try expression())
        return help
      }
      return nil
    }
    switch keyword {
    case .if: return try branches(start)
    case .for:
      advance()
      let target = try targetList()
      guard take(.in) else {
        throw fail("'in' is missing in this for\(before)", at: missingPlace)
      }
      let sequence = try expressionList()
      loopDepth += 1
      let body = try block("for")
      loopDepth -= 1
      try refuseLoopElse()
      return Statement(kind: .loop(target, sequence, body), range: SourceRange(start, previousEnd))
    case .while:
      advance()
      let test = try expression()
      loopDepth += 1
      let body = try block("while")
      loopDepth -= 1
      try refuseLoopElse()
      return Statement(kind: .whileLoop(test, body), range: SourceRange(start, previousEnd))
    case .define: return try definition(start)
    case .elif, .else:
      throw fail("'\(keyword.rawValue)' has no 'if' above it", at: token.range)
    default: return nil
    }
  }

  private mutating func refuseLoopElse() throws(Stopped) {
    guard at(.else) else { return }
    throw fail(
      "Fovea has no `else` after a loop; see help('language')", at: token.range,
      hint: "set a variable before break and ask it after the loop")
  }

  private mutating func branches(_ start: Int) throws(Stopped) -> Statement {
    var branches: [(test: Expression, body: [Statement])] = []
    var otherwise: [Statement] = []
    repeat {
      let word = token
      advance()
      let test = try expression()
      if at(.assign) { throw unexpected() }
      branches.append((test, try block(source.text(of: word.range))))
    } while at(.elif)
    if at(.else) {
      advance()
      otherwise = try block("else")
    }
    return Statement(
      kind: .branches(branches, otherwise: otherwise), range: SourceRange(start, previousEnd))
  }

  private mutating func definition(_ start: Int) throws(Stopped) -> Statement {
    advance()
    guard case .name(let name) = kind else {
      throw fail("a function's name is missing after 'def'\(before)", at: missingPlace)
    }
    advance()
    try expect(.open, "after the function's name")
    let parameters = try self.parameters(until: .close)
    try expect(.close, "after the parameters")
    if at(.arrow) { throw unexpected() }
    let outer = loopDepth
    functionDepth += 1
    loopDepth = 0
    let body = try block("def")
    functionDepth -= 1
    loopDepth = outer
    let range = SourceRange(start, previousEnd)
    let function = Function(name: name, parameters: parameters, body: body, range: range)
    return Statement(kind: .definition(function), range: range)
  }

  mutating func parameters(until end: Symbol) throws(Stopped) -> [Function.Parameter] {
    var parameters: [Function.Parameter] = []
    while !at(end) {
      let range = token.range
      if at(.star) || at(.power) || at(.slash) {
        throw fail(
          "Fovea has no star-arguments; see help('language')", at: range,
          hint: "take a list or a dict")
      }
      guard case .name(let name) = kind else {
        throw fail("a parameter's name is missing\(before)", at: missingPlace)
      }
      advance()
      if at(.colon), end == .close {
        throw fail(
          "Fovea has no type annotations", at: token.range, hint: "leave the type out")
      }
      var value: Expression?
      if take(.assign) { value = try expression() }
      if parameters.contains(where: { $0.name == name }) {
        report("the parameter '\(name)' is there twice", at: range)
      }
      if value == nil, let last = parameters.last, last.defaultValue != nil {
        report(
          "'\(name)' has no default, but '\(last.name)' before it has one", at: range,
          hint: "put parameters without a default first")
      }
      parameters.append(Function.Parameter(name: name, defaultValue: value, range: range))
      guard take(.comma) else { break }
    }
    return parameters
  }

  /// `:` and the statements that belong to it.
  private mutating func block(_ word: String) throws(Stopped) -> [Statement] {
    guard take(.colon) else {
      if at(.assign) { throw unexpected() }
      if case .name? = index > 0 ? tokens[index - 1].kind : nil, startsOperand {
        throw unexpected()
      }
      throw fail("':' is missing after this \(word)\(before)", at: missingPlace)
    }
    return try nested { parser throws(Stopped) in
      var statements: [Statement] = []
      guard parser.kind == .newline else {
        try parser.statementOrLine(into: &statements)
        return statements
      }
      parser.advance()
      guard parser.kind == .indent else {
        let place = SourceRange(parser.previousEnd, parser.previousEnd)
        throw parser.fail(
          "the block of this \(word) is missing",
          at: parser.kind == .end ? place : parser.token.range,
          hint: "indent the lines that belong to it; an empty block is pass")
      }
      parser.advance()
      while parser.kind != .dedent, parser.kind != .end {
        if parser.kind == .indent {
          parser.report(
            "this line is indented more than its block", at: parser.token.range)
          parser.advance()
        } else if parser.kind == .newline {
          parser.advance()
        } else {
          parser.statement(into: &statements)
        }
      }
      if parser.kind == .dedent { parser.advance() }
      return statements
    }
  }

  // MARK: Lines

  mutating func simpleStatement() throws(Stopped) -> Statement {
    let start = token.range.start
    func made(_ kind: Statement.Kind, _ parser: Parser) -> Statement {
      Statement(kind: kind, range: SourceRange(start, max(parser.previousEnd, start)))
    }
    if case .keyword(let keyword) = kind {
      if keyword.refusal != nil { throw unexpected() }
      switch keyword {
      case .pass:
        advance()
        return made(.pass, self)
      case .break, .continue:
        if loopDepth == 0 { report("'\(keyword.rawValue)' outside a loop", at: token.range) }
        advance()
        return made(keyword == .break ? .breakLoop : .continueLoop, self)
      case .return:
        if functionDepth == 0 { report("'return' outside a function", at: token.range) }
        advance()
        if kind == .newline || kind == .end || at(.semicolon) {
          return made(.returnValue(nil), self)
        }
        let value = try expressionList()
        return made(.returnValue(value), self)
      case .assert:
        advance()
        let test = try expression()
        var message: Expression?
        if take(.comma) { message = try expression() }
        return made(.assertion(test, message), self)
      case .delete:
        advance()
        var targets: [Target] = []
        repeat { targets.append(try target(try expression(), "deleted")) } while take(.comma)
        return made(.deletion(targets), self)
      default: break
      }
    }
    let first = try expressionList()
    if at(.question) {
      advance()
      return try helpStatement(start, name: first)
    }
    if case .symbol(let symbol) = kind, let operation = Self.augmented[symbol] {
      let target = try self.target(first, "changed")
      if case .tuple = target.kind {
        throw fail("\(symbol.rawValue) cannot change several values at once", at: first.range)
      }
      advance()
      return made(.augmented(target, operation, try expressionList()), self)
    }
    guard at(.assign) else { return made(.expression(first, quiet: false), self) }
    var targets: [Target] = []
    var value = first
    while take(.assign) {
      targets.append(try target(value, "assigned to"))
      value = try expressionList()
    }
    return made(.assignment(targets, value), self)
  }

  private static let augmented: [Symbol: BinaryOperator] = [
    .plusAssign: .add, .minusAssign: .subtract, .starAssign: .multiply, .slashAssign: .divide,
    .doubleSlashAssign: .floorDivide, .percentAssign: .modulo, .powerAssign: .power,
    .atAssign: .matmul, .ampersandAssign: .and, .pipeAssign: .or, .caretAssign: .exclusiveOr,
  ]

  private mutating func helpStatement(
    _ start: Int, name expression: Expression
  ) throws(Stopped) -> Statement {
    let range = SourceRange(start, previousEnd)
    switch expression.kind {
    case .name, .attribute, .text:
      return Statement(kind: .help(source.text(of: expression.range)), range: range)
    default: throw fail("'?' asks about a name", at: expression.range)
    }
  }

  /// `%time expression` and its like.
  private mutating func magic() throws(Stopped) -> Statement {
    let start = token.range.start
    guard case .magic(let written) = kind else { throw unexpected() }
    try checkMagic(written)
    guard !written.hasPrefix("%%") else {
      throw fail("\(written) stands in the first line alone", at: token.range)
    }
    let name = String(written.dropFirst())
    advance()
    var value: Statement?
    if name == "time" || name == "timeit" {
      let range = token.range
      let measured = try simpleStatement()
      switch measured.kind {
      case .expression(let expression, _):
        value = Statement(
          kind: .expression(expression, quiet: take(.semicolon)), range: measured.range)
      case .assignment:
        value = measured
        _ = take(.semicolon)
      default: throw fail("\(written) measures an expression or an assignment", at: range)
      }
    }
    guard kind == .newline || kind == .end else { throw unexpected() }
    return Statement(kind: .magic(name, value), range: SourceRange(start, previousEnd))
  }

  private mutating func checkMagic(_ written: String) throws(Stopped) {
    guard !Magic.all.contains(where: { $0.written == written }) else { return }
    throw fail("there is no \(written)", at: token.range, hint: Magic.hint(written))
  }

  /// `%%time` and the rest of the text.
  mutating func cell(_ written: String) throws(Stopped) -> Statement {
    let range = token.range
    try checkMagic(written)
    advance()
    guard kind == .newline || kind == .end else {
      throw fail(
        "\(written) stands in a line of its own", at: token.range,
        hint: "\(written.dropFirst()) measures what stands beside it")
    }
    let body = statements()
    guard !body.isEmpty else {
      throw fail("there is nothing below \(written)", at: range)
    }
    return Statement(
      kind: .cell(String(written.dropFirst(2)), body),
      range: SourceRange(range.start, max(previousEnd, range.end)))
  }

  // MARK: Targets

  /// An expression read again as something to assign to.
  private mutating func target(_ expression: Expression, _ verb: String) throws(Stopped) -> Target {
    switch expression.kind {
    case .name(let name): return Target(kind: .name(name), range: expression.range)
    case .index(let base, let index):
      return Target(kind: .index(base, index), range: expression.range)
    case .tuple(let parts), .list(let parts):
      var targets: [Target] = []
      for part in parts { targets.append(try target(part, verb)) }
      return Target(kind: .tuple(targets), range: expression.range)
    case .attribute:
      throw fail(
        "attributes cannot be \(verb)", at: expression.range,
        hint: "values do not change; assign the new one to a name")
    case .comparison, .binary, .unary, .and, .or, .conditional:
      throw fail(
        "an expression cannot be \(verb)", at: expression.range, hint: "to compare, write ==")
    case .call:
      throw fail("a call cannot be \(verb)", at: expression.range)
    default:
      throw fail(
        "'\(shortened(source.text(of: expression.range)))' cannot be \(verb)",
        at: expression.range)
    }
  }

  /// `a` or `a, b` after `for`.
  mutating func targetList() throws(Stopped) -> Target {
    let start = token.range.start
    var parts: [Target] = []
    var isTuple = false
    repeat {
      if parts.count > 0, at(.in) { break }
      // Operands of a comparison: `in` ends the target.
      parts.append(try target(try operators(5), "assigned to"))
      if at(.comma) { isTuple = true }
    } while take(.comma)
    if !isTuple, let only = parts.first { return only }
    return Target(kind: .tuple(parts), range: SourceRange(start, previousEnd))
  }
}
