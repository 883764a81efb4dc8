internal import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Runtime
internal import Tokenizers

/// Cuts texts into tokens on the command line.
public struct TokenizeTool {
  private let tokenizer: any Tokenizer

  /// Reads the tokenizer in `folder`, or that of the model that ships.
  public init(folder: URL?) throws {
    let folder = folder ?? ShippedModel.folder
    tokenizer = try Family.tokenizer(in: try CheckpointFolder(folder))
  }

  /// A table of a text's tokens.
  public func table(_ text: String) -> String {
    TokenList(text: text, ids: tokenizer.encode(text), tokenizer: tokenizer).shown
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
    let ids = tokenizer.encode(text)
    return JSON.object(
      JSON.Object([
        ("ids", .array(ids.map { .integer($0) })),
        ("decoded", .string(tokenizer.decode(ids, skipSpecialTokens: true))),
      ])
    ).written()
  }
}
