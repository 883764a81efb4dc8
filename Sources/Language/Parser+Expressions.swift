extension Parser {
  /// `a` or `a, b`, which is a tuple.
  mutating func expressionList() throws(Stopped) -> Expression {
    let first = try expression()
    guard at(.comma) else { return first }
    var parts = [first]
    while take(.comma) {
      guard canStartExpression else { break }
      parts.append(try expression())
    }
    return Expression(.tuple(parts), SourceRange(first.range.start, previousEnd))
  }

  var canStartExpression: Bool {
    switch kind {
    case .name, .integer, .float, .text, .formatted, .invalid: true
    case .symbol(let symbol):
      [.minus, .plus, .open, .openBracket, .openBrace, .ellipsis, .star, .tilde].contains(symbol)
    case .keyword(let keyword): [.none, .yes, .no, .not, .lambda].contains(keyword)
    default: false
    }
  }

  /// One expression without a comma around it.
  mutating func expression() throws(Stopped) -> Expression {
    try nested { parser throws(Stopped) in
      if parser.at(.lambda) { return try parser.lambda() }
      let value = try parser.operators(1)
      if parser.at(.walrus) { throw parser.unexpected() }
      guard parser.take(.if) else { return value }
      let test = try parser.operators(1)
      guard parser.take(.else) else {
        throw parser.fail(
          "'else' is missing in this 'a if test else b'\(parser.before)", at: parser.missingPlace)
      }
      let other = try parser.expression()
      return Expression(
        .conditional(test: test, yes: value, no: other), value.range.joined(with: other.range))
    }
  }

  private mutating func lambda() throws(Stopped) -> Expression {
    let start = token.range.start
    advance()
    let parameters = try self.parameters(until: .colon)
    try expect(.colon, "after the parameters of this lambda")
    let value = try expression()
    let range = SourceRange(start, value.range.end)
    let body = [Statement(kind: .returnValue(value), range: value.range)]
    return Expression(
      .lambda(Function(name: "<lambda>", parameters: parameters, body: body, range: range)), range)
  }

  // MARK: Operators

  /// Levels: 1 or, 2 and, 3 not, 4 comparisons, 5 |, 6 ^, 7 &, 8 sums, 9 products, 10 signs,
  /// 11 powers.
  mutating func operators(_ level: Int) throws(Stopped) -> Expression {
    var left = try prefixed(level)
    var chain = 0
    while true {
      chain += 1
      guard chain <= Self.chainLimit else {
        throw fail("more than \(Self.chainLimit) operators in a row", at: token.range)
      }
      if level <= 1, at(.or) {
        left = try logical(.or, level: 2, left)
      } else if level <= 2, at(.and) {
        left = try logical(.and, level: 3, left)
      } else if level <= 4, comparison() != nil {
        left = try comparisons(left)
      } else if case .symbol(let symbol) = kind, let found = Self.binary[symbol],
        found.level >= level
      {
        advance()
        // Signs bind tighter than a power on their left and looser on their right: -x**-y.
        let right = try nested { parser throws(Stopped) in
          try parser.operators(found.level == 11 ? 10 : found.level + 1)
        }
        left = Expression(
          .binary(found.operation, left, right), left.range.joined(with: right.range))
      } else {
        return left
      }
    }
  }

  private static let binary: [Symbol: (operation: BinaryOperator, level: Int)] = [
    .pipe: (.or, 5), .caret: (.exclusiveOr, 6), .ampersand: (.and, 7),
    .plus: (.add, 8), .minus: (.subtract, 8), .star: (.multiply, 9), .slash: (.divide, 9),
    .doubleSlash: (.floorDivide, 9), .percent: (.modulo, 9), .at: (.matmul, 9),
    .power: (.power, 11),
  ]

  private mutating func prefixed(_ level: Int) throws(Stopped) -> Expression {
    let start = token.range.start
    if at(.not), level <= 3 {
      advance()
      let operand = try nested { parser throws(Stopped) in try parser.operators(3) }
      return Expression(.unary(.not, operand), SourceRange(start, operand.range.end))
    }
    guard at(.minus) || at(.plus) || at(.tilde), level <= 10 else { return try postfixed() }
    let isMinus = at(.minus)
    let operation: UnaryOperator = isMinus ? .minus : at(.plus) ? .plus : .invert
    advance()
    if isMinus, case .integer(let magnitude) = kind, magnitude == 1 << 63,
      peek() != .symbol(.power)
    {
      advance()
      return Expression(.integer(.min), SourceRange(start, previousEnd))
    }
    let operand = try nested { parser throws(Stopped) in try parser.operators(10) }
    return Expression(.unary(operation, operand), SourceRange(start, operand.range.end))
  }

  private mutating func logical(
    _ keyword: Keyword, level: Int, _ first: Expression
  ) throws(Stopped) -> Expression {
    var parts = [first]
    while take(keyword) { parts.append(try operators(level)) }
    let range = SourceRange(first.range.start, previousEnd)
    return Expression(keyword == .and ? .and(parts) : .or(parts), range)
  }

  private func comparison() -> (operation: ComparisonOperator, length: Int)? {
    switch kind {
    case .symbol(.equal): (.equal, 1)
    case .symbol(.notEqual): (.notEqual, 1)
    case .symbol(.less): (.less, 1)
    case .symbol(.lessEqual): (.lessOrEqual, 1)
    case .symbol(.greater): (.greater, 1)
    case .symbol(.greaterEqual): (.greaterOrEqual, 1)
    case .keyword(.in): (.isIn, 1)
    case .keyword(.not): peek() == .keyword(.in) ? (.isNotIn, 2) : nil
    case .keyword(.is): peek() == .keyword(.not) ? (.isNotSame, 2) : (.isSame, 1)
    default: nil
    }
  }

  private mutating func comparisons(_ first: Expression) throws(Stopped) -> Expression {
    var rest: [(operation: ComparisonOperator, operand: Expression)] = []
    while let (operation, length) = comparison() {
      for _ in 0..<length { advance() }
      rest.append((operation, try operators(5)))
    }
    return Expression(.comparison(first, rest), SourceRange(first.range.start, previousEnd))
  }

  // MARK: Calls, indices, attributes

  private mutating func postfixed() throws(Stopped) -> Expression {
    var value = try atom()
    let start = value.range.start
    var chain = 0
    while true {
      chain += 1
      guard chain <= Self.chainLimit else {
        throw fail("more than \(Self.chainLimit) calls in a row", at: token.range)
      }
      if at(.open) {
        let arguments = try self.arguments()
        value = Expression(.call(value, arguments), SourceRange(start, previousEnd))
      } else if at(.openBracket) {
        let index = try subscriptIndex()
        value = Expression(.index(value, index), SourceRange(start, previousEnd))
      } else if take(.dot) {
        guard case .name(let name) = kind else {
          throw fail("a name is missing after '.'\(before)", at: missingPlace)
        }
        let range = token.range
        advance()
        value = Expression(
          .attribute(value, name: name, nameRange: range), SourceRange(start, previousEnd))
      } else {
        return value
      }
    }
  }

  private mutating func arguments() throws(Stopped) -> [CallArgument] {
    advance()
    var arguments: [CallArgument] = []
    var keywords: Set<String> = []
    while !at(.close) {
      let start = token.range.start
      if at(.star) || at(.power) {
        throw fail(
          "Fovea has no star-arguments; see help('language')", at: token.range,
          hint: "pass the values one by one")
      }
      if case .name(let name) = kind, peek() == .symbol(.assign) {
        if !keywords.insert(name).inserted { report("'\(name)' is given twice", at: token.range) }
        advance()
        advance()
        let value = try expression()
        arguments.append(
          CallArgument(keyword: name, value: value, range: SourceRange(start, value.range.end)))
      } else {
        let value = try expression()
        if at(.for) {
          throw fail(
            "Fovea has no generator expressions", at: token.range,
            hint: "write a list: [… for … in …]")
        }
        if !keywords.isEmpty {
          report(
            "an argument without a name stands after one with a name", at: value.range,
            hint: "put it first, or name it")
        }
        arguments.append(CallArgument(keyword: nil, value: value, range: value.range))
      }
      guard take(.comma) else { break }
    }
    guard take(.close) else {
      if at(.assign) || at(.walrus) { throw unexpected() }
      throw fail("',' or ')' is missing in this call\(before)", at: missingPlace)
    }
    return arguments
  }

  private mutating func subscriptIndex() throws(Stopped) -> Expression {
    let start = token.range.start
    advance()
    if at(.closeBracket) { throw fail("an index is missing between [ and ]", at: token.range) }
    var parts = [try subscriptPart()]
    var isTuple = false
    while take(.comma) {
      isTuple = true
      if at(.closeBracket) { break }
      parts.append(try subscriptPart())
    }
    guard take(.closeBracket) else {
      throw fail("',' or ']' is missing in this index\(before)", at: missingPlace)
    }
    if !isTuple { return parts[0] }
    return Expression(.tuple(parts), SourceRange(start + 1, previousEnd - 1))
  }

  private mutating func subscriptPart() throws(Stopped) -> Expression {
    let start = token.range.start
    let first = at(.colon) ? nil : try expression()
    guard take(.colon) else {
      if let first { return first }
      throw unexpected()
    }
    var last: Expression?
    var step: Expression?
    func ends(_ parser: Parser) -> Bool {
      parser.at(.comma) || parser.at(.closeBracket) || parser.at(.colon)
    }
    if !ends(self) { last = try expression() }
    if take(.colon), !ends(self) { step = try expression() }
    return Expression(.slice(first, last, step), SourceRange(start, previousEnd))
  }
}
