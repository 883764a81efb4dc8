/// Text to token ids and back, exactly as the reference does it.
public protocol Tokenizer: Sendable {
  /// How many ids there are, added tokens included: one more than the largest id.
  var vocabularySize: Int { get }
  /// The ids of `text`. Added tokens that occur in the text are recognised, as in the reference.
  ///
  /// - Parameter addSpecialTokens: whether the tokens that the model expects around a text are
  ///   put there.
  func encode(_ text: String, addSpecialTokens: Bool) -> [Int]
  /// The text of `ids`; ids without a token are left out.
  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String
  /// The token of an id as the vocabulary writes it, such as `Ġcat` or `##s`.
  func token(_ id: Int) -> String?
  /// The id of a token as the vocabulary writes it.
  func id(_ token: String) -> Int?
  /// Whether an id stands for something other than text.
  func isSpecial(_ id: Int) -> Bool
}

extension Tokenizer {
  /// The ids of `text` with the special tokens around it.
  public func encode(_ text: String) -> [Int] { encode(text, addSpecialTokens: true) }

  /// What people see of one token: its text, with a space shown as `␣` and a line end as `⏎`.
  public func visible(_ id: Int) -> String {
    guard let token = token(id) else { return "#\(id)" }
    if isSpecial(id) { return token }
    let text = decode([id], skipSpecialTokens: false)
    // A part of a character is shown as the vocabulary writes it.
    if text.contains("\u{FFFD}") { return token }
    let spaced = token.utf8.starts(with: "##".utf8) ? token : text
    return spaced.replacing(" ", with: "␣").replacing("\n", with: "⏎")
  }
}

/// A tokenizer's files contradict themselves or ask for something that is not built.
public struct TokenizerError: Error, Equatable, CustomStringConvertible {
  /// The file.
  public let file: String
  /// The key in it, or the token or line that is wrong.
  public let place: String
  /// What was found there.
  public let found: String
  /// What was expected.
  public let expected: String

  /// States what is wrong where.
  public init(file: String, place: String, found: String, expected: String) {
    (self.file, self.place, self.found, self.expected) = (file, place, found, expected)
  }

  /// The sentence shown to people.
  public var description: String { "\(file): \(place): found \(found); expected \(expected)" }
  /// Bad data.
  public var exitCode: Int32 { 65 }
}
