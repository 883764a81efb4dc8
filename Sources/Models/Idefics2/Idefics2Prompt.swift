internal import Templates
internal import Tokenizers

extension Idefics2 {
  /// The published chat template, for a checkpoint that brings none.
  static let publishedTemplate = """
    {% for message in messages %}{{message['role'].capitalize()}}{% if message['content'][0]['type'] == 'image' %}\
    {{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}\
    {{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>
    {% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}
    """

  /// A conversation as the text that the published processor gives its tokenizer, and what each piece of it
  /// is.
  ///
  /// The chat template lays the conversation out; this knows how pictures are written into it.
  struct Prompt {
    /// A stretch of the text.
    struct Span {
      var text: String
      let kind: ChatContext.Kind
      let speaker: Input.Turn.Speaker
      let turn: Int?
    }

    /// What the template writes, a `<image>` a picture.
    private(set) var written = ""
    /// What is cut into tokens.
    private(set) var spans: [Span] = []
    /// Rows of each view among the words.
    let rowCount: Int
    /// Views of a picture that is split.
    let viewCount: Int
    private let pictures: [Input.Picture]
    private var pictureCount = 0

    static let (fake, image, end) = (
      "<fake_token_around_image>", "<image>", "<end_of_utterance>"
    )

    /// A conversation as a template lays it out, up to the word that the answer follows; without one what is
    /// said, as it is.
    ///
    /// - Throws: `ModelError` where tags and pictures are not as many, or words hold a mark; what the template
    ///   throws.
    init(
      _ turns: [Input.Turn], by template: ChatTemplate?, rowCount: Int, viewCount: Int
    ) throws {
      (self.rowCount, self.viewCount) = (rowCount, viewCount)
      let said = try turns.map { Input.Turn($0.speaker, try Self.content(of: $0)) }
      pictures = Input(turns: said).pictures
      if let template {
        try layOut(said, by: template)
      } else {
        for (index, turn) in said.enumerated() {
          for segment in turn.segments {
            switch segment {
            case .text(let words): add(words, .words, turn.speaker, index)
            case .picture: addPicture(turn.speaker, index)
            case .tokens: break
            }
          }
        }
      }
      separate()
    }

    /// What a turn says, pictures in the places of the tags in its words where it has some.
    private static func content(of turn: Input.Turn) throws(ModelError) -> [Input.Segment] {
      var (pictures, tags) = ([Input.Segment](), 0)
      for segment in turn.segments {
        switch segment {
        case .picture: pictures.append(segment)
        case .text(let words):
          tags += words.split(separator: image, omittingEmptySubsequences: false).count - 1
          for mark in [fake, end, "<s>", "</s>"] where words.contains(mark) {
            throw .markInWords(mark: mark)
          }
        case .tokens: break
        }
      }
      guard tags > 0 else { return turn.segments }
      guard tags == pictures.count else {
        throw .pictureTags(found: tags, tag: image, pictures: pictures.count)
      }
      var (content, next) = ([Input.Segment](), pictures.makeIterator())
      for segment in turn.segments {
        guard case .text(let words) = segment else { continue }
        for (index, piece) in words.split(separator: image, omittingEmptySubsequences: false)
          .enumerated()
        {
          if index > 0, let picture = next.next() { content.append(picture) }
          if !piece.isEmpty { content.append(.text(String(piece))) }
        }
      }
      return content
    }

    /// Has the template lay turns out, and finds what is said in what it writes.
    ///
    /// It is asked twice: with the words, and with a mark in place of each of them, between which stands what is
    /// the template's own.
    private mutating func layOut(_ turns: [Input.Turn], by template: ChatTemplate) throws {
      var words: [(text: String, turn: Int)] = []
      let marked = turns.enumerated().map { index, turn in
        Input.Turn(
          turn.speaker,
          turn.segments.map { segment in
            guard case .text(let text) = segment else { return segment }
            words.append((text, index))
            return .text(Self.open + "\(words.count - 1)" + Self.close)
          })
      }
      let pattern = try template.render(.init(Input(turns: marked))).text
      let whole = try template.render(.init(Input(turns: turns))).text
      var turn = 0
      func speaker() -> Input.Turn.Speaker {
        turns.indices.contains(turn) ? turns[turn].speaker : .assistant
      }
      for piece in pattern.pieces(between: [Self.image, Self.end + "\n", Self.open]) {
        let place = turns.indices.contains(turn) ? turn : nil
        switch piece {
        case Self.image: addPicture(speaker(), place)
        case Self.end + "\n":
          add(piece, .frame, speaker(), place)
          turn += 1
        case Self.open: break
        default:
          // Behind a mark's beginning stands its number.
          let parts = piece.split(separator: Self.close, omittingEmptySubsequences: false)
          if parts.count == 2, let number = Int(parts[0]), words.indices.contains(number) {
            turn = words[number].turn
            add(words[number].text, .words, speaker(), turn)
          }
          add(String(parts.last ?? ""), .frame, speaker(), place)
        }
      }
      if written != whole {
        // The template changes what is said, so where that stands is not known.
        (written, spans, pictureCount) = ("", [], 0)
        for piece in whole.pieces(between: [Self.image]) {
          if piece == Self.image { addPicture(.user, nil) } else { add(piece, .frame, .user, nil) }
        }
      }
      guard pictureCount == pictures.count else {
        throw ModelError.pictureTags(
          found: pictureCount, tag: Self.image, pictures: pictures.count)
      }
    }

    /// What stands around a word's number in place of it: scalars that no text has by itself.
    private static let (open, close) = ("\u{F8FE}", "\u{F8FD}")

    private mutating func add(
      _ text: String, _ kind: ChatContext.Kind, _ speaker: Input.Turn.Speaker, _ turn: Int?
    ) {
      guard !text.isEmpty else { return }
      written += text
      spans.append(Span(text: text, kind: kind, speaker: speaker, turn: turn))
    }

    /// The next picture's rows between marks, of one that is split its views' one after the other; what two
    /// pictures or views that touch have between them is one mark.
    private mutating func addPicture(_ speaker: Input.Turn.Speaker, _ turn: Int?) {
      written += Self.image
      defer { pictureCount += 1 }
      guard pictures.indices.contains(pictureCount) else { return }
      let views = pictures[pictureCount].viewCount(each: viewCount)
      let mark = Span(text: Self.fake, kind: .frame, speaker: speaker, turn: turn)
      if spans.last?.text != Self.fake { spans.append(mark) }
      for view in 0..<views {
        spans.append(
          Span(
            text: String(repeating: Self.image, count: rowCount),
            kind: .picture(pictureCount, view: views > 1 ? view : nil), speaker: speaker,
            turn: turn))
        spans.append(mark)
      }
    }

    /// Puts a space between a picture and what follows it, unless that begins with white space or `<`.
    private mutating func separate() {
      for index in spans.indices.dropLast() where spans[index].text == Self.fake {
        guard let first = spans[index + 1].text.unicodeScalars.first, first != "<",
          !first.properties.isWhitespace
        else { continue }
        spans[index + 1].text = " " + spans[index + 1].text
      }
    }
  }
}

extension String {
  /// The text cut before and behind each of some marks, which are pieces of their own; nothing is left out but
  /// empty pieces.
  fileprivate func pieces(between marks: [String]) -> [String] {
    var pieces: [String] = []
    var (start, place) = (startIndex, startIndex)
    while place < endIndex {
      guard let mark = marks.first(where: { self[place...].hasPrefix($0) }) else {
        formIndex(after: &place)
        continue
      }
      if start < place { pieces.append(String(self[start..<place])) }
      pieces.append(mark)
      place = index(place, offsetBy: mark.count)
      start = place
    }
    if start < endIndex { pieces.append(String(self[start...])) }
    return pieces
  }
}
extension Idefics2.Prompt {
  /// The tokens, each with what it is.
  ///
  /// The text is cut as one, for tokens reach over the ends of what somebody says: a token belongs to the
  /// stretch that its last byte lies in.
  func context(by tokenizer: any Tokenizer) throws -> ChatContext {
    let ids = try tokenizer.encode(
      spans.map(\.text).joined(),
      options: EncodingOptions(addSpecialTokens: true, parseSpecialTokens: .all))
    let begin = tokenizer.id(for: .beginning)
    var ends: [Int] = []  // of each span, in bytes
    for span in spans { ends.append((ends.last ?? 0) + span.text.utf8.count) }
    let lengths = ids.map { id in
      tokenizer.isSpecial(id)
        ? tokenizer.token(id)?.utf8.count ?? 0 : tokenizer.spelledBytes(id).count
    }
    // Where the text between two marks begins with a blank that the tokenizer put there, that is no byte of
    // the text; marks themselves have the length of their names.
    var builder = ContextBuilder()
    var (span, position) = (0, 0)
    var index = 0
    func add(_ id: Int, endingAt end: Int) {
      while span < spans.count - 1, end > ends[span] { span += 1 }
      guard spans.indices.contains(span) else { return }
      builder.add(
        [id], "", spans[span].kind, spans[span].speaker, turn: spans[span].turn)
    }
    while index < ids.count {
      if index == 0, ids[0] == begin {
        // It stands before the text.
        add(ids[0], endingAt: 0)
        index += 1
        continue
      }
      if tokenizer.isSpecial(ids[index]) {
        position += lengths[index]
        add(ids[index], endingAt: position)
        index += 1
        continue
      }
      var last = index
      while last + 1 < ids.count, !tokenizer.isSpecial(ids[last + 1]) { last += 1 }
      let length = lengths[index...last].reduce(0, +)
      let room = nextMark(from: position, ends) - position
      position -= max(0, length - room)
      for token in index...last {
        position += lengths[token]
        add(ids[token], endingAt: position)
      }
      index = last + 1
    }
    return ChatContext(ids: ids, text: written, parts: builder.context.parts)
  }

  /// Where the next mark after a place begins, or the text ends.
  private func nextMark(from position: Int, _ ends: [Int]) -> Int {
    for (index, span) in spans.enumerated() {
      let start = ends[index] - span.text.utf8.count
      guard start >= position else { continue }
      if span.text == Self.fake || span.text.hasPrefix(Self.end) { return start }
      if case .picture = span.kind { return start }
    }
    return ends.last ?? 0
  }
}
