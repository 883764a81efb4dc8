internal import Budget
public import Images
public import Tensors
public import Tracing

extension EmbeddingModel {
  /// The sentences that a label is put into, for `{}` in each template.
  ///
  /// Without templates it is the first sentence that the family's paper uses, "a photo of a cat.";
  /// the article is left out where the label brings its own.
  public func sentences(_ label: String, templates: [String]?) -> [String] {
    let bringsArticle = ["a", "an", "the", "some"].contains {
      label.lowercased().hasPrefix($0 + " ")
    }
    return (templates ?? [bringsArticle ? "a photo of {}." : "a photo of a {}."])
      .map { $0.replacing("{}", with: label) }
  }

  /// How well each label fits a picture, `[L]`, before softmax: zero-shot classification.
  ///
  /// Each label is put into every template; its sentences' embeddings, each of length 1, are
  /// averaged, and the mean's cosine with the picture is multiplied by the model's scale (Radford
  /// et al. 2021, section 3.1.4).
  ///
  /// - Parameters:
  ///   - templates: at least one, or nil for the paper's sentence.
  ///   - embedTexts: gives texts' embeddings, `[N, E]`.
  ///   - embedImage: gives the picture's, `[1, E]`.
  public func classify(
    _ image: Image, as labels: [String], templates: [String]? = nil,
    embedTexts: ([String]) throws -> Tensor, embedImage: (Image) throws -> Tensor
  ) throws -> Tensor {
    guard !labels.isEmpty else { return Tensor([], shape: [0]) }
    let count = templates?.count ?? 1
    // Some at a time: of all sentences' embeddings only the means are kept.
    let step = max(1, 1024 / max(1, count))
    let means = Tensor.concatenated(
      try stride(from: 0, to: labels.count, by: step).map { start in
        let some = labels[start..<min(start + step, labels.count)]
        let rows = try embedTexts(some.flatMap { sentences($0, templates: templates) })
          .unitRows()  // [L·S, E]
        try Stop.check()
        return Tensor.concatenated(
          some.indices.map { label in
            rows.rows((label - start) * count..<(label - start + 1) * count).mean(axis: 0)
              .reshaped(1, embeddingWidth)
          })
      }
    ).unitRows()  // [L, E]
    let seen = try embedImage(image).unitRows()  // [1, E]
    return (seen.matmulTransposed(means) * similarityScale).reshaped(labels.count)
  }

  /// How well each label fits a picture, `[L]`, before softmax.
  public func classify(
    _ image: Image, as labels: [String], templates: [String]? = nil
  ) throws -> Tensor {
    try classify(
      image, as: labels, templates: templates, embedTexts: { try embed(texts: $0) },
      embedImage: { try embed(images: [$0]) })
  }

  /// The cosine of every patch with a text, `[rows, columns]`.
  ///
  /// - Parameters:
  ///   - without: texts whose mean cosines are subtracted: what fits every text alike, the ground
  ///     above all, goes (as with the redundant features of Li et al. 2023, arXiv:2304.05653).
  ///   - trace: that of the picture's way.
  ///   - embedTexts: gives texts' embeddings, `[N, E]`; nil for the model's own way.
  public func wordMap(
    _ image: Image, text: String, without: [String] = [], trace: Trace = .nothing,
    embedTexts: (([String]) throws -> Tensor)? = nil
  ) throws -> Tensor {
    var trace = trace
    let tokens = try see(image, trace: &trace)
    let rows = try projectPatches(tokens).unitRows()  // [P, E]
    func map(_ texts: [String]) throws -> Tensor {
      let words = try (embedTexts?(texts) ?? embed(texts: texts)).unitRows()  // [N, E]
      return rows.matmulTransposed(words).mean(axis: 1).reshaped(
        patches.rowCount, patches.columnCount)
    }
    let cosines = try map([text])
    return try without.isEmpty ? cosines : cosines - map(without)
  }
}
