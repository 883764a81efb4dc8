/// Reads the words of a template as statements, as jinja2's parser does.
struct Parser {
  private let tokens: [Token]
  private var next = 0
  /// Statements and expressions inside one another so far.
  var depth = 0
  /// What may stand inside what: whether `break` has a loop here.
  var isInLoop = false
  /// Whether what stands here is an `if`'s, whose unknown filters jinja2 minds only where they are reached.
  var isSoft = false
  /// Filters and tests that nobody knows, in order.
  var unknown: [Fault] = []
  /// For each macro that is being read, whether it reads or sets the names that macros give themselves.
  var given: [[String: Bool]] = []
  /// Every name that is given a value while a loop is read, to refuse `loop`.
  private var loops = 0

  /// The deepest nesting of statements and expressions.
  static let deepest = 100
  /// The most expressions in one another, counted in the tree: also a long row of operators.
  static let longest = 400

  init(_ tokens: [Token]) { self.tokens = tokens }

  /// The statements of a template.
  static func statements(of tokens: [Token]) throws(Fault) -> [Statement] {
    var parser = Parser(tokens)
    let statements = try parser.body(until: [])
    if let unknown = parser.unknown.first { throw unknown }
    return statements
  }

  // MARK: - Words

  var current: Token { tokens[next] }
  var following: Token { tokens[min(next + 1, tokens.count - 1)] }

  @discardableResult
  mutating func advance() -> Token {
    let token = tokens[next]
    if next + 1 < tokens.count { next += 1 }
    return token
  }

  func isAt(_ symbol: String) -> Bool { current.kind == .symbol(symbol) }
  func isAt(name: String) -> Bool { current.kind == .name(name) }

  mutating func take(_ symbol: String) -> Bool {
    guard isAt(symbol) else { return false }
    advance()
    return true
  }

  mutating func take(name: String) -> Bool {
    guard isAt(name: name) else { return false }
    advance()
    return true
  }

  mutating func expect(_ symbol: String) throws(Fault) {
    guard take(symbol) else { throw unexpected("'\(symbol)'") }
  }

  mutating func expect(name: String) throws(Fault) {
    guard take(name: name) else { throw unexpected("'\(name)'") }
  }

  mutating func expectName() throws(Fault) -> String {
    guard case .name(let name) = current.kind else { throw unexpected("a name") }
    advance()
    return name
  }

  func unexpected(_ expected: String) -> Fault {
    Fault(
      .syntax, "\(current.described) stands where \(expected) should be", at: current.place)
  }

  /// Goes one level deeper.
  mutating func deeper<T>(_ body: (inout Self) throws(Fault) -> T) throws(Fault) -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw Fault(
        .limit, "tags and parentheses stand in one another more than \(Self.deepest) deep",
        at: current.place)
    }
    return try body(&self)
  }

  // MARK: - Statements

  /// What stands up to a tag of one of the names, whose `{%` is taken.
  mutating func body(until ends: [String]) throws(Fault) -> [Statement] {
    var statements: [Statement] = []
    while true {
      let token = advance()
      switch token.kind {
      case .data(let text): statements.append(Statement(kind: .data(text), place: token.place))
      case .variableBegin:
        let value = try tuple()
        guard current.kind == .variableEnd else { throw unexpected("'}}'") }
        advance()
        statements.append(Statement(kind: .output(value), place: token.place))
      case .blockBegin:
        guard case .name(let name) = current.kind else { throw unexpected("a tag's name") }
        if ends.contains(name) { return statements }
        let place = current.place
        let kinds = try deeper { parser throws(Fault) in try parser.statement(name, ends) }
        statements += kinds.map { Statement(kind: $0, place: place) }
        try blockEnd()
      default:
        guard ends.isEmpty else {
          let names = ends.map { "'\($0)'" }.joined(separator: " or ")
          throw Fault(.syntax, "the template ends where \(names) should be", at: token.place)
        }
        return statements
      }
    }
  }

  private mutating func blockEnd() throws(Fault) {
    guard current.kind == .blockEnd else { throw unexpected("'%}'") }
    advance()
  }

  /// The body of a tag up to one of the names, and which it was; its own frame where names are set in it.
  mutating func block(
    until ends: [String], inLoop: Bool? = nil, soft: Bool = false
  ) throws(Fault) -> (body: [Statement], end: String) {
    _ = take(":")
    try blockEnd()
    let (loop, was) = (isInLoop, isSoft)
    (isInLoop, isSoft) = (inLoop ?? loop, soft)
    let body = try body(until: ends)
    (isInLoop, isSoft) = (loop, was)
    return (body, try expectName())
  }

  private mutating func statement(
    _ name: String, _ ends: [String]
  ) throws(Fault) -> [Statement.Kind] {
    let place = current.place
    advance()
    switch name {
    case "set": return [try setStatement()]
    case "for": return [try forStatement(place)]
    case "if": return [try ifStatement()]
    case "macro":
      let name = try storedName()
      return [.macro(try macro(named: name, end: "endmacro", hasSignature: true))]
    case "call":
      var signature: (names: [String], defaults: [Expression]) = ([], [])
      given.append([:])
      if isAt("(") { signature = try self.signature() }
      let call = try expression()
      guard case .call(let callee, let arguments) = call.kind else {
        throw Fault(.syntax, "'call' needs a call, such as {% call box() %}", at: place)
      }
      return [
        .call(callee, arguments, try macro(named: nil, signature: signature, end: "endcall"))
      ]
    case "filter":
      let filter = try filterChain(on: Expression(.block, at: place), startsWithName: true)
      return [.filter(filter, try block(until: ["endfilter"]).body)]
    case "with": return [try withStatement()]
    case "print":
      var values: [Statement.Kind] = []
      while current.kind != .blockEnd {
        if !values.isEmpty { try expect(",") }
        values.append(.output(try expression()))
      }
      return values
    case "generation": return [.generation(try block(until: ["endgeneration"], inLoop: false).body)]
    case "break", "continue":
      guard isInLoop else { throw Fault(.syntax, "'\(name)' stands in no loop", at: place) }
      return [name == "break" ? .leave : .next]
    case "block", "extends", "include", "import", "from", "autoescape":
      throw Fault(.notBuilt, "the tag '\(name)' is not built here", at: place)
    default:
      let expected = ends.map { "'\($0)'" }.joined(separator: " or ")
      throw Fault(
        .syntax,
        "there is no tag '\(name)'" + (ends.isEmpty ? "" : "; \(expected) is expected here"),
        at: place)
    }
  }

  private mutating func setStatement() throws(Fault) -> Statement.Kind {
    let target = try target(allowsAttributes: true)
    if take("=") { return .set(target, try tuple()) }
    let filter =
      isAt("|") ? try filterChain(on: Expression(.block, at: current.place)) : nil
    return .setBlock(target, filter: filter, try block(until: ["endset"]).body)
  }

  private mutating func forStatement(_ place: Int) throws(Fault) -> Statement.Kind {
    loops += 1
    defer { loops -= 1 }
    let target = try target(until: "in")
    try expect(name: "in")
    let sequence = try tuple(conditional: false, until: "recursive")
    let was = isSoft
    isSoft = false
    let test = take(name: "if") ? try expression() : nil
    isSoft = was
    let isRecursive = take(name: "recursive")
    let (body, end) = try block(until: ["endfor", "else"], inLoop: true)
    let otherwise = end == "else" ? try block(until: ["endfor"]).body : []
    return .loop(
      ForBlock(
        target: target, sequence: sequence, test: test, isRecursive: isRecursive, body: body,
        otherwise: otherwise))
  }

  private mutating func ifStatement() throws(Fault) -> Statement.Kind {
    var choices: [(Expression, [Statement])] = []
    let was = isSoft
    isSoft = true
    defer { isSoft = was }
    while true {
      let test = try tuple(conditional: false)
      let (body, end) = try block(until: ["elif", "else", "endif"], soft: true)
      choices.append((test, body))
      if end == "elif" { continue }
      let otherwise = end == "else" ? try block(until: ["endif"], soft: true).body : []
      return .choice(choices, otherwise: otherwise)
    }
  }

  private mutating func withStatement() throws(Fault) -> Statement.Kind {
    var values: [(Target, Expression)] = []
    while current.kind != .blockEnd {
      if !values.isEmpty { try expect(",") }
      let target = try target()
      try expect("=")
      values.append((target, try expression()))
    }
    return .with(values, try block(until: ["endwith"]).body)
  }

  // MARK: - Macros

  private mutating func macro(
    named name: String, end: String, hasSignature: Bool
  ) throws(Fault) -> MacroDefinition {
    given.append([:])
    return try macro(named: name, signature: try signature(), end: end)
  }

  private mutating func macro(
    named name: String?, signature: (names: [String], defaults: [Expression]), end: String
  ) throws(Fault) -> MacroDefinition {
    let body = try block(until: [end], inLoop: false).body
    let reads = given.removeLast()
    // A macro in a macro reads for the outer one too, as jinja2 counts it.
    for (name, isRead) in reads where !given.isEmpty {
      if given[given.count - 1][name] == nil { given[given.count - 1][name] = isRead }
    }
    return MacroDefinition(
      name: name, parameters: signature.names, defaults: signature.defaults, body: body,
      reads: Set(reads.filter(\.value).keys))
  }

  private mutating func signature() throws(Fault) -> (names: [String], defaults: [Expression]) {
    try expect("(")
    var (names, defaults): ([String], [Expression]) = ([], [])
    let was = isSoft
    isSoft = false
    defer { isSoft = was }
    while !isAt(")") {
      if !names.isEmpty { try expect(",") }
      let place = current.place
      let name = try storedName()
      guard !names.contains(name) else {
        throw Fault(.syntax, "the parameter '\(name)' stands twice", at: place)
      }
      if take("=") {
        defaults.append(try expression())
      } else if !defaults.isEmpty {
        throw Fault(.syntax, "'\(name)' needs a default, as those before it have", at: place)
      }
      names.append(name)
    }
    try expect(")")
    return (names, defaults)
  }

  // MARK: - Targets

  private static let constants: Set = ["true", "false", "none", "True", "False", "None"]
  private static let givenNames: Set = ["caller", "kwargs", "varargs"]

  /// A name that gets a value.
  private mutating func storedName() throws(Fault) -> String {
    let place = current.place
    let name = try expectName()
    guard !Self.constants.contains(name) else {
      throw Fault(.syntax, "'\(name)' cannot be given a value", at: place)
    }
    if name == "loop", loops > 0 {
      throw Fault(.syntax, "'loop' cannot be given a value in a loop", at: place)
    }
    note(name, isRead: false)
    return name
  }

  /// Remembers what a macro does with a name that macros give themselves.
  mutating func note(_ name: String, isRead: Bool) {
    guard Self.givenNames.contains(name), !given.isEmpty else { return }
    if given[given.count - 1][name] == nil { given[given.count - 1][name] = isRead }
  }

  private mutating func target(
    until end: String? = nil, allowsAttributes: Bool = false
  ) throws(Fault) -> Target {
    var targets: [Target] = []
    var isTuple = false
    while true {
      if !targets.isEmpty { try expect(",") }
      if isTupleEnd(end) { break }
      targets.append(try singleTarget(allowsAttributes))
      guard isAt(",") else { break }
      isTuple = true
    }
    guard isTuple || targets.count == 1 else { throw unexpected("a name") }
    return isTuple ? .tuple(targets) : targets[0]
  }

  private mutating func singleTarget(_ allowsAttributes: Bool) throws(Fault) -> Target {
    if isAt("(") {
      return try deeper { parser throws(Fault) in
        parser.advance()
        let inner = try parser.target()
        try parser.expect(")")
        return inner
      }
    }
    guard case .name(let name) = current.kind else { throw unexpected("a name") }
    if allowsAttributes, following.kind == .symbol("."), !Self.constants.contains(name) {
      let place = advance().place
      advance()
      note(name, isRead: true)
      return .attribute(of: name, try expectName(), place: place)
    }
    return .name(try storedName())
  }

  func isTupleEnd(_ end: String?) -> Bool {
    switch current.kind {
    case .variableEnd, .blockEnd, .symbol(")"): true
    case .name(let name): name == end
    default: false
    }
  }
}
