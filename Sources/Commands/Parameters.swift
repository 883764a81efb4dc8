internal import Checkpoints
internal import Images
internal import Runtime
internal import Tensors

extension Parameter where T == Picture {
  /// A picture, or the path of one.
  static func picture(_ name: String = "image", _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "Image",
      expects: "a picture, as image() or scene() gives, or a file's path",
      defaultText: nil, summary: summary,
      suggestions: { session in
        session.names { if case .object(let object) = $0 { object is Picture } else { false } }
      })
    return Parameter(facts) { value, session in
      if case .object(let object) = value { return object as? Picture }
      guard let path = value.text else { return nil }
      return try Picture.read(path, in: session)
    }
  }
}

extension Parameter where T == Value {
  /// The result of a stage, or a tensor of its shape.
  static func stageInput(_ name: String, from stage: String, _ summary: String) -> Self {
    Parameter.any(
      name, expects: "a tensor, as \(stage)() gives", summary)
  }
}

extension Value {
  /// The tensor of an argument, or an error that says what it is instead.
  func requireTensor(_ parameter: String, from stage: String) throws -> Tensor {
    guard let tensor else {
      throw ArgumentFailure(
        parameter: parameter, "must be a tensor, as \(stage)() gives, not \(inMessage)")
    }
    return tensor
  }
}

extension Parameter where T == Bool {
  /// Whether a text that is too long is cut.
  static var truncate: Self {
    .flag(
      "truncate",
      "Whether a text of more tokens than the model reads is cut before its end token, not refused."
    )
  }
}

extension Parameter where T == String {
  /// Which places are kept.
  static var keep: Self {
    .text(
      "keep", default: "*",
      "Which places the trace keeps; * stands for anything, as in *.pattern.")
  }
}

extension Parameter where T == String {
  /// The name of a precision, given by any of the words for it.
  static func precision(_ name: String, of known: [Precision], _ summary: String) -> Self {
    let words = Parameter.choice(name, of: known.map(\.rawValue), summary)
    return Parameter(words.facts) { value, session in
      if let precision = value.text.flatMap({ Precision(word: $0) }), known.contains(precision) {
        return precision.rawValue
      }
      return try words.read(value, session)
    }
  }
}
