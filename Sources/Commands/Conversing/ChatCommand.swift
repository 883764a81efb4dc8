internal import Characters
internal import Generation
internal import Models
internal import Runtime
internal import Tokenizers

extension Ability where Part == any ChatModel {
  static var chatting: Self {
    Ability(part: { $0.chatting }, need: "a model that converses", companion: nil)
  }
}

extension Command {
  static let chat = Command(
    "chat", group: "Conversation", "Asks a model that converses, and remembers what was said.",
    Parameter.any(
      "query", expects: "a text, a picture or a list of them",
      "What is asked: a text, a picture before text, or a list of both, as from_list_format() takes."
    ),
    Parameter.text("text", default: "", "What is asked about the picture that comes first."),
    Parameter.any(
      "history", expects: "an answer, its history or a list of pairs", default: Value.none,
      "What was said before: an earlier answer, its history, or pairs of question and answer."),
    Parameter.optional(.text("system", "What the model is told to be; None for its own words.")),
    Parameter.flag(
      "append_history", default: true, "Whether the answer's history holds this question too."),
    Parameter.maxNewTokens,
    Parameter.optional(
      .flag("do_sample", default: nil, "Whether tokens are drawn; None as generation() says.")),
    Parameter.optional(
      .number("temperature", in: 0.01...100, "Divides the logits before drawing.")),
    Parameter.optional(.integer("top_k", in: 0...1_000_000, "Draws among so many; 0 for all.")),
    Parameter.optional(.number("top_p", in: 0.0001...1, "Draws among these together.")),
    Parameter.optional(
      .number("repetition_penalty", in: 0.01...100, "Makes tokens that occurred less likely.")),
    Parameter.integer("seed", in: 0...Int.max, default: 0, "Where chance starts."),
    Parameter.pictureLabel,
    Parameter.keep,
    Parameter.changes,
    Parameter.chatFormat,
    Parameter.optional(
      .list(
        of: .text(
          "previous_querys",
          "What was asked before, oldest first, beside previous_outputs: history as Ziya names it.")
      )
    ),
    Parameter.optional(
      .list(of: .text("previous_outputs", "What was answered to each of them."))),
    returns: "a Run with a history: text, history, context, steps, trace",
    details: """
      A model remembers nothing: it reads the whole conversation again each time, as one list of tokens \
      (make_context). What the history holds beyond max_window_size is cut, the oldest first, and \
      that is said. In a text a model of Qwen-VL's kind finds pictures by <img>path</img>. \
      What is None is as generation() says. A BLIP-2 with a LLaMA, as Ziya is, reads its picture first; \
      how Ziya's own code goes on is not known, so chat_format chooses: "human-bot", the usual one, a begin \
      token and turns of <human>:… and <bot>:… with line breaks between; "human-bot-no-bos" without the \
      begin token; "raw" the begin token and the question alone. At the prompt, chat without a question begins a \
      conversation line by line, and _ is its last answer. The small BLIP-2 \
      that ships was trained on single questions; small-qwen-vl converses.
      """,
    examples: [
      Example(
        "a = chat(scene(7), \"how many shapes are there?\")\na.text", "Ask about a picture."),
      Example(
        "a = chat(scene(7), \"how many shapes are there?\")\n"
          + "b = chat(\"what color is the star?\", history=a)\nb.context",
        "Ask on: the second question comes behind the first and its answer."),
    ], seeAlso: ["make_context", "generation", "from_list_format", "boxes"]
  ) {
    session, query, text, history, system, appends, maxNewTokens, doSample, temperature, topK, topP,
    penalty, seed, label, keep, changes, format, querys, outputs in
    let model = try session.able(.chatting, for: "chat").1.laidOut(format)
    let history = try Value.history(history, querys: querys, outputs: outputs)
    let conversation = try session.conversation(
      query, text, history: history, system: system, label: label, for: model)
    var options = try model.chatOptions(for: "chat")
    if let maxNewTokens { options.maxNewTokens = maxNewTokens }
    if let doSample { options.doSample = doSample }
    if let temperature { options.temperature = temperature }
    if let topK { options.topK = topK }
    if let topP { options.topP = topP }
    if let penalty { options.repetitionPenalty = penalty }
    options.seed = UInt64(seed)
    try options.checkArguments()
    session.note(
      options,
      draws: [
        ("temperature", temperature != nil), ("top_k", topK != nil), ("top_p", topP != nil),
      ])
    var run = try Run.answering(
      conversation, by: model, options: options, keep: keep, changes: changes, in: session)
    if !appends {
      run.history = try session.messages(for: model).conversation(history, "history")
    }
    try session.checkFinite(run)
    return .object(run)
  }

  static let makeContext = Command(
    "make_context", group: "Conversation",
    "Lays a conversation out as the tokens that a model reads, and says what each is.",
    Parameter.any(
      "query", expects: "a text, a picture or a list of them", "What is asked, as for chat."),
    Parameter.text("text", default: "", "What is asked about the picture that comes first."),
    Parameter.any(
      "history", expects: "an answer, its history or a list of pairs", default: Value.none,
      "What was said before, as for chat."),
    Parameter.optional(.text("system", "What the model is told to be; None for its own words.")),
    Parameter.optional(
      .integer(
        "max_window_size", in: 0...1_000_000,
        "How many tokens system and history may have; None as generation() says.")),
    Parameter.chatFormat,
    Parameter.pictureLabel,
    returns: "a Context: text, ids, and a line for each part",
    examples: [
      Example(
        "make_context(scene(7), \"is there a star?\")", "The tokens of a question about a picture.")
    ], seeAlso: ["chat", "tokenize"]
  ) { session, query, text, history, system, window, format, label in
    let model = try session.able(.chatting, for: "make_context").1.laidOut(format)
    var chat = try model.able(.chatting, for: "make_context")
    if let window { chat.settings.maxWindowSize = .init(window, "given") }
    let conversation = try session.conversation(
      query, text, history: history, system: system, label: label, for: model)
    let (input, cut) = try chat.reading(conversation.input)
    return .object(
      ContextView(context: try chat.context(of: input), cut: cut, input: input, model: model))
  }

  static let fromListFormat = Command(
    "from_list_format", group: "Conversation",
    "Makes one question of pictures and words, in their order.",
    Parameter.any(
      "parts", expects: "a list",
      "Dictionaries: {\"image\": path}, {\"text\": …}, {\"ref\": …}, {\"box\": [x1, y1, x2, y2]}, also "
        + "{\"ref\": …, \"box\": …} and a list of such boxes."
    ),
    Parameter.pictureLabel,
    returns: "a Message for chat",
    examples: [
      Example(
        "from_list_format([{\"image\": scene(7)}, {\"image\": scene(8)}, "
          + "{\"text\": \"which picture has more shapes?\"}])",
        "A question about two pictures.")
    ], seeAlso: ["chat"]
  ) { session, parts, label in
    let (_, model) = try session.able(.chatting, for: "from_list_format")
    guard case .list = parts else {
      throw ArgumentFailure(parameter: "parts", "must be a list, not \(parts.inMessage)")
    }
    let reader = try session.messages(for: model, label: label)
    return .object(try reader.message(parts, "parts"))
  }

  static let decodeTokens = Command(
    "decode_tokens", group: "Conversation",
    "Reads an answer off the tokens that were written, as the published code does.",
    Parameter.any("tokens", expects: "a list of token ids", "The ids, those of the end too."),
    Parameter.flag("verbose", "Whether to say what was written whole, and why it ended."),
    returns: "the text",
    details:
      "Of a conversation in ChatML the answer goes up to the first token that ends a turn; where "
      + "none was written, the last token is dropped, as in the published code.",
    examples: [
      Example(
        "a = chat(scene(7), \"how many shapes are there?\")\ndecode_tokens(a.ids, verbose=True)",
        "How an answer ends.")
    ], seeAlso: ["chat", "get_stop_words_ids"]
  ) { session, tokens, verbose in
    let (part, _) = try session.able(.chatting, for: "decode_tokens")
    guard let ids = tokens.wholeNumbers else {
      throw ArgumentFailure(
        parameter: "tokens", "must be a list of token ids, not \(tokens.inMessage)")
    }
    if verbose {
      let whole = part.tokenizer.decode(ids, skipSpecialTokens: false)
      let reply = part.reply(in: ids)
      let end =
        part.stopSequences.first { !$0.isEmpty && ids.suffix($0.count) == $0[...] }
        .map { "ended by \(part.tokenizer.decode($0, skipSpecialTokens: false))" }
        ?? (ids.last.map { part.defaultOptions.endTokens.contains($0) } == true
          ? "ended by an end token" : "not ended: \(ids.count.counted(as: "token")) and no end")
      session.print("written: \(whole)\n")
      session.print("the answer: \(reply)\n")
      session.print("why it ended: \(end)\n")
    }
    return .text(part.reply(in: ids))
  }

  static let stopWordsIDs = Command(
    "get_stop_words_ids", group: "Conversation", "The sequences of token ids that end an answer.",
    Parameter.chatFormat,
    returns: "a list of lists of ids",
    details: """
      Those that the settings name (stop_words_ids of generation_config.json), then those of the chat format; \
      where there are none, the single tokens that end an answer.
      """,
    examples: [Example("get_stop_words_ids()", "What ends an answer of the model in use.")],
    seeAlso: ["decode_tokens", "generation"]
  ) { session, format in
    let model = try session.able(.chatting, for: "get_stop_words_ids").1.laidOut(format)
    let part = try model.able(.chatting, for: "get_stop_words_ids")
    let sequences =
      part.stopSequences.isEmpty ? part.settings.endTokens.value.map { [$0] } : part.stopSequences
    return .newList(sequences.map { .integers($0) })
  }
}

extension Parameter where T == String? {
  /// How turns are laid out.
  static var chatFormat: Self {
    .optional(
      .choice(
        "chat_format", of: GenerationSettings.ChatFormat.allCases.map(\.rawValue),
        "How turns are laid out; None as generation() says."))
  }
}

extension LoadedModel {
  /// The same, which lays conversations out so.
  ///
  /// - Parameter format: a spelling of a chat format; nil leaves what is in force.
  fileprivate func laidOut(_ format: String?) throws -> LoadedModel {
    guard let format = format.flatMap(GenerationSettings.ChatFormat.init(rawValue:)) else {
      return self
    }
    var chat = try able(.chatting, for: "chat")
    guard chat.chatFormats.contains(format) else {
      throw ArgumentFailure(
        parameter: "chat_format",
        "is \(format.rawValue), which \(name) was not made for",
        note: "it takes \(chat.chatFormats.map(\.rawValue).joined(separator: ", "))")
    }
    chat.settings.chatFormat = .init(format, "given")
    return with(chat)
  }
}

extension Value {
  /// The texts in what somebody says, those alone that are taken as words.
  fileprivate var saidTexts: [String] { (parts ?? [self]).compactMap(\.text) }

  /// A history that is given whole, or as two lists of texts.
  fileprivate static func history(
    _ history: Value, querys: [String]?, outputs: [String]?
  ) throws -> Value {
    guard querys != nil || outputs != nil else { return history }
    guard case .none = history else {
      throw ArgumentFailure(
        parameter: "history", "stands beside previous_querys and previous_outputs",
        note: "give one of them")
    }
    let (querys, outputs) = (querys ?? [], outputs ?? [])
    guard querys.count == outputs.count else {
      throw ArgumentFailure(
        parameter: "previous_outputs",
        "has \(outputs.count.counted(as: "answer")) to "
          + "\(querys.count.counted(as: "question")) in previous_querys; each needs its own")
    }
    return .newList(zip(querys, outputs).map { .tuple([.text($0), .text($1)]) })
  }
}

extension Parameter where T == String {
  /// What introduces a picture among words.
  static var pictureLabel: Self {
    .choice(
      "label", of: Input.Mention.Label.allCases.map(\.rawValue),
      default: Input.Mention.Label.spaced.rawValue,
      "What introduces a picture among words, of models that write it: newer or older code's spelling."
    )
  }
}

extension Input.Mention.Label {
  /// The label that is spelled so.
  init(_ spelling: String) { self = Self(rawValue: spelling) ?? .spaced }
}

extension LoadedModel {
  /// How answers of a conversation are written: as the model's settings say.
  func chatOptions(for command: String) throws -> GenerationOptions {
    let chat = try able(.chatting, for: command)
    var options = chat.defaultOptions
    chat.settings.apply(to: &options)
    options.stopSequences = chat.stopSequences
    return options
  }
}

extension Session {
  /// What makes messages for a model.
  func messages(
    for model: LoadedModel, label: String = Input.Mention.Label.spaced.rawValue
  ) throws -> MessageReader {
    MessageReader(model: try model.able(.chatting, for: "chat"), label: .init(label)) {
      try Picture.read($0, in: self)
    }
  }

  /// A conversation that ends with what is asked.
  func conversation(
    _ query: Value, _ text: String, history: Value, system: String?, label: String,
    for model: LoadedModel
  ) throws -> Conversation {
    for words in query.saidTexts { try refusePath(words, for: "query") }
    let reader = try messages(for: model, label: label)
    var conversation = try reader.conversation(history, "history")
    if let system {
      guard reader.model.readsSystem else {
        throw ArgumentFailure(
          parameter: "system", "has no place in what \(model.name) reads", note: "leave it out")
      }
      conversation.setSystem(system)
    }
    var message = try reader.message(query, "query")
    if !text.isEmpty, message.pictures.isEmpty {
      throw ArgumentFailure(
        parameter: "query", "must be a picture where text stands behind it, not \(query.inMessage)",
        note: "image(path) opens a file; words alone need no second argument")
    }
    if !text.isEmpty { try reader.add(text, to: &message) }
    guard !message.segments.isEmpty else {
      throw ArgumentFailure(parameter: "query", "must not be empty")
    }
    conversation.add(.user, message)
    return conversation
  }
}
