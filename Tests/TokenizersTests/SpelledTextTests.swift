import Foundation
import TestSupport
import Testing
import Tokenizers

/// Words found among the tokens that spell a text.
@Suite struct SpelledTextTests {
  private func tokens(_ word: String, in text: String, _ folder: URL) throws -> [Int] {
    let tokenizer = try TokenizerFolder.read(folder)
    return SpelledText(tokenizer.encode(text), by: tokenizer).tokens(of: word)
  }

  /// The published vocabulary spells most of Chinese in bytes.
  @Test(
    .enabled(if: Fixtures.shared != nil),
    arguments: [
      ("a 游 b", "游", [3, 4, 5]), ("游戏", "戏", [5, 6, 7]), ("這是\n狗", "狗", [7, 8, 9]),
      ("😀 cat", "😀", [2, 3, 4, 5]), ("😀 cat", "Cat", [6]),
      ("<human>:这是什么游戏\n<bot>:", "戏", [13, 14, 15]),
      ("<human>:这是什么游戏\n<bot>:", "游戏", [10, 11, 12, 13, 14, 15]), ("游戏", "喜", []),
    ])
  func aWordSpelledInBytesHasAllOfThem(_ text: String, _ word: String, _ found: [Int]) throws {
    let folder = try #require(Fixtures.shared).appending(path: "goldens/llama")
    #expect(try tokens(word, in: text, folder) == found)
  }

  /// CLIP writes small letters and drops white space.
  @Test(
    arguments: [
      ("a photo of a star, isn't it?", "star,"), ("a photo of a star, isn't it?", "isn't"),
      ("A blue-green star", "Blue-Green"), ("a star.", "star."), ("two  stars", "two stars"),
      ("Two cups, isn't it? 咖啡 ☕", "咖啡"), ("Two cups, isn't it? 咖啡 ☕", "咖"),
      ("Two cups, isn't it? 咖啡 ☕", "☕"), ("Two cups, isn't it? 咖啡 ☕", "it?"),
    ])
  func aWordIsFoundAsCLIPSpellsIt(_ text: String, _ word: String) throws {
    let folder = Fixtures.goldens.appending(path: "clip")
    let tokenizer = try TokenizerFolder.read(folder)
    let ids = tokenizer.encode(text)
    let found = try tokens(word, in: text, folder)
    #expect(!found.isEmpty && found == Array(found[0]...found[found.count - 1]))
    // They are the tokens of the word, but for the mark at its end.
    let alone = tokenizer.encode(word, addSpecialTokens: false)
    #expect(found.prefix(alone.count - 1).map { ids[$0] } == Array(alone.dropLast()))
  }

  @Test(arguments: ["clip", "llama", "blip2"]) func partsOfWordsAreNoWords(_ model: String) throws {
    let folder = Fixtures.goldens.appending(path: model)
    for (text, word) in [
      ("a star is here", "tar"), ("a star is here", "sta"), ("12 stars", "star"),
      ("a star", ""), ("a star", " "), ("a starry sky", "star"), ("bluegreen", "blue"),
      ("cafe\u{301}", "cafe"), ("👩\u{200D}💻", "💻"), ("blue green", "bluegreen"),
    ] {
      #expect(try tokens(word, in: text, folder) == [], "\(word) in \(text)")
    }
  }

  /// Every word of a text stands among its tokens, and the words side by side are all of them.
  @Test(arguments: ["byte-pairs", "word-pieces"])
  func everyWordIsFound(_ name: String) throws {
    let folder = GoldenVectorTests.goldens.appending(path: name)
    let tokenizer = try TokenizerFolder.read(folder)
    var count = 0
    for (vector, _) in try Vector.read(folder) {
      let ids = tokenizer.encode(vector.text)
      let spelled = SpelledText(ids, by: tokenizer)
      for word in vector.text.split(separator: " ").map(String.init)
      where word.allSatisfy({ $0.isLetter && $0.isASCII }) {
        let alone = tokenizer.encode(word, addSpecialTokens: false)
        guard !alone.contains(where: { $0 == tokenizer.id(for: .unknown) }) else { continue }
        let found = spelled.tokens(of: word)
        #expect(!found.isEmpty, "\(word) in \(vector.text.debugDescription)")
        count += 1
        guard let first = found.first, found == Array(first..<first + found.count) else { continue }
        let text = tokenizer.decode(found.map { ids[$0] }).lowercased()
        #expect(text.contains(word.lowercased()), "\(word): \(text)")
      }
    }
    #expect(count > 20)
  }

  @Test(.timeLimit(.minutes(1))) func whateverRepeatsTakesTimeByItsLength() throws {
    let tokenizer = try TokenizerFolder.read(
      GoldenVectorTests.goldens.appending(path: "byte-pairs"))
    let text = SpelledText(tokenizer.encode(String(repeating: "ab", count: 200_000)), by: tokenizer)
    #expect(text.tokens(of: String(repeating: "ab", count: 100_000) + "c").isEmpty)
    let stars = SpelledText(tokenizer.encode("*** ****"), by: tokenizer)
    // All but the token of the space alone, the last four being two places that overlap.
    #expect(stars.tokens(of: "***").count == 7 && stars.tokens(of: "*** ****").count == 8)
  }

  @Test func aWordOfPiecesHasAllOfThem() throws {
    let folder = GoldenVectorTests.goldens.appending(path: "word-pieces")
    let tokenizer = try TokenizerFolder.read(folder)
    for (text, word) in [("a red star, isn't it?", "Star,"), ("A Café here", "cafe")] {
      let ids = tokenizer.encode(text)
      let found = SpelledText(ids, by: tokenizer).tokens(of: word)
      #expect(
        found.map { ids[$0] } == tokenizer.encode(word, addSpecialTokens: false), "\(word)")
    }
  }
}
