internal import Language
internal import Runtime

/// The prompt's short way to write a call: `attention vision block=3` for
/// `attention(vision, block=3)`.
enum Shorthand {
  /// The full form of a line in shorthand; nil for a line that is none, or that parses as it is.
  ///
  /// Words become what their parameters want: text and paths are quoted, all else is read as an
  /// expression.
  static func expanded(_ line: String, in session: Session) -> String? {
    let line = String(line.drop { $0 == " " }).withoutBlanksAtEnd
    if line == "help" { return "help()" }
    guard !line.contains("\n") else { return nil }
    let words = words(of: line)
    guard let name = words.first else { return nil }
    if name == "help", words.count == 2, !words[1].hasPrefix("(") {
      return "help(\(quoted(words[1])))"
    }
    guard let command = session.command(name) else { return nil }
    if words.count == 1 {
      // The name alone would show the declaration: a command without needs is meant to run.
      return command.parameters.contains(where: \.isNeeded) || session[name] != nil
        ? nil : "\(name)()"
    }
    guard Self.isNoExpression(line) else { return nil }
    var arguments: [String] = []
    var place = 0
    var index = 1
    while index < words.count {
      let word = words[index]
      if let equals = word.firstIndex(of: "="), equals > word.startIndex,
        let fact = command.parameters.first(where: { $0.name == word[..<equals] })
      {
        arguments.append("\(fact.name)=" + read(String(word[word.index(after: equals)...]), fact))
      } else if place < command.parameters.count {
        let fact = command.parameters[place]
        if fact.words == .sentence, !isQuoted(word) {
          arguments.append(quoted(words[index...].joined(separator: " ")))
          index = words.count
        } else {
          arguments.append(read(word, fact))
        }
        place += 1
      } else {
        arguments.append(word)
      }
      index += 1
    }
    return "\(name)(\(arguments.joined(separator: ", ")))"
  }

  private static func isNoExpression(_ line: String) -> Bool {
    Language.Program(parsing: Source(name: "", text: line)).diagnostics.contains {
      $0.severity == .error
    }
  }

  /// Splits at blanks outside quotes and brackets.
  static func words(of line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var quote: Character?
    var depth = 0
    for character in line {
      if let open = quote {
        word.append(character)
        if character == open { quote = nil }
        continue
      }
      switch character {
      case "'", "\"": quote = character
      case "(", "[", "{": depth += 1
      case ")", "]", "}": depth -= 1
      default: break
      }
      if character.isWhitespace, depth <= 0 {
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    return word.isEmpty ? words : words + [word]
  }

  private static func read(_ word: String, _ fact: ParameterFacts) -> String {
    switch fact.words {
    case .expression:
      fact.choices.contains(word) ? quoted(word) : word
    case .word, .sentence, .path: isQuoted(word) ? word : quoted(word)
    }
  }

  private static func isQuoted(_ word: String) -> Bool {
    guard let first = word.first, first == "'" || first == "\"" else { return false }
    return word.count > 1 && word.last == first
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "\""
  }
}

extension String {
  /// Without blanks and line breaks at its end.
  var withoutBlanksAtEnd: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
