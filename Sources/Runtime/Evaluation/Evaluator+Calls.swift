internal import Language
internal import Synchronization

extension Evaluator {
  func closure(_ function: Function, _ scope: Scope) throws -> Callable {
    let defaults = try function.parameters.map { parameter in
      try parameter.defaultValue.map { try evaluate($0, scope) }
    }
    return Callable(Closure(function: function, source: source, scope: scope, defaults: defaults))
  }

  func call(
    _ function: Expression, _ arguments: [CallArgument], _ range: SourceRange, _ scope: Scope
  ) throws -> Value {
    let callee = try evaluate(function, scope)
    var values: [Argument] = []
    values.reserveCapacity(arguments.count)
    for argument in arguments {
      values.append(
        Argument(
          try evaluate(argument.value, scope), label: argument.keyword,
          range: argument.value.range))
    }
    if session.isCancelled { throw failure(.interrupted, "interrupted", at: range) }
    return try located(range) {
      let result = try call(callee, values, callRange: range, calleeRange: function.range)
      try session.count(result)
      return result
    }
  }

  /// Calls a value; `callRange` is in this evaluator's text.
  func call(
    _ callee: Value, _ arguments: [Argument], callRange: SourceRange, calleeRange: SourceRange
  ) throws -> Value {
    switch callee {
    case .command(let command):
      return try guarded(command.name) { try command.run(arguments, session) }
    case .function(let function):
      switch function.body {
      case .builtIn(let body): return try guarded(function.name) { try body(arguments, session) }
      case .script(let closure): return try call(closure, arguments, callRange)
      }
    default:
      let name = source.text(of: calleeRange)
      throw failure(
        .type, "\(callee.inMessage) cannot be called", at: calleeRange,
        hint: session.wayBack(from: name)
          ?? (callee.isContainer ? "an index is written with [ ]" : nil))
    }
  }

  /// Turns whatever a command throws into a failure with its name.
  private func guarded(_ name: String, _ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let failure as RuntimeFailure {
      throw failure
    } catch let argument as ArgumentFailure {
      throw RuntimeFailure(.argument, "\(name): \(argument)")
    } catch {
      if session.isCancelled || error is CancellationError {
        throw RuntimeFailure(.interrupted, "interrupted")
      }
      var failure = RuntimeFailure(
        .command, "\(name): \(error)", hint: (error as? any HasHint)?.hint)
      failure.underlying = error
      throw failure
    }
  }

  private func call(
    _ closure: Closure, _ arguments: [Argument], _ callRange: SourceRange
  ) throws -> Value {
    let function = closure.function
    let locals = try bind(closure, arguments, callRange)
    let scope = Scope(parent: closure.scope, localNames: function.localNames, values: locals)
    let depth = session.counters.withLock { counters in
      counters.calls += 1
      return counters.calls
    }
    defer { session.counters.withLock { $0.calls -= 1 } }
    guard depth <= session.limits.recursion, session.hasStackLeft else {
      throw failure(
        .limit, "\(function.name) calls itself more than \(session.limits.recursion) deep",
        at: callRange)
    }
    do {
      let inside = Evaluator(session: session, source: closure.source)
      if case .returned(let value) = try inside.execute(function.body, scope) { return value }
      return .none
    } catch var failure as RuntimeFailure {
      failure.addCall("in \(function.name), called here", source, callRange)
      throw failure
    }
  }

  private func bind(
    _ closure: Closure, _ arguments: [Argument], _ callRange: SourceRange
  ) throws -> [String: Value] {
    let parameters = closure.function.parameters
    let name = closure.function.name
    let takes =
      parameters.isEmpty
      ? "\(name) takes no arguments"
      : "\(name) takes " + parameters.map(\.name).joined(separator: ", ")
    var values: [String: Value] = [:]
    var place = 0
    for argument in arguments {
      let parameter: String
      if let label = argument.label {
        guard parameters.contains(where: { $0.name == label }) else {
          throw RuntimeFailure(
            .argument, "\(name): there is no argument '\(label)'",
            hint: NearestName.hint(label, among: parameters.map(\.name)), notes: [takes],
            range: argument.range)
        }
        parameter = label
      } else {
        guard place < parameters.count else {
          throw RuntimeFailure(
            .argument, "\(name): \(argument.value.inMessage) is one argument too many",
            notes: [takes], range: argument.range)
        }
        parameter = parameters[place].name
        place += 1
      }
      guard values.updateValue(argument.value, forKey: parameter) == nil else {
        throw RuntimeFailure(
          .argument, "\(name): \(parameter) is given twice", range: argument.range)
      }
    }
    for (parameter, fallback) in zip(parameters, closure.defaults)
    where values[parameter.name] == nil {
      guard let fallback else {
        throw RuntimeFailure(
          .argument, "\(name): \(parameter.name) is missing", notes: [takes], range: callRange)
      }
      values[parameter.name] = fallback
    }
    return values
  }
}

extension RuntimeFailure {
  /// Adds the next outer call; a long chain keeps its two ends, and a place that a function calls
  /// itself from stands in it once.
  mutating func addCall(_ message: String, _ source: Source, _ range: SourceRange) {
    guard !calls.contains(where: { $0.source === source && $0.range == range }) else {
      omittedCalls += 1
      return
    }
    let related = Diagnostic.Related(message, source: source, range: range)
    if calls.count < 6 {
      calls.append(related)
    } else {
      omittedCalls += calls.count == 7 ? 1 : 0
      if calls.count == 7 { calls[6] = related } else { calls.append(related) }
    }
  }

  /// The failure as it is shown.
  func diagnostic(in fallback: Source) -> Diagnostic {
    let place = source ?? fallback
    var notes = notes
    if omittedCalls > 0 {
      notes.append("\(omittedCalls) more \(omittedCalls == 1 ? "call" : "calls") in between")
    }
    return Diagnostic(
      message, source: place, range: range ?? SourceRange(0, 0), hint: hint, notes: notes,
      related: calls)
  }
}
