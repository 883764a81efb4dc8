internal import Generation
public import Tokenizers

/// A model that holds a conversation: the same model each time, given all that was said before.
public protocol ChatModel: WritingModel, SeeingModel {
  /// How it converses and writes, and where each value came from.
  var settings: GenerationSettings { get set }
  /// The layouts of a conversation that it knows, the usual one first.
  var chatFormats: [GenerationSettings.ChatFormat] { get }
  /// Sequences of tokens of which each ends an answer in the chat format that is in force.
  var formatStopSequences: [[Int]] { get }
  /// Whether it reads what a system says before the first question.
  var readsSystem: Bool { get }
  /// What the model reads of a conversation that ends with what the person says: as much of the history
  /// as its window holds.
  ///
  /// - Returns: the input, and how many of the person's turns fell off.
  /// - Throws: where what the person says cannot be read.
  func reading(_ conversation: Input) throws -> (input: Input, cut: Int)
  /// The tokens that the model reads of an input that `reading` gave, and what each of them is.
  func context(of input: Input) throws -> ChatContext
  /// Which of the tokens that were written are the answer, as the published code reads it; all that are text,
  /// unless the family says otherwise.
  var replyReading: StreamingDecoder.Reading { get }
  /// Whether a text names pictures by itself, between tags.
  var hasPictureTag: Bool { get }
  /// Pictures that a text names by itself, in the model's own way, in order; its words between.
  ///
  /// - Throws: where tags do not fit.
  func pieces(of text: String) throws -> [ChatPiece]
}

extension ChatModel {
  /// It does.
  public var readsSystem: Bool { true }

  /// Sequences of tokens of which each ends an answer: those that the settings name, then those of the chat
  /// format.
  public var stopSequences: [[Int]] { settings.stopWords.value + formatStopSequences }

  /// None, unless the family says otherwise.
  public var hasPictureTag: Bool { false }

  /// All that are text.
  public var replyReading: StreamingDecoder.Reading { reading }

  /// The answer in the tokens that were written, as the published code reads it.
  public func reply(in tokens: [Int]) -> String { tokenizer.decode(tokens, as: replyReading) }
}

/// A piece of what somebody types.
public enum ChatPiece: Sendable, Equatable {
  /// Words.
  case words(String)
  /// The path of a picture that stands there.
  case picture(path: String)
}

/// What a conversation is to a model: one list of tokens, and what each of them is.
public struct ChatContext: Sendable, Equatable {
  /// What a run of tokens is.
  public enum Kind: Sendable, Equatable {
    /// What marks turns and who speaks.
    case frame
    /// What somebody says.
    case words
    /// The places of a picture, counted from 0; where a model splits pictures those of one view of it.
    case picture(Int, view: Int? = nil)
  }

  /// A run of tokens.
  public struct Part: Sendable, Equatable {
    /// Which tokens.
    public let tokens: Range<Int>
    /// What they are.
    public let kind: Kind
    /// Whose turn they are.
    public let speaker: Input.Turn.Speaker
    /// Which turn of the input, counted from 0; nil for the system's where nobody gave one, and for the
    /// answer that is to come.
    public let turn: Int?
  }

  /// The token ids.
  public let ids: [Int]
  /// The text that they stand for.
  public let text: String
  /// What the tokens are, in order, without gaps.
  public let parts: [Part]
}

/// Lays tokens out one after the other, and remembers what they are.
struct ContextBuilder {
  private(set) var ids: [Int] = []
  private(set) var text = ""
  private var parts: [ChatContext.Part] = []

  /// What has been laid out.
  var context: ChatContext { ChatContext(ids: ids, text: text, parts: parts) }

  /// Lays tokens out that stand for a text.
  mutating func add(
    _ new: [Int], _ words: String, _ kind: ChatContext.Kind, _ speaker: Input.Turn.Speaker,
    turn: Int?
  ) {
    text += words
    guard !new.isEmpty else { return }
    let range = ids.count..<ids.count + new.count
    ids += new
    if let last = parts.last, last.kind == kind, last.speaker == speaker, last.turn == turn {
      parts[parts.count - 1] = .init(
        tokens: last.tokens.lowerBound..<range.upperBound, kind: kind, speaker: speaker, turn: turn)
    } else {
      parts.append(.init(tokens: range, kind: kind, speaker: speaker, turn: turn))
    }
  }
}
