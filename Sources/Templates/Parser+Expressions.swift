extension Parser {
  /// Makes an expression, refusing trees that would be too deep to walk.
  private func make(
    _ kind: Expression.Kind, at place: Int, over parts: [Expression?] = []
  ) throws(Fault) -> Expression {
    let made = Expression(kind, at: place, over: parts)
    guard made.depth <= Self.longest else {
      throw Fault(
        .limit, "an expression holds more than \(Self.longest) others in one another", at: place)
    }
    return made
  }

  /// Values between commas: one value, or a tuple of them.
  mutating func tuple(
    conditional: Bool = true, until end: String? = nil, isInParentheses: Bool = false
  ) throws(Fault) -> Expression {
    let place = current.place
    var values: [Expression] = []
    var isTuple = false
    while true {
      if !values.isEmpty { try expect(",") }
      if isTupleEnd(end) { break }
      values.append(try expression(conditional: conditional))
      guard isAt(",") else { break }
      isTuple = true
    }
    if !isTuple {
      if let value = values.first { return value }
      guard isInParentheses else { throw unexpected("a value") }
    }
    return try make(.tuple(values), at: place, over: values)
  }

  /// A value, with `if` and `else` behind it where those may stand there.
  mutating func expression(conditional: Bool = true) throws(Fault) -> Expression {
    try deeper { parser throws(Fault) in
      conditional ? try parser.conditional() : try parser.or()
    }
  }

  private mutating func conditional() throws(Fault) -> Expression {
    let known = unknown.count
    var value = try or()
    while isAt(name: "if") {
      let place = advance().place
      let condition = try or()
      let otherwise =
        take(name: "else")
        ? try deeper { parser throws(Fault) in try parser.conditional() } : nil
      // What stands in a condition is looked up only where it is reached.
      unknown.removeSubrange(known...)
      value = try make(
        .conditional(value, condition: condition, otherwise: otherwise), at: place,
        over: [value, condition, otherwise])
    }
    return value
  }

  private mutating func or() throws(Fault) -> Expression {
    var left = try and()
    while isAt(name: "or") {
      let place = advance().place
      let known = unknown.count
      let right = try and()
      // What comes behind a constant that decides is not looked at.
      if left.literalTruth == true { unknown.removeSubrange(known...) }
      left = try make(.or(left, right), at: place, over: [left, right])
    }
    return left
  }

  private mutating func and() throws(Fault) -> Expression {
    var left = try not()
    while isAt(name: "and") {
      let place = advance().place
      let known = unknown.count
      let right = try not()
      if left.literalTruth == false { unknown.removeSubrange(known...) }
      left = try make(.and(left, right), at: place, over: [left, right])
    }
    return left
  }

  private mutating func not() throws(Fault) -> Expression {
    guard isAt(name: "not") else { return try comparison() }
    let place = advance().place
    let value = try deeper { parser throws(Fault) in try parser.not() }
    return try make(.not(value), at: place, over: [value])
  }

  private mutating func comparison() throws(Fault) -> Expression {
    let place = current.place
    let first = try sum()
    var others: [(Expression.Comparison, Expression)] = []
    while true {
      if case .symbol(let symbol) = current.kind,
        let comparison = Expression.Comparison(rawValue: symbol)
      {
        advance()
        others.append((comparison, try sum()))
      } else if take(name: "in") {
        others.append((.isIn, try sum()))
      } else if isAt(name: "not"), following.kind == .name("in") {
        advance()
        advance()
        others.append((.isNotIn, try sum()))
      } else {
        break
      }
    }
    guard !others.isEmpty else { return first }
    return try make(.comparison(first, others), at: place, over: [first] + others.map(\.1))
  }

  private mutating func operators(
    _ symbols: [String], _ operand: (inout Self) throws(Fault) -> Expression
  ) throws(Fault) -> Expression {
    var left = try operand(&self)
    while case .symbol(let symbol) = current.kind, symbols.contains(symbol),
      let kind = Expression.Operator(rawValue: symbol)
    {
      let place = advance().place
      let right = try operand(&self)
      left = try make(.arithmetic(kind, left, right), at: place, over: [left, right])
    }
    return left
  }

  private mutating func sum() throws(Fault) -> Expression {
    try operators(["+", "-"]) { parser throws(Fault) in try parser.concatenation() }
  }

  private mutating func concatenation() throws(Fault) -> Expression {
    let place = current.place
    var parts = [try product()]
    while take("~") { parts.append(try product()) }
    return parts.count == 1 ? parts[0] : try make(.concatenation(parts), at: place, over: parts)
  }

  private mutating func product() throws(Fault) -> Expression {
    try operators(["*", "/", "//", "%"]) { parser throws(Fault) in try parser.power() }
  }

  private mutating func power() throws(Fault) -> Expression {
    // From the left, as jinja2 reads it, though Python reads it from the right.
    try operators(["**"]) { parser throws(Fault) in try parser.unary() }
  }

  private mutating func unary(withFilter: Bool = true) throws(Fault) -> Expression {
    let place = current.place
    var value: Expression
    if isAt("-") || isAt("+") {
      let isMinus = isAt("-")
      advance()
      let inner = try deeper { parser throws(Fault) in try parser.unary(withFilter: false) }
      value = try make(.sign(inner, isMinus: isMinus), at: place, over: [inner])
    } else {
      value = try primary()
    }
    value = try postfix(value)
    return withFilter ? try filtered(value) : value
  }

  private mutating func primary() throws(Fault) -> Expression {
    let token = current
    func leaf(_ kind: Expression.Kind) -> Expression { Expression(kind, at: token.place) }
    switch token.kind {
    case .name(let name):
      advance()
      switch name {
      case "true", "True": return leaf(.bool(true))
      case "false", "False": return leaf(.bool(false))
      case "none", "None": return leaf(.none)
      default:
        note(name, isRead: true)
        return leaf(.name(name))
      }
    case .text(var text):
      advance()
      while case .text(let more) = current.kind {
        text += more
        advance()
      }
      return leaf(.text(text))
    case .integer(let number):
      advance()
      return leaf(.integer(number))
    case .float(let number):
      advance()
      return leaf(.float(number))
    case .symbol("("):
      advance()
      let value = try tuple(isInParentheses: true)
      try expect(")")
      return value
    case .symbol("["):
      advance()
      let values = try values(until: "]")
      return try make(.list(values), at: token.place, over: values)
    case .symbol("{"): return try dictionary()
    default: throw unexpected("a value")
    }
  }

  private mutating func values(until end: String) throws(Fault) -> [Expression] {
    var values: [Expression] = []
    while !isAt(end) {
      if !values.isEmpty { try expect(",") }
      if isAt(end) { break }
      values.append(try expression())
    }
    try expect(end)
    return values
  }

  private mutating func dictionary() throws(Fault) -> Expression {
    let place = advance().place
    var pairs: [(key: Expression, value: Expression)] = []
    while !isAt("}") {
      if !pairs.isEmpty { try expect(",") }
      if isAt("}") { break }
      let key = try expression()
      try expect(":")
      pairs.append((key, try expression()))
    }
    try expect("}")
    return try make(
      .dictionary(pairs), at: place, over: pairs.flatMap { [$0.key, $0.value] })
  }

  private mutating func postfix(_ value: Expression) throws(Fault) -> Expression {
    var value = value
    while true {
      if isAt(".") || isAt("[") {
        value = try subscripted(value)
      } else if isAt("(") {
        value = try call(value)
      } else {
        return value
      }
    }
  }

  private mutating func filtered(_ value: Expression) throws(Fault) -> Expression {
    var value = value
    while true {
      if isAt("|") {
        value = try filterChain(on: value)
      } else if isAt(name: "is") {
        value = try test(value)
      } else if isAt("(") {
        value = try call(value)
      } else {
        return value
      }
    }
  }

  private mutating func call(_ callee: Expression) throws(Fault) -> Expression {
    let place = current.place
    let arguments = try arguments()
    return try make(.call(callee, arguments), at: place, over: [callee] + arguments.parts)
  }

  private mutating func subscripted(_ value: Expression) throws(Fault) -> Expression {
    let token = advance()
    if token.kind == .symbol(".") {
      let place = current.place
      switch current.kind {
      case .name(let name):
        advance()
        return try make(.attribute(value, name), at: place, over: [value])
      case .integer(let number):
        advance()
        let index = Expression(.integer(number), at: place)
        return try make(.index(value, index), at: place, over: [value])
      default: throw unexpected("a name or number")
      }
    }
    var parts: [Expression] = []
    while !isAt("]") {
      if !parts.isEmpty { try expect(",") }
      var bounds: [Expression?] = []
      if isAt(":") {
        bounds = [nil]
      } else {
        let index = try expression()
        guard isAt(":") else {
          parts.append(index)
          continue
        }
        bounds = [index]
      }
      while bounds.count < 3, take(":") {
        bounds.append(isAt(":") || isAt("]") || isAt(",") ? nil : try expression())
      }
      guard parts.isEmpty, isAt("]") else {
        throw Fault(.notBuilt, "a slice beside other indices is not built here", at: token.place)
      }
      advance()
      bounds += Array(repeating: nil, count: 3 - bounds.count)
      return try make(
        .slice(value, bounds[0], bounds[1], bounds[2]), at: token.place, over: [value] + bounds)
    }
    try expect("]")
    let index =
      parts.count == 1
      ? parts[0] : try make(.tuple(parts), at: token.place, over: parts)
    return try make(.index(value, index), at: token.place, over: [value, index])
  }

  private mutating func arguments() throws(Fault) -> CallArguments {
    let place = current.place
    try expect("(")
    var arguments = CallArguments()
    var needsComma = false
    func ensure(_ condition: Bool) throws(Fault) {
      guard condition else {
        throw Fault(.syntax, "the arguments stand in no order that a call takes", at: place)
      }
    }
    while !isAt(")") {
      if needsComma {
        try expect(",")
        if isAt(")") { break }
      }
      needsComma = true
      if take("*") {
        try ensure(arguments.list == nil && arguments.mapping == nil)
        arguments.list = try expression()
      } else if take("**") {
        try ensure(arguments.mapping == nil)
        arguments.mapping = try expression()
      } else if case .name(let name) = current.kind, following.kind == .symbol("=") {
        try ensure(arguments.mapping == nil)
        advance()
        advance()
        guard !arguments.keywords.contains(where: { $0.name == name }) else {
          throw Fault(.syntax, "the argument '\(name)' stands twice", at: place)
        }
        arguments.keywords.append((name, try expression()))
      } else {
        try ensure(
          arguments.list == nil && arguments.mapping == nil && arguments.keywords.isEmpty)
        arguments.positional.append(try expression())
      }
    }
    try expect(")")
    return arguments
  }

  /// Filters, one behind the other.
  mutating func filterChain(
    on value: Expression, startsWithName: Bool = false
  ) throws(Fault) -> Expression {
    var (value, startsWithName) = (value, startsWithName)
    while startsWithName || isAt("|") {
      if !startsWithName { advance() }
      startsWithName = false
      let place = current.place
      let name = try dottedName()
      if !Filters.known.contains(name) {
        note(Fault(.syntax, "there is no filter '\(name)'", at: place))
      }
      let arguments = isAt("(") ? try arguments() : CallArguments()
      value = try make(
        .filter(value, name, arguments), at: place, over: [value] + arguments.parts)
    }
    return value
  }

  private mutating func note(_ fault: Fault) { if !isSoft { unknown.append(fault) } }

  private mutating func dottedName() throws(Fault) -> String {
    var name = try expectName()
    while take(".") { name += "." + (try expectName()) }
    return name
  }

  private mutating func test(_ value: Expression) throws(Fault) -> Expression {
    advance()
    let isNegated = take(name: "not")
    let place = current.place
    let name = try dottedName()
    if !Tests.known.contains(name) {
      note(Fault(.syntax, "there is no test '\(name)'", at: place))
    }
    var arguments = CallArguments()
    if isAt("(") {
      arguments = try self.arguments()
    } else if beginsTestArgument {
      if isAt(name: "is") {
        throw Fault(.syntax, "'is' cannot stand behind a test", at: current.place)
      }
      arguments.positional = [try postfix(try primary())]
    }
    let test = try make(
      .test(value, name, arguments), at: place, over: [value] + arguments.parts)
    return isNegated ? try make(.not(test), at: place, over: [test]) : test
  }

  private var beginsTestArgument: Bool {
    switch current.kind {
    case .name(let name): !["else", "or", "and"].contains(name)
    case .text, .integer, .float, .symbol("["), .symbol("{"): true
    default: false
    }
  }
}
