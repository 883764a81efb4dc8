import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

@Suite struct TokenizerTests {
  func byteLevel() throws -> any Tokenizer {
    try TokenizerFolder.read(Fixtures.goldens.appending(path: "blip2"))
  }

  @Test func thePromptOfTheGoldenIsTheReferences() throws {
    let expected = try JSON(file: Fixtures.goldens.appending(path: "blip2/expected.json"))
    let ids = try #require(expected["input_ids"]?.array).compactMap(\.int)
    let prompt = try #require(expected["prompt"]?.text)
    #expect(try byteLevel().encode(prompt) == Array(ids.drop { $0 == ids[0] }))
  }

  @Test func textsOfTheRetrievalGoldenAreTheReferences() throws {
    let folder = Fixtures.goldens.appending(path: "blip2-itm")
    let expected = try JSON(file: folder.appending(path: "expected.json"))
    let tokenizer = try TokenizerFolder.read(folder)
    let texts = try #require(expected["texts"]?.array).compactMap(\.text)
    for (text, ids) in zip(texts, try #require(expected["input_ids"]?.array)) {
      let ids = try #require(ids.array).compactMap(\.int)
      #expect(tokenizer.encode(text) == Array(ids.prefix { $0 != 0 }))
    }
  }

  @Test(arguments: [
    "", " ", "   a", "a   ", "\n\n\n", "café ☕ 👩‍👩‍👧‍👦", "'s 't 're don't", "<image></s><pad>",
    "한국어 日本語", "\u{0}\u{7F}", "e\u{301}", "tab\tand  two spaces \u{A0} x",
  ]) func byteLevelTextComesBack(text: String) throws {
    let tokenizer = try byteLevel()
    let ids = tokenizer.encode(text, addSpecialTokens: false)
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
  }

  @Test(arguments: [" ", "a", "\n", "7", "^", "字", "e\u{301}", "👩‍👧", "<image>", "aB "])
  func longTextsTakeLinearTime(unit: String) throws {
    // A quadratic step would take minutes here.
    let text = String(repeating: unit, count: 200_000 / unit.utf8.count)
    let tokenizer = try byteLevel()
    let ids = tokenizer.encode(text, addSpecialTokens: false)
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
  }

  @Test func spacesAndLineEndsAreVisible() throws {
    let tokenizer = try byteLevel()
    let ids = tokenizer.encode(" a\n", addSpecialTokens: true)
    #expect(ids.map { tokenizer.visible($0) } == ["</s>", "␣a", "⏎"])
  }

  struct Damage: Sendable, CustomTestStringConvertible {
    let name: String
    let edit: @Sendable (String) -> String
    let message: String
    var testDescription: String { name }
  }

  static let damages = [
    Damage(
      name: "a merge of an unknown token",
      edit: { $0.replacing("\"merges\":[", with: "\"merges\":[[\"zz\",\"q\"],") },
      message:
        "tokenizer.json: merges, number 0: found 'zz' and 'q'; expected two tokens of the vocabulary that join to a third"
    ),
    Damage(
      name: "an id twice", edit: { $0.replacing("\"<s>\":0", with: "\"<s>\":2") },
      message:
        "tokenizer.json: vocab, token '</s>': found id 2, which '<s>' has; expected one id for each token"
    ),
    Damage(
      name: "an id that is no whole number",
      edit: { $0.replacing("\"<s>\":0", with: "\"<s>\":0.5") },
      message:
        "tokenizer.json: model.vocab, token '<s>': found 0.5; expected a whole number"),
    Damage(
      name: "another kind of model",
      edit: { $0.replacing("\"type\":\"BPE\"", with: "\"type\":\"Unigram\"") },
      message:
        "tokenizer.json: model.type: found \"Unigram\"; expected \"BPE\" or \"WordPiece\""),
    Damage(
      name: "another pattern",
      edit: {
        $0.replacing(
          "\"pre_tokenizer\":{\"type\":\"ByteLevel\"", with: "\"pre_tokenizer\":{\"type\":\"Split\""
        )
      },
      message: "tokenizer.json: pre_tokenizer: found {\"type\":\"Split\""),
    Damage(
      name: "a special token without ids",
      edit: { $0.replacing("\"ids\":[2]", with: "\"ids\":[]") },
      message:
        "tokenizer.json: post_processor.special_tokens: found nothing; expected ids of '</s>'"),
  ]

  @Test(arguments: damages) func aContradictoryFileIsExplained(_ damage: Damage) throws {
    let source = Fixtures.goldens.appending(path: "blip2/tokenizer.json")
    let original = try JSON(file: source).written()
    let damaged = damage.edit(original)
    #expect(damaged != original)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "fovea-damage-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try WholeFile.write(damaged, to: folder.appending(path: "tokenizer.json"))
    let error = #expect(throws: TokenizerError.self) { _ = try TokenizerFolder.read(folder) }
    #expect(error?.description.hasPrefix(damage.message) ?? false, "\(error?.description ?? "")")
  }
}
