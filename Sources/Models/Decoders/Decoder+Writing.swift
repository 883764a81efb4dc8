internal import Generation
internal import Tensors
internal import Tracing

extension Decoder {
  /// A sequence that was read, as something to continue.
  private struct Continuation: NextTokenModel {
    let decoder: Decoder
    let first: Tensor  // [V]
    let state: State
    let trace: Trace

    var room: Int? { decoder.shape.positionCount - state.tokenCount }

    func start() -> (logits: Tensor, state: State) { (first, state) }

    func advance(_ state: inout State, by token: Int) throws -> Tensor {
      var trace = trace
      let logits = try decoder.read(token: token, after: &state, trace: &trace)
      return logits.reshaped(logits.count)
    }
  }

  /// Writes what follows a sequence that was read.
  ///
  /// - Parameters:
  ///   - logits: what reading it gave, `[1, V]`.
  ///   - state: its keys and values.
  ///   - promptIDs: the ids that the sequence stands for, for penalties and length rules.
  ///   - trace: that of the sequence; of the tokens that are written nothing is kept.
  ///   - onStep: called after each token.
  func write(
    after logits: Tensor, state: State, promptIDs: [Int], options: GenerationOptions,
    trace: Trace, onStep: (GenerationStep) throws -> Void
  ) throws -> Generated {
    try generate(
      with: Continuation(
        decoder: self, first: logits.reshaped(logits.count), state: state,
        trace: trace.keepingNothing),
      promptIDs: promptIDs, options: options, onStep: onStep)
  }

  /// The logits after a sequence and after each of `tokens` that follow it, `[N + 1, V]`.
  func logits(after sequence: Tensor, tokens: [Int], trace: Trace) throws -> Tensor {
    var trace = trace.keepingNothing
    var state = start
    var rows = [try read(sequence, after: &state, trace: &trace)]
    for token in tokens {
      rows.append(try read(token: token, after: &state, trace: &trace))
    }
    return Tensor.concatenated(rows)
  }

  /// The stage that reads a sequence, a step a block.
  func stage(_ branch: Stage.Branch = .picture) -> Stage {
    let begin = Step("language.positions", "language.rotary") { slots, trace in
      var state = start
      slots.pass = try self.begin(slots.take(.sequence), after: &state, trace: &trace)
      slots.reading = state
    }
    let through = blocks.indices.map { index in
      Step("language.blocks.\(index)") { slots, trace in
        guard var pass = slots.pass, var state = slots.reading else {
          preconditionFailure("no sequence was begun")
        }
        (slots.pass, slots.reading) = (nil, nil)
        go(&pass, through: index, &state, trace: &trace)
        (slots.pass, slots.reading) = (pass, state)
      }
    }
    let end = Step("language.norm", "language.head") { slots, trace in
      guard let pass = slots.pass, var state = slots.reading else {
        preconditionFailure("no sequence was begun")
      }
      slots[.logits] = self.end(pass, &state, trace: &trace)
      (slots.pass, slots.reading) = (nil, state)
    }
    return Stage(
      "decode", "Reads the sequence and gives the next token's logits, again and again.",
      from: "[T, \(shape.width)]", to: "[1, \(shape.vocabularySize)]", branch: branch,
      takes: (.sequence, [nil, shape.width]), gives: .logits, steps: [begin] + through + [end])
  }
}
