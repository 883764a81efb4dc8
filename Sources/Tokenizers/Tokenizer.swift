/// Text to token ids and back.
public protocol Tokenizer: Sendable {
  /// The ids of `text`, with what the file puts around a text unless `addSpecialTokens` is false.
  ///
  /// Of special tokens' names inside the text those are found that `SpecialTokenParsing.usual` finds.
  func encode(_ text: String, addSpecialTokens: Bool) -> [Int]

  /// The ids of `text`, read as `options` say.
  ///
  /// - Throws: where picture tags are found that stand wrong, or hold too long a path.
  func encode(_ text: String, options: EncodingOptions) throws(PathFailure) -> [Int]

  /// The text of `ids`; ids that no token has count for nothing, as in the reference.
  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String

  /// The token with this id, as the file spells it.
  func token(_ id: Int) -> String?

  /// The id of the token that the file spells so.
  func id(_ token: String) -> Int?

  /// Whether this id is one of the special tokens, which `skipSpecialTokens` leaves out.
  func isSpecial(_ id: Int) -> Bool

  /// The id of the token in this role, if the folder names one.
  func id(for role: SpecialRole) -> Int?

  /// One more than the greatest id: how many rows an embedding needs.
  var vocabularySize: Int { get }

  /// How ids become text, for decoding while they come.
  var tokenDecoder: TokenDecoder { get }
}

/// How to read a text.
public struct EncodingOptions: Sendable, Equatable {
  /// Whether to add what the file puts around a text, such as `</s>` or `[CLS]` and `[SEP]`.
  public var addSpecialTokens = true
  /// Which special tokens' names inside the text become those tokens.
  public var parseSpecialTokens = SpecialTokenParsing.usual

  /// As is usual for the tokenizer.
  public init(addSpecialTokens: Bool = true, parseSpecialTokens: SpecialTokenParsing = .usual) {
    self.addSpecialTokens = addSpecialTokens
    self.parseSpecialTokens = parseSpecialTokens
  }
}

/// Which special tokens a text may name.
public enum SpecialTokenParsing: Sendable {
  /// `all`, as the reference does; `none` for the texts of Qwen-VL, which come from strangers.
  case usual
  /// All.
  case all
  /// Those alone that stand around a picture's path, a name and a place: `<img>`, `<ref>`, `<box>`,
  /// `<quad>`, their ends and `<imgpad>`.
  ///
  /// So Qwen-VL reads what is said in a conversation: nobody can end a turn by typing `<|im_end|>`.
  case pictureTags
  /// None: their names are text.
  case none
}

/// What a special token is for; the raw values are the keys of `tokenizer_config.json`.
public enum SpecialRole: String, Sendable, CaseIterable {
  /// The start of a text.
  case beginning = "bos_token"
  /// The end of a text.
  case end = "eos_token"
  /// A word that no tokens spell.
  case unknown = "unk_token"
  /// What fills up the shorter of two texts.
  case padding = "pad_token"
  /// The start of a text for BERT.
  case classification = "cls_token"
  /// The end of a text for BERT.
  case separator = "sep_token"
  /// A hidden word for BERT.
  case mask = "mask_token"
}

extension Tokenizer {
  /// The ids of `text`, with what the file puts around a text.
  public func encode(_ text: String) -> [Int] { encode(text, addSpecialTokens: true) }

  /// The text of `ids`, special tokens left out.
  public func decode(_ ids: [Int]) -> String { decode(ids, skipSpecialTokens: true) }
}
