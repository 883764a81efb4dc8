import Foundation
import TestSupport
import Testing
import Tokenizers

@Suite struct BehaviourTests {
  static func golden(_ name: String) throws -> any Tokenizer {
    try TokenizerFolder.read(GoldenVectorTests.goldens.appending(path: name))
  }

  @Test func specialTokensInTextAreTextIfAsked() throws {
    let tokenizer = try Self.golden("byte-pairs")
    let end = try #require(tokenizer.id("</s>"))
    let options = EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .none)
    #expect(tokenizer.encode("a</s>b", addSpecialTokens: false).contains(end))
    let ids = try tokenizer.encode("a</s>b", options: options)
    #expect(!ids.contains(end))
    #expect(tokenizer.decode(ids) == "a</s>b")
    // Added tokens that are not special stay tokens.
    let mark = try #require(tokenizer.id("<mark>"))
    #expect(try tokenizer.encode("<mark>", options: options) == [mark])
  }

  @Test func rolesNameTheTokensOfTheFolder() throws {
    let bytes = try Self.golden("byte-pairs")
    #expect(bytes.id(for: .beginning) == bytes.id("</s>"))
    #expect(bytes.id(for: .padding) == bytes.id("<pad>"))
    #expect(bytes.id(for: .mask) == nil)
    let words = try Self.golden("word-pieces")
    #expect(words.id(for: .separator) == words.id("[SEP]"))
    let separator = try #require(words.id("[SEP]"))
    #expect(words.isSpecial(separator))
  }

  @Test func idsAndTokensAreInverse() throws {
    for name in ["byte-pairs", "word-pieces"] {
      let tokenizer = try Self.golden(name)
      for id in 0..<tokenizer.vocabularySize {
        let token = try #require(tokenizer.token(id))
        #expect(tokenizer.id(token) == id)
      }
      #expect(tokenizer.token(tokenizer.vocabularySize) == nil)
      #expect(tokenizer.token(-1) == nil)
      #expect(tokenizer.decode([-1, 1 << 40]) == "")
    }
  }

  @Test func streamingGivesWholeCharactersAndTheSameText() throws {
    var random = Numbers(state: 3)
    for name in ["byte-pairs", "word-pieces"] {
      let tokenizer = try Self.golden(name)
      for _ in 0..<300 {
        let ids = (0..<Int(random.next() % 12)).map { _ in
          Int(random.next() % UInt64(tokenizer.vocabularySize))
        }
        var decoder = StreamingDecoder(tokenizer)
        let parts = ids.map { decoder.append($0) } + [decoder.finish()]
        #expect(parts.joined().utf8.elementsEqual(tokenizer.decode(ids).utf8), "\(ids)")
      }
    }
    let tokenizer = try Self.golden("byte-pairs")
    var decoder = StreamingDecoder(tokenizer)
    let ids = tokenizer.encode("🍕猫", addSpecialTokens: false)
    #expect(ids.count == 7)
    #expect(ids.map { decoder.append($0) } == ["", "", "", "🍕", "", "", "猫"])
    #expect(decoder.append(ids[0]) == "")
    #expect(decoder.finish() == "\u{FFFD}")
  }

  /// Where an answer ends, what of it is left out, and white space at its ends: streamed as at once.
  @Test func whatAReadingLeavesOutIsLeftOutWhileIdsCome() throws {
    var random = Numbers(state: 5)
    let tokenizer = try Self.golden("byte-pairs")
    let texts = ["ab", "  a Human: b", "x\n\n", "Huma", "n:", "Human:", " ", "🍕", "猫 ", "\u{1F}"]
    let pieces = texts.map { tokenizer.encode($0, addSpecialTokens: false) }
    let (end, out) = (pieces[7].last ?? 0, pieces[8].first ?? 0)
    for round in 0..<400 {
      var reading = StreamingDecoder.Reading(skipsSpecialTokens: round % 2 == 0)
      if round % 3 == 0 { reading.ends = [end] }
      if round % 5 == 0 { reading.leftOut = [out] }
      reading.dropsLastWithoutEnd = round % 7 == 0
      if round % 4 == 0 { reading.leftOutTexts = ["Human:"] }
      reading.trims = round % 11 != 0
      let ids = (0..<Int(random.next() % 8)).flatMap { _ in
        pieces[Int(random.next() % UInt64(pieces.count))]
      }
      var kept = ids[...]
      if let place = kept.firstIndex(where: reading.ends.contains) {
        kept = kept[..<place]
      } else if reading.dropsLastWithoutEnd {
        kept = ids.filter { !reading.leftOut.contains($0) }.dropLast()
      }
      var text = tokenizer.decode(
        kept.filter { !reading.leftOut.contains($0) },
        skipSpecialTokens: reading.skipsSpecialTokens)
      for found in reading.leftOutTexts { text = text.replacing(found, with: "") }
      if reading.trims {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
          scalar.properties.isWhitespace || scalar == "\u{1F}"
        }
        let scalars = text.unicodeScalars.drop(while: isBlank)
        text = String(String.UnicodeScalarView(scalars.reversed().drop(while: isBlank).reversed()))
      }
      #expect(tokenizer.decode(ids, as: reading).utf8.elementsEqual(text.utf8), "\(ids) \(reading)")
    }
    // A long answer takes as long as its tokens: blanks that may be the last are not looked at again.
    var trimming = StreamingDecoder.Reading()
    trimming.trims = true
    let blank = tokenizer.encode(" ", addSpecialTokens: false)
    var stream = StreamingDecoder(tokenizer, trimming)
    let given = (0..<20_000).flatMap { _ in blank.map { stream.append($0) } }
    #expect(given.allSatisfy(\.isEmpty) && stream.finish().isEmpty)
  }

  @Test func bytesSurviveEncodingAndDecoding() throws {
    let tokenizer = try Self.golden("byte-pairs")
    var random = Numbers(state: 9)
    for _ in 0..<500 {
      var text = String.UnicodeScalarView()
      for _ in 0..<random.next() % 30 {
        let limit: UInt64 = [0x80, 0x800, 0x3000, 0x110000][Int(random.next() % 4)]
        if let scalar = Unicode.Scalar(UInt32(random.next() % limit)) { text.append(scalar) }
      }
      let options = EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .none)
      let ids = try tokenizer.encode(String(text), options: options)
      #expect(tokenizer.decode(ids).unicodeScalars.elementsEqual(text))
    }
  }

  @Test func piecesShowWhatCannotBeSeen() throws {
    let tokenizer = try Self.golden("byte-pairs")
    let ids = tokenizer.encode("the  x\n\t猫") + [99_999]
    let pieces = tokenizer.pieces(of: ids)
    #expect(pieces.map(\.id) == ids)
    #expect(pieces.first?.isSpecial == true)
    #expect(
      pieces.dropFirst().map(\.text).joined() == "the␣␣x⏎⇥<0xE7><0x8C><0xAB>#99999")
    let words = try Self.golden("word-pieces")
    let piece = try #require(words.id("##e"))
    #expect(words.pieces(of: [piece]).map(\.text) == ["##e"])
  }

  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      " ", "a", "\n", "^", "7", "\u{301}", "👩\u{200D}", "描", "aA", "' ", "</s>", "<mark>", "<",
      "\u{323}\u{301}", "[MASK]", "[",
    ])
  func longRunsOfAnythingAreEncoded(_ unit: String) throws {
    let text = String(repeating: unit, count: 30_000 / unit.unicodeScalars.count)
    let bytes = try Self.golden("byte-pairs")
    let options = EncodingOptions(addSpecialTokens: false)
    let ids = try bytes.encode(text, options: options)
    #expect(bytes.decode(ids, skipSpecialTokens: false).utf8.elementsEqual(text.utf8))
    let words = try Self.golden("word-pieces")
    #expect(words.encode(text).count >= 2)
  }

  @Test func composingGivesTheReferencesCharacters() throws {
    let file = try String(
      contentsOf: GoldenVectorTests.goldens.appending(path: "byte-pairs/tokenizer.json"),
      encoding: .utf8)
    let folder = try TemporaryFolder()
    try folder.write(
      "tokenizer.json",
      file.replacing(#""normalizer":null"#, with: #""normalizer":{"type":"NFC"}"#))
    let tokenizer = try TokenizerFolder.read(folder.url)
    // The right side is what the reference's form C gives; it has the marks of Unicode 9.
    for (text, composed) in [
      ("e\u{301}", "\u{E9}"), ("\u{E2}\u{323}", "\u{1EAD}"), ("\u{212B}", "\u{C5}"),
      ("\u{AC00}\u{11A8}", "\u{AC01}"), ("\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
      ("\u{AC38}\u{11A7}", "\u{AC38}\u{11A7}"), ("\u{1113}\u{1169}", "\u{1113}\u{1169}"),
      ("\u{958}", "\u{915}\u{93C}"), ("\u{CC6}\u{CC2}\u{CD5}", "\u{CCB}"),
      ("a\u{35F}\u{8CC}", "a\u{35F}\u{8CC}"),
      ("a\u{301}\u{323}\u{301}", "\u{1EA1}\u{301}\u{301}"),
      ("a\u{327}\u{301}\u{327}", "\u{E1}\u{327}\u{327}"),
    ] {
      let ids = tokenizer.encode(text, addSpecialTokens: false)
      #expect(tokenizer.decode(ids).unicodeScalars.elementsEqual(composed.unicodeScalars))
    }
    // Sorting these by pairs of neighbours would not end.
    let count = 50_000
    let long = "a" + String(repeating: "\u{301}\u{323}", count: count)
    let sorted =
      "\u{1EA1}" + String(repeating: "\u{323}", count: count - 1)
      + String(repeating: "\u{301}", count: count)
    let ids = tokenizer.encode(long, addSpecialTokens: false)
    #expect(tokenizer.decode(ids).unicodeScalars.elementsEqual(sorted.unicodeScalars))
  }

  @Test func wordsOfMoreThanAHundredCharactersAreUnknown() throws {
    let words = try Self.golden("word-pieces")
    let unknown = try #require(words.id("[UNK]"))
    let hundred = words.encode(String(repeating: "b", count: 100), addSpecialTokens: false)
    #expect(!hundred.contains(unknown))
    #expect(words.encode(String(repeating: "b", count: 101), addSpecialTokens: false) == [unknown])
  }
}

/// Numbers that look random and are the same every time.
struct Numbers {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
}
