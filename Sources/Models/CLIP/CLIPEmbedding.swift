internal import Budget
public import Images
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

extension CLIP.Model {
  /// Every patch token, normalised and mapped as the class token is: `[P, E]`.
  ///
  /// The model was not trained for this; where texts fit shows all the same.
  public func projectPatches(_ tokens: Tensor) throws -> Tensor {
    let shape = [vision.sizes.tokenCount, vision.sizes.width]
    guard tokens.shape == shape else {
      throw ModelError.wrongShape(stage: "project", found: tokens.shape, expected: "\(shape)")
    }
    var trace = Trace.nothing
    let seen = patches.patches(of: tokens)
    let rows = vision.norm?(seen, trace: &trace) ?? seen
    return imageProjection(rows, trace: &trace)
  }

  /// The token ids of a text, begin and end token in place.
  ///
  /// - Throws: when it is longer than the text tower reads and not to be cut; when the tokenizer is
  ///   another model's.
  public func textIDs(_ text: String) throws -> [Int] {
    try CLIP.textIDs(text, tokenizer, configuration.text, cuts: cutsTexts)
  }

  /// Pictures to `[N, E]`, not divided by their lengths.
  public func embed(images: [Image], traces: inout [Trace]) throws -> Tensor {
    guard traces.isEmpty else {
      precondition(traces.count == images.count, "a trace a picture")
      return Tensor.concatenated(
        try images.indices.map {
          try run(Input(image: images[$0]), through: "project", trace: &traces[$0])
        })
    }
    return try embed(images: images)
  }

  /// Pictures to `[N, E]`, as a batch.
  public func embed(images: [Image], isCancelled: () -> Bool) throws -> Tensor {
    guard !images.isEmpty else { return Tensor([], shape: [0, embeddingWidth]) }
    // Row for row the same as all at once, in the memory of a few.
    return Tensor.concatenated(
      try stride(from: 0, to: images.count, by: Self.imagesAtOnce).map { start in
        let patches = try images[start..<min(start + Self.imagesAtOnce, images.count)].map {
          if isCancelled() || Stop.isRequested { throw Cancelled() }
          return try patchify(try preprocess($0))
        }
        return try embed(patches: patches, isCancelled: isCancelled)
      })
  }

  private static var imagesAtOnce: Int { 64 }
  private static var textsAtOnce: Int { 256 }

  /// The patches of several prepared pictures, each `[P, 3·p·p]`, to `[N, E]`, the rows of all in
  /// one product a layer.
  public func embed(
    patches: [Tensor], isCancelled: () -> Bool = { false }
  ) throws -> Tensor {
    let tokens = try vision.encode(
      batch: Tensor.concatenated(patches), count: patches.count, isCancelled: isCancelled)
    let count = vision.sizes.tokenCount
    var trace = Trace.nothing
    let pooled = Tensor.concatenated(
      patches.indices.map { tokens.rows($0 * count..<$0 * count + 1) })  // [N, D]
    return imageProjection(vision.norm?(pooled, trace: &trace) ?? pooled, trace: &trace)
  }

  /// Texts to `[N, E]`, not divided by their lengths.
  public func embed(texts: [String], traces: inout [Trace]) throws -> Tensor {
    guard !texts.isEmpty else { return Tensor([], shape: [0, embeddingWidth]) }
    guard traces.isEmpty else {
      precondition(traces.count == texts.count, "a trace a text")
      return Tensor.concatenated(
        try texts.indices.map {
          try run(Input(words: .text(texts[$0])), through: "project_text", trace: &traces[$0])
        })
    }
    return Tensor.concatenated(
      try stride(from: 0, to: texts.count, by: Self.textsAtOnce).map {
        try embed(few: texts[$0..<min($0 + Self.textsAtOnce, texts.count)])
      })
  }

  /// So many texts as go through the tower together.
  private func embed(few texts: ArraySlice<String>) throws -> Tensor {
    let ids = try texts.map { text in
      try Stop.check()
      return try textIDs(text)
    }
    let tokens = try text.read(batch: ids, isCancelled: { false })
    var (start, pooled) = (0, [Tensor]())
    for ids in ids {
      let place = start + text.pooledPosition(of: ids)
      pooled.append(tokens.rows(place..<place + 1))
      start += ids.count
    }
    var trace = Trace.nothing
    return textProjection(Tensor.concatenated(pooled), trace: &trace)
  }
}

extension CLIP {
  /// The token ids of a text, begin and end token in place.
  ///
  /// - Parameter cuts: whether a text that is too long is cut rather than refused.
  static func textIDs(
    _ text: String, _ tokenizer: any Tokenizer, _ configuration: Configuration.Text, cuts: Bool
  ) throws -> [Int] {
    var ids = tokenizer.encode(text, addSpecialTokens: true)
    let limit = configuration.positionCount
    if ids.count > limit {
      guard cuts, let end = ids.last else {
        throw ModelError.textTooLong(text: text, tokens: ids.count, limit: limit)
      }
      // The end token stays, in the last place: the text is pooled there.
      ids = ids.prefix(limit - 1) + [end]
    }
    if let id = ids.first(where: { $0 < 0 || $0 >= configuration.vocabularySize }) {
      throw ModelError.unknownToken(id: id, rows: configuration.vocabularySize)
    }
    // A tokenizer without special tokens has nothing for an empty text.
    return ids.isEmpty ? [configuration.vocabularySize - 1] : ids
  }
}
