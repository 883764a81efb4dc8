internal import Language

extension Evaluator {
  func isTrue(_ expression: Expression, _ scope: Scope) throws -> Bool {
    let value = try evaluate(expression, scope)
    if case .bool(let truth) = value { return truth }
    return try located(expression.range) { try Comparison.isTrue(value) }
  }

  func evaluate(_ expression: Expression, _ scope: Scope) throws -> Value {
    switch expression.kind {
    case .none: return .none
    case .ellipsis: return .ellipsis
    case .bool(let truth): return .bool(truth)
    case .integer(let number): return .integer(number)
    case .float(let number): return .float(number)
    case .text(let text): return .text(text)
    case .name(let name): return try lookUp(name, scope, expression.range)
    case .call(let function, let arguments):
      return try call(function, arguments, expression.range, scope)
    case .binary(let operation, let left, let right):
      return try binary(operation, left, right, expression.range, scope)
    case .comparison(let first, let rest):
      return try compare(first, rest, expression.range, scope)
    default: return try evaluateRarer(expression, scope)
    }
  }

  /// The forms that are not in every inner loop: apart, so that the frames above stay small.
  private func evaluateRarer(_ expression: Expression, _ scope: Scope) throws -> Value {
    switch expression.kind {
    case .attribute(let base, let name, let nameRange):
      let value = try evaluate(base, scope)
      return try located(nameRange) {
        do {
          return try Attributes.of(value, name, session)
        } catch var failure as RuntimeFailure {
          if failure.kind == .attribute, case .name(let variable) = base.kind,
            let way = session.wayBack(from: variable)
          {
            failure.notes.append(way)
          }
          throw failure
        }
      }
    case .index(let base, let index):
      let container = try evaluate(base, scope)
      let place = try evaluate(index, scope)
      return try located(index.range) {
        let element = try Indexing.element(of: container, at: place, session)
        try session.count(element)
        return element
      }
    case .formatted(let parts):
      let text = Value.text(try format(parts, scope))
      try located(expression.range) { try session.count(text) }
      return text
    case .list(let parts):
      let list = Value.newList(try parts.map { try evaluate($0, scope) })
      try located(expression.range) { try session.count(list) }
      return list
    case .tuple(let parts):
      let values = try parts.map { try evaluate($0, scope) }
      return try located(expression.range) { try Sequences.tuple(values) }
    case .dictionary(let entries):
      let mapping = Mapping()
      for (key, value) in entries {
        let keyValue = try evaluate(key, scope)
        let held = try evaluate(value, scope)
        try located(key.range) { try mapping.set(keyValue, to: held) }
      }
      try located(expression.range) { try session.count(.dictionary(mapping)) }
      return .dictionary(mapping)
    case .listComprehension(let element, let clauses):
      var values: [Value] = []
      try comprehend(clauses[...], Scope(parent: scope, localNames: names(clauses)), scope) {
        inner in
        let value = try evaluate(element, inner)
        try located(element.range) {
          try Arithmetic.checkCount(values.count + 1, session)
          try values.askForRoom()
        }
        values.append(value)
      }
      return .newList(values)
    case .dictionaryComprehension(let key, let value, let clauses):
      let mapping = Mapping()
      try comprehend(clauses[...], Scope(parent: scope, localNames: names(clauses)), scope) {
        inner in
        let keyValue = try evaluate(key, inner)
        let held = try evaluate(value, inner)
        try located(key.range) { try mapping.set(keyValue, to: held) }
      }
      return .dictionary(mapping)
    case .unary(.not, let operand): return .bool(try !isTrue(operand, scope))
    case .unary(let operation, let operand):
      let value = try evaluate(operand, scope)
      return try located(expression.range) { try Arithmetic.unary(operation, value) }
    case .and(let parts):
      var value = Value.none
      for (index, part) in parts.enumerated() {
        value = try evaluate(part, scope)
        if index < parts.count - 1, try !located(part.range, { try Comparison.isTrue(value) }) {
          break
        }
      }
      return value
    case .or(let parts):
      var value = Value.none
      for (index, part) in parts.enumerated() {
        value = try evaluate(part, scope)
        if index < parts.count - 1, try located(part.range, { try Comparison.isTrue(value) }) {
          break
        }
      }
      return value
    case .conditional(let test, let yes, let no):
      return try evaluate(try isTrue(test, scope) ? yes : no, scope)
    case .lambda(let function): return .function(try closure(function, scope))
    case .slice(let start, let stop, let step):
      func bound(_ part: Expression?) throws -> Int? {
        guard let part else { return nil }
        let value = try evaluate(part, scope)
        if case .none = value { return nil }
        guard let number = value.integer else {
          throw failure(
            .type, "a slice is bounded by whole numbers, not \(value.inMessage)", at: part.range)
        }
        return number
      }
      let slice = SliceValue(start: try bound(start), stop: try bound(stop), step: try bound(step))
      if slice.step == 0 {
        throw failure(.value, "the step of a slice cannot be 0", at: expression.range)
      }
      return .slice(slice)
    default:
      throw failure(.type, "this cannot be evaluated", at: expression.range)
    }
  }

  private func binary(
    _ operation: BinaryOperator, _ left: Expression, _ right: Expression, _ range: SourceRange,
    _ scope: Scope
  ) throws -> Value {
    let (a, b) = (try evaluate(left, scope), try evaluate(right, scope))
    // The commonest, without what follows.
    if case .integer = a, case .integer = b {
      do {
        return try Arithmetic.binary(operation, a, b, session)
      } catch var failure as RuntimeFailure {
        (failure.source, failure.range) = (source, range)
        throw failure
      }
    }
    let result = try located(range) { try Arithmetic.binary(operation, a, b, session) }
    try located(range) { try session.count(result) }
    return result
  }

  private func compare(
    _ first: Expression, _ rest: [(operation: ComparisonOperator, operand: Expression)],
    _ range: SourceRange, _ scope: Scope
  ) throws -> Value {
    var left = try evaluate(first, scope)
    var result = Value.bool(true)
    for (index, (operation, operand)) in rest.enumerated() {
      let right = try evaluate(operand, scope)
      result = try located(range) { try Comparison.compare(operation, left, right) }
      if index < rest.count - 1, try !located(range, { try Comparison.isTrue(result) }) {
        return result
      }
      left = right
    }
    return result
  }

  // MARK: Comprehensions

  private func names(_ clauses: [ComprehensionClause]) -> Set<String> {
    var names: Set<String> = []
    for case .loop(let target, _) in clauses { collect(target, &names) }
    return names
  }

  private func collect(_ target: Target, _ names: inout Set<String>) {
    switch target.kind {
    case .name(let name): names.insert(name)
    case .tuple(let targets): for target in targets { collect(target, &names) }
    case .index: break
    }
  }

  /// Runs `body` for every combination; the first sequence is evaluated outside, as in Python.
  private func comprehend(
    _ clauses: ArraySlice<ComprehensionClause>, _ scope: Scope, _ outer: Scope,
    _ body: (Scope) throws -> Void
  ) throws {
    guard let clause = clauses.first else { return try body(scope) }
    switch clause {
    case .condition(let test):
      if try isTrue(test, scope) { try comprehend(clauses.dropFirst(), scope, scope, body) }
    case .loop(let target, let sequence):
      let value = try evaluate(sequence, outer)
      var iterator = try located(sequence.range) { try SequenceIterator(value) }
      while let element = try located(sequence.range, { try iterator.next() }) {
        try countStep(sequence.range)
        try assign(element, to: target, scope)
        try comprehend(clauses.dropFirst(), scope, scope, body)
      }
    }
  }

  // MARK: Names

  func lookUp(_ name: String, _ scope: Scope, _ range: SourceRange) throws -> Value {
    var next: Scope? = scope
    while let current = next {
      if let value = current[name] { return value }
      if current.localNames?.contains(name) == true {
        throw failure(
          .name, "'\(name)' has no value yet in this function", at: range,
          hint: "it is assigned to further on, which makes it the function's own")
      }
      next = current.parent
    }
    if let command = session.commandsByName[name] { return .command(command) }
    if let function = BuiltIns.functions[name] { return .function(function) }
    if let space = session.space(name) { return .object(space) }
    if let found = session.entry(called: name) { return found }
    throw unknown(name, scope, range)
  }

  private func unknown(_ name: String, _ scope: Scope, _ range: SourceRange) -> RuntimeFailure {
    let refused = [
      "exec": "exec", "eval": "eval", "open": "open", "input": "input", "set": "set",
      "isinstance": "isinstance", "globals": "globals", "locals": "locals", "super": "super",
    ]
    if let word = refused[name] {
      return failure(.name, "Fovea has no `\(word)`; see help('language')", at: range)
    }
    if let number = Session.entryNumber(in: name) {
      return failure(
        .name, "entry \(number) gave no result that is kept", at: range,
        hint: "Out.keys() lists those that did")
    }
    var names: [String] = []
    var next: Scope? = scope
    while let current = next {
      names += current.allNames
      next = current.parent
    }
    names += session.commands.map(\.name) + BuiltIns.names
    var hint = NearestName.hint(name, among: names)
    if hint == nil, ["true", "false", "null", "nil", "none"].contains(name.lowercased()) {
      hint = "Python writes True, False and None"
    }
    return failure(.name, "there is no '\(name)' here", at: range, hint: hint)
  }

  // MARK: f-strings

  private func format(_ parts: [FormattedPart], _ scope: Scope) throws -> String {
    var text = ""
    for part in parts {
      switch part {
      case .text(let piece): text += piece
      case .field(let expression, let conversion, let format):
        let value = try evaluate(expression, scope)
        let specification = format.isEmpty ? "" : try self.format(format, scope)
        text += try located(expression.range) {
          try Arithmetic.checkCount(text.utf8.count, session)
          switch conversion {
          case "r", "a":
            return try FormatSpecification(specification).apply(.text(value.represented))
          case "s": return try FormatSpecification(specification).apply(.text(value.plain))
          default:
            return specification.isEmpty
              ? value.plain : try FormatSpecification(specification).apply(value)
          }
        }
      }
    }
    return text
  }
}
