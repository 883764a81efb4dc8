internal import Budget

/// What a template may take: it comes from strangers.
public struct TemplateLimits: Sendable {
  /// Statements, expressions and steps of loops.
  public var steps = 4_000_000
  /// Characters and values that are made or looked at, those that are let go again counted too.
  public var work = 1 << 26
  /// Characters of what is written.
  public var output = 1 << 24
  /// Macros and loops that call one another.
  public var calls = 200

  /// Enough for conversations of millions of characters.
  public init() {}
}

/// Renders one template once.
final class Renderer {
  let limits: TemplateLimits
  let now: () -> TemplateDate
  /// What the template was given.
  private let variables: [String: Item]
  var scope = Scope(nil)
  var output = Text()
  /// Where `generation` blocks stand in the output.
  var generated: [Range<Int>] = []
  /// How many outputs are being caught: only what goes to the template's own can be told a place.
  var captures = 0
  /// What stands in the block that a filter is applied to.
  var block = Text()
  private var steps = 0
  private var work = 0
  private var depth = 0
  private var calls = 0
  /// What may hold itself, to be let go at the end.
  private var namespaces: [Namespace] = []
  private var macros: [Macro] = []

  init(_ variables: [String: Item], limits: TemplateLimits, now: @escaping () -> TemplateDate) {
    (self.variables, self.limits, self.now) = (variables, limits, now)
  }

  func render(_ statements: [Statement]) throws(Fault) {
    defer {
      for namespace in namespaces { namespace.values = [] }
      for macro in macros {
        macro.scope?.clear()
        macro.scope = nil
      }
    }
    _ = try execute(statements)
  }

  // MARK: - Limits

  /// Counts a step one level deeper.
  func enter() throws(Fault) {
    steps += 1
    depth += 1
    // The deepest stack of a thread made for rendering has room for several times as many.
    guard depth <= 4000 else { throw .limit("what is computed stands in itself too deeply") }
    guard steps <= limits.steps else {
      throw .limit("the template takes more than \(limits.steps) steps")
    }
    if steps & 0x3FF == 0, Stop.isRequested { throw .stopped }
  }

  func leave() { depth -= 1 }

  /// Counts what is made or looked at.
  func charge(_ amount: Int) throws(Fault) {
    let (sum, overflow) = work.addingReportingOverflow(amount)
    guard !overflow, sum <= limits.work else {
      throw .limit("the template makes more than \(limits.work) characters and values")
    }
    if sum >> 20 != work >> 20, Stop.isRequested { throw .stopped }
    work = sum
  }

  /// Counts a call while it runs.
  func calling<T>(_ body: () throws(Fault) -> T) throws(Fault) -> T {
    calls += 1
    defer { calls -= 1 }
    guard calls <= limits.calls else {
      throw .limit("macros call one another more than \(limits.calls) deep")
    }
    return try body()
  }

  func keep(_ namespace: Namespace) -> Item {
    namespaces.append(namespace)
    return .namespace(namespace)
  }

  func keep(_ macro: Macro) -> Item {
    macros.append(macro)
    return .macro(macro)
  }

  // MARK: - Names

  static let functions: Set = [
    "range", "dict", "namespace", "cycler", "joiner", "raise_exception", "strftime_now", "lipsum",
  ]

  func find(_ name: String) -> Item {
    if let item = scope.find(name) { return item }
    if let item = variables[name] { return item }
    if Self.functions.contains(name) { return .function(name) }
    return .undefined(Undefined("'\(name)' is undefined"))
  }

  // MARK: - Statements

  enum Flow { case next, leaveLoop, nextOfLoop }

  func execute(_ statements: [Statement]) throws(Fault) -> Flow {
    for statement in statements {
      do {
        let flow = try execute(statement)
        if flow != .next { return flow }
      } catch {
        throw placed(error, statement.place)
      }
    }
    return .next
  }

  func placed(_ fault: Fault, _ place: Int) -> Fault {
    guard fault.place == nil else { return fault }
    var fault = fault
    fault.place = place
    return fault
  }

  func write(_ text: Text) throws(Fault) {
    try charge(text.count)
    output += text
    guard output.count <= limits.output else {
      throw .limit("the template writes more than \(limits.output) characters")
    }
  }

  private func execute(_ statement: Statement) throws(Fault) -> Flow {
    try enter()
    defer { leave() }
    switch statement.kind {
    case .data(let text): try write(text)
    case .output(let expression): try write(try written(try evaluate(expression)))
    case .set(let target, let expression): try assign(try evaluate(expression), to: target)
    case .setBlock(let target, let filter, let body):
      let text = try captured(in: Scope(scope), body)
      if text.flow != .next { return text.flow }
      try assign(try filtered(text.text, by: filter), to: target)
    case .loop(let loop): try run(loop, over: try evaluate(loop.sequence), level: 0)
    case .choice(let choices, let otherwise):
      for (test, body) in choices where try truth(try evaluate(test)) {
        return try execute(body)
      }
      return try execute(otherwise)
    case .macro(let definition):
      guard let name = definition.name else { break }
      scope.set(name, keep(Macro(definition, scope: scope)))
    case .call(let callee, let arguments, let body):
      let function = try evaluate(callee)
      var given = try evaluate(arguments)
      given.keywords.append(("caller", keep(Macro(body, scope: scope))))
      try write(try written(try call(function, given)))
    case .filter(let filter, let body):
      let text = try captured(in: Scope(scope), body)
      if text.flow != .next { return text.flow }
      try write(try written(try filtered(text.text, by: filter)))
    case .with(let values, let body):
      let inner = Scope(scope)
      var items: [(Target, Item)] = []
      for (target, expression) in values { items.append((target, try evaluate(expression))) }
      return try within(inner) { () throws(Fault) in
        for (target, item) in items { try assign(item, to: target) }
        return try execute(body)
      }
    case .generation(let body):
      let start = output.count
      let text = try captured(in: Scope(scope), body).text
      try write(text)
      if captures == 0 { generated.append(start..<output.count) }
    case .leave: return .leaveLoop
    case .next: return .nextOfLoop
    }
    return .next
  }

  private func filtered(_ text: Text, by filter: Expression?) throws(Fault) -> Item {
    guard let filter else { return .text(text) }
    let was = block
    block = text
    defer { block = was }
    return try evaluate(filter)
  }

  func within<T>(_ inner: Scope, _ body: () throws(Fault) -> T) throws(Fault) -> T {
    let was = scope
    scope = inner
    defer { scope = was }
    return try body()
  }

  /// What a body writes, which is not written yet.
  func captured(
    in inner: Scope, _ body: [Statement]
  ) throws(Fault) -> (text: Text, flow: Flow) {
    let was = output
    output = []
    captures += 1
    defer {
      output = was
      captures -= 1
    }
    let flow = try within(inner) { () throws(Fault) in try execute(body) }
    return (output, flow)
  }

  func assign(_ item: Item, to target: Target) throws(Fault) {
    switch target {
    case .name(let name): scope.set(name, item)
    case .attribute(let object, let name, let place):
      guard case .namespace(let namespace) = find(object) else {
        throw Fault(
          .value, "'\(object)' is \(find(object).kind), but only a namespace's attributes are set",
          at: place)
      }
      try Self.checkNamespaceName(name)
      namespace.set(name, item)
    case .tuple(let targets):
      var values: [Item] = []
      let iteration = try iterate(item)
      while values.count <= targets.count, let value = try iteration.next() {
        values.append(value)
      }
      guard values.count == targets.count else {
        throw .value(
          "\(item.kind) has \(values.count > targets.count ? "more" : "fewer") values than the "
            + "\(targets.count) names")
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target) }
    }
  }

  static func checkNamespaceName(_ name: String) throws(Fault) {
    guard !name.hasPrefix("_") else {
      throw .value("a namespace takes no name that begins with '_', as '\(name)' does")
    }
  }
}
