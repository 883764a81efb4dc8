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
