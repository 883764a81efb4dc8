internal import Generation
internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension LLaMA.Model {
  /// What an index stands for: a word of the text, a token of the vocabulary.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key:
      if address.parts.contains("head") { return "last token" }
      guard let ids = try? ids(of: input), ids.indices.contains(index) else { return nil }
      return tokenizer.token(ids[index]).map { "token \(index) '\($0)'" }
    default: return nil
    }
  }
}

extension LLaMA.Model {
  /// An answer to the prompt, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    guard request.images.isEmpty, request.texts.isEmpty else {
      throw ModelError.missingPart(
        wanted: request.images.isEmpty ? "compare texts" : "look at a picture",
        has: "it is \(kind)")
    }
    return try tracedAnswer(Input(prompt: request.prompt), request) { trace in
      publishedBatch([trace]) { batch, _, _ in batch[0].withBatchAxis }
    }
  }
}
