internal import Generation
public import Tokenizers

extension Idefics2.Model: ChatModel {
  /// That of the template, and what was said last as it is.
  public var chatFormats: [GenerationSettings.ChatFormat] { Self.chatFormats }
  static let chatFormats = [GenerationSettings.ChatFormat.template, .raw]

  /// `<end_of_utterance>`.
  public var formatStopSequences: [[Int]] {
    tokenizer.id(Idefics2.Prompt.end).map { [[$0]] } ?? []
  }

  /// The single tokens that end an answer.
  var endTokens: [Int] {
    let own = stopSequences.flatMap { $0 }
    return settings.endTokens.value + own.filter { !settings.endTokens.value.contains($0) }
  }

  /// As much of the conversation as fits the window, the oldest question with its answer left out first; what
  /// a system says stays.
  public func reading(_ conversation: Input) throws -> (input: Input, cut: Int) {
    var input = conversation
    guard input.turns.last?.speaker == .user || input.tokenIDs != nil else {
      throw ModelError.emptyPrompt
    }
    var cut = 0
    if settings.chatFormat.value == .raw {
      input.turns = input.turns.suffix(1)
      return (input, 0)
    }
    let limit = min(settings.maxWindowSize.value, configuration.decoder.positionCount)
    let first = input.turns.first?.speaker == .system ? 1 : 0
    while input.turns.count > first + 1, try context(of: input).ids.count > limit {
      repeat { input.turns.remove(at: first) } while input.turns[first].speaker != .user
      cut += 1
    }
    return (input, cut)
  }

  /// The tokens of a conversation, and what each of them is.
  ///
  /// - Throws: where words hold more tags than there are pictures, or fewer, or a mark of turns; what the chat
  ///   template throws.
  public func context(of input: Input) throws -> ChatContext {
    let isRaw = settings.chatFormat.value == .raw
    return try Idefics2.Prompt(
      isRaw ? Array(input.turns.suffix(1)) : input.turns, by: isRaw ? nil : template,
      rowCount: perceiver.shape.latentCount, viewCount: viewCount
    ).context(by: tokenizer)
  }

  /// The token ids that a run reads.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions; what `context`
  ///   throws.
  public func ids(of input: Input) throws -> [Int] {
    let ids = try input.tokenIDs ?? context(of: input).ids
    guard !ids.isEmpty else { throw ModelError.emptyPrompt }
    try configuration.decoder.checkRows(of: ids)
    let limit = configuration.decoder.positionCount
    guard ids.count <= limit else {
      throw ModelError.promptTooLong(tokens: ids.count, limit: limit)
    }
    return ids
  }

  /// The ids of a prompt without a picture, as the only turn.
  public func promptIDs(_ prompt: String) throws -> [Int] { try ids(of: Input(prompt: prompt)) }

  /// Up to the first token that ends an answer.
  public var replyReading: StreamingDecoder.Reading {
    var reading = reading
    reading.ends = Set(endTokens)
    return reading
  }

  /// The words: a tag names no file, so pictures are given beside the text.
  public func pieces(of text: String) -> [ChatPiece] { [.words(text)] }
}
