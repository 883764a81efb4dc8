internal import Budget
internal import Language
internal import Synchronization

/// Walks the tree of one text.
///
/// A value: the session keeps what lasts, the scope keeps the variables.
struct Evaluator {
  let session: Session
  let source: Source

  /// How a statement ended.
  enum Completion {
    case normal
    case brokeLoop
    case continuedLoop
    case returned(Value)
  }

  /// What a cell's last statement left to show.
  struct Shown {
    var value: Value
    var expression: Expression
    var isQuiet: Bool
  }

  /// Runs a whole cell; gives its last expression.
  func run(_ statements: [Statement]) throws -> Shown? {
    var last: Shown?
    for statement in statements {
      last = nil
      if case .expression(let expression, let quiet) = statement.kind {
        try session.checkCancellation()
        let value = try located(statement.range) { try evaluate(expression, session.globals) }
        last = Shown(value: value, expression: expression, isQuiet: quiet)
      } else if case .magic(let name, let measured) = statement.kind {
        let value = try magic(name, measured, statement.range, session.globals)
        if let value, case .expression(let expression, let quiet)? = measured?.kind {
          last = Shown(value: value, expression: expression, isQuiet: quiet)
        }
      } else if case .cell(let name, let body) = statement.kind {
        last = try cell(name, body)
      } else {
        _ = try execute(statement, session.globals)
      }
    }
    return last
  }

  /// Runs `body`; a failure without a place gets `range`, whatever an object threw.
  func located<R>(_ range: SourceRange, _ body: () throws -> R) throws -> R {
    do {
      let result = try body()
      // What was asked to stop may be unfinished: nobody is to see it.
      if session.isCancelled { throw RuntimeFailure(.interrupted, "interrupted") }
      return result
    } catch {
      var failure = error as? RuntimeFailure ?? RuntimeFailure(.command, "\(error)")
      if session.isCancelled || error is CancellationError {
        failure = RuntimeFailure(.interrupted, "interrupted", range: failure.range)
      } else if !(error is RuntimeFailure) {
        failure.underlying = error
      }
      if failure.source == nil {
        failure.source = source
        failure.range = failure.range ?? range
      }
      throw failure
    }
  }

  func failure(
    _ kind: RuntimeFailure.Kind, _ message: String, at range: SourceRange, hint: String? = nil
  ) -> RuntimeFailure {
    var failure = RuntimeFailure(kind, message, hint: hint, range: range)
    failure.source = source
    return failure
  }

  // MARK: Statements

  func execute(_ statements: [Statement], _ scope: Scope) throws -> Completion {
    for statement in statements {
      let completion = try execute(statement, scope)
      if case .normal = completion { continue }
      return completion
    }
    return .normal
  }

  func execute(_ statement: Statement, _ scope: Scope) throws -> Completion {
    if session.isCancelled { throw failure(.interrupted, "interrupted", at: statement.range) }
    switch statement.kind {
    case .expression(let expression, _): _ = try evaluate(expression, scope)
    case .assignment(let targets, let expression):
      let value = try evaluate(expression, scope)
      for target in targets { try assign(value, to: target, scope) }
    case .augmented(let target, let operation, let expression):
      try augment(target, operation, expression, scope)
    case .branches(let branches, let otherwise):
      for branch in branches where try isTrue(branch.test, scope) {
        return try execute(branch.body, scope)
      }
      return try execute(otherwise, scope)
    case .loop(let target, let sequence, let body):
      return try loop(target, sequence, body, scope)
    case .whileLoop(let test, let body):
      while try isTrue(test, scope) {
        try countStep(test.range)
        let completion = try execute(body, scope)
        if case .brokeLoop = completion { break }
        if case .returned = completion { return completion }
      }
    case .breakLoop: return .brokeLoop
    case .continueLoop: return .continuedLoop
    case .definition(let function):
      scope.set(function.name, to: .function(try closure(function, scope)))
    case .returnValue(let expression):
      return .returned(try expression.map { try evaluate($0, scope) } ?? .none)
    case .assertion(let test, let message):
      try check(test, message, scope)
    // A cell is the whole of its text, and stands in no block.
    case .pass, .cell: break
    case .deletion(let targets): for target in targets { try delete(target, scope) }
    case .help(let name): session.page(session.help(on: name))
    case .magic(let name, let measured): _ = try magic(name, measured, statement.range, scope)
    }
    return .normal
  }

  private func check(_ test: Expression, _ message: Expression?, _ scope: Scope) throws {
    var sides: [(text: Expression, value: Value)] = []
    // Each side of a comparison is evaluated once: it may run a model.
    if case .comparison(let first, let rest) = test.kind, rest.count == 1 {
      let (left, right) = (try evaluate(first, scope), try evaluate(rest[0].operand, scope))
      let holds = try located(test.range) {
        try Comparison.isTrue(try Comparison.compare(rest[0].operation, left, right))
      }
      if holds { return }
      sides = [(first, left), (rest[0].operand, right)]
    } else if try isTrue(test, scope) {
      return
    }
    let text = try message.map { try evaluate($0, scope).plain }
    var failure = failure(
      .assertion, text.map { "assertion failed: \($0)" } ?? "assertion failed", at: test.range)
    // A comparison that did not hold: what were its two sides?
    failure.notes = sides.compactMap { side in
      let (written, found) = (source.text(of: side.text.range), side.value.inMessage)
      return written == found ? nil : "\(written) is \(found)"
    }
    throw failure
  }

  private func loop(
    _ target: Target, _ sequence: Expression, _ body: [Statement], _ scope: Scope
  ) throws -> Completion {
    let value = try evaluate(sequence, scope)
    var iterator = try located(sequence.range) { try SequenceIterator(value) }
    while let element = try located(sequence.range, { try iterator.next() }) {
      try countStep(sequence.range)
      try assign(element, to: target, scope)
      let completion = try execute(body, scope)
      if case .brokeLoop = completion { break }
      if case .returned = completion { return completion }
    }
    return .normal
  }

  func countStep(_ range: SourceRange) throws {
    if session.isCancelled { throw failure(.interrupted, "interrupted", at: range) }
    let steps = session.counters.withLock { counters in
      counters.loopSteps += 1
      return counters.loopSteps
    }
    if steps > session.limits.loopSteps {
      throw failure(
        .limit, "the loops of this cell took more than \(session.limits.loopSteps) steps",
        at: range, hint: "work on whole tensors, or split the work into several cells")
    }
  }

  // MARK: Assignment

  func assign(_ value: Value, to target: Target, _ scope: Scope) throws {
    switch target.kind {
    case .name(let name):
      scope.set(name, to: value)
      if scope === session.globals { session.noteHiding(by: name) }
    case .index(let base, let index):
      let container = try evaluate(base, scope)
      let place = try evaluate(index, scope)
      try located(target.range) { try Indexing.set(container, at: place, to: value) }
    case .tuple(let targets):
      let values = try located(target.range) { () throws -> [Value] in
        switch value {
        case .list, .tuple, .text, .range, .dictionary, .tensor, .object:
          return try Sequences.values(of: value, limit: session.limits.elements)
        default:
          throw RuntimeFailure(.type, "\(value.inMessage) cannot be taken apart into several names")
        }
      }
      guard values.count == targets.count else {
        throw failure(
          .value,
          "\(values.count) \(values.count == 1 ? "value" : "values") for "
            + "\(targets.count) \(targets.count == 1 ? "name" : "names")", at: target.range)
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target, scope) }
    }
  }

  private func delete(_ target: Target, _ scope: Scope) throws {
    switch target.kind {
    case .name(let name):
      guard scope[name] != nil else {
        throw failure(
          .name, "there is no variable '\(name)' to delete", at: target.range,
          hint: session.thing(hiddenBy: name).map { "\($0) stays" }
            ?? NearestName.hint(name, among: scope.allNames))
      }
      scope.remove(name)
    case .index(let base, let index):
      let container = try evaluate(base, scope)
      let place = try evaluate(index, scope)
      try located(target.range) { try Indexing.delete(from: container, at: place) }
    case .tuple(let targets): for target in targets { try delete(target, scope) }
    }
  }

  private func augment(
    _ target: Target, _ operation: BinaryOperator, _ expression: Expression, _ scope: Scope
  ) throws {
    let range = target.range.joined(with: expression.range)
    func combine(_ old: Value) throws -> Value {
      let value = try evaluate(expression, scope)
      return try located(range) {
        // A list grows in place: everybody who holds it sees that, as in Python.
        if operation == .add, case .list(let list) = old {
          let more = try Sequences.values(of: value, limit: session.limits.elements)
          try Arithmetic.checkCount(list.count + more.count, session)
          try list.append(contentsOf: more)
          return old
        }
        return try Arithmetic.binary(operation, old, value, session)
      }
    }
    switch target.kind {
    case .name(let name):
      if operation == .add, try isText(name, scope, target.range) {
        return try extend(name, by: expression, range, scope)
      }
      let old = try lookUp(name, scope, target.range)
      scope.set(name, to: try combine(old))
    case .index(let base, let index):
      let container = try evaluate(base, scope)
      let place = try evaluate(index, scope)
      let old = try located(target.range) {
        try Indexing.element(of: container, at: place, session)
      }
      let value = try combine(old)
      try located(target.range) { try Indexing.set(container, at: place, to: value) }
    case .tuple: break
    }
  }
}

extension Evaluator {
  private func isText(_ name: String, _ scope: Scope, _ range: SourceRange) throws -> Bool {
    if case .text = try lookUp(name, scope, range) { true } else { false }
  }

  /// `s += "…"`: a text that nobody else holds grows where it is, or a loop that gathers one would
  /// take time by the square of its length.
  private func extend(
    _ name: String, by expression: Expression, _ range: SourceRange, _ scope: Scope
  ) throws {
    let value = try evaluate(expression, scope)
    let isDone = try located(range) {
      guard let more = value.text else { return false }
      return try scope.extendText(name) { count in
        try Arithmetic.checkCount(count + more.utf8.count, session)
        try session.memory.take(2 * more.utf8.count, for: "a text of \(count) bytes")
        return more
      }
    }
    if isDone { return }
    let old = try lookUp(name, scope, range)
    scope.set(
      name, to: try located(range) { try Arithmetic.binary(.add, old, value, session) })
  }
}
