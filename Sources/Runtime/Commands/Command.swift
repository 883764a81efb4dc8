internal import Characters
internal import Language

/// A line that works as typed, and why one would type it.
public struct Example: Sendable {
  /// What to type; may have several lines.
  public let source: String
  /// What it does, in one sentence.
  public let comment: String

  /// An example.
  public init(_ source: String, _ comment: String) {
    (self.source, self.comment) = (source, comment)
  }
}

/// A command, declared once.
///
/// Help, argument checks, completion, the reference page and the tests all read the declaration.
public struct Command: Sendable {
  /// What to type.
  public let name: String
  /// The heading it stands under in the reference, such as "Stages".
  public let group: String
  /// One sentence, ending in a full stop.
  public let summary: String
  /// What it takes, in order.
  public let parameters: [ParameterFacts]
  /// What it gives back, with shapes.
  public let returns: String
  /// More to say, as Markdown paragraphs.
  public let details: String
  /// Lines that work as typed.
  public let examples: [Example]
  /// Names of commands to look at next.
  public let seeAlso: [String]
  /// Checks the arguments, then runs the command.
  ///
  /// - Throws: `RuntimeFailure` where an argument does not fit; whatever the command throws.
  public let run: @Sendable ([Argument], Session) throws -> Value

  /// Declares a command; the body gets one typed value a parameter, in order.
  ///
  /// The body may throw `ArgumentFailure` for an argument that does not fit after all,
  /// `RuntimeFailure`, or any error whose description is a sentence.
  public init<each T: Sendable>(
    _ name: String, group: String, _ summary: String, _ declared: repeat Parameter<each T>,
    returns: String, details: String = "", examples: [Example] = [], seeAlso: [String] = [],
    body: @escaping @Sendable (Session, repeat each T) throws -> Value
  ) {
    var facts: [ParameterFacts] = []
    for parameter in repeat each declared { facts.append(parameter.facts) }
    (self.name, self.group, self.summary, self.parameters) = (name, group, summary, facts)
    (self.returns, self.details, self.examples) = (returns, details, examples)
    self.seeAlso = seeAlso
    run = checked(name, facts, repeat each declared, body: body)
  }
}

/// A function that takes any arguments, checks them against the declaration and calls `body`.
func checked<each T: Sendable>(
  _ name: String, _ facts: [ParameterFacts], _ declared: repeat Parameter<each T>,
  body: @escaping @Sendable (Session, repeat each T) throws -> Value
) -> @Sendable ([Argument], Session) throws -> Value {
  { arguments, session in
    var call = try Call(name: name, parameters: facts, arguments: arguments)
    let values = (repeat try call.take(each declared, in: session))
    do {
      return try body(session, repeat each values)
    } catch let failure as ArgumentFailure {
      throw call.located(failure)
    }
  }
}

extension Command {
  /// How to call it, such as `attention(source, block=0, head=None)`.
  public var usage: String {
    "\(name)(\(parameters.map(\.usage).joined(separator: ", ")))"
  }

  /// Its part of the reference, as Markdown.
  public var page: String {
    var lines = ["## \(name)", "", summary, "", "```fovea", usage, "```", ""]
    if !parameters.isEmpty {
      lines += ["| argument | is | default | what it does |", "| --- | --- | --- | --- |"]
      lines += parameters.map { fact in
        let fallback = fact.defaultText.map { "`\($0)`" } ?? ""
        let names = ([fact.name] + fact.aliases).map { "`\($0)`" }.joined(separator: " or ")
        return "| \(names) | \(fact.expects) | \(fallback) | \(fact.summary) |"
          .replacing("\n", with: " ")
      }
      lines.append("")
    }
    lines += ["Gives \(returns).", ""]
    if !details.isEmpty { lines += [details, ""] }
    for example in examples {
      lines += [example.comment, "", "```fovea", example.source, "```", ""]
    }
    if !seeAlso.isEmpty {
      lines += ["See also: " + seeAlso.map { "`\($0)`" }.joined(separator: ", ") + ".", ""]
    }
    return lines.dropLast().joined(separator: "\n") + "\n"
  }

  /// What `help(name)` prints.
  public var helpText: String { helpText(columns: nil) }

  /// What `help(name)` prints on a screen of so many columns; nil where lines have no end.
  ///
  /// Examples stay what they are when they are pasted, on the narrowest screen too.
  func helpText(columns: Int?) -> String {
    func broken(_ text: String) -> String { columns.map { text.broken(toColumns: $0) } ?? text }
    var lines = [broken("\(name): \(summary)"), "", broken("    \(usage)"), ""]
    let names = parameters.map { ([$0.name] + $0.aliases).joined(separator: " or ") }
    let width = names.map(\.count).max() ?? 0
    for (fact, name) in zip(parameters, names) {
      let name = name + String(repeating: " ", count: width - name.count)
      let fallback = fact.defaultText.map { " (default \($0))" } ?? ""
      lines.append(broken("  \(name)  \(fact.expects)\(fallback). \(fact.summary)"))
    }
    if !parameters.isEmpty { lines.append("") }
    lines.append(broken("gives \(returns)"))
    if !details.isEmpty { lines += ["", broken(details)] }
    if !examples.isEmpty { lines += ["", "examples"] }
    for example in examples {
      let room = columns.map { max(16, $0 - 2) } ?? .max
      lines += example.comment.broken(toColumns: room == .max ? .max : room - 2)
        .split(separator: "\n").map { "  # \($0)" }
      lines += FittedCode.lines(example.source, columns: room).map { "  \($0)" }
    }
    if !seeAlso.isEmpty { lines += ["", broken("see also " + seeAlso.joined(separator: ", "))] }
    return lines.joined(separator: "\n")
  }

  /// What may be typed as the value of a parameter: its choices, then what the session suggests.
  public func completions(of parameter: String, in session: Session) -> [String] {
    guard let facts = parameters.first(where: { $0.isNamed(parameter) }) else { return [] }
    let quotes = facts.words == .expression ? "" : "\""
    return facts.choices.map { "\(quotes)\($0)\(quotes)" } + facts.suggestions(session)
  }

  /// What may be typed as argument number `index`, counted from 0.
  public func completions(at index: Int, in session: Session) -> [String] {
    guard parameters.indices.contains(index) else { return [] }
    return completions(of: parameters[index].name, in: session)
  }
}
