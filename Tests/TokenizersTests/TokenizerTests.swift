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
}
