internal import Generation
internal import Tokenizers

extension BLIP2.Model: ChatModel {
  /// The end tokens alone.
  public var stopSequences: [[Int]] { [] }

  /// Questions and answers as LAVIS lays them out, `Question: … Answer: ….` again and again, the oldest
  /// left out until question and answer have room.
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
    turns = turns.map { turn in
      let words = Input(turns: [turn]).prompt
      guard !words.isEmpty || turn.speaker == .assistant else { return Input.Turn(.user, []) }
      return Input.Turn(
        turn.speaker, [.text(turn.speaker == .user ? "Question: \(words) Answer:" : "\(words).")])
    }
    let room = try writing("chat").decoder.shape.positionCount - settings.maxNewTokens.value
    var cut = 0
    func read() -> Input {
      Input(turns: [Input.Turn(.user, pictures.map { .picture($0) })] + turns)
    }
    while turns.count > 1, try promptIDs(read().prompt).count > room {
      repeat { turns.removeFirst() } while turns.first?.speaker == .assistant
      cut += 1
    }
    return (read(), cut)
  }

  /// The queries' places, then the words.
  public func context(of input: Input) throws -> ChatContext {
    var builder = ContextBuilder()
    let ids = try ids(of: input)
    let queries = configuration.imageTokenID == nil ? 0 : configuration.queryCount
    builder.add(Array(ids[..<queries]), "", .picture(0), .user, turn: 0)
    var (text, end) = ("", queries)
    for (index, turn) in input.turns.enumerated() {
      let words = Input(turns: [turn]).prompt
      guard !words.isEmpty else { continue }
      text += (text.isEmpty ? "" : " ") + words
      // Words are cut at spaces, so what is said later changes no token of what was said before.
      let next = index == input.turns.count - 1 ? ids.count : try promptIDs(text).count
      builder.add(
        Array(ids[end..<min(max(next, end), ids.count)]), (end == queries ? "" : " ") + words,
        .words, turn.speaker, turn: index)
      end = max(next, end)
    }
    return builder.context
  }

  /// The text of the tokens.
  public func reply(in tokens: [Int]) -> String { text(of: tokens) }

  /// The words: it has no way of its own to write a picture among them.
  public func pieces(of text: String) -> [ChatPiece] { [.words(text)] }
}
