internal import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Runtime
internal import Tokenizers

/// Cuts texts into tokens on the command line.
public struct TokenizeTool {
  /// Which special tokens a text may name.
  public enum Special: String, Sendable, CaseIterable {
    /// All.
    case all
    /// Those around a picture's path, a name and a place, such as `<img>` and `<ref>`.
    case tags
    /// None: their names are text.
    case none

    /// What a tokenizer is told.
    var parsing: SpecialTokenParsing {
      switch self {
      case .all: .all
      case .tags: .pictureTags
      case .none: .none
      }
    }
  }

  private let tokenizer: any Tokenizer
  private let options: EncodingOptions
  /// Whether texts were said to name special tokens, which then belong to what is decoded.
  private let namesSpecial: Bool

  /// Reads the tokenizer in `folder`, or that of the model that ships.
  ///
  /// - Parameters:
  ///   - language: the folder of its language model, of a model that lies in two.
  ///   - special: nil for what is usual for the tokenizer.
  public init(folder: URL?, language: URL? = nil, special: Special? = nil) throws {
    let folder = folder ?? ShippedModel.folder
    options = EncodingOptions(parseSpecialTokens: special?.parsing ?? .usual)
    namesSpecial = special.map { $0 != .none } ?? false
    tokenizer = try Family.tokenizer(in: try CheckpointFolder(folder, language: language))
  }

  /// A table of a text's tokens.
  ///
  /// - Throws: `PathFailure` where tags stand wrong that may stand in the text.
  public func table(_ text: String) throws -> String {
    let ids = try tokenizer.encode(text, options: options)
    return TokenList(text: text, ids: ids, tokenizer: tokenizer).shown
  }

  /// One line `{"text": …}` to one line `{"ids": […], "decoded": …}`.
  ///
  /// - Throws: `JSON.Failure` for a line that is no JSON; `TokenizerError` for one without a text.
  public func answer(line: String, number: Int) throws -> String {
    let json = try JSON(parsing: Array(line.utf8))
    guard let text = json["text"]?.text else {
      throw TokenizerError(
        file: "standard input", place: "line \(number)", found: String(line.prefix(80)),
        expected: "an object with a text, as in {\"text\": \"a cat\"}")
    }
    let ids = try tokenizer.encode(text, options: options)
    return JSON.object(
      JSON.Object([
        ("ids", .array(ids.map { .integer($0) })),
        ("decoded", .string(tokenizer.decode(ids, skipSpecialTokens: !namesSpecial))),
      ])
    ).written()
  }
}
