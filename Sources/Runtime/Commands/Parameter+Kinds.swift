public import Tensors

extension Parameter where T == Int {
  /// A whole number, within `range` where one is given.
  public static func integer(
    _ name: String, in range: ClosedRange<Int>? = nil, default fallback: Int? = nil,
    _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "whole number", expects: "a whole number" + Wording.bounds(range),
      defaultText: fallback.map { "\($0)" }, summary: summary)
    return Parameter(facts, fallback: fallback) { value, _ in
      guard case .integer(let number) = value, range?.contains(number) ?? true else { return nil }
      return number
    }
  }
}

extension Parameter where T == Double {
  /// A number, within `range` where one is given; never NaN.
  public static func number(
    _ name: String, in range: ClosedRange<Double>? = nil, default fallback: Double? = nil,
    _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "number", expects: "a number" + Wording.bounds(range),
      defaultText: fallback.map { Value.float($0).represented }, summary: summary)
    return Parameter(facts, fallback: fallback) { value, _ in
      if case .bool = value { return nil }
      guard let number = value.number, !number.isNaN, range?.contains(number) ?? true else {
        return nil
      }
      return number
    }
  }
}

extension Parameter where T == Bool {
  /// `True` or `False`.
  public static func flag(
    _ name: String, default fallback: Bool? = false, _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "True or False", expects: "True or False",
      defaultText: fallback.map { $0 ? "True" : "False" }, summary: summary,
      choices: ["True", "False"])
    return Parameter(facts, fallback: fallback) { value, _ in
      if case .bool(let truth) = value { truth } else { nil }
    }
  }
}

extension Parameter where T == String {
  /// Text.
  public static func text(
    _ name: String, default fallback: String? = nil, _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "text", expects: "text",
      defaultText: fallback.map { Value.text($0).represented }, summary: summary, words: .sentence)
    return Parameter(facts, fallback: fallback) { value, _ in value.text }
  }

  /// One of a few words.
  public static func choice(
    _ name: String, of choices: [String], default fallback: String? = nil, _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "one of a few words", expects: Wording.choices(choices),
      defaultText: fallback.map { Value.text($0).represented }, summary: summary, words: .word,
      choices: choices)
    return Parameter(facts, fallback: fallback) { value, _ in
      guard let word = value.text, choices.contains(word) else {
        if let word = value.text, let hint = Wording.nearest(word, choices) {
          throw ArgumentFailure(
            parameter: name,
            "must be \(Wording.choices(choices)), not \(value.inMessage)", note: hint)
        }
        return nil
      }
      return word
    }
  }

  /// A file's or folder's path, as written.
  public static func path(
    _ name: String, default fallback: String? = nil, _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "path", expects: "a path",
      defaultText: fallback.map { Value.text($0).represented }, summary: summary, words: .path)
    return Parameter(facts, fallback: fallback) { value, _ in
      guard let text = value.text, !text.isEmpty else { return nil }
      return text
    }
  }
}

extension Parameter where T: CaseIterable & RawRepresentable<String> {
  /// One of an enumeration's words.
  public static func choice(
    _ name: String, default fallback: T? = nil, _ summary: String
  ) -> Self {
    let words = Parameter<String>.choice(
      name, of: T.allCases.map(\.rawValue), default: fallback?.rawValue, summary)
    return Parameter(words.facts, fallback: fallback) { value, session in
      try words.read(value, session).flatMap { T(rawValue: $0) }
    }
  }
}

extension Parameter where T == Tensor {
  /// A tensor, of `rank` axes where that matters; an object with a tensor will do.
  public static func tensor(
    _ name: String, rank: Int? = nil, default fallback: Tensor? = nil, _ summary: String
  ) -> Self {
    let axes = rank.map { " of \($0) \($0 == 1 ? "axis" : "axes")" } ?? ""
    let facts = ParameterFacts(
      name: name, type: "Tensor", expects: "a tensor" + axes,
      defaultText: fallback.map { "\($0.shape)" }, summary: summary,
      suggestions: { session in session.names { $0.tensor != nil } })
    return Parameter(facts, fallback: fallback) { value, _ in
      guard let tensor = value.tensor, rank.map({ $0 == tensor.rank }) ?? true else { return nil }
      return tensor
    }
  }
}

extension Parameter where T: ForeignObject {
  /// An object of one kind; `expects` follows "must be", such as "a picture, as image() gives".
  public static func object(
    _ name: String, _ type: T.Type = T.self, typeName: String, expects: String, _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: typeName, expects: expects, defaultText: nil, summary: summary,
      suggestions: { session in
        session.names { if case .object(let object) = $0 { object is T } else { false } }
      })
    return Parameter(facts) { value, _ in
      if case .object(let object) = value { object as? T } else { nil }
    }
  }
}

extension Parameter where T == Value {
  /// Anything.
  public static func any(
    _ name: String, expects: String = "a value", default fallback: Value? = nil,
    words: ParameterFacts.Words = .expression, choices: [String] = [], _ summary: String
  ) -> Self {
    let facts = ParameterFacts(
      name: name, type: "value", expects: expects, defaultText: fallback?.represented,
      summary: summary, words: words, choices: choices,
      suggestions: { session in session.names { _ in true } })
    return Parameter(facts, fallback: fallback) { value, _ in value }
  }
}

extension Parameter {
  /// A parameter that may be left out or be `None`.
  public static func optional<Wrapped>(_ parameter: Parameter<Wrapped>) -> Self
  where T == Wrapped? {
    let facts = parameter.facts.renamed(
      defaultText: parameter.facts.defaultText ?? "None",
      expects: parameter.facts.expects + " or None")
    return Parameter(facts, fallback: .some(parameter.fallback)) { value, session in
      if case .none = value { return .some(nil) }
      return try parameter.read(value, session).map { .some($0) }
    }
  }

  /// A list or tuple of values that each fit `parameter`; a single one counts as a list of one.
  ///
  /// - Parameter mayBeEmpty: whether a list of none will do.
  public static func list<Element>(
    of parameter: Parameter<Element>, default fallback: [Element]? = nil, mayBeEmpty: Bool = true
  ) -> Self where T == [Element] {
    let facts = parameter.facts.renamed(
      defaultText: fallback.map { $0.isEmpty ? "[]" : "\($0)" },
      expects: "a list" + (mayBeEmpty ? "" : " of at least one")
        + ", each \(parameter.facts.expects)", type: "list of \(parameter.facts.type)")
    return Parameter(facts, fallback: fallback) { value, session in
      let values: [Value]
      switch value {
      case .list(let list): values = list.values
      case .tuple(let items): values = items
      default: values = [value]
      }
      guard mayBeEmpty || !values.isEmpty else { return nil }
      var result: [Element] = []
      for value in values {
        guard let element = try parameter.read(value, session) else { return nil }
        result.append(element)
      }
      return result
    }
  }
}

/// How bounds and choices are worded, in one place.
enum Wording {
  static func bounds(_ range: ClosedRange<Int>?) -> String {
    guard let range else { return "" }
    if range.upperBound == .max { return ", \(range.lowerBound) or more" }
    return " from \(range.lowerBound) to \(range.upperBound)"
  }

  static func bounds(_ range: ClosedRange<Double>?) -> String {
    guard let range else { return "" }
    let (low, high) = (Value.float(range.lowerBound), Value.float(range.upperBound))
    if range.upperBound >= .greatestFiniteMagnitude { return ", \(low.represented) or more" }
    return " from \(low.represented) to \(high.represented)"
  }

  static func choices(_ choices: [String]) -> String {
    let quoted = choices.map { Value.text($0).represented }
    guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "nothing" }
    return quoted.dropLast().joined(separator: ", ") + " or " + last
  }
}

/// Values by the names under which they were given.
public struct NamedValues: Sendable {
  /// In the order in which they were given.
  public var values: [(name: String, value: Value)] = []
}

extension Parameter where T == NamedValues {
  /// Every argument with a name that no other parameter of the command has; the last of its parameters.
  public static func others(_ name: String, _ summary: String) -> Self {
    var facts = ParameterFacts(
      name: name, type: "values by name", expects: "any values by name", defaultText: nil,
      summary: summary)
    facts.takesOthers = true
    return Parameter(facts, fallback: NamedValues()) { _, _ in nil }
  }
}
