internal import Language

extension Session {
  /// What a line typed at the prompt means in full, where it is shorthand for a command; nil where
  /// it is not.
  public func expandedShorthand(_ line: String) -> String? {
    let line = String(line.drop { $0 == " " })
    if line == "help" { return "help()" }
    if let command = command(line) {
      // The name alone would show the declaration: a command without needs is meant to run.
      return command.parameters.contains(where: \.isNeeded) || self[line] != nil
        ? nil : "\(line)()"
    }
    return Shorthand.expanded(line, isVariable: { self[$0] != nil }) { name in
      if name == "help" { return [Shorthand.Parameter("name", .word)] }
      // A variable of that name hides the command.
      guard self[name] == nil else { return nil }
      return command(name)?.parameters.map { fact in
        switch fact.words {
        case .expression: Shorthand.Parameter(fact.name, .expression, choices: fact.choices)
        case .word, .path: Shorthand.Parameter(fact.name, .word)
        case .sentence: Shorthand.Parameter(fact.name, .sentence)
        }
      }
    }
  }
}
