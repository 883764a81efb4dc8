import Characters
import Testing

struct CharactersTests {
  @Test func aShortenedTextKeepsItsTwoEnds() {
    #expect("abcdefgh".shortened(toColumns: 8) == "abcdefgh")
    #expect("abcdefgh".shortened(toColumns: 7) == "abc…fgh")
    #expect("日本語の文".shortened(toColumns: 7) == "日本…文")
    for columns in 0..<12 {
      #expect("日本語 abc 👨‍👩‍👧 x".shortened(toColumns: columns).displayWidth <= columns)
    }
  }

  @Test func oneLineHasNoBreaks() {
    #expect("a\nb\r\nc\td\u{1B}[31m".visibleOnOneLine == "a⏎b⏎c⇥d⟨U+001B⟩[31m")
    #expect("plain 日本".visibleOnOneLine == "plain 日本")
  }

  @Test(arguments: [
    ("\u{1B}]0;t\u{7}", "⟨U+001B⟩]0;t⟨U+0007⟩"), ("a\u{9B}2J\u{7F}", "a⟨U+009B⟩2J⟨U+007F⟩"),
    ("a\r\nb\rc", "a⟨U+000D⟩\nb⟨U+000D⟩c"), ("\u{202E}x\u{2069}", "⟨U+202E⟩x⟨U+2069⟩"),
    ("a\u{200B}\u{200D}b\u{FEFF}\u{AD}", "a⟨U+200B⟩⟨U+200D⟩b⟨U+FEFF⟩⟨U+00AD⟩"),
    ("x\u{FE0F}\u{E0101}\u{E0041}\u{3164}", "x⟨U+FE0F⟩⟨U+E0101⟩⟨U+E0041⟩⟨U+3164⟩"),
    ("漢\u{E0100}\u{E0101}", "漢\u{E0100}⟨U+E0101⟩"), ("👩\u{200D}", "👩⟨U+200D⟩"),
    ("\u{2028}\u{FFFE}", "⟨U+2028⟩⟨U+FFFE⟩"), ("a\tb\nc", "a\tb\nc"),
  ]) func whatIsObeyedOrUnseenIsSpelledOut(text: String, visible: String) {
    #expect(text.visible == visible)
  }

  /// Emoji of several scalars, Persian, Hindi, Arabic numbers, keycaps, accents, wide letters.
  @Test(arguments: [
    "👨‍👩‍👧", "👩🏽‍💻", "❤️‍🔥", "🏳️‍🌈", "می‌خواهم", "क्‍ष", "1️⃣", "é e\u{301}", "日本語 ✓ → ▀",
    "ﷺ العربية", "한국어", "ไทย", "עִבְרִית", "↔️", "☺︎",
  ]) func wordsOfEveryScriptStayAsTheyAre(text: String) {
    #expect(text.visible == text && text.visibleOnOneLine == text)
  }

  @Test(arguments: [
    (0, "0 %"), (1, "100 %"), (0.765, "76.5 %"), (0.001, "0.1 %"), (0.0004, "0.04 %"),
    (0.000_31, "0.031 %"), (0.000_029_6, "0.003 %"), (3.14e-8, "3.1e-6 %"), (0.9996, "99.96 %"),
    (0.999_98, "99.998 %"), (0.99, "99.0 %"), (-0.25, "-25.0 %"), (.nan, "nan"),
    (.infinity, "inf %"), (0.999_999_94, "99.999994 %"),
  ]) func sharesHaveTheDigitsThatTellThemFromNothingAndFromAll(share: Double, text: String) {
    #expect(Percentage.text(share) == text)
  }

  @Test func noShareLooksLikeNothingOrAll() {
    for exponent in 1...12 {
      let little = (0..<exponent).reduce(1.0) { number, _ in number / 10 }
      for share in [little, little * 3.3, little * 9.96] where share < 1 {
        #expect(Percentage.text(share).contains { ("1"..."9").contains($0) }, "\(share)")
        #expect(Percentage.text(Float(1 - share)) != "100.0 %", "\(share)")
      }
    }
  }

  @Test func nounsFollowTheirNumber() {
    #expect(1.counted(as: "picture") == "1 picture")
    #expect(0.counted(as: "picture") == "0 pictures")
    #expect(2.counted(as: "copy", plural: "copies") == "2 copies")
  }

  @Test func differentTextsKeepDifferentLabels() {
    let texts = ["a photo of one cat here", "a photo of two cat here", "short", "short"]
    let labels = ShortenedTexts.distinct(texts) { ($0 + $1).shortened(toColumns: 13) }
    #expect(labels == ["[0] a …t here", "[1] a …t here", "short", "short"])
  }
}

@Suite struct BrokenLineTests {
  @Test(arguments: [
    ("one two three", 7, "one two\nthree"), ("one", 2, "one"), ("a b", 80, "a b"),
    ("  name  what it does all day", 18, "  name  what it\n        does all\n        day"),
    ("    indented words here", 12, "    indented\n    words\n    here"),
    ("日本語の文です。", 8, "日本語の\n文です。"), ("first\n\nsecond line", 6, "first\n\nsecond\nline"),
    ("    abcdefghij k", 12, "  abcdefghij\n    k"),
    ("a-word-that-is-long x", 5, "a-word-that-is-long\nx"),
  ])
  func linesAreBrokenBetweenWords(_ text: String, _ columns: Int, _ broken: String) {
    #expect(text.broken(toColumns: columns) == broken)
  }
}
