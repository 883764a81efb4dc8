import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// What OpenCLIP's own tokenizer makes of odd texts: garbled ones, HTML, ligatures, control characters.
@Suite struct OpenCLIPTextTests {
  private static let folder = Fixtures.goldens.appending(path: "clip-open")

  private static func vectors() throws -> [(text: String, cleaned: String, ids: [Int]?)] {
    let json = try JSON(file: folder.appending(path: "texts.json"))
    return try #require(json.array).map { entry in
      (
        try #require(entry["text"]?.text), try #require(entry["cleaned"]?.text),
        entry["ids"]?.array?.compactMap(\.int)
      )
    }
  }

  @Test func everyTextIsCleanedAsOpenCLIPDoes() throws {
    let vectors = try Self.vectors()
    #expect(vectors.count > 500)
    for (text, cleaned, _) in vectors {
      let found = OpenCLIPText.cleaned(text)
      #expect(
        found.unicodeScalars.elementsEqual(cleaned.unicodeScalars), "\(text.debugDescription)")
    }
  }

  @Test func everyTextGivesOpenCLIPsIds() throws {
    let tokenizer = try TokenizerFolder.read(Self.folder, handling: .openCLIP)
    var count = 0
    for case (let text, _, let ids?) in try Self.vectors() {
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
      count += 1
    }
    #expect(count > 100)
  }

  @Test func transformersHandlingLeavesTextsAsTheyAre() throws {
    let plain = try TokenizerFolder.read(Self.folder)
    let cleaning = try TokenizerFolder.read(Self.folder, handling: .openCLIP)
    let begin = try #require(plain.id("<|startoftext|>"))
    #expect(plain.encode("<|startoftext|>", addSpecialTokens: false) == [begin])
    #expect(!cleaning.encode("<|startoftext|>", addSpecialTokens: false).contains(begin))
    #expect(cleaning.encode("<start_of_text>", addSpecialTokens: false) == [begin])
    #expect(plain.encode("&amp;") != plain.encode("&"))
    #expect(cleaning.encode("&amp;") == cleaning.encode("&"))
  }

  @Test func aTextFromAStrangerHasNoSpecialToken() throws {
    let tokenizer = try TokenizerFolder.read(Self.folder, handling: .openCLIP)
    let options = EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .none)
    let ids = try tokenizer.encode("<end_of_text>", options: options)
    #expect(ids.count > 3 && !ids.contains { tokenizer.isSpecial($0) })
  }

  @Test(.timeLimit(.minutes(1))) func longGarbledTextsAreCleaned() {
    let text = String(repeating: "Ã©Â°â€œ ", count: 1500)
    #expect(OpenCLIPText.cleaned(text).hasPrefix("é"))
  }
}
