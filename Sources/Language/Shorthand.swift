/// The prompt's short way to write a call: `patchify pixels` is `patchify(pixels)`.
///
/// A line that parses as Python is never shorthand. Scripts and lessons are written in full.
public enum Shorthand {
  /// How a word is read where a parameter stands.
  public enum Reading: Sendable {
    /// As an expression.
    case expression
    /// As one text.
    case word
    /// As text, with all plain words that follow.
    case sentence
  }

  /// A command's parameter.
  public struct Parameter: Sendable {
    /// Its keyword.
    public let name: String
    /// How its words are read.
    public let reading: Reading

    /// Words that stand for themselves where an expression is read.
    public let choices: [String]

    /// A parameter.
    public init(_ name: String, _ reading: Reading, choices: [String] = []) {
      (self.name, self.reading, self.choices) = (name, reading, choices)
    }
  }

  /// The full form of `line`, or nil where it is not shorthand.
  ///
  /// Words that are written as expressions remain so even where a text is wanted: lists in brackets,
  /// calls of commands, variables and what is taken from them.
  ///
  /// - Parameters:
  ///   - isVariable: whether a name has a value; a text of that one word means the value.
  ///   - parameters: gives the parameters of a command, nil for a name that is none.
  public static func expanded(
    _ line: String, isVariable: (String) -> Bool = { _ in false },
    parameters: (String) -> [Parameter]?
  ) -> String? {
    guard !line.contains("\n") else { return nil }
    var words = words(of: line)
    guard let command = words.first, words.count > 1, let known = parameters(command) else {
      return nil
    }
    let source = Source(name: "", text: line)
    // No command can be divided: `load /models/blip2` means the path.
    let isPath =
      words[1].hasPrefix("/") && words[1].count > 1
      && known.first.map { $0.reading == .word } ?? false
    if !isPath, Program(parsing: source).diagnostics.isEmpty { return nil }
    words.removeFirst()
    var isQuiet = false
    if let last = words.last, last.hasSuffix(";"), last.first != "\"", last.first != "'" {
      isQuiet = true
      words[words.count - 1].removeLast()
      if words[words.count - 1].isEmpty { words.removeLast() }
    }
    let arguments = arguments(words, known) { word in
      isExpression(word, isVariable: isVariable, isCommand: { parameters($0) != nil })
    }
    let full = "\(command)(\(arguments.joined(separator: ", ")))" + (isQuiet ? ";" : "")
    return Program(parsing: Source(name: "", text: full)).diagnostics.isEmpty ? full : nil
  }

  /// `name = words…` taken apart; nil for other lines.
  public static func assignment(in line: String) -> (target: String, words: String)? {
    guard let mark = line.firstIndex(of: "=") else { return nil }
    let target = line[..<mark].trimmed
    let words = line[line.index(after: mark)...].trimmed
    guard let first = target.unicodeScalars.first, first == "_" || first.properties.isXIDStart,
      target.unicodeScalars.allSatisfy({ $0 == "_" || $0.properties.isXIDContinue }),
      !words.isEmpty, words.first != "="
    else { return nil }
    return (target, words)
  }

  private static func arguments(
    _ words: [String], _ parameters: [Parameter], isExpression: (String) -> Bool
  ) -> [String] {
    var result: [String] = []
    var named: Set<String> = []
    var place = 0
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      if let (name, value) = keyword(word) {
        named.insert(name)
        let parameter = parameters.first { $0.name == name } ?? Parameter(name, .expression)
        var text = value
        if parameter.reading == .sentence, !isQuoted(value), !"([{".contains(value.first ?? " ") {
          while index < words.count, isPlain(words[index]) {
            text += " " + words[index]
            index += 1
          }
        }
        result.append("\(name)=" + written(text, for: parameter, isExpression))
        continue
      }
      while place < parameters.count, named.contains(parameters[place].name) { place += 1 }
      let parameter =
        place < parameters.count ? parameters[place] : Parameter("", .expression)
      place += 1
      var text = word
      if parameter.reading == .sentence, !isQuoted(word), !"([{".contains(word.first ?? " ") {
        while index < words.count, isPlain(words[index]) {
          text += " " + words[index]
          index += 1
        }
      }
      result.append(written(text, for: parameter, isExpression))
    }
    return result
  }

  private static func written(
    _ word: String, for parameter: Parameter, _ isExpression: (String) -> Bool
  ) -> String {
    if isQuoted(word) || word == "None" { return word }
    if parameter.choices.contains(word) { return quoted(word) }
    return parameter.reading == .expression || isExpression(word) ? word : quoted(word)
  }

  /// Whether a word cannot be meant as a text: `["a", "b"]`, `scene(3)`, `names`, `found[0].text`.
  private static func isExpression(
    _ word: String, isVariable: (String) -> Bool, isCommand: (String) -> Bool
  ) -> Bool {
    guard let first = word.first, words(of: word).count == 1,
      Program(parsing: Source(name: "", text: word)).diagnostics.isEmpty
    else { return false }
    if "([{".contains(first) { return true }
    let name = word.unicodeScalars.prefix { $0 == "_" || $0.properties.isXIDContinue }
    let rest = word.unicodeScalars.dropFirst(name.count).first
    switch rest {
    case nil, ".", "[": return isVariable(String(name))
    case "(": return isCommand(String(name)) || isVariable(String(name))
    default: return false
    }
  }

  /// `text` as a literal of the language, in double quotes.
  public static func quoted(_ text: String) -> String {
    var result = "\""
    for character in text {
      if character == "\"" || character == "\\" { result.append("\\") }
      result.append(character)
    }
    return result + "\""
  }

  private static func isQuoted(_ word: String) -> Bool {
    let rest = word.drop { "rfRF".contains($0) }
    return word.count - rest.count <= 2 && (rest.first == "\"" || rest.first == "'")
      && rest.count > 1 && rest.first == rest.last
  }

  private static func isPlain(_ word: String) -> Bool { keyword(word) == nil && !isQuoted(word) }

  /// `name=value`, but not `==`.
  private static func keyword(_ word: String) -> (name: String, value: String)? {
    guard let mark = word.firstIndex(of: "=") else { return nil }
    let (name, value) = (word[..<mark], word[word.index(after: mark)...])
    guard let first = name.unicodeScalars.first, first == "_" || first.properties.isXIDStart,
      name.unicodeScalars.allSatisfy({ $0 == "_" || $0.properties.isXIDContinue }),
      !value.isEmpty, value.first != "="
    else { return nil }
    return (String(name), String(value))
  }

  /// Words between spaces; quotes and brackets hold theirs together.
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
      // An apostrophe inside a word is only that.
      case "\"", "'":
        if word.isEmpty || depth > 0 || !(word.last?.isLetter ?? false) { quote = character }
        word.append(character)
      case "(", "[", "{":
        depth += 1
        word.append(character)
      case ")", "]", "}":
        depth -= 1
        word.append(character)
      case " ", "\t":
        if depth > 0 {
          word.append(character)
        } else if !word.isEmpty {
          words.append(word)
          word = ""
        }
      default: word.append(character)
      }
    }
    return word.isEmpty ? words : words + [word]
  }
}

extension Substring {
  /// Without blanks at either end.
  fileprivate var trimmed: String {
    var rest = drop { $0 == " " || $0 == "\t" }
    while rest.last == " " || rest.last == "\t" { rest.removeLast() }
    return String(rest)
  }
}
