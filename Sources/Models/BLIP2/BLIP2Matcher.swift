internal import Checkpoints
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2 {
  /// The heads of a retrieval checkpoint, which tell whether a text fits a picture.
  public struct Matcher: Sendable {
    let imageProjection: Linear
    let textProjection: Linear
    let matchHead: Linear

    init(
      from weights: inout WeightReader, _ configuration: QFormer.Shape, sharedWidth: Int
    ) throws(CheckpointError) {
      let root = Address("retrieval")
      imageProjection = try Linear(
        from: &weights, at: root / "image_projection", inputs: configuration.width,
        outputs: sharedWidth)
      textProjection = try Linear(
        from: &weights, at: root / "text_projection", inputs: configuration.width,
        outputs: sharedWidth)
      matchHead = try Linear(
        from: &weights, at: root / "match_head", inputs: configuration.width, outputs: 2)
    }
  }
}

extension BLIP2.Model {
  /// What `match` is going to pass, a place of each text's pass as often as there are texts.
  public func matchingOutline(texts: [String]) throws -> Outline {
    try Outline { trace in
      let start = trace
      let tokens = try run(Input(), through: "encode", trace: &trace)
      _ = try match(tokens, vision: trace, texts: texts) { _ in start }
    }
  }

  /// What one pass of `match` over such texts is going to pass.
  public func matchingOutline(texts: [String], pass: MatchPass) throws -> Outline {
    try Outline { trace in
      let (start, nothing) = (trace, trace.keepingNothing)
      var vision = nothing
      let tokens = try run(Input(), through: "encode", trace: &vision)
      _ = try match(tokens, vision: vision, texts: texts) { $0 == pass ? start : nothing }
    }
  }

  /// The token ids of a text, as `match` reads it.
  ///
  /// - Throws: when the text is longer than the Q-Former reads; when the tokenizer is another model's.
  public func matchingIDs(_ text: String) throws -> [Int] {
    let ids = tokenizer.encode(text, addSpecialTokens: true)
    let limit = configuration.qformer.positionCount
    guard ids.count <= limit else {
      throw ModelError.promptTooLong(tokens: ids.count, limit: limit)
    }
    if let id = ids.first(where: { $0 < 0 || $0 >= configuration.qformer.vocabularySize }) {
      throw ModelError.unknownToken(id: id, rows: configuration.qformer.vocabularySize)
    }
    return ids
  }

  /// Compares a picture's tokens `[T, D]` with each text by both heads.
  ///
  /// - Parameter makeTrace: starts the trace of each pass.
  /// - Throws: when the model has no matcher; when a text is longer than the Q-Former reads.
  public func match(
    _ tokens: Tensor, vision: Trace = .nothing, texts: [String],
    makeTrace: (MatchPass) -> Trace = { _ in .nothing }
  ) throws -> MatchRun {
    guard let matcher else {
      throw ModelError.missingPart(
        wanted: "match", has: "it is a generation checkpoint without retrieval heads; use decode")
    }
    let ids = try texts.map { try matchingIDs($0) }
    let longest = ids.map(\.count).max() ?? 0
    var contrastImage = makeTrace(.picture)
    let answered = try qformer.query(tokens, trace: &contrastImage)
    let imageRows = matcher.imageProjection(answered, trace: &contrastImage).unitRows()  // [Q, S]
    var matches: [Match] = []
    var (matching, contrastTexts): ([Trace], [Trace]) = ([], [])
    for (number, (text, ids)) in zip(texts, ids).enumerated() {
      // Texts of one call are filled up to the longest, as the published processor does.
      let filled = ids + [Int](repeating: 0, count: longest - ids.count)
      let visible = filled.indices.map { $0 < ids.count }
      var trace = makeTrace(.both(number))
      let joined = try qformer.queryWithText(
        tokens, ids: filled, padding: visible, trace: &trace)
      let logits = matcher.matchHead(
        joined.rows(0..<configuration.queryCount), trace: &trace
      ).mean(axis: 0)  // [2]
      matching.append(trace)

      var textTrace = makeTrace(.text(number))
      let read = try qformer.read(ids: filled, padding: visible, trace: &textTrace)
      let textRow = matcher.textProjection(read.rows(0..<1), trace: &textTrace).unitRows()
      let cosines = imageRows.matmulTransposed(textRow).reshaped(configuration.queryCount)
      contrastTexts.append(textTrace)
      matches.append(
        Match(
          text: text, probability: logits.softmax()[1], logits: logits,
          similarity: cosines.elements.max() ?? 0, queryCosines: cosines))
    }
    return MatchRun(
      matches: matches, vision: vision, matching: matching, contrastImage: contrastImage,
      contrastTexts: contrastTexts)
  }
}
