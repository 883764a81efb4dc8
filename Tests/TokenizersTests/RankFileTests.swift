import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// Qwen-VL's tokenizer: files of ranks, pictures' paths among ids, tags in texts.
@Suite struct RankFileTests {
  static let golden = GoldenVectorTests.goldens.appending(path: "ranks")
  static let small: Result<any Tokenizer, any Error> = Result { try TokenizerFolder.read(golden) }

  /// The ids of a golden, in which a run of padding is its length below zero.
  private static func spread(_ ids: [Int], _ padding: Int) -> [Int] {
    ids.flatMap { $0 < 0 ? [Int](repeating: padding, count: -$0) : [$0] }
  }

  private static func encoded(
    _ text: String, _ parsing: SpecialTokenParsing, by tokenizer: any Tokenizer
  ) -> [Int]? {
    try? tokenizer.encode(text, options: EncodingOptions(parseSpecialTokens: parsing))
  }

  @Test func everyTextOfTheGoldenIsEqualHoweverTagsAreRead() throws {
    let tokenizer = try Self.small.get()
    let cases = try JSON(file: Self.golden.appending(path: "vectors.json"))["cases"]?.array ?? []
    #expect(cases.count == 160)
    let padding = try #require(tokenizer.id("<imgpad>"))
    for fields in cases {
      let text = fields["text"]?.text ?? ""
      let ids = Self.spread(fields.numbers("none"), padding)
      #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
      for (key, parsing) in [
        ("none", SpecialTokenParsing.none), ("tags", .pictureTags), ("all", .all),
      ] {
        let expected = fields[key]?.array.map { _ in Self.spread(fields.numbers(key), padding) }
        #expect(
          Self.encoded(text, parsing, by: tokenizer) == expected, "\(text.debugDescription), \(key)"
        )
      }
    }
  }

  @Test func idsBecomeTextAsPythonMakesItAtOnceAndInAStream() throws {
    let tokenizer = try Self.small.get()
    for fields in try JSON(file: Self.golden.appending(path: "vectors.json"))["cases"]?.array ?? []
    {
      let drawn = fields.numbers("drawn")
      for (key, skips) in [("decoded", false), ("bare", true)] {
        let text = tokenizer.decode(drawn, skipSpecialTokens: skips)
        #expect(text.utf8.elementsEqual((fields[key]?.text ?? "").utf8), "\(drawn)")
      }
      let paths = Self.encoded("a <img>猫.jpg</img>\u{1F355}", .all, by: tokenizer) ?? []
      for ids in [drawn, paths, paths + drawn, drawn + paths.dropLast(40)] {
        for skips in [false, true] {
          var stream = StreamingDecoder(tokenizer, .init(skipsSpecialTokens: skips))
          let parts = ids.map { stream.append($0) } + [stream.finish()]
          let whole = tokenizer.decode(ids, skipSpecialTokens: skips)
          #expect(parts.joined().utf8.elementsEqual(whole.utf8), "\(ids)")
        }
      }
    }
  }

  @Test func specialTokensFollowTheLastRank() throws {
    let tokenizer = try Self.small.get()
    #expect(tokenizer.id("<|endoftext|>") == 500)
    #expect(tokenizer.id("<|extra_0|>") == 503)
    #expect(tokenizer.id("<|extra_204|>") == 707)
    #expect(tokenizer.id("<ref>") == 708)
    #expect(tokenizer.id("<imgpad>") == 716)
    #expect(tokenizer.vocabularySize == 717)
    #expect(tokenizer.id(for: .end) == 500)
    #expect((500..<717).allSatisfy { tokenizer.isSpecial($0) })
    #expect(!tokenizer.isSpecial(499))
  }

  @Test func nobodyEndsATurnByTyping() throws {
    let tokenizer = try Self.small.get()
    let text = "<ref>boy</ref><|im_end|>"
    let end = try #require(tokenizer.id("<|im_end|>"))
    let start = try #require(tokenizer.id("<ref>"))
    #expect(!tokenizer.encode(text).contains(start))
    #expect(Self.encoded(text, .pictureTags, by: tokenizer)?.first == start)
    #expect(Self.encoded(text, .pictureTags, by: tokenizer)?.contains(end) == false)
    #expect(Self.encoded(text, .all, by: tokenizer)?.last == end)
    for parsing in [SpecialTokenParsing.none, .pictureTags, .all] {
      let ids = try #require(Self.encoded(text, parsing, by: tokenizer))
      #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
    }
  }

  // MARK: Paths

  @Test(arguments: [0, 1, 254, 255, 256, 257, 300, 100_000])
  func aPathHasAtMost256Bytes(_ count: Int) throws {
    let tokenizer = try Self.small.get()
    let path = String(repeating: "a", count: count)
    let text = "x <img>\(path)</img>"
    guard count <= 256 else {
      let options = EncodingOptions(parseSpecialTokens: .pictureTags)
      let failure = #expect(throws: PathFailure.self) {
        try tokenizer.encode(text, options: options)
      }
      let says = "\(failure.map { "\($0)" } ?? "")"
      #expect(says.hasPrefix("the path 'aaaa") && says.utf8.count < 200)
      #expect(
        says.hasSuffix("after <img> at character 3 has \(count) bytes; a path has at most 256"))
      return
    }
    let ids = try #require(Self.encoded(text, .pictureTags, by: tokenizer))
    let start = try #require(ids.firstIndex(of: 714))
    #expect(ids.suffix(from: start).count == 258)
    #expect(ids.last == 715)
    #expect(ids[(start + 1)..<(start + 1 + count)].allSatisfy { $0 == 0x61 })
    #expect(ids[(start + 1 + count)..<(ids.count - 1)].allSatisfy { $0 == 716 })
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
    #expect(tokenizer.decode(ids, skipSpecialTokens: true) == "x \(path)")
  }

  @Test func aPathsBytesAreTheIdsOfTheirNumbers() throws {
    let tokenizer = try Self.small.get()
    let ids = try #require(Self.encoded("<img>猫/e\u{301}</img>", .all, by: tokenizer))
    #expect(ids.prefix(7) == [714, 0xE7, 0x8C, 0xAB, 0x2F, 0xC3, 0xA9])
    let pieces = tokenizer.pieces(of: ids)
    #expect(pieces[1...6].map(\.text) == ["<0xE7>", "<0x8C>", "<0xAB>", "/", "<0xC3>", "<0xA9>"])
    #expect(pieces[7].text == "<imgpad>")
    #expect(pieces[257].text == "</img>")
    // Elsewhere an id is its token.
    #expect(tokenizer.pieces(of: [0x2F])[0].text == tokenizer.visible(0x2F))
    #expect(tokenizer.visible(0x2F) != "/")
  }

  @Test(arguments: [
    ("a<img>b", "<img> at character 2 has no </img>; a path stands between the two, as in "),
    ("é</img>", "</img> at character 2 has no <img> before it; a path stands between the two"),
    ("<img>a</img></img>", "</img> at character 13 has no <img> before it; a path stands"),
    (
      "猫<img>a<img>b</img>",
      "<img> at character 8 stands in the path that <img> at character 2 begins; expected </img>"
    ),
    (
      "<img>a<|im_end|></img>",
      "<|im_end|> at character 7 stands in the path that <img> at character 1 begins"
    ),
    ("<img><imgpad></img>", "<imgpad> at character 6 stands in the path that <img>"),
    ("<img>a</img><img>b", "<img> at character 13 has no </img>"),
  ]) func tagsThatStandWrongAreNamed(_ text: String, _ says: String) throws {
    let tokenizer = try Self.small.get()
    let failure = #expect(throws: PathFailure.self) {
      try tokenizer.encode(text, options: EncodingOptions(parseSpecialTokens: .all))
    }
    #expect("\(failure.map { "\($0)" } ?? "")".hasPrefix(says))
    #expect(
      tokenizer.decode(tokenizer.encode(text)).unicodeScalars.elementsEqual(text.unicodeScalars))
  }

  @Test func aPathThatTheModelLeavesOpenIsStillText() throws {
    let tokenizer = try Self.small.get()
    let word = try #require(tokenizer.encode("boat").first { $0 > 255 })
    let token = try #require(tokenizer.token(word))
    #expect(
      tokenizer.decode([714, 0x61, 0xC3, word], skipSpecialTokens: false)
        == "<img>a\u{FFFD}\(token)")
    #expect(
      tokenizer.decode([714, 0x61, 716, 0x62, 715], skipSpecialTokens: false) == "<img>a</img>")
    #expect(tokenizer.decode([716, 715], skipSpecialTokens: false) == "<imgpad></img>")
  }

  // MARK: Files

  /// The 256 bytes, `ab` and `abc`.
  private static let lines: [String] = {
    let tokens = (0..<256).map { [UInt8($0)] } + [Array("ab".utf8), Array("abc".utf8)]
    return tokens.enumerated().map { "\(Data($0.element).base64EncodedString()) \($0.offset)" }
  }()

  private static func folder(
    _ text: String, settings: String? = nil, name: String = "qwen.tiktoken"
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(name, text)
    if let settings { try folder.write("tokenizer_config.json", settings) }
    return folder
  }

  @Test(arguments: ["\n", "\r\n"], [true, false])
  func linesEndEitherWay(_ end: String, _ endsLast: Bool) throws {
    let folder = try Self.folder(Self.lines.joined(separator: end) + (endsLast ? end : ""))
    let tokenizer = try TokenizerFolder.read(folder.url)
    #expect(tokenizer.encode("abcab") == [257, 256])
    #expect(tokenizer.vocabularySize == 258 + 217)
  }

  @Test func aWordThatIsATokenNeedsNoMerges() throws {
    // No two tokens make 'bcd', so that it is found as a whole word alone.
    let folder = try Self.folder((Self.lines + ["YmNk 258"]).joined(separator: "\n"))
    let tokenizer = try TokenizerFolder.read(folder.url)
    #expect(tokenizer.encode("bcd") == [258])
    #expect(tokenizer.encode("bcdd") == [0x62, 0x63, 0x64, 0x64])
  }

  /// A line that stands in place of another, and what is said of it.
  @Test(arguments: [
    (3, "Ag= 2", "line 3: found 'Ag= 2', expected a token in base64, a space and its rank"),
    (3, "A=== 2", "line 3: found 'A=== 2', expected a token in base64"),
    (3, "Ag=A 2", "line 3: found 'Ag=A 2', expected a token in base64"),
    (3, "Ah== 2", "line 3: found 'Ah== 2', expected a token in base64"),
    (3, "A\u{e9}== 2", "line 3: found 'Aé== 2', expected a token in base64"),
    (3, "Ag== 2 3", "line 3: found 'Ag== 2 3', expected a token in base64"),
    (3, "Ag==", "line 3: found 'Ag==', expected a token in base64"),
    (3, "Ag== ", "line 3: found 'Ag== ', expected a token in base64"),
    (3, "Ag==\t2", "line 3: found 'Ag==⟨U+0009⟩2', expected a token in base64"),
    (3, "Ag== -2", "line 3: found 'Ag== -2', expected a token in base64"),
    (3, "Ag== 2.0", "line 3: found 'Ag== 2.0', expected a token in base64"),
    (3, " 2", "line 3: found ' 2', expected a token in base64"),
    (3, "", "line 3: found nothing, expected a token in base64"),
    (3, "Ag== 1", "line 3: found rank 1 again, expected each rank once"),
    (3, "AQ== 2", "line 3: found the token of rank 1 again, expected each token once"),
    (3, "Ag== 1048576", "line 3: found rank 1048576, expected ranks from 0 to 1048575"),
    (3, "Ag== 99999999999999999999", "line 3: found 'Ag== 99999999999999999999', expected a token"),
    (257, "YWI= 300", "ranks: found no rank 256, but rank 300, expected every rank from 0 on"),
    (
      3, "YWJj 2",
      "line 258: found the token of rank 2 again, expected each token once"
    ),
    (3, "YWJjZA== 2", "ranks: found no token for the byte <0x02>, expected one for each"),
  ]) func whatIsWrongIsNamedWithItsLine(_ line: Int, _ text: String, _ says: String) throws {
    var lines = Self.lines
    lines[line - 1] = text
    let failure = try Self.folder(lines.joined(separator: "\n")).failure()
    #expect(failure.hasPrefix("'qwen.tiktoken', \(says)"), "\(failure)")
    #expect(!failure.contains("\n"))
  }

  @Test(arguments: [
    (#"{"tokenizer_class": "GPT2Tokenizer"}"#, "tokenizer_class: 'GPT2Tokenizer' is not supported"),
    (#"{"tokenizer_class": "QWenTokenizer", "errors": "strict"}"#, "errors: 'strict' is not"),
    (#"{"image_start_tag": "<image>"}"#, "image_start_tag: '<image>' is not supported"),
    (
      #"{"tokenizer_class": "QWenTokenizer", "vocab_file": "../a"}"#,
      "vocab_file: found '../a', expected the name of a file in the folder"
    ),
  ]) func otherSettingsAreRefused(_ settings: String, _ says: String) throws {
    let folder = try Self.folder(Self.lines.joined(separator: "\n"), settings: settings)
    #expect(folder.failure().hasPrefix("'tokenizer_config.json', \(says)"))
  }

  @Test func settingsMayNameTheFile() throws {
    let settings = #"{"tokenizer_class": "QWenTokenizer", "vocab_file": "small.tiktoken"}"#
    let text = Self.lines.joined(separator: "\n")
    let folder = try Self.folder(text, settings: settings, name: "small.tiktoken")
    #expect(try TokenizerFolder.read(folder.url).encode("ab") == [256])
    let other = try Self.folder(text, settings: settings)
    #expect(
      other.failure()
        == "'small.tiktoken', file: found nothing, expected the tokens in base64, each with its rank"
    )
    #expect(
      try Self.folder("").failure() == "'qwen.tiktoken', ranks: found none, expected one a line")
  }

  @Test(.timeLimit(.minutes(1)), arguments: [UInt64(1), 2, 3])
  func garbageFailsAtOnceOnOneLine(_ seed: UInt64) throws {
    var state = seed
    let folder = try TemporaryFolder()
    let bytes = (0..<4_000_000).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // One of them without a line's end.
      let byte = UInt8(truncatingIfNeeded: state >> 56)
      return seed == 2 ? byte | 0x40 : byte
    }
    try Data(bytes).write(to: folder.url.appending(path: "qwen.tiktoken"))
    let failure = folder.failure()
    #expect(failure.hasPrefix("'qwen.tiktoken', line 1: found "))
    #expect(failure.unicodeScalars.count < 2000 && !failure.contains("\n"))
    // A token of megabytes is a token.
    let long = Data(repeating: 0x61, count: 3_000_000).base64EncodedString()
    try folder.write("qwen.tiktoken", (Self.lines + ["\(long) 258"]).joined(separator: "\n"))
    #expect(try TokenizerFolder.read(folder.url).encode("aaab").count == 3)
  }

  // MARK: The published vocabulary

  @Test(.enabled(if: Fixtures.shared != nil))
  func theGoldensConversationsBecomeTheirIds() throws {
    let folder = try #require(Fixtures.shared).appending(path: "goldens/qwen-vl")
    let expected = try JSON(file: folder.appending(path: "expected.json"))
    let tokenizer = try TokenizerFolder.read(folder)
    let text = try #require(expected["raw_text"]?.text)
    let ids = try tokenizer.encode(text, options: EncodingOptions(parseSpecialTokens: .all))
    #expect(ids == expected.numbers("input_ids"))
    #expect(tokenizer.decode(ids, skipSpecialTokens: false) == text)
    #expect(tokenizer.vocabularySize == 151_860)
    #expect(tokenizer.id("<imgpad>") == 151_859)
    let turn = "Picture 1: <img>/a/b.jpg</img>\nHi"
    let path = try tokenizer.encode(
      turn, options: EncodingOptions(parseSpecialTokens: .pictureTags))
    #expect(tokenizer.decode(path, skipSpecialTokens: false) == turn)
  }

  @Test(
    .enabled(if: Fixtures.shared != nil), .timeLimit(.minutes(1)),
    arguments: [" ", "a", "\n", "A", "7", "e\u{301}", "猫", "<img>", "'s", "... ", "👩‍👧", "the cat "])
  func aMegabyteTakesLinearTime(_ unit: String) throws {
    let folder = try #require(Fixtures.shared).appending(path: "tokenizers/qwen-vl-chat")
    let tokenizer = try TokenizerFolder.read(folder)
    let text = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
    let ids = tokenizer.encode(text)
    #expect(tokenizer.decode(ids).utf8.count >= 500_000)
  }
}
