internal import Characters
internal import Models
internal import Runtime

/// What was said, turn by turn: a system's turn, if somebody gave one, then questions and answers.
struct Conversation: ForeignObject {
  /// The turns as a model is given them.
  private(set) var turns: [Input.Turn] = []
  /// The pictures in them, in order.
  private(set) var pictures: [Picture] = []

  /// What the model is given.
  var input: Input { Input(turns: turns) }

  /// What somebody says, with the pictures in it.
  mutating func add(_ speaker: Input.Turn.Speaker, _ message: Message) {
    turns.append(Input.Turn(speaker, message.segments))
    pictures += message.pictures
  }

  /// What an answer says.
  mutating func add(answer text: String) { turns.append(Input.Turn(.assistant, [.text(text)])) }

  /// The same with a run's answer behind it, in place of an earlier answer to the same question.
  func answered(by run: Run) -> Conversation {
    var copy = self
    if copy.turns.last?.speaker == .assistant { copy.turns.removeLast() }
    copy.add(answer: run.answer?.text ?? "")
    return copy
  }

  /// Without the last question and the answer to it; without a question it stays as it is.
  mutating func removeLastPair() {
    guard let last = turns.lastIndex(where: { $0.speaker == .user }) else { return }
    turns.removeSubrange(last...)
    pictures.removeLast(pictures.count - input.pictures.count)
  }

  /// The system's turn replaced by another.
  mutating func setSystem(_ text: String) {
    if turns.first?.speaker == .system { turns.removeFirst() }
    turns.insert(Input.Turn(.system, [.text(text)]), at: 0)
  }

  /// Questions, each with its answer.
  var pairs: [(question: String, answer: String)] {
    var pairs: [(question: String, answer: String)] = []
    for turn in turns {
      switch turn.speaker {
      case .system: continue
      case .user: pairs.append((turn.written, ""))
      case .assistant:
        if !pairs.isEmpty { pairs[pairs.count - 1].answer += turn.written }
      }
    }
    return pairs
  }

  var typeName: String { "Conversation" }
  var brief: String { pairs.count.counted(as: "question") + " with answers" }
  var shown: String {
    pairs.isEmpty
      ? "nothing was said yet"
      : pairs.map { "> \($0.question.visible)\n\($0.answer.visible)" }.joined(separator: "\n")
  }

  var elementCount: Int? { pairs.count }

  /// A question with its answer; of a slice, a conversation of those, which a model reads as if nothing
  /// else had been said.
  func element(_ index: Value) throws -> Value? {
    if case .slice(let slice) = index {
      guard let chosen = slice.indices(count: pairs.count) else {
        throw RuntimeFailure(.value, "a slice's step cannot be 0")
      }
      let numbers = stride(from: chosen.start, to: chosen.stop, by: chosen.step)
      return .object(choosing(Array(numbers)))
    }
    guard let number = index.integer else { return nil }
    let pairs = pairs
    let place = number < 0 ? number + pairs.count : number
    guard pairs.indices.contains(place) else {
      throw RuntimeFailure(
        .index, "question \(number) is outside a conversation of \(pairs.count)")
    }
    return .tuple([.text(pairs[place].question), .text(pairs[place].answer)])
  }

  /// Some of the questions with their answers, and the system's turn.
  private func choosing(_ numbers: [Int]) -> Conversation {
    var chosen = Conversation()
    var pairs: [(turns: ArraySlice<Input.Turn>, pictures: ArraySlice<Picture>)] = []
    var first = pictures.startIndex
    for (place, turn) in turns.enumerated() {
      let count = Input(turns: [turn]).pictures.count
      let own = pictures[first..<min(first + count, pictures.count)]
      first += own.count
      switch turn.speaker {
      case .system: chosen.turns.append(turn)
      case .user: pairs.append((turns[place...place], own))
      case .assistant:
        guard let last = pairs.indices.last else { continue }
        pairs[last].turns = turns[pairs[last].turns.startIndex...place]
      }
    }
    for number in numbers {
      chosen.turns += pairs[number].turns
      chosen.pictures += pairs[number].pictures
    }
    return chosen
  }

  var attributeNames: [String] { ["images"] }
  func attribute(_ attribute: String) throws -> Value? {
    attribute == "images" ? .newList(pictures.map { .object($0) }) : nil
  }
}

extension Input.Turn {
  /// The turn as one text, pictures as their paths, between `<img>` and `</img>` where the model has that tag.
  var written: String {
    var number = 0
    return segments.map { segment in
      switch segment {
      case .text(let text): return text
      case .tokens: return ""
      case .picture(_, let mention):
        number += 1
        return mention.written(as: number)
      }
    }.joined()
  }
}

/// What somebody says: words, and pictures among them.
struct Message: ForeignObject {
  private(set) var segments: [Input.Segment] = []
  private(set) var pictures: [Picture] = []

  /// Nothing yet.
  init() {}

  mutating func add(_ words: String) { if !words.isEmpty { segments.append(.text(words)) } }

  mutating func add(_ picture: Picture, _ mention: Input.Mention) {
    segments.append(.picture(.image(picture.image), mention))
    pictures.append(picture)
  }

  /// The picture that was added last; nothing may stand behind it.
  mutating func removeLast() {
    segments.removeLast()
    pictures.removeLast()
  }

  mutating func add(_ other: Message) {
    segments += other.segments
    pictures += other.pictures
  }

  var typeName: String { "Message" }
  var written: String { Input.Turn(.user, segments).written }
  var brief: String { Value.text(written).inMessage }
  var shown: String { written.visible }
  var attributeNames: [String] { ["text", "images"] }
  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "text": .text(written)
    case "images": .newList(pictures.map { .object($0) })
    default: nil
    }
  }
}

/// Makes messages of what a person gives.
struct MessageReader {
  let model: any ChatModel
  var label = Input.Mention.Label.spaced
  /// Opens the picture of a path.
  let open: (String) throws -> Picture

  init(
    model: any ChatModel, label: Input.Mention.Label = .spaced,
    open: @escaping (String) throws -> Picture
  ) {
    (self.model, self.label, self.open) = (model, label, open)
  }

  /// A message of a text, a picture, a message, or a list of these and of `{"image": …}`, `{"text": …}`,
  /// `{"ref": …}`, `{"box": …}`.
  func message(_ value: Value, _ parameter: String) throws -> Message {
    var message = Message()
    if let text = value.text {
      try add(text, to: &message)
      return message
    }
    switch value {
    case .object(let object):
      if let other = object as? Message { return other }
      if let picture = object as? Picture {
        message.add(picture, mention(of: picture))
        return message
      }
    case .list, .tuple:
      for element in value.parts ?? [] { message.add(try self.message(element, parameter)) }
      return message
    case .dictionary(let mapping):
      try add(mapping, parameter, to: &message)
      return message
    default: break
    }
    throw ArgumentFailure(
      parameter: parameter,
      "must be a text, a picture or a list of them, not \(value.inMessage)")
  }

  private func mention(of picture: Picture) -> Input.Mention {
    mention(picture.path ?? picture.name)
  }

  private func mention(_ name: String) -> Input.Mention {
    Input.Mention(name, label: label, hasTag: model.hasPictureTag)
  }

  /// A text, in which the model's own tags may name pictures.
  func add(_ text: String, to message: inout Message) throws {
    for piece in try model.pieces(of: text) {
      switch piece {
      case .words(let words): message.add(words)
      case .picture(let path):
        guard !path.isEmpty else {
          throw RuntimeFailure(
            .value,
            "between <img> and </img> stands no path; the path of a picture is to stand there")
        }
        message.add(try open(path), Input.Mention(path, label: .none))
      }
    }
  }

  /// A picture's file.
  func add(picture path: String, to message: inout Message) throws {
    message.add(try open(path), mention(path))
  }

  /// One entry of the published `from_list_format`.
  private func add(_ entry: Mapping, _ parameter: String, to message: inout Message) throws {
    func text(_ key: String) throws -> String? {
      guard let value = entry[key] else { return nil }
      guard let text = value.text else {
        throw ArgumentFailure(
          parameter: parameter, "holds \"\(key)\": \(value.inMessage), which must be a text")
      }
      return text
    }
    if let image = entry["image"] {
      if let path = image.text {
        try add(picture: path, to: &message)
      } else if case .object(let object) = image, let picture = object as? Picture {
        message.add(picture, mention(of: picture))
      } else {
        throw ArgumentFailure(
          parameter: parameter,
          "holds \"image\": \(image.inMessage), which must be a path or a picture")
      }
    } else if let words = try text("text") {
      try add(words, to: &message)
    } else if entry["ref"] != nil || entry["box"] != nil {
      if let ref = try text("ref") { message.add("<ref>\(ref)</ref>") }
      if let box = entry["box"] { message.add(try boxes(box, parameter)) }
    } else {
      throw ArgumentFailure(
        parameter: parameter,
        "holds \(Value.dictionary(entry).inMessage), which has none of \"image\", \"text\", \"ref\" "
          + "and \"box\"")
    }
  }

  /// Boxes as words: four numbers, an answer's box, a list of these, or words between the tags.
  private func boxes(_ value: Value, _ parameter: String) throws -> String {
    if let words = value.text { return "<box>\(words)</box>" }
    if case .object(let object) = value, let box = object as? AnswerBox { return box.text }
    let parts = value.parts ?? []
    let numbers = parts.compactMap(\.integer)
    if parts.count == 4, numbers.count == 4 {
      return "<box>(\(numbers[0]),\(numbers[1])),(\(numbers[2]),\(numbers[3]))</box>"
    }
    guard !parts.isEmpty, numbers.isEmpty else {
      throw ArgumentFailure(
        parameter: parameter,
        "holds \"box\": \(value.inMessage), which must be four whole numbers or a list of such boxes"
      )
    }
    return try parts.map { try boxes($0, parameter) }.joined()
  }

  /// A conversation so far: nothing, an answer of `chat`, its history, or a list of pairs of texts.
  func conversation(_ value: Value, _ parameter: String) throws -> Conversation {
    switch value {
    case .none: return Conversation()
    case .object(let object):
      if let conversation = object as? Conversation { return conversation }
      if let run = object as? Run, let history = run.history { return history }
    case .list(let list):
      var conversation = Conversation()
      for pair in list.values {
        guard let parts = pair.parts, parts.count == 2, let answer = parts[1].text else {
          throw ArgumentFailure(
            parameter: parameter,
            "must be a list of pairs of question and answer; it holds \(pair.inMessage)")
        }
        conversation.add(.user, try message(parts[0], parameter))
        conversation.add(answer: answer)
      }
      return conversation
    default: break
    }
    throw ArgumentFailure(
      parameter: parameter,
      "must be an answer of chat(), its history, or a list of pairs of question and answer, not "
        + value.inMessage)
  }
}

extension Value {
  /// What a list or a tuple holds; nil for others.
  var parts: [Value]? {
    switch self {
    case .list(let list): list.values
    case .tuple(let values): values
    default: nil
    }
  }
}
