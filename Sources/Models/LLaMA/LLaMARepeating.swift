internal import Generation
internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension LLaMA.Model: RepeatableModel {
  /// One pass over the text, up to the next token's logits.
  public func pass(_ inputs: RunInputs, trace: inout Trace) throws {
    var state = decoder.start
    _ = try decoder.read(
      try sequence(inputs, trace: &trace), after: &state, trace: &trace)
  }

  /// What `pass` is going to pass.
  public func outline(_ inputs: RunInputs) throws -> Outline {
    var outline = Outline()
    let count = try ids(of: inputs).count
    outline.pass(
      [count, configuration.decoder.width], Linear.output, at: Address("language.tokens"))
    decoder.outline(rows: count, into: &outline)
    return outline
  }

  /// The stage that a place belongs to.
  public func stage(of address: Address) -> String {
    address.parts.dropFirst().first == "tokens" ? "assemble" : "decode"
  }

  /// What an index stands for: a word of the text, a token of the vocabulary.
  public func name(
    of index: Int, on axis: Axis, at address: Address, inputs: RunInputs
  ) -> String? {
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key:
      if address.parts.contains("head") { return "last token" }
      guard let ids = try? ids(of: inputs), ids.indices.contains(index) else { return nil }
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
    var trace = request.trace
    let inputs = RunInputs(prompt: request.prompt)
    let ids = try ids(of: inputs)
    let sequence = try sequence(inputs, trace: &trace)
    let answer = try write(
      after: sequence, promptIDs: ids, options: defaultOptions, trace: trace)
    let tokens = answer.generated.tokens
    let tensors =
      request.usesPublishedNames
      ? publishedBatch([answer.trace]) { batch, _, _ in batch[0].withBatchAxis }
      : answer.trace.named("")
    return TracedRun(
      tensors: tensors,
      integers: [
        .init("inputs.input_ids", ids, shape: [1, ids.count]),
        .init("inputs.attention_mask", ids.map { _ in 1 }, shape: [1, ids.count]),
        .init("generated_ids", tokens, shape: [1, tokens.count]),
      ], answer: answer.text)
  }
}
