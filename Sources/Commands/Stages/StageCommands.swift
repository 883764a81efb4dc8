internal import Budget
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Session {
  /// Runs one stage of the current model; the trace of the way so far goes on.
  ///
  /// - Parameters:
  ///   - given: what the stage before gave; nil for a stage that begins with the input.
  ///   - input: what the way started from, as far as it is known.
  func run(
    stage name: String, on given: Tensor?, of input: Input, after earlier: Trace? = nil,
    keep: String
  ) throws -> Value {
    let model = try model()
    guard let stage = model.model.stages.first(where: { $0.name == name }) else {
      throw RuntimeFailure(
        .command, "\(model.name) has no stage '\(name)'",
        notes: ["its stages are " + model.model.stages.map(\.name).joined(separator: ", ")])
    }
    try checkMemory(model: model, prompt: input.prompt, stage: name, keep: keep)
    return try run(stage, of: model, on: given, of: input, after: earlier, keep: keep)
  }

  /// Runs one stage of the current model on an argument: what the stage before gave, which knows the
  /// picture and the way so far, or a tensor of its shape, which does not.
  func run(
    stage name: String, on argument: Value, from earlier: String, _ parameter: String,
    keep: String
  ) throws -> Value {
    try run(
      stage: name, on: try argument.requireTensor(parameter, from: earlier),
      of: argument.runInputs, after: argument.trace, keep: keep)
  }

  /// Runs a stage of a model; the trace of the way so far goes on.
  func run(
    _ stage: Stage, of model: LoadedModel, on given: Tensor?, of input: Input,
    after earlier: Trace?, keep: String
  ) throws -> Value {
    var trace = try trace(keeping: keep, of: model, on: input)
    let alterations = trace.alterations
    let result = try stage.run(given, of: input, trace: &trace)
    note(trace, keptNothingOf: keep, by: model, on: input)
    try checkFinite(result, of: model, given: given) {
      [
        WayToResult(from: input) { trace in
          trace.alterations = alterations
          _ = try stage.run(given, of: input, trace: &trace)
        }
      ]
    }
    return .object(
      StageResult(
        stage: stage.name, result: result,
        trace: earlier.map { $0.followed(by: trace) } ?? trace, model: model, input: input))
  }
}

extension Session {
  /// The text of an argument, where the model in use goes on from text alone; nil for other
  /// arguments.
  ///
  /// - Parameter prompt: the argument beside it, which is for soft prompts.
  func textAlone(_ source: Value, beside prompt: String) throws -> String? {
    guard let text = source.text else { return nil }
    let (writer, model) = try able(.writing, for: "a text alone")
    guard writer.seeing == nil else {
      throw ArgumentFailure(
        parameter: "source", "must be a tensor: \(model.name) writes after a picture",
        note: "run(picture, \(Value.text(text).inMessage)) takes one through all stages")
    }
    guard prompt.isEmpty else {
      throw ArgumentFailure(parameter: "prompt", "is for a soft prompt; the text is given already")
    }
    return text
  }
}

extension Command {
  static let preprocess = Command(
    "preprocess", group: "Stages",
    "Resizes a picture to what the model takes and centres its colours around 0.",
    Parameter.picture("image", "The picture, or its path."),
    Parameter.view,
    returns: "pixels [3, Y, X], red, green and blue planes, with a trace",
    details:
      "A model that splits pictures is given one view here, the whole unless view= says another, and "
      + "all of them by run() and chat().",
    examples: [Example("pixels = preprocess(scene(7))\npixels.shape", "Pixels as numbers.")],
    seeAlso: ["patchify", "image"]
  ) { session, picture, view in
    let (seer, model) = try session.able(.seeing, for: "preprocess")
    guard seer.viewCount > 1 else {
      _ = try model.ways(of: Input(), picture: 0, view: view)
      return try session.run(
        stage: "preprocess", on: nil, of: Input(image: picture.image), keep: "*")
    }
    return try session.run(
      stage: "preprocess", on: nil,
      of: Input(
        picture: .view(of: picture.image, number: (view ?? seer.viewCount) - 1)), keep: "*")
  }

  static let patchify = Command(
    "patchify", group: "Stages", "Cuts pixels into squares and lays each out as one row.",
    Parameter.stageInput("pixels", from: "preprocess", "What preprocess() gives, [3, Y, X]."),
    returns: "patches [P, 3·p·p], one row each, from left to right and top to bottom, with a trace",
    examples: [
      Example("patches = patchify(preprocess(scene(7)))\npatches.shape", "How many patches?")
    ], seeAlso: ["embed", "grid"]
  ) { session, pixels in
    let (seer, _) = try session.able(.seeing, for: "patchify")
    if !seer.hasOneGrid, pixels.runInputs.pictures.isEmpty, let given = pixels.tensor,
      given.rank == 3
    {
      // Later stages must know how many patches stand in a row.
      return try session.run(
        stage: "patchify", on: given, of: Input(picture: .pixels(given)), keep: "*")
    }
    return try session.run(stage: "patchify", on: pixels, from: "preprocess", "pixels", keep: "*")
  }

  static let embed = Command(
    "embed", group: "Stages",
    "Maps each patch to a token, puts the class token first and adds positions.",
    Parameter.stageInput("patches", from: "patchify", "What patchify() gives, [P, 3·p·p]."),
    Parameter.keep,
    returns: "tokens [T, D], the class token first, with a trace",
    examples: [
      Example(
        "tokens = embed(patchify(preprocess(scene(7))))\ntokens.shape", "Tokens of a picture.")
    ], seeAlso: ["encode"]
  ) { session, patches, keep in
    try session.run(stage: "embed", on: patches, from: "patchify", "patches", keep: keep)
  }

  static let encode = Command(
    "encode", group: "Stages", "Lets the tokens look at each other in all vision blocks.",
    Parameter.stageInput("tokens", from: "embed", "What embed() gives, [T, D]."),
    Parameter.keep,
    returns: "tokens [T, D] with a trace of every block",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\n"
          + "vision[\"vision.blocks.0.attention.pattern\"].shape",
        "Where every token looks in the first block: heads, queries, keys.")
    ], seeAlso: ["query", "attention", "rollout"]
  ) { session, tokens, keep in
    try session.run(stage: "encode", on: tokens, from: "embed", "tokens", keep: keep)
  }

  static let query = Command(
    "query", group: "Stages",
    "Lets the Q-Former's learned queries gather from the picture's tokens.",
    Parameter.stageInput("vision", from: "encode", "What encode() gives, [T, D]."),
    Parameter.keep,
    returns: "answered queries [Q, Dq] with a trace",
    examples: [
      Example(
        "queries = query(encode(embed(patchify(preprocess(scene(7))))))\nqueries.shape",
        "What the queries gathered.")
    ], seeAlso: ["project", "attention"]
  ) { session, vision, keep in
    try session.run(stage: "query", on: vision, from: "encode", "vision", keep: keep)
  }

  static let project = Command(
    "project", group: "Stages",
    "Maps into the space that comes next: queries to a soft prompt, a CLIP's picture to its space.",
    Parameter.stageInput(
      "queries", from: "query",
      "What query() gives, [Q, Dq]; for a CLIP what encode() gives, [T, D]."),
    Parameter.keep,
    returns:
      "the soft prompt [Q, E], vectors where a text would have words; for a CLIP the picture's "
      + "embedding [1, E]",
    examples: [
      Example(
        "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\nsoft.shape",
        "The picture as the language model gets it.")
    ], seeAlso: ["assemble", "decode"]
  ) { session, queries, keep in
    try session.run(stage: "project", on: queries, from: "query", "queries", keep: keep)
  }

  static let tokenize = Command(
    "tokenize", group: "Stages", "Cuts a text into the language model's tokens.",
    Parameter.text("text", "The text."),
    Parameter.optional(
      .choice(
        "special", of: TokenizeTool.Special.allCases.map(\.rawValue),
        "Which special tokens the text may name: all, none, or tags, those around pictures' paths, names and "
          + "boxes; None is none for Qwen-VL and all for others.")),
    returns: "Tokens with ids",
    examples: [
      Example("tokenize(\"a red circle\")", "The tokens of three words."),
      Example(
        "tokenize(\"</s>\", special=\"none\")", "An end token's name as words."),
    ],
    seeAlso: ["assemble", "make_context"]
  ) { session, text, special in
    let model = try session.model()
    guard let tokenizer = model.model.textTokenizer else {
      throw RuntimeFailure(
        .command, "tokenize needs a model that reads text; \(model.name) is \(model.model.kind)")
    }
    // A byte may be a token, with its neighbours and its place among the merges.
    try MemoryGate.take(text.utf8.count, of: 64, for: "the tokens of \(text.utf8.count) bytes")
    return .object(
      TokenList(
        text: text,
        ids: try tokenizer.encode(
          text,
          options: EncodingOptions(
            parseSpecialTokens: special.flatMap(TokenizeTool.Special.init(rawValue:))?.parsing
              ?? .usual)),
        tokenizer: tokenizer))
  }

  static let assemble = Command(
    "assemble", group: "Stages",
    "Puts the words of a prompt behind the soft prompt, or looks up those of a text alone.",
    Parameter.any(
      "soft", expects: "a tensor, as project() gives, or a text",
      "What project() gives, [Q, E]; for a model that reads text alone, the text."),
    Parameter.text(
      "prompt", default: "", "The text behind a soft prompt; none asks for a caption."),
    Parameter.keep,
    returns: "the sequence [Q + T, E], or [T, E], that the language model reads",
    examples: [
      Example(
        "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\n"
          + "assemble(soft, \"Question: how many shapes are there? Answer:\").shape",
        "Queries and words in one sequence.")
    ], seeAlso: ["decode", "next_token", "tokenize"]
  ) { session, soft, prompt, keep in
    if let text = try session.textAlone(soft, beside: prompt) {
      return try session.run(
        stage: "assemble", on: nil, of: Input(words: .text(text)), keep: keep)
    }
    let given = try soft.requireTensor("soft", from: "project")
    var input = soft.runInputs
    input.words = .text(prompt)
    return try session.run(
      stage: "assemble", on: given, of: input, after: soft.trace, keep: keep)
  }
}
