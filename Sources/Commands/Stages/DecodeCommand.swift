internal import Characters
internal import Generation
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let decode = Command(
    "decode", group: "Stages", "Writes an answer, token by token.",
    Parameter.any(
      "source", expects: "a tensor, as assemble() gives, or a text",
      "What assemble() gives, or a soft prompt from project(); for a model that reads text alone, "
        + "the text to go on from."),
    Parameter.text(
      "prompt", default: "", "The text behind a soft prompt; a sequence has its own already."),
    Parameter.maxNewTokens,
    Parameter.integer("min_new_tokens", in: 0...100_000, default: 0, "The fewest tokens."),
    Parameter.integer("num_beams", in: 1...64, default: 1, "Continuations followed side by side."),
    Parameter.number(
      "length_penalty", default: 1, "Beam scores are divided by the length to this power."),
    Parameter.flag("do_sample", "Whether tokens are drawn by chance."),
    Parameter.number(
      "temperature", in: 0.01...100, default: 1, "Divides the logits before drawing."),
    Parameter.integer(
      "top_k", in: 0...1_000_000, default: 50, "Draws among so many tokens; 0 for all."),
    Parameter.number(
      "top_p", in: 0.0001...1, default: 1, "Draws among tokens of this probability together."),
    Parameter.integer("seed", in: 0...Int.max, default: 0, "Where chance starts."),
    Parameter.number(
      "repetition_penalty", in: 0.01...100, default: 1, "Makes tokens that occurred less likely."),
    Parameter.integer(
      "no_repeat_ngram_size", in: 0...1000, default: 0, "Forbids runs of so many tokens twice."),
    Parameter.flag(
      "skip_special_tokens", default: true, "Whether the text leaves special tokens out."),
    Parameter.keep,
    Parameter.changes,
    returns: "an Answer: text, tokens, probabilities, runners-up and a trace of the prompt's pass",
    details: "Names and meanings are those of transformers' `generate`.",
    examples: [
      Example(
        "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\n"
          + "answer = decode(soft, \"Question: how many shapes are there? Answer:\")\nanswer.steps",
        "Ask a question about a picture and look at every token of the answer."),
      Example(
        "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\n"
          + "decode(soft, do_sample=True, temperature=1.5, seed=3).text",
        "Draw a caption by chance."),
    ], seeAlso: ["assemble", "next_token", "run"]
  ) {
    session, source, prompt, maxNewTokens, minNewTokens, numBeams, lengthPenalty, doSample,
    temperature, topK, topP, seed, repetitionPenalty, noRepeatNgramSize, skipsSpecial, keep,
    changes in
    let (writer, model) = try session.able(.writing, for: "decode")
    var options = writer.defaultOptions
    if let maxNewTokens { options.maxNewTokens = maxNewTokens }
    options.minNewTokens = minNewTokens
    (options.numBeams, options.lengthPenalty) = (numBeams, lengthPenalty)
    (options.doSample, options.temperature, options.topK) = (doSample, temperature, topK)
    (options.topP, options.seed) = (topP, UInt64(seed))
    (options.repetitionPenalty, options.noRepeatNgramSize) = (repetitionPenalty, noRepeatNgramSize)
    try options.checkArguments()
    session.note(
      options,
      draws: [("temperature", temperature != 1), ("top_k", topK != 50), ("top_p", topP != 1)])
    let text = try session.textAlone(source, beside: prompt)
    try session.checkMemory(
      model: model, prompt: text ?? prompt, stage: "decode", keep: keep,
      newTokens: options.maxNewTokens, beams: numBeams)
    var prompt = text ?? prompt
    var trace = session.trace(keeping: keep)
    trace.alterations = try session.alterations(
      changes, of: model, on: source.words(or: prompt), in: ["assemble", "decode"])
    let alterations = trace.alterations
    let sequence: Tensor
    if let text {
      sequence = try writer.sequence(Input(words: .text(text)), trace: &trace)
    } else if case .object(let object) = source, let result = object as? StageResult,
      result.stage == "assemble"
    {
      (sequence, prompt) = (result.result, result.input.prompt)
    } else {
      let given = try source.requireTensor("source", from: "assemble")
      guard let soft = writer as? any SoftPromptModel else {
        throw ArgumentFailure(
          parameter: "source",
          "must be a text or what assemble() gives: \(model.name) has no "
            + "soft prompts")
      }
      var nothing = trace.keepingNothing
      sequence = try soft.assemble(given, prompt, trace: &nothing)
    }
    let answer = try Answer.write(
      after: try writer.read(sequence, trace: &trace), of: Input(prompt: prompt), writer: writer,
      model: model, options: options,
      reading: skipsSpecial ? writer.reading : .init(skipsSpecialTokens: false), trace: trace,
      in: session)
    session.note(answer.answer.trace, keptNothingOf: keep, by: model, on: source.words(or: prompt))
    let (read, words, settings) = (sequence, prompt, options)
    try session.checkFinite(answer.probabilities, of: model, given: sequence) {
      [
        WayToResult(from: Input(prompt: words)) { trace in
          trace.alterations = alterations
          _ = try writer.write(
            after: read, promptIDs: try writer.promptIDs(words), options: settings, trace: trace)
        }
      ]
    }
    return .object(answer)
  }
}

extension Value {
  /// What an answer to this is an answer to: a text, a sequence with the words in it, or a soft prompt
  /// and the words behind it.
  fileprivate func words(or prompt: String) -> Input {
    if let text { return Input(words: .text(text)) }
    if case .object(let object) = self, let result = object as? StageResult,
      result.stage == "assemble"
    {
      return result.input
    }
    return Input(picture: runInputs.picture, prompt: prompt)
  }
}

extension Parameter where T == Int? {
  static var maxNewTokens: Self {
    .optional(
      .integer(
        "max_new_tokens", in: 1...100_000,
        "The most tokens that are written; None for what the model's files say."))
  }
}

extension GenerationOptions {
  /// Fails, by the argument's name, where an option is out of range or two contradict each other.
  func checkArguments() throws {
    do { try validate() } catch {
      throw ArgumentFailure(
        parameter: error.option, "must be \(error.expected), not \(error.found)")
    }
  }
}

extension Session {
  /// Says which arguments change nothing because no token is drawn.
  ///
  /// - Parameter arguments: how tokens are drawn, each by its name, and whether it was given.
  func note(_ options: GenerationOptions, draws arguments: [(name: String, isGiven: Bool)]) {
    let idle = arguments.filter(\.isGiven).map(\.name)
    guard !options.doSample, !idle.isEmpty else { return }
    note(
      "\(idle.joined(separator: " and ")) \(idle.count == 1 ? "changes" : "change") nothing: do_sample is "
        + "False, so the likeliest token is taken each time; do_sample=True draws")
  }
}

extension Answer {
  /// How likely each token was; NaN where there is no first token, for no beam goes on from NaN.
  var probabilities: Tensor {
    let steps = answer.generated.steps
    guard !steps.isEmpty else { return Tensor([.nan], shape: [1]) }
    return Tensor(steps.map { Float($0.probability) }, shape: [steps.count])
  }

  /// Writes an answer to a sequence that was read; the words are reported as they come.
  ///
  /// - Parameters:
  ///   - reading: which of the tokens are the text; nil as the model reads what it writes.
  ///   - tellsStop: whether to say what was written where somebody stops it.
  static func write(
    after slots: Slots, of input: Input, writer: any WritingModel, model: LoadedModel,
    options: GenerationOptions, reading: StreamingDecoder.Reading? = nil, trace: Trace,
    in session: Session, tellsStop: Bool = true, onWords: (String) -> Void = { _ in }
  ) throws -> Answer {
    let reading = reading ?? writer.reading
    var words = StreamingDecoder(writer.tokenizer, reading)
    var (count, written) = (0, "")
    func give(_ piece: String) {
      written += piece
      onWords(piece)
    }
    do {
      var answer = try writer.write(
        after: slots, promptIDs: try writer.ids(of: input), options: options, trace: trace
      ) { step in
        count += 1
        give(words.append(step.token))
        session.report(
          Progress(
            "tokens", completed: count, total: options.maxNewTokens, detail: written.tail))
      }
      // Beams end all at once.
      if count == 0 { for token in answer.generated.tokens { give(words.append(token)) } }
      let rest = words.finish()
      if !rest.isEmpty { give(rest) }
      answer.text = written
      return Answer(answer: answer, input: input, model: model, tokenizer: writer.tokenizer)
    } catch {
      // What was written is not lost with the answer.
      if session.isCancelled, count > 0, tellsStop {
        session.keepResult(.text(written))
        session.note("stopped after \(count.counted(as: "token")), kept as _; written: \(written)")
      }
      throw error
    }
  }
}

extension String {
  /// The end of it, as much as a line shows.
  fileprivate var tail: String { String(suffix(200)) }
}
