internal import Generation
internal import Images
internal import Tensors
internal import Tokenizers
internal import Tracing

extension BLIP2.Model {
  /// An answer to the prompt, or, where texts are given, how well they fit, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    if request.conversation != nil {
      return try tracedAnswer(request.input(by: self), request) { published($0) }
    }
    let image = try request.onlyImage(for: kind)
    guard request.texts.isEmpty else { return try tracedMatch(image, request) }
    return try tracedAnswer(Input(image: image, prompt: request.prompt), request) {
      published($0)
    }
  }

  private func tracedMatch(_ image: Image, _ request: TraceRequest) throws -> TracedRun {
    let texts = request.texts
    var vision = request.trace
    let tokens = try see(image, trace: &vision)
    let run = try match(tokens, vision: vision, texts: texts) { _ in request.trace }
    let ids = texts.map { tokenizer.encode($0, addSpecialTokens: true) }
    let longest = ids.map(\.count).max() ?? 0
    let tensors =
      request.usesPublishedNames
      ? published(run)
      : run.vision.named("") + run.contrastImage.named("itc.image.")
        + texts.indices.flatMap {
          run.contrastTexts[$0].named("itc.texts.\($0).")
            + run.matching[$0].named("itm.texts.\($0).")
        }
    return TracedRun(
      tensors: [
        PublishedTensor(name: "inputs.pixel_values", tensor: try preprocess(image).withBatchAxis)
      ] + tensors,
      integers: [
        .init(
          "inputs.input_ids",
          ids.flatMap { $0 + [Int](repeating: 0, count: longest - $0.count) },
          shape: [texts.count, longest]),
        .init(
          "inputs.attention_mask",
          ids.flatMap { ids in (0..<longest).map { $0 < ids.count ? 1 : 0 } },
          shape: [texts.count, longest]),
      ],
      answer: run.matches.map { "\($0.probability)" }.joined(separator: "\n"))
  }
}
