/// What is known of a parameter without its type: all that help, completion and checks need.
public struct ParameterFacts: Sendable {
  /// The keyword it may be given by.
  public let name: String
  /// Other keywords that mean the same, as `dim` is PyTorch's word for NumPy's `axis`.
  public let aliases: [String]
  /// The kind of value, in a word or two: `whole number`, `text`, `Tensor`.
  public let type: String
  /// What a good value is, to follow "must be".
  public let expects: String
  /// The default as it would be typed; nil where the argument is needed.
  public let defaultText: String?
  /// What it does, in one sentence.
  public let summary: String
  /// How the prompt's shorthand reads a word here.
  public let words: Words
  /// Whether it takes every argument with a name that no other parameter has.
  public var takesOthers = false
  /// The values to choose from, where there are only a few.
  public let choices: [String]
  /// What may be typed here, asked of the session.
  public let suggestions: @Sendable (Session) -> [String]

  /// How the prompt's shorthand reads a word.
  public enum Words: Sendable {
    /// As an expression.
    case expression
    /// As one text.
    case word
    /// As text, with all words that follow.
    case sentence
    /// As a file's or folder's path.
    case path
  }

  /// Whether a call without it is an error.
  public var isNeeded: Bool { defaultText == nil && !takesOthers }

  /// Its name, and its default where it has one: `axis=-1`.
  var usage: String { takesOthers ? "**\(name)" : defaultText.map { "\(name)=\($0)" } ?? name }

  /// Whether it may be given by this keyword.
  func isNamed(_ word: String) -> Bool {
    takesOthers ? false : name == word || aliases.contains(word)
  }

  /// The facts of one parameter.
  public init(
    name: String, type: String, expects: String, defaultText: String?, summary: String,
    words: Words = .expression, choices: [String] = [], aliases: [String] = [],
    suggestions: @escaping @Sendable (Session) -> [String] = { _ in [] }
  ) {
    (self.name, self.type, self.expects, self.aliases) = (name, type, expects, aliases)
    (self.defaultText, self.summary, self.words) = (defaultText, summary, words)
    (self.choices, self.suggestions) = (choices, suggestions)
  }

  func renamed(
    defaultText: String?, expects: String? = nil, type: String? = nil, aliases: [String] = []
  ) -> Self {
    ParameterFacts(
      name: name, type: type ?? self.type, expects: expects ?? self.expects,
      defaultText: defaultText, summary: summary, words: words, choices: choices,
      aliases: self.aliases + aliases, suggestions: suggestions)
  }
}

/// A typed argument of a command: its check, its help and its suggestions in one value.
public struct Parameter<T: Sendable>: Sendable {
  /// What is known of it without its type.
  public let facts: ParameterFacts
  /// What it is when it is not given.
  public let fallback: T?
  /// Reads a value: nil where it is none of what is expected; an `ArgumentFailure` where more can
  /// be said.
  public let read: @Sendable (Value, Session) throws -> T?

  /// A parameter of a kind that has no factory.
  public init(
    _ facts: ParameterFacts, fallback: T? = nil,
    read: @escaping @Sendable (Value, Session) throws -> T?
  ) {
    (self.facts, self.fallback, self.read) = (facts, fallback, read)
  }

  /// The same parameter, completed by `suggestions`.
  public func suggesting(_ suggestions: @escaping @Sendable (Session) -> [String]) -> Self {
    Parameter(
      ParameterFacts(
        name: facts.name, type: facts.type, expects: facts.expects, defaultText: facts.defaultText,
        summary: facts.summary, words: facts.words, choices: facts.choices, aliases: facts.aliases,
        suggestions: suggestions),
      fallback: fallback, read: read)
  }

  /// The same parameter, which may be given by another keyword as well.
  public func also(_ alias: String) -> Self {
    Parameter(
      facts.renamed(defaultText: facts.defaultText, aliases: [alias]), fallback: fallback,
      read: read)
  }
}
