internal import Models
internal import Tokenizers

/// The words of an answer as they come, token by token.
///
/// What `add` and `finish` give, joined, is the answer's text as the model's own code reads it from all tokens: it
/// has no part of a character, nothing of the prompt, and of special tokens what that text has. A word is given once
/// nothing that follows can change it.
struct AnswerStream {
  private let read: ([Int]) -> String
  /// Texts that end an answer, and are none of it.
  private let ends: [String]
  private var tokens: [Int] = []
  private var given = ""

  /// - Parameter isReply: whether the tokens are read as the answer of a conversation.
  init(of writer: any WritingModel, isReply: Bool) {
    if isReply, let chat = writer as? any ChatModel {
      read = { chat.reply(in: $0) }
      ends = chat.stopSequences.map { chat.tokenizer.decode($0, skipSpecialTokens: false) }
    } else {
      read = { writer.text(of: $0) }
      ends = []
    }
  }

  /// What the token makes certain; empty where it begins something, or is none of the answer.
  mutating func add(_ token: Int) -> String {
    tokens.append(token)
    var text = read(tokens)[...]
    // Bytes that the next tokens may complete.
    while text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
    // The beginning of what may turn out to end the answer.
    for end in ends {
      var head = end[...]
      while !head.isEmpty, !text.hasSuffix(head) { head.removeLast() }
      if !head.isEmpty { text.removeLast(head.count) }
    }
    // White space is not the answer's where nothing follows it.
    while text.last?.isWhitespace == true { text.removeLast() }
    return give(text)
  }

  /// The rest of the answer.
  ///
  /// - Parameter text: the whole, of which what was given is the beginning.
  mutating func finish(_ text: String) -> String { give(text[...]) }

  private mutating func give(_ text: Substring) -> String {
    let (old, new) = (given.unicodeScalars, text.unicodeScalars)
    guard new.count > old.count, new.starts(with: old) else { return "" }
    let piece = String(String.UnicodeScalarView(new.dropFirst(old.count)))
    given = String(text)
    return piece
  }

  /// What was given so far.
  var text: String { given }
}
