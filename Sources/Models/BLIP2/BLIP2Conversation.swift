internal import Generation
internal import Tokenizers

extension BLIP2.Model: ChatModel {
  /// With OPT the questions and answers of LAVIS.
  ///
  /// With a LLaMA those of Ziya, with and without a begin
  /// token behind the picture, or the last thing that was said as it is: which of them Ziya's own code
  /// does is not known, so the first is a choice made here.
  public var chatFormats: [GenerationSettings.ChatFormat] {
    Self.chatFormats(configuration.language?.kind)
  }

  static func chatFormats(
    _ language: BLIP2.Configuration.Language.Kind?
  ) -> [GenerationSettings.ChatFormat] {
    language == .llama ? [.humanBot, .humanBotWithoutBegin, .raw] : [.questionAnswer]
  }

  /// The end tokens alone.
  public var formatStopSequences: [[Int]] { [] }

  /// None of its formats has a place for it.
  public var readsSystem: Bool { false }

  /// Questions and answers as the chat format lays them out, the oldest left out until question and answer
  /// have room.
  public func reading(_ conversation: Input) throws -> (input: Input, cut: Int) {
    var turns = conversation.turns.filter { $0.speaker != .system }
    guard turns.last?.speaker == .user else { throw ModelError.emptyPrompt }
    let pictures = conversation.pictures
    guard pictures.count == 1 else {
      throw ModelError.missingPart(
        wanted: pictures.isEmpty
          ? "converse about nothing" : "look at \(pictures.count) pictures at once",
        has: "a BLIP-2 reads one picture and what is said about it; give one")
    }
    // In the raw format nothing goes before what is asked.
    if settings.chatFormat.value == .raw { turns.removeFirst(turns.count - 1) }
    turns = turns.map { turn in
      let words = Input(turns: [turn]).prompt
      guard !words.isEmpty || turn.speaker == .assistant else { return Input.Turn(.user, []) }
      return Input.Turn(turn.speaker, [.text(written(words, by: turn.speaker))])
    }
    let room = min(
      try writing("chat").decoder.shape.positionCount - settings.maxNewTokens.value,
      settings.maxWindowSize.value)
    var cut = 0
    func read() -> Input {
      Input(turns: [Input.Turn(.user, pictures.map { .picture($0) })] + turns)
    }
    while turns.count > 1, try ids(of: read()).count > room {
      repeat { turns.removeFirst() } while turns.first?.speaker == .assistant
      cut += 1
    }
    return (read(), cut)
  }

  private static let (human, bot) = ("<human>:", "\n<bot>:")

  /// What somebody says, with what marks it.
  private func written(_ words: String, by speaker: Input.Turn.Speaker) -> String {
    switch (settings.chatFormat.value, speaker) {
    case (.humanBot, .user), (.humanBotWithoutBegin, .user): Self.human + words + Self.bot
    case (.questionAnswer, .user): "Question: \(words) Answer:"
    case (.questionAnswer, _): "\(words)."
    default: words
    }
  }

  /// What the language model reads of an input behind the picture, piece by piece.
  private func pieces(of input: Input) -> [(text: String, kind: ChatContext.Kind, turn: Int)] {
    var pieces: [(text: String, kind: ChatContext.Kind, turn: Int)] = []
    for (index, turn) in input.turns.enumerated() {
      let words = Input(turns: [turn]).prompt
      guard !words.isEmpty else { continue }
      guard configuration.language?.kind == .llama else {
        pieces.append(((pieces.isEmpty ? "" : " ") + words, .words, index))
        continue
      }
      guard turn.speaker == .user, words.hasPrefix(Self.human), words.hasSuffix(Self.bot) else {
        pieces.append((words, .words, index))
        continue
      }
      pieces += [
        ((pieces.isEmpty ? "" : "\n") + Self.human, .frame, index),
        (String(words.dropFirst(Self.human.count).dropLast(Self.bot.count)), .words, index),
        (Self.bot, .frame, index),
      ]
    }
    return pieces
  }

  /// What the language model reads of an input behind the picture, as one text.
  package func words(of input: Input) -> String { pieces(of: input).map(\.text).joined() }

  /// The queries' places, then the words.
  public func context(of input: Input) throws -> ChatContext {
    var builder = ContextBuilder()
    let ids = try ids(of: input)
    let queries = configuration.imageTokenID == nil ? 0 : configuration.queryCount
    builder.add(Array(ids[..<queries]), "", .picture(0), .user, turn: 0)
    let pieces = pieces(of: input)
    var (text, end) = ("", queries)
    for (number, piece) in pieces.enumerated() {
      text += piece.text
      // Where a token reaches beyond what it begins in, the part before it ends sooner.
      var next = ids.count
      if number < pieces.count - 1 {
        let own = try promptIDs(text)
        next = max(end, zip(own, ids).prefix { $0 == $1 }.count)
      }
      builder.add(
        Array(ids[end..<next]), piece.text, piece.kind, input.turns[piece.turn].speaker,
        turn: piece.turn)
      end = next
    }
    return builder.context
  }

  /// The words: it has no way of its own to write a picture among them.
  public func pieces(of text: String) -> [ChatPiece] { [.words(text)] }
}
