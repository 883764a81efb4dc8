import Characters
import Testing

@testable import Terminal

@Suite struct PaintingTests {
  func screen(
    _ text: [EditedText], columns: Int = 10, rows: Int = 8, prompt: Prompt = Prompt("> ")
  ) -> SmallScreen {
    var screen = SmallScreen(columns: columns, rows: rows)
    var painter = Painter()
    for content in text {
      let frame = Frame(prompt: prompt, content: content, columns: columns, height: rows)
      screen.feed(painter.paint(frame, columns: columns))
    }
    return screen
  }

  @Test func aLineStandsBehindItsPromptWithTheCursorInPlace() {
    let screen = screen([EditedText(before: "ab", after: "c")])
    #expect(screen.lines == ["> abc"])
    #expect((screen.row, screen.column) == (0, 4))
    #expect(screen.unknown.isEmpty)
  }

  @Test func aLongLineBreaksAtTheEdgeAndWideCharactersStayWhole() {
    #expect(screen([EditedText("12345678")]).lines == ["> 12345678"])
    let full = screen([EditedText("12345678")])
    #expect((full.row, full.column) == (1, 0))
    let wide = screen([EditedText("1234567日x")])
    #expect(wide.lines == ["> 1234567", "日x"])
    #expect((wide.row, wide.column) == (1, 3))
  }

  @Test func linesAfterTheFirstHaveTheirOwnPrompt() {
    let screen = screen(
      [EditedText(before: "def\n", after: "  x")], prompt: Prompt("[1] > "))
    #expect(screen.lines == ["[1] > def", "  ...   x"])
    #expect((screen.row, screen.column) == (1, 6))
  }

  @Test func aFrameLeavesNothingOfTheOneBefore() {
    let screen = screen([
      EditedText("first\nsecond\nthird"), EditedText(before: "fi", after: "rst\nsecond"),
      EditedText("x"),
    ])
    #expect(screen.lines == ["> x"])
    #expect((screen.row, screen.column) == (0, 3))
  }

  @Test func drawingKeyByKeyEqualsDrawingAtOnce() {
    let text = "日本語 and a long line\nwith\ttabs and 👨‍👩‍👧 e\u{301}\u{1B} end of it"
    var content = EditedText()
    var steps: [EditedText] = []
    for character in text {
      content.insert(String(character))
      steps.append(content)
    }
    for _ in 0..<20 {
      content.moveLeft()
      steps.append(content)
    }
    let gradual = screen(steps, columns: 13, rows: 12)
    let direct = screen([content], columns: 13, rows: 12)
    #expect(gradual.lines == direct.lines)
    #expect((gradual.row, gradual.column) == (direct.row, direct.column))
    #expect(gradual.unknown.isEmpty)
  }

  @Test func anEntryTallerThanTheScreenShowsThePartAroundTheCursor() {
    let lines = (0..<100).map { "line \($0)" }.joined(separator: "\n")
    var content = EditedText(lines)
    #expect(screen([content], rows: 5).lines.last == "> line 99")
    content.moveToStart()
    let top = screen([EditedText(lines), content], rows: 5)
    #expect(top.lines.first == "> line 0")
    #expect(top.lines.count == 5)
    for _ in 0..<50 { content.moveDown() }
    #expect(screen([content], rows: 5).lines.contains("> line 50"))
  }

  @Test func controlCharactersAreShownAndNotSent() {
    let screen = screen([EditedText("a\u{1B}[2J\u{7}b\u{202E}")], columns: 60)
    #expect(screen.lines == ["> a⟨U+001B⟩[2J⟨U+0007⟩b⟨U+202E⟩"])
    #expect((screen.row, screen.column) == (0, screen.lines[0].displayWidth))
  }

  @Test func aNarrowerTerminalIsRedrawnFromItsRewrappedTop() {
    let content = EditedText(before: "one two three\nfour", after: "")
    var painter = Painter()
    _ = painter.paint(
      Frame(prompt: Prompt("> "), content: content, columns: 20, height: 10), columns: 20)
    let bytes = painter.paint(
      Frame(prompt: Prompt("> "), content: content, columns: 10, height: 10), columns: 10)
    // Fifteen columns now take two rows of ten, and the cursor's own row one.
    #expect(bytes.contains("\u{1B}[2A"))
  }

  @Test(arguments: [
    ("a", 1), ("\u{301}", 0), ("e\u{301}", 1), ("日", 2), ("ｱ", 1), ("Ａ", 2), ("한", 2),
    ("\u{1112}\u{1161}\u{11AB}", 2), ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("❤", 1), ("❤️", 2),
    ("\u{200B}", 0), ("\u{7}", 0), ("ß", 1), ("…", 1), ("▀", 1), ("␣", 1), ("א", 1), ("ก็", 1),
    ("\u{AD}", 0), ("𠀀", 2), ("é日x", 4),
  ]) func textHasTheWidthThatTerminalsGiveIt(_ text: String, _ width: Int) {
    #expect(text.displayWidth == width)
  }

  @Test func truncatedTextFitsAndSaysThatItWasCut() {
    #expect("abc".truncated(toColumns: 3) == "abc")
    #expect("abcd".truncated(toColumns: 3) == "ab…")
    #expect("日本語".truncated(toColumns: 4) == "日…")
    #expect("abc".truncated(toColumns: 0) == "")
  }

  @Test func visibleTextHidesNothing() {
    #expect("plain\nλ 日本 👨‍👩‍👧 ❤️".visible == "plain\nλ 日本 👨‍👩‍👧 ❤️")
    #expect("\u{1B}]0;title\u{7}".visible == "⟨U+001B⟩]0;title⟨U+0007⟩")
    #expect("a\u{202E}b\u{200B}c\u{9B}d\r".visible == "a⟨U+202E⟩b⟨U+200B⟩c⟨U+009B⟩d⟨U+000D⟩")
  }
}
