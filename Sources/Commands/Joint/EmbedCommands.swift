internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let embedImage = Command(
    "embed_image", group: "Words and pictures",
    "Puts pictures into the space that they share with texts.",
    Parameter.list(of: .picture("images", "A picture, or a list of them."), mayBeEmpty: false),
    Parameter.keep,
    returns: "Embeddings [N, E], a row a picture, not divided by their lengths",
    details: "A single picture keeps the trace of its way; several go through the model together.",
    examples: [
      Example("embed_image(scene(7)).shape", "One picture, one row."),
      Example(
        "e = embed_image([scene(7), scene(8)])\ne.unit @ e.unit.T", "How alike are two pictures?"),
    ], seeAlso: ["embed_text", "similarity"]
  ) { session, pictures, keep in
    let (part, model) = try session.able(.embedding, for: "embed_image")
    if pictures.count == 1 { try session.checkMemory(model: model, keep: keep) }
    return .object(
      try Embeddings(
        pictures.map { .picture($0) }, by: part, of: model, keep: keep, in: session))
  }

  static let embedText = Command(
    "embed_text", group: "Words and pictures",
    "Puts texts into the space that they share with pictures.",
    Parameter.list(of: .text("texts", "A text, or a list of them."), mayBeEmpty: false),
    Parameter.keep,
    Parameter.truncate,
    returns: "Embeddings [N, E], a row a text, not divided by their lengths",
    details: "A single text keeps the trace of its way; several go through the model together.",
    examples: [
      Example("embed_text([\"a red circle\", \"a blue square\"]).shape", "Two texts, two rows."),
      Example(
        "text = embed_text(\"a red circle\")\nheatmap(attention(text, block=1))",
        "Which word looks at which: each only at those before it."),
    ], seeAlso: ["embed_image", "similarity", "attention"]
  ) { session, texts, keep, truncate in
    let (part, model) = try session.able(.embedding, for: "embed_text")
    if let text = texts.first, texts.count == 1 {
      // A text that is to be cut takes no more than the longest that is not.
      try session.checkMemory(model: model, prompt: truncate ? "" : text, keep: keep)
    }
    return .object(
      try Embeddings(
        texts.map { .text($0) }, by: part.cuttingTexts(truncate), of: model,
        keep: keep, in: session))
  }
}
