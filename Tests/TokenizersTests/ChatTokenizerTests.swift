import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// Vocabularies that chat models have: SentencePiece's, marked spaces, digits apart, longer patterns.
@Suite struct ChatTokenizerTests {
  static let goldens = GoldenVectorTests.goldens

  /// One of the golden SentencePiece files, with settings beside it if there are some.
  static func pieces(_ model: String, _ settings: JSON = .null) throws -> any Tokenizer {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: goldens.appending(path: "pieces").appending(path: model),
      to: folder.url.appending(path: "tokenizer.model"))
    if !settings.isNull { try folder.write("tokenizer_config.json", settings.written()) }
    return try withExtendedLifetime(folder) { try TokenizerFolder.read(folder.url) }
  }

  private func expect(_ tokenizer: any Tokenizer, toMeet cases: [JSON]) {
    for fields in cases {
      let text = fields["text"]?.text ?? ""
      #expect(tokenizer.encode(text) == fields.numbers("ids"), "\(text.debugDescription)")
      let drawn = fields.numbers("drawn")
      let decoded = tokenizer.decode(drawn, skipSpecialTokens: false)
      #expect(decoded.utf8.elementsEqual((fields["decoded"]?.text ?? "").utf8), "\(drawn)")
      for skips in [false, true] {
        var stream = StreamingDecoder(tokenizer, .init(skipsSpecialTokens: skips))
        let parts = drawn.map { stream.append($0) } + [stream.finish()]
        let whole = tokenizer.decode(drawn, skipSpecialTokens: skips)
        #expect(parts.joined().utf8.elementsEqual(whole.utf8), "\(drawn)")
      }
    }
  }

  @Test(arguments: ["digits", "split", "marks"])
  func vocabulariesOfChatModelsGiveTheReferencesIds(_ name: String) throws {
    let folder = Self.goldens.appending(path: name)
    let sets = try JSON(file: folder.appending(path: "vectors.json"))["sets"]?.array ?? []
    let cases = try #require(sets.first?["cases"]?.array)
    #expect(cases.count == 38)
    expect(try TokenizerFolder.read(folder), toMeet: cases)
  }

  @Test(arguments: 0..<5)
  func piecesGiveTheIdsOfTheProgramThatTheFolderIsFor(_ place: Int) throws {
    let file = Self.goldens.appending(path: "pieces/vectors.json")
    let set = try #require(try JSON(file: file)["sets"]?[place])
    let cases = try #require(set["cases"]?.array)
    #expect(cases.count == 38)
    let tokenizer = try Self.pieces(set["model"]?.text ?? "", set["settings"] ?? .null)
    if set["settings"]?.isNull == true {
      // SentencePiece leaves out its control pieces and never shows them.
      for fields in cases {
        let text = fields["text"]?.text ?? ""
        #expect(tokenizer.encode(text) == fields.numbers("ids"), "\(text.debugDescription)")
        let drawn = fields.numbers("drawn")
        #expect(tokenizer.decode(drawn) == fields["decoded"]?.text, "\(drawn)")
      }
    } else {
      expect(tokenizer, toMeet: cases)
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil))
  func theLlamaGoldensPromptBecomesItsIds() throws {
    let folder = try #require(Fixtures.shared).appending(path: "goldens/llama")
    let expected = try JSON(file: folder.appending(path: "expected.json"))
    let tokenizer = try TokenizerFolder.read(folder)
    let text = try #require(expected["text"]?.text)
    #expect(tokenizer.encode(text) == expected["input_ids"]?[0]?.numbers)
    #expect(tokenizer.id(for: .beginning) == 1)
    #expect(tokenizer.id(for: .end) == 2)
    #expect(tokenizer.id(for: .padding) == nil)
  }

  @Test func specialTokensOfPiecesAreFoundWhereTheReferenceFindsThem() throws {
    let alone = try Self.pieces("tokenizer.model")
    let settings: JSON = ["tokenizer_class": "LlamaTokenizer", "add_bos_token": true]
    let beside = try Self.pieces("tokenizer.model", settings)
    #expect(!alone.encode("a</s>").contains(2))
    #expect(beside.encode("a</s>").last == 2)
    #expect(beside.encode("a").first == 1)
    let options = EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .none)
    let plain = try beside.encode("a</s>", options: options)
    #expect(!plain.contains(2))
    #expect(beside.decode(plain) == "a</s>")
  }

  @Test func spacesAndBytesOfPiecesAreVisible() throws {
    let tokenizer = try Self.pieces("tokenizer.model")
    let ids = tokenizer.encode("a\n猫\u{1F355}")
    #expect(tokenizer.visible(ids[0]) == "␣a")
    #expect(tokenizer.visible(ids[1]) == "⏎")
    #expect(
      ids.suffix(4).map { tokenizer.visible($0) } == ["<0xF0>", "<0x9F>", "<0x8D>", "<0x95>"])
    var stream = StreamingDecoder(tokenizer)
    let parts = ids.map { stream.append($0) }
    #expect(parts.allSatisfy { !$0.unicodeScalars.contains("\u{FFFD}") })
    #expect((parts + [stream.finish()]).joined() == "a\n猫\u{1F355}")
  }

  @Test(
    .timeLimit(.minutes(1)), arguments: ["digits", "split", "marks", "pieces"],
    [" ", "a", "\n", "A", "あA", "7", "\u{301}", "猫", "▁", "</s>", "<mark>", "'s", "... "])
  func longTextsOfChatVocabulariesTakeLinearTime(_ name: String, _ unit: String) throws {
    let text = String(repeating: unit, count: 30_000 / unit.unicodeScalars.count)
    let tokenizer = try TokenizerFolder.read(Self.goldens.appending(path: name))
    #expect(tokenizer.encode(text, addSpecialTokens: false).count >= 30_000 / 64)
  }
}
