public import Images
public import Tensors
internal import Tracing

extension EmbeddingModel {
  /// Sentences that labels are put into, for `{}`: the first of those that the family's paper uses.
  public var labelTemplates: [String] { ["a photo of a {}."] }

  /// How well each label fits a picture, `[L]`, before softmax: zero-shot classification.
  ///
  /// Each label is put into every template; its sentences' embeddings, each of length 1, are
  /// averaged, and the mean's cosine with the picture is multiplied by the model's scale (Radford
  /// et al. 2021, section 3.1.4).
  public func classify(
    _ image: Image, as labels: [String], templates: [String]
  ) throws -> Tensor {
    guard !labels.isEmpty, !templates.isEmpty else { return Tensor([], shape: [labels.count]) }
    let sentences = labels.flatMap { label in templates.map { $0.replacing("{}", with: label) } }
    let rows = try embed(texts: sentences).unitRows()  // [L·S, E]
    let means = Tensor.concatenated(
      labels.indices.map { label in
        rows.rows(label * templates.count..<(label + 1) * templates.count).mean(axis: 0)
          .reshaped(1, embeddingWidth)
      }
    ).unitRows()  // [L, E]
    let seen = try embed(images: [image]).unitRows()  // [1, E]
    return (seen.matmulTransposed(means) * similarityScale).reshaped(labels.count)
  }

  /// The cosine of every patch with a text, `[rows, columns]`.
  ///
  /// - Parameter without: texts whose mean cosines are subtracted: what fits every text alike, the
  ///   ground above all, goes (as with the redundant features of Li et al. 2023,
  ///   arXiv:2304.05653).
  public func wordMap(
    _ image: Image, text: String, without: [String] = []
  ) throws -> Tensor {
    var trace = Trace.nothing
    var value = StageInput.image(image)
    for stage in pictureStages {
      value = .tensor(try stage.run(value, &trace))
      if stage.name == "encode" { break }
    }
    guard case .tensor(let tokens) = value else { return Tensor([], shape: [0, 0]) }
    let rows = try projectPatches(tokens).unitRows()  // [P, E]
    func map(_ texts: [String]) throws -> Tensor {
      let words = try embed(texts: texts).unitRows()  // [N, E]
      return rows.matmulTransposed(words).mean(axis: 1).reshaped(
        patches.side, patches.side)
    }
    let cosines = try map([text])
    return try without.isEmpty ? cosines : cosines - map(without)
  }
}
