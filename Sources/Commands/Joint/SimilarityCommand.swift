internal import Models
internal import Runtime
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
    let rows = try first.embeddings(by: part, of: model)
    let columns = try second.embeddings(by: part, of: model)
    for (side, name) in [(rows, "first"), (columns, "second")] {
      guard side.rows.shape[1] == part.embeddingWidth else {
        throw ArgumentFailure(
          parameter: name,
          "must have \(part.embeddingWidth) channels, not \(side.rows.shape[1])",
          note: "these are embeddings of \(side.model.name); the model in use is \(model.name)")
      }
    }
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

  /// The embeddings, made where they are not there yet.
  func embeddings(by part: any EmbeddingModel, of model: LoadedModel) throws -> Embeddings {
    switch self {
    case .items(let items): try Embeddings(items, by: part, of: model, trace: .nothing)
    case .embeddings(let embeddings): embeddings
    }
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
      let values: [Value] =
        switch value {
        case .list(let list): list.values
        case .tuple(let items): items
        default: [value]
        }
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
