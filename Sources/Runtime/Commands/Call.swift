public import Language

/// One argument of a call: its keyword, its value and where it stands.
public struct Argument: Sendable {
  /// What was passed.
  public let value: Value
  /// The keyword, where there was one.
  public let label: String?
  /// Where the value stands in the text that is running.
  public let range: SourceRange?

  /// An argument, by keyword or by its place.
  public init(_ value: Value, label: String? = nil, range: SourceRange? = nil) {
    (self.value, self.label, self.range) = (value, label, range)
  }
}

/// The arguments of one call, matched with the parameters and taken one by one.
struct Call {
  let name: String
  let parameters: [ParameterFacts]
  /// By parameter.
  private var given: [Argument?]
  private var next = 0
  /// Arguments with names that no parameter has, where one takes those.
  private var others = NamedValues()

  init(name: String, parameters: [ParameterFacts], arguments: [Argument]) throws {
    (self.name, self.parameters) = (name, parameters)
    given = Array(repeating: nil, count: parameters.count)
    var place = 0
    for argument in arguments {
      if let label = argument.label {
        guard let index = parameters.firstIndex(where: { $0.isNamed(label) }) else {
          if parameters.contains(where: \.takesOthers) {
            guard !others.values.contains(where: { $0.name == label }) else {
              throw RuntimeFailure(
                .argument, "\(name): \(label) is given twice", range: argument.range)
            }
            others.values.append((label, argument.value))
            continue
          }
          throw Self.unknown(label, name, parameters, argument.range)
        }
        guard given[index] == nil else {
          throw RuntimeFailure(
            .argument, "\(name): \(parameters[index].name) is given twice", range: argument.range)
        }
        given[index] = argument
      } else {
        guard place < parameters.count, !parameters[place].takesOthers else {
          throw RuntimeFailure(
            .argument, "\(name): \(argument.value.inMessage) is one argument too many",
            notes: [Self.takes(name, parameters)], range: argument.range)
        }
        given[place] = argument
        place += 1
      }
    }
  }

  mutating func take<T>(_ parameter: Parameter<T>, in session: Session) throws -> T {
    let facts = parameter.facts
    defer { next += 1 }
    if facts.takesOthers, let others = others as? T { return others }
    guard let argument = given[next] else {
      if let fallback = parameter.fallback { return fallback }
      throw RuntimeFailure(
        .argument, "\(name): \(facts.name) is missing; it is \(facts.expects)",
        notes: [Self.takes(name, parameters)])
    }
    do {
      if let value = try parameter.read(argument.value, session) { return value }
    } catch let failure as ArgumentFailure {
      throw located(failure)
    }
    throw RuntimeFailure(
      .argument,
      "\(name): \(facts.name) must be \(facts.expects), not \(argument.value.inMessage)",
      range: argument.range)
  }

  /// The failure with the command's name before it and the argument's place.
  func located(_ failure: ArgumentFailure) -> RuntimeFailure {
    let index = parameters.firstIndex { $0.name == failure.parameter }
    return RuntimeFailure(
      .argument, "\(name): \(failure.parameter) \(failure.message)",
      notes: [failure.note].compactMap { $0 }, range: index.flatMap { given[$0]?.range })
  }

  private static func unknown(
    _ label: String, _ name: String, _ parameters: [ParameterFacts], _ range: SourceRange?
  ) -> RuntimeFailure {
    RuntimeFailure(
      .argument, "\(name): there is no argument '\(label)'",
      hint: Wording.nearest(label, parameters.flatMap { [$0.name] + $0.aliases }),
      notes: [takes(name, parameters)],
      range: range)
  }

  private static func takes(_ name: String, _ parameters: [ParameterFacts]) -> String {
    parameters.isEmpty
      ? "\(name) takes no arguments"
      : "\(name) takes " + parameters.map(\.name).joined(separator: ", ")
  }
}
