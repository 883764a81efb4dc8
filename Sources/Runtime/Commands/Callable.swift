internal import Language

/// Something to call that is no command: a script's function, a built-in, a method of a value.
public struct Callable: Sendable {
  /// Its name.
  public let name: String
  /// What it takes; empty where it checks its arguments itself.
  public let parameters: [ParameterFacts]
  /// How its arguments are written, where it checks them itself.
  private var takes = ""
  /// One sentence for help.
  public let summary: String
  var body: Body
  /// Whether it is also a type, as `int` is.
  var isType = false

  enum Body: Sendable {
    case builtIn(@Sendable ([Argument], Session) throws -> Value)
    case script(Closure)
  }

  /// A method or function with declared parameters, checked as a command's are.
  public init<each T: Sendable>(
    _ name: String, _ summary: String = "", _ declared: repeat Parameter<each T>,
    body: @escaping @Sendable (Session, repeat each T) throws -> Value
  ) {
    var facts: [ParameterFacts] = []
    for parameter in repeat each declared { facts.append(parameter.facts) }
    (self.name, self.summary, parameters) = (name, summary, facts)
    self.body = .builtIn(checked(name, facts, repeat each declared, body: body))
  }

  /// A function that looks at its arguments itself, as `print` does.
  ///
  /// - Parameter takes: how its arguments are written, for help: `*values, sep=" "`.
  init(
    unchecked name: String, takes: String, _ summary: String,
    body: @escaping @Sendable ([Argument], Session) throws -> Value
  ) {
    (self.name, self.summary, parameters) = (name, summary, [])
    self.takes = takes
    self.body = .builtIn(body)
  }

  /// How to call it, such as `sorted(iterable, key=None, reverse=False)`.
  var usage: String {
    let list = parameters.map(\.usage).joined(separator: ", ")
    return "\(name)(\(takes.isEmpty ? list : takes))"
  }

  init(_ closure: Closure) {
    name = closure.function.name
    summary = closure.function.documentation ?? ""
    parameters = closure.function.parameters.enumerated().map { index, parameter in
      ParameterFacts(
        name: parameter.name, type: "value", expects: "a value",
        defaultText: closure.defaults[index].map(\.represented), summary: "")
    }
    body = .script(closure)
  }
}

/// A script's function with the variables it was written among.
final class Closure: Sendable {
  let function: Function
  let source: Source
  let scope: Scope
  /// By parameter; nil where it has none.
  let defaults: [Value?]

  init(function: Function, source: Source, scope: Scope, defaults: [Value?]) {
    (self.function, self.source, self.scope) = (function, source, scope)
    self.defaults = defaults
  }
}
