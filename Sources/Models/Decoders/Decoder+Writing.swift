internal import Generation
internal import Tensors
internal import Tracing

extension Decoder {
  /// A sequence that was read, as something to continue.
  private struct Continuation: NextTokenModel {
    let decoder: Decoder
    let first: Tensor  // [V]
    let state: State
    let isCancelled: @Sendable () -> Bool

    var room: Int? { decoder.shape.positionCount - state.tokenCount }

    func start() -> (logits: Tensor, state: State) { (first, state) }

    func advance(_ state: inout State, by token: Int) throws -> Tensor {
      var trace = Trace.nothing
      trace.isCancelled = isCancelled
      let embedded = try decoder.embed([token], trace: &trace)
      let logits = try decoder.read(embedded, after: &state, trace: &trace)
      return logits.reshaped(logits.count)
    }
  }

  /// Reads a sequence `[T, E]`, its numbers kept by `trace`, and writes what follows.
  ///
  /// - Parameters:
  ///   - promptIDs: the ids that the sequence stands for, for penalties and length rules.
  ///   - onStep: called after each token.
  func write(
    after sequence: Tensor, promptIDs: [Int], options: GenerationOptions, trace: inout Trace,
    onStep: (GenerationStep) throws -> Void
  ) throws -> Generated {
    let input = try StageInput.tensor(sequence).tensor([nil, shape.width], for: "decode")
    var state = start
    let logits = try read(input, after: &state, trace: &trace)
    return try generate(
      with: Continuation(
        decoder: self, first: logits.reshaped(logits.count), state: state,
        isCancelled: trace.isCancelled),
      promptIDs: promptIDs, options: options, onStep: onStep)
  }

  /// The logits after a sequence and after each of `tokens` that follow it, `[N + 1, V]`.
  func logits(
    after sequence: Tensor, tokens: [Int], isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Tensor {
    var trace = Trace.nothing
    trace.isCancelled = isCancelled
    var state = start
    var rows = [try read(sequence, after: &state, trace: &trace)]
    for token in tokens {
      let embedded = try embed([token], trace: &trace)
      rows.append(try read(embedded, after: &state, trace: &trace))
    }
    return Tensor.concatenated(rows)
  }
}
