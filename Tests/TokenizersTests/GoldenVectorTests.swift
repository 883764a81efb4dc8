import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// A text and what the reference makes of it.
struct Vector {
  var text: String
  var ids: [Int]
  var decoded: String

  /// Reads the cases of a `vectors.json`.
  static func read(_ folder: URL) throws -> [(vector: Vector, fields: JSON)] {
    let cases = try JSON(file: folder.appending(path: "vectors.json"))["cases"]?.array ?? []
    return cases.map { fields in
      let vector = Vector(
        text: fields["text"]?.text ?? "", ids: fields.numbers("ids"),
        decoded: fields["decoded"]?.text ?? "")
      return (vector, fields)
    }
  }
}

extension JSON {
  /// The integers of an array.
  var numbers: [Int] { (array ?? []).compactMap(\.int) }
  /// The integers of the array under `key`.
  func numbers(_ key: String) -> [Int] { self[key]?.numbers ?? [] }
}

@Suite struct GoldenVectorTests {
  static let goldens = Fixtures.goldens.appending(path: "tokenizers")

  @Test(arguments: ["byte-pairs", "word-pieces"], [TokenizerFolder.Layout.newest, .older])
  func goldensAreMetFromEitherLayout(_ name: String, _ layout: TokenizerFolder.Layout) throws {
    let folder = Self.goldens.appending(path: name)
    let tokenizer = try TokenizerFolder.read(folder, layout: layout)
    let cases = try Vector.read(folder)
    #expect(cases.count == 160)
    for (vector, fields) in cases {
      #expect(tokenizer.encode(vector.text) == vector.ids, "\(vector.text.debugDescription)")
      #expect(tokenizer.encode(vector.text, addSpecialTokens: false) == fields.numbers("bare"))
      #expect(tokenizer.decode(vector.ids) == vector.decoded)
      let drawn = fields.numbers("drawn")
      #expect(
        tokenizer.decode(drawn, skipSpecialTokens: false) == fields["drawnDecoded"]?.text,
        "\(drawn)")
    }
  }

  @Test(
    .enabled(if: Fixtures.shared != nil),
    arguments: [
      "blip2-opt-2.7b", "bert-base-uncased", "clip-vit-base-patch32", "mistral-7b", "llama",
    ],
    [TokenizerFolder.Layout.newest, .older])
  func publishedVocabulariesGiveTheReferencesIds(
    _ name: String, _ layout: TokenizerFolder.Layout
  ) throws {
    let folder = try #require(Fixtures.shared).appending(path: "tokenizers/\(name)")
    let tokenizer = try TokenizerFolder.read(folder, layout: layout)
    let cases = try Vector.read(folder)
    #expect(cases.count == 200)
    for (vector, _) in cases {
      #expect(tokenizer.encode(vector.text) == vector.ids, "\(vector.text.debugDescription)")
      #expect(tokenizer.decode(vector.ids) == vector.decoded, "\(vector.ids)")
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil))
  func promptsOfThePublishedLayoutsBecomeTheirIds() throws {
    let shared = try #require(Fixtures.shared).appending(path: "goldens")
    let decoder = shared.appending(path: "blip2")
    let expected = try JSON(file: decoder.appending(path: "expected.json"))
    let prompt = try #require(expected["prompt"]?.text)
    let ids = expected["input_ids"]?[0]?.numbers ?? []
    let text = try TokenizerFolder.read(decoder)
    #expect(text.encode(String(repeating: "<image>", count: 8) + prompt).sorted() == ids.sorted())
    #expect(text.encode(prompt) == Array(ids.drop { $0 == text.id("<image>") }))
    let greedy = expected["greedy"]?[0]?.numbers ?? []
    #expect(text.decode(greedy) == expected["greedy_text"]?[0]?.text)

    let matcher = shared.appending(path: "blip2-itm")
    let matches = try JSON(file: matcher.appending(path: "expected.json"))
    let words = try TokenizerFolder.read(matcher)
    let padding = try #require(words.id("[PAD]"))
    for (text, ids) in zip(
      matches["texts"]?.array ?? [], matches["input_ids"]?.array ?? [])
    {
      let unpadded = ids.numbers.filter { $0 != padding }
      #expect(words.encode(text.text ?? "") == unpadded)
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil))
  func tokensForBoxesAreFoundInText() throws {
    let folder = try #require(Fixtures.shared).appending(path: "default-model-trial/checkpoint")
    let tokenizer = try TokenizerFolder.read(folder)
    let text = "the <ref>red circle</ref><box>(1,2),(3,4)</box> is left."
    let ids = tokenizer.encode(text)
    for name in ["<ref>", "</ref>", "<box>", "</box>"] {
      #expect(ids.filter { $0 == tokenizer.id(name) }.count == 1)
    }
    // These are no special tokens: skipping leaves them in.
    #expect(tokenizer.decode(ids) == text)
  }
}
