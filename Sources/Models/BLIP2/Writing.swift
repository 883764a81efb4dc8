public import Generation
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2.Model {
  /// The prompt as a question to continue: the model's embeddings, read once.
  private struct Continuation: NextTokenModel {
    let decoder: BLIP2.LanguageDecoder
    let first: Tensor  // [V]
    let state: BLIP2.LanguageDecoder.State
    let isCancelled: @Sendable () -> Bool

    var room: Int? { decoder.configuration.positionCount - state.tokenCount }

    func start() -> (logits: Tensor, state: BLIP2.LanguageDecoder.State) { (first, state) }

    func advance(_ state: inout BLIP2.LanguageDecoder.State, by token: Int) throws -> Tensor {
      var trace = Trace.nothing
      trace.isCancelled = isCancelled
      let embedded = try decoder.embed([token], trace: &trace)
      let logits = try decoder.read(embedded, after: &state, trace: &trace)
      return logits.reshaped(logits.count)
    }
  }

  /// Greedy, as many tokens as the model's own file says, ending at its end tokens.
  public var defaultOptions: GenerationOptions {
    var options = GenerationOptions(endTokens: endTokens)
    options.maxNewTokens = maxNewTokens
    return options
  }

  /// Reads a sequence `[Q + T, E]` and writes what follows.
  ///
  /// - Parameters:
  ///   - promptIDs: the ids that the sequence stands for, for penalties and length rules.
  ///   - trace: keeps the numbers of the pass over the prompt.
  ///   - onStep: called after each token.
  public func write(
    after sequence: Tensor, promptIDs: [Int], options: GenerationOptions, trace: Trace,
    onStep: (GenerationStep) throws -> Void
  ) throws -> WrittenAnswer {
    let decoder = try writing("decode").decoder
    let input = try StageInput.tensor(sequence).tensor(
      [nil, decoder.configuration.width], for: "decode")
    var trace = trace
    var state = decoder.start
    let logits = try decoder.read(input, after: &state, trace: &trace)
    let generated = try generate(
      with: Continuation(
        decoder: decoder, first: logits.reshaped(logits.count), state: state,
        isCancelled: trace.isCancelled),
      promptIDs: promptIDs, options: options, onStep: onStep)
    return WrittenAnswer(text: text(of: generated.tokens), generated: generated, trace: trace)
  }

  /// The logits after a sequence and after each of `tokens` that follow it, `[N + 1, V]`.
  public func logits(
    after sequence: Tensor, tokens: [Int], isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Tensor {
    let decoder = try writing("decode").decoder
    var trace = Trace.nothing
    trace.isCancelled = isCancelled
    var state = decoder.start
    var rows = [try decoder.read(sequence, after: &state, trace: &trace)]
    for token in tokens {
      let embedded = try decoder.embed([token], trace: &trace)
      rows.append(try decoder.read(embedded, after: &state, trace: &trace))
    }
    return Tensor.concatenated(rows)
  }

  /// The text of tokens, special ones left out, spaces at both ends cut.
  public func text(of tokens: [Int]) -> String {
    var text = Substring(tokenizer.decode(tokens, skipSpecialTokens: true))
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
