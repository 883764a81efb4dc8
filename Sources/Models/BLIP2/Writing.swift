public import Generation
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2.Model {
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
    var trace = trace
    let generated = try writing("decode").decoder.write(
      after: sequence, promptIDs: promptIDs, options: options, trace: &trace, onStep: onStep)
    return WrittenAnswer(text: text(of: generated.tokens), generated: generated, trace: trace)
  }

  /// The logits after a sequence and after each of `tokens` that follow it, `[N + 1, V]`.
  public func logits(
    after sequence: Tensor, tokens: [Int], isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Tensor {
    try writing("decode").decoder.logits(
      after: sequence, tokens: tokens, isCancelled: isCancelled)
  }

  /// The text of tokens, special ones left out, spaces at both ends cut.
  public func text(of tokens: [Int]) -> String {
    var text = Substring(tokenizer.decode(tokens, skipSpecialTokens: true))
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
