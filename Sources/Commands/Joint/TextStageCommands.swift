internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let read = Command(
    "read", group: "Words and pictures",
    "Lets each token of a text look at those before it, in all text blocks.",
    Parameter.text("text", "The text."),
    Parameter.keep,
    Parameter.truncate,
    returns: "tokens [T, D] after the last norm, with a trace of every block",
    examples: [
      Example(
        "read(\"a red circle\")[\"text.blocks.0.attention.pattern\"].shape",
        "Where every token looks in the first block: heads, queries, keys.")
    ], seeAlso: ["project_text", "embed_text"]
  ) { session, text, keep, truncate in
    let (stage, model) = try session.textStage("read", truncate: truncate)
    return try session.run(
      stage, of: model, on: nil, of: Input(words: .text(text)), after: nil, keep: keep)
  }

  static let projectText = Command(
    "project_text", group: "Words and pictures",
    "Maps the end token of a text that was read into the space that pictures and texts share.",
    Parameter.object(
      "tokens", StageResult.self, typeName: "StageResult", expects: "what read() gives",
      "What read() gives, [T, D]."),
    Parameter.keep,
    returns: "the text's embedding [1, E]",
    examples: [
      Example("project_text(read(\"a red circle\")).shape", "A text in the shared space.")
    ], seeAlso: ["read", "embed_text"]
  ) { session, tokens, keep in
    guard tokens.stage == "read" else {
      throw ArgumentFailure(parameter: "tokens", "must be what read() gives, not \(tokens.brief)")
    }
    // Whether the text was to be cut was decided when it was read.
    let (stage, model) = try session.textStage("project_text", truncate: true)
    return try session.run(
      stage, of: model, on: tokens.result, of: tokens.input, after: tokens.trace, keep: keep)
  }
}

extension Session {
  /// A stage of the current model's texts; a text tower alone has the stages, and no shared space.
  fileprivate func textStage(
    _ name: String, truncate: Bool
  ) throws -> (stage: Stage, model: LoadedModel) {
    let current = try model()
    let own = truncate ? current.model.cuttingLongTexts : current.model
    if current.model.embedding == nil,
      let stage = own.stages.first(where: { $0.name == name && $0.branch == .text })
    {
      return (stage, current)
    }
    let (part, model) = try able(.embedding, for: name)
    guard let stage = part.cuttingTexts(truncate).stages.first(where: { $0.name == name }) else {
      throw RuntimeFailure(.command, "\(model.name) has no stage '\(name)'")
    }
    return (stage, model)
  }
}
