internal import Budget
internal import Foundation
internal import Models
internal import Runtime
internal import Searching
internal import Tensors
internal import Tracing

extension Command {
  static let similarity = Command(
    "similarity", group: "Words and pictures",
    "Tells how alike pictures and texts are: the cosines of their embeddings.",
    Parameter.compared("first", "Pictures or texts: the rows."),
    Parameter.compared("second", "Pictures or texts: the columns."),
    Parameter.flag(
      "softmax", "Whether each row becomes probabilities, by the model's own scale."),
    Parameter.truncate,
    returns: "a Similarity [R, C] with cosines, logits, probabilities and best",
    details: "Each side is a picture, a text, a list of one of them, or what embed_image() and "
      + "embed_text() give. heatmap() draws it with the pictures at the edge.",
    examples: [
      Example(
        "a = scene(7, objects=1)\nb = scene(8, objects=1)\nsimilarity([a, b], [a.caption, b.caption])",
        "Two pictures and their captions, each with each."),
      Example(
        "a = scene(7, objects=1)\nb = scene(8, objects=1)\n"
          + "save(heatmap(similarity([a, b], [a.caption, b.caption], softmax=True)), "
          + "\"similarity.png\")", "As a figure, as probabilities."),
    ], seeAlso: ["embed_image", "embed_text", "classify", "heatmap"]
  ) { session, first, second, softmax, truncate in
    let (able, model) = try session.able(.embedding, for: "similarity")
    let part = able.cuttingTexts(truncate)
    for (side, name) in [(first, "first"), (second, "second")] {
      try side.check(name, by: part, of: model, in: session)
    }
    let rows = try first.embeddings(by: part, of: model, in: session)
    let columns = try second.embeddings(by: part, of: model, in: session, after: rows)
    _ = session.noteBrokenScale(of: part, model)
    // Softmax holds cosines, logits and probabilities at once.
    try MemoryGate.take(
      rows.items.count, of: 4 * (softmax ? 3 : 1) * columns.items.count,
      for: "\(rows.items.count) × \(columns.items.count) cosines")
    return .object(
      Similarity(
        rows: rows.items, columns: columns.items,
        cosines: rows.rows.unitRows().matmulTransposed(columns.rows.unitRows()),
        scale: part.similarityScale, showsProbabilities: softmax, model: model))
  }
}

/// One side of a comparison: things to embed, or embeddings.
enum ComparedItems: Sendable {
  case items([Embedded])
  case embeddings(Embeddings)

  /// - Throws: for embeddings of another model, whose directions mean other things, and for the path
  ///   of a picture, which would be compared as words.
  func check(
    _ parameter: String, by part: any EmbeddingModel, of model: LoadedModel, in session: Session
  ) throws {
    switch self {
    case .embeddings(let side):
      guard side.model.folder == model.folder, side.rows.shape[1] == part.embeddingWidth else {
        throw ArgumentFailure(
          parameter: parameter,
          "must be embeddings of \(model.name), the model in use, not of \(side.model.name)",
          note: "embed again, or load the other model")
      }
    case .items(let items):
      for case .text(let text) in items { try session.refusePath(text, for: parameter) }
    }
  }

  /// The embeddings, made where they are not there yet.
  ///
  /// - Parameter others: those made before; a tower that broke there is not spoken of again.
  func embeddings(
    by part: any EmbeddingModel, of model: LoadedModel, in session: Session,
    after others: Embeddings? = nil
  ) throws -> Embeddings {
    switch self {
    case .items(let items):
      try Embeddings(
        items, by: part, of: model, keep: "", in: session,
        isTold: others.map { $0.areBroken && $0.areTexts == items.areTexts } ?? false)
    case .embeddings(let embeddings): embeddings
    }
  }
}

extension [Embedded] {
  fileprivate var areTexts: Bool { if case .text = first { true } else { false } }
}

extension Session {
  /// - Throws: where a text is the path of a picture, which was hardly meant as words.
  func refusePath(_ text: String, for parameter: String) throws {
    guard PictureFolder.isPictureName(text),
      FileManager.default.fileExists(atPath: readableURL(for: text).path(percentEncoded: false))
    else { return }
    let name = Value.text(text).represented
    throw ArgumentFailure(
      parameter: parameter, "is the path \(name), which would be read as words",
      note: "image(\(name)) is the picture")
  }
}

extension Parameter where T == ComparedItems {
  /// Pictures, texts, or embeddings of them.
  static func compared(_ name: String, _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "Images, texts or Embeddings",
      expects: "pictures or texts, or a list of one kind, or embeddings of them",
      defaultText: nil, summary: summary,
      suggestions: { session in
        session.names {
          if case .object(let object) = $0 {
            object is Picture || object is Embeddings
          } else {
            false
          }
        }
      })
    return Parameter(facts) { value, _ in
      if case .object(let object) = value, let embeddings = object as? Embeddings {
        return .embeddings(embeddings)
      }
      let values = value.parts ?? [value]
      let pictures = values.compactMap { value -> Embedded? in
        if case .object(let object) = value {
          (object as? Picture).map { .picture($0) }
        } else {
          nil
        }
      }
      let texts = values.compactMap { $0.text.map { Embedded.text($0) } }
      guard !values.isEmpty else { return nil }
      if pictures.count == values.count { return .items(pictures) }
      return texts.count == values.count ? .items(texts) : nil
    }
  }
}
