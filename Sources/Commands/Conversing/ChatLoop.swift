internal import Budget
internal import Characters
internal import Files
public import Foundation
internal import Generation
internal import Images
public import Models
public import Runtime
internal import Tracing

/// A conversation that goes on, for a prompt or a command line.
public struct ChatLoop {
  /// An answer, or what there was of it when it was stopped.
  public struct Reply: Sendable {
    /// What was written.
    public let text: String
    /// Tokens that were written.
    public let tokenCount: Int
    /// Why it ended: `end_token`, `max_new_tokens`, `context_full` or `stopped`.
    public let ending: String
    /// The run that wrote it; nil where it was stopped.
    let run: Run?
    /// Whether somebody stopped it.
    public var wasStopped: Bool { ending == Self.stopped }

    static let stopped = "stopped"
  }

  private let session: Session
  private let model: LoadedModel
  private let label: Input.Mention.Label
  private let options: GenerationOptions
  private var conversation = Conversation()
  /// Pictures that the next question is about.
  private var waiting = Message()
  /// The run that wrote the last answer; nil where that was stopped or taken back.
  private var lastRun: Run?

  /// A conversation with the session's model.
  ///
  /// - Parameters:
  ///   - label: what introduces a picture among words.
  ///   - maxNewTokens: the most tokens of an answer; nil for what the model's settings say.
  ///   - isGreedy: whether the likeliest token is taken each time, whatever they say.
  /// - Throws: where it does not converse.
  public init(
    _ session: Session, label: Input.Mention.Label = .spaced, maxNewTokens: Int? = nil,
    isGreedy: Bool = false
  ) throws {
    (self.session, self.label) = (session, label)
    model = try session.performing { try session.able(.chatting, for: "chat").model }
    var options = try model.chatOptions(for: "chat")
    if isGreedy { options.doSample = false }
    if let maxNewTokens { options.maxNewTokens = maxNewTokens }
    self.options = options
  }

  /// What the model is called.
  public var modelName: String { model.name }

  /// What a person is to know of the model before the first question; nil for most.
  public var advice: String? {
    model.folder == ShippedModel.folder
      ? "\(model.name) was trained on single questions; load(\"small-qwen-vl\") reads a model that converses"
      : nil
  }

  /// Puts a picture before the next question.
  ///
  /// - Returns: its name and size.
  public mutating func attach(_ path: String) throws -> String {
    var message = waiting
    try session.performing {
      try session.messages(for: model, label: label.rawValue).add(picture: path, to: &message)
    }
    waiting = message
    return message.pictures.last?.shown ?? ""
  }

  /// Asks, and remembers question and answer; a stopped answer is kept as far as it came.
  ///
  /// - Parameter onWords: gets the answer's words as they come.
  /// - Throws: where the question cannot be asked; the conversation is then as before.
  public mutating func ask(_ text: String, onWords: (String) -> Void) throws -> Reply {
    var (next, message) = (conversation, waiting)
    let reply = try session.performing {
      try session.messages(for: model).add(text, to: &message)
      next.add(.user, message)
      return try answer(next, onWords: onWords)
    }
    next.add(answer: reply.text)
    (conversation, waiting, lastRun) = (next, Message(), reply.run)
    return reply
  }

  /// Answers a conversation that a file holds.
  ///
  /// - Throws: where the file is no list of messages that ends with a question.
  public func answer(
    messages file: URL, onWords: (String) -> Void = { _ in }
  ) throws -> Reply {
    try session.performing {
      try answer(
        MessagesFile(file).conversation(session.messages(for: model, label: label.rawValue)),
        onWords: onWords)
    }
  }

  private func answer(_ conversation: Conversation, onWords: (String) -> Void) throws -> Reply {
    var (text, written) = ("", 0)
    do {
      let run = try Run.answering(
        conversation, by: model, options: options, keep: "", in: session, tellsStop: false
      ) { words in
        text += words
        written += 1
        if !words.isEmpty { onWords(words) }
      }
      try session.checkFinite(run)
      let generated = run.answer?.answer.generated
      return Reply(
        text: run.answer?.text ?? "", tokenCount: generated?.tokens.count ?? 0,
        ending: (generated?.ending ?? .endToken).name, run: run)
    } catch let error {
      guard session.isCancelled, written > 0 else { throw error }
      return Reply(text: text, tokenCount: written, ending: Reply.stopped, run: nil)
    }
  }

  /// Questions and answers so far; nil where there are none.
  public var history: String? { conversation.pairs.isEmpty ? nil : conversation.shown }

  /// What remains of it when it is over: the last answer with its history; where that was stopped or taken
  /// back the history alone; nil where nothing was said.
  public var result: Value? {
    conversation.pairs.isEmpty ? nil : .object(lastRun ?? conversation)
  }

  /// Takes the last picture back that waits for a question, or else the last question and its answer.
  ///
  /// - Returns: what was taken back; nil where there is nothing.
  public mutating func back() -> String? {
    if let picture = waiting.pictures.last {
      waiting.removeLast()
      return picture.path ?? picture.name
    }
    lastRun = nil
    let last = conversation.pairs.last?.question
    conversation.removeLastPair()
    return last
  }

  /// Writes the conversation as messages; `--messages` reads them, with a question behind.
  ///
  /// - Returns: the file.
  public func save(to path: String) throws -> String {
    let url = try session.writableURL(for: path)
    try WholeFile.write(
      Array((MessagesFile.json(conversation).written() + "\n").utf8), to: url)
    return url.path
  }
}

extension Ending {
  /// The ending as programs read it.
  fileprivate var name: String {
    switch self {
    case .endToken: "end_token"
    case .maxNewTokens: "max_new_tokens"
    case .contextFull: "context_full"
    }
  }
}

/// A conversation in a file, as transformers' chat templates take it: a list of
/// `{"role": …, "content": …}`, the content a text or a list of `{"type": "image", "image": PATH}` and
/// `{"type": "text", "text": …}`.
struct MessagesFile {
  private let url: URL
  private let entries: [JSON]

  /// Reads a file.
  init(_ url: URL) throws {
    self.url = url
    let json = try JSON(file: url)
    guard let entries = json.array, !entries.isEmpty else {
      throw BadMessages(
        file: url.path, place: "the file",
        found: json.array == nil ? json.kindName : "an empty list",
        expected: "a list of messages")
    }
    self.entries = entries
  }

  /// The conversation; pictures are read by `reader`.
  func conversation(_ reader: MessageReader) throws -> Conversation {
    var conversation = Conversation()
    for (index, entry) in entries.enumerated() {
      let place = "message \(index + 1)"
      let role = entry["role"]?.text
      guard let speaker = role.flatMap(Input.Turn.Speaker.init(rawValue:)) else {
        throw bad(
          "the role of \(place)", role.map { "'\($0)'" } ?? "absent",
          "'system', 'user' or 'assistant'")
      }
      guard speaker != .system || index == 0 else {
        throw bad(
          "the role of \(place)", "'system'", "'user' or 'assistant': a system speaks first")
      }
      guard speaker != .system || reader.model.readsSystem else {
        throw bad(
          "the role of \(place)", "'system'",
          "'user' or 'assistant': the model has no place for what a system says")
      }
      conversation.add(speaker, try message(entry["content"], place, reader))
    }
    guard conversation.turns.last?.speaker == .user else {
      throw bad(
        "the last role", "'\(conversation.turns.last?.speaker.rawValue ?? "")'",
        "'user', whose question is answered")
    }
    return conversation
  }

  private func message(
    _ content: JSON?, _ place: String, _ reader: MessageReader
  ) throws -> Message {
    var message = Message()
    if let text = content?.text {
      try reader.add(text, to: &message)
      return message
    }
    guard let parts = content?.array else {
      throw bad("the content of \(place)", content?.kindName ?? "absent", "a text or a list")
    }
    for (number, part) in parts.enumerated() {
      let where_ = "part \(number + 1) of \(place)"
      switch part["type"]?.text {
      case "text":
        guard let text = part["text"]?.text else {
          throw bad("'text' in \(where_)", part["text"]?.kindName ?? "absent", "a text")
        }
        try reader.add(text, to: &message)
      case "image":
        guard let path = part["image"]?.text ?? part["path"]?.text else {
          throw bad(
            "'image' in \(where_)", part["url"] == nil ? "absent" : "a 'url'",
            "the path of a picture's file")
        }
        try reader.add(picture: path, to: &message)
      case let type:
        throw bad(
          "the type of \(where_)", type.map { "'\($0)'" } ?? "absent", "'image' or 'text'")
      }
    }
    return message
  }

  private func bad(_ place: String, _ found: String, _ expected: String) -> BadMessages {
    BadMessages(file: url.path, place: place, found: found, expected: expected)
  }

  /// A conversation as such a list.
  static func json(_ conversation: Conversation) -> JSON {
    .array(
      conversation.turns.map { turn in
        let parts = turn.segments.map { segment -> JSON in
          switch segment {
          case .text(let text): ["type": "text", "text": .string(text)]
          case .picture(_, let mention): ["type": "image", "image": .string(mention.name)]
          case .tokens: ["type": "text", "text": ""]
          }
        }
        return ["role": .string(turn.speaker.rawValue), "content": .array(parts)]
      })
  }
}

/// A file of messages that is not what it should be.
struct BadMessages: HasExitCode, CustomStringConvertible {
  let file: String
  let place: String
  let found: String
  let expected: String

  var exitCode: Int32 { ExitCode.badData }
  var description: String { "\(file): \(place) is \(found), but must be \(expected)" }
}
