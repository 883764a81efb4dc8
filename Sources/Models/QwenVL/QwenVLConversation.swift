internal import Generation
public import Tokenizers

extension QwenVL.Model: ChatModel {
  private static let (begin, end, text) = ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
  private static let person = "Human:"
  private static let (pictureStart, pictureEnd) = ("<img>", "</img>")

  /// ChatML, or the last thing that was said.
  public var chatFormats: [GenerationSettings.ChatFormat] { Self.chatFormats }
  static let chatFormats = [GenerationSettings.ChatFormat.chatml, .raw]

  private func special(_ name: String) -> [Int] { tokenizer.id(name).map { [$0] } ?? [] }

  /// The marks of turns; of the raw format what the next person's line begins with, and the end of a text.
  public var formatStopSequences: [[Int]] {
    switch settings.chatFormat.value {
    case .chatml: [special(Self.end), special(Self.begin)].filter { !$0.isEmpty }
    default: [tokenizer.encode(Self.person, addSpecialTokens: false), special(Self.text)]
    }
  }

  /// The single tokens that end an answer.
  var endTokens: [Int] {
    settings.endTokens.value + stopSequences.filter { $0.count == 1 }.map { $0[0] }
  }

  /// As much of the history as fits `max_window_size` beside what the system says.
  ///
  /// From the newest pair of turns back, as the published `make_context` goes; what the person says now is
  /// not counted.
  public func reading(_ conversation: Input) throws -> (input: Input, cut: Int) {
    var turns = conversation.turns
    guard let last = turns.popLast() else { throw ModelError.emptyPrompt }
    if settings.chatFormat.value == .raw {
      // Nothing fell off: in this format nothing goes before what is asked.
      return (Input(turns: [last]), 0)
    }
    let system = turns.first?.speaker == .system ? turns.removeFirst() : nil
    let limit = settings.maxWindowSize.value
    var length = try counted { try add(system ?? systemTurn, turn: nil, to: &$0) }
    var kept: [Input.Turn] = []
    var cut = 0
    while !turns.isEmpty {
      // A pair is what the person said and the answer to it.
      var pair = [turns.removeLast()]
      while pair[0].speaker != .user, let before = turns.popLast() { pair.insert(before, at: 0) }
      let added = try counted { builder in
        for turn in pair {
          addLine(turn.speaker, turn: nil, to: &builder)
          try add(turn, turn: nil, to: &builder)
        }
      }
      guard length + added < limit else {
        cut = ([pair] + [turns]).joined().count(where: { $0.speaker == .user })
        break
      }
      length += added
      kept = pair + kept
    }
    return (Input(turns: (system.map { [$0] } ?? []) + kept + [last]), cut)
  }

  /// What the published code tells the model where nobody says otherwise.
  private var systemTurn: Input.Turn {
    Input.Turn(.system, [.text("You are a helpful assistant.")])
  }

  private func counted(_ body: (inout ContextBuilder) throws -> Void) rethrows -> Int {
    var builder = ContextBuilder()
    try body(&builder)
    return builder.ids.count
  }

  /// The tokens of a conversation, and what each of them is.
  ///
  /// - Throws: for a picture whose name is too long, or words that hold a picture's tags.
  public func context(of input: Input) throws -> ChatContext {
    var builder = ContextBuilder()
    guard settings.chatFormat.value == .chatml else {
      let last = input.turns.indices.last
      if let last { try addContent(input.turns[last], turn: last, to: &builder) }
      return builder.context
    }
    let isOwn = input.turns.first?.speaker == .system
    if !isOwn { try add(systemTurn, turn: nil, to: &builder) }
    for (index, turn) in input.turns.enumerated() {
      if index > 0 || !isOwn { addLine(turn.speaker, turn: index, to: &builder) }
      try add(turn, turn: index, to: &builder)
    }
    addLine(.assistant, turn: nil, to: &builder)
    addHead(.assistant, turn: nil, to: &builder)
    return builder.context
  }

  /// Adds a turn between its marks.
  private func add(_ turn: Input.Turn, turn index: Int?, to builder: inout ContextBuilder) throws {
    addHead(turn.speaker, turn: index, to: &builder)
    try addContent(turn, turn: index, to: &builder)
    builder.add(special(Self.end), Self.end, .frame, turn.speaker, turn: index)
  }

  private func addLine(
    _ speaker: Input.Turn.Speaker, turn index: Int?, to builder: inout ContextBuilder
  ) {
    builder.add(
      tokenizer.encode("\n", addSpecialTokens: false), "\n", .frame, speaker, turn: index)
  }

  private func addHead(
    _ speaker: Input.Turn.Speaker, turn index: Int?, to builder: inout ContextBuilder
  ) {
    builder.add(special(Self.begin), Self.begin, .frame, speaker, turn: index)
    let name = speaker.rawValue
    builder.add(
      tokenizer.encode(name, addSpecialTokens: false), name, .frame, speaker, turn: index)
    addLine(speaker, turn: index, to: &builder)
  }

  /// What is said, pictures written among the words as the published `from_list_format` writes them.
  private func addContent(
    _ turn: Input.Turn, turn index: Int?, to builder: inout ContextBuilder
  ) throws {
    var text = ""
    var pictures = 0
    for segment in turn.segments {
      switch segment {
      case .text(let words):
        if let tag = [Self.pictureStart, Self.pictureEnd].first(where: { words.contains($0) }) {
          throw ModelError.pictureTagInWords(tag: tag)
        }
        text += words
      case .picture(_, let mention):
        pictures += 1
        guard mention.name.utf8.count <= Self.longestName else {
          throw ModelError.pictureNameTooLong(
            name: mention.name, bytes: mention.name.utf8.count, limit: Self.longestName)
        }
        text += mention.written(as: pictures)
      case .tokens(let ids, _):
        builder.add(
          ids, tokenizer.decode(ids, skipSpecialTokens: false), .words, turn.speaker, turn: index)
      }
    }
    let ids = try tokenizer.encodePictures(text)
    let before = places(of: builder.ids).count
    var end = 0
    for (number, place) in places(of: ids).enumerated() {
      builder.add(
        Array(ids[end..<place.lowerBound]), "", .words, turn.speaker, turn: index)
      builder.add(
        Array(ids[place]), "", .picture(before + number), turn.speaker, turn: index)
      end = place.upperBound
    }
    builder.add(Array(ids[end...]), text, .words, turn.speaker, turn: index)
  }

  /// The published model finds a path only where at least one `<imgpad>` follows within its places less one.
  private static let longestName = 254

  /// The token ids that a run reads.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions.
  public func ids(of input: Input) throws -> [Int] {
    let shape = configuration.decoder
    let ids = try input.tokenIDs ?? context(of: input).ids
    guard !ids.isEmpty else { throw ModelError.emptyPrompt }
    try shape.checkRows(of: ids)
    if let place = places(of: ids).last(where: { place in
      place.upperBound >= ids.count || ids[place.upperBound] != configuration.imageStartToken + 1
    }) {
      throw ModelError.badTokenIDs(
        found:
          "begin a picture at \(place.lowerBound - 1) that does not end at \(place.upperBound)",
        expected: "\(place.count) places between <img> and </img>")
    }
    guard ids.count <= shape.positionCount else {
      throw ModelError.promptTooLong(tokens: ids.count, limit: shape.positionCount)
    }
    return ids
  }

  /// The ids of a prompt without a picture, as the only turn.
  public func promptIDs(_ prompt: String) throws -> [Int] { try ids(of: Input(prompt: prompt)) }

  /// What marks turns is left out, names and boxes stay.
  public var reading: StreamingDecoder.Reading {
    var reading = StreamingDecoder.Reading(skipsSpecialTokens: false)
    reading.trims = true
    reading.leftOut = Set([Self.begin, Self.end, Self.text].flatMap(special))
    return reading
  }

  /// As the published `decode_tokens` reads an answer: up to the first token that ends one; where none was
  /// written, without the last token.
  public var replyReading: StreamingDecoder.Reading {
    var reading = StreamingDecoder.Reading(skipsSpecialTokens: false)
    reading.trims = true
    guard settings.chatFormat.value == .chatml else {
      reading.ends = Set(special(Self.text))
      reading.leftOutTexts = [Self.person]
      return reading
    }
    reading.ends = Set(special(Self.end) + special(Self.begin))
    reading.dropsLastWithoutEnd = true
    return reading
  }

  /// `<img>path</img>`.
  public var hasPictureTag: Bool { true }

  /// What stands between `<img>` and `</img>` is the path of a picture.
  public func pieces(of text: String) throws -> [ChatPiece] {
    // The tokenizer knows which tags fit, and says where they do not.
    if text.contains(Self.pictureStart) || text.contains(Self.pictureEnd) {
      _ = try tokenizer.encodePictures(text)
    }
    var pieces: [ChatPiece] = []
    var rest = text[...]
    while let start = rest.firstRange(of: Self.pictureStart),
      let end = rest[start.upperBound...].firstRange(of: Self.pictureEnd)
    {
      if start.lowerBound > rest.startIndex {
        pieces.append(.words(String(rest[..<start.lowerBound])))
      }
      pieces.append(.picture(path: String(rest[start.upperBound..<end.lowerBound])))
      rest = rest[end.upperBound...]
    }
    if !rest.isEmpty || pieces.isEmpty { pieces.append(.words(String(rest))) }
    return pieces
  }
}

extension Tokenizer {
  /// The ids of what is said in a conversation: of special tokens those alone are found that stand around
  /// pictures, names and places, so that nobody can end a turn by typing its mark.
  fileprivate func encodePictures(_ text: String) throws -> [Int] {
    try encode(
      text, options: EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .pictureTags))
  }
}
