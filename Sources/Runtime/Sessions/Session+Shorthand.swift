internal import Language

extension Session {
  /// What a line typed at the prompt means in full, where it is shorthand for a command; nil where
  /// it is not.
  public func expandedShorthand(_ line: String) -> String? {
    let line = String(line.drop { $0 == " " })
    if let (target, rest) = Shorthand.assignment(in: line) {
      return Shorthand.expandedCall(rest, in: self).map { "\(target) = \($0)" }
    }
    if line == "help" { return "help()" }
    if let command = command(line) {
      // The name alone would show the declaration: a command without needs is meant to run.
      return command.parameters.contains(where: \.isNeeded) || self[line] != nil
        ? nil : "\(line)()"
    }
    return Shorthand.expandedCall(line, in: self)
  }
}

extension Shorthand {
  /// The call that a line's words stand for, by the commands and variables of a session.
  fileprivate static func expandedCall(_ line: String, in session: Session) -> String? {
    expanded(line, isVariable: { session[$0] != nil }) { name in
      if name == "help" { return [Shorthand.Parameter("name", .word)] }
      // Where a variable hides the command, the call says so.
      return session.command(name)?.parameters.map { fact in
        switch fact.words {
        case .expression: Shorthand.Parameter(fact.name, .expression, choices: fact.choices)
        case .word, .path: Shorthand.Parameter(fact.name, .word)
        case .sentence: Shorthand.Parameter(fact.name, .sentence)
        }
      }
    }
  }
}
