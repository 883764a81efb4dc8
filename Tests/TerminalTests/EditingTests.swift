import Characters
import Testing

@testable import Terminal

@Suite struct EditingTests {
  /// What is typed, and the text with the cursor after it.
  static let sequences: [(typed: String, shown: String)] = [
    ("abc", "abc|"),
    ("abc" + Sent.left, "ab|c"),
    ("abc" + Sent.left + Sent.left + "X", "aX|bc"),
    ("abc" + Sent.home + "X", "X|abc"),
    ("abc" + Sent.control("a") + Sent.control("f"), "a|bc"),
    ("abc" + Sent.control("a") + Sent.control("e"), "abc|"),
    ("abc" + Sent.control("b"), "ab|c"),
    ("abc" + Sent.home + Sent.end, "abc|"),
    ("abc\u{7F}", "ab|"),
    ("abc\u{08}", "ab|"),
    ("abc" + Sent.left + Sent.delete, "ab|"),
    ("abc" + Sent.left + Sent.control("d"), "ab|"),
    ("one two" + Sent.alt("b"), "one |two"),
    ("one two" + Sent.alt("b") + Sent.alt("b") + Sent.alt("f"), "one| two"),
    ("one two\u{1B}[1;5D", "one |two"),
    ("one two\u{1B}[1;3D\u{1B}[1;3D\u{1B}[1;3C", "one| two"),
    ("load a/b.png" + Sent.control("w"), "load |"),
    ("load a/b.png\u{1B}\u{7F}", "load a/b.|"),
    ("one two three" + Sent.control("w") + Sent.control("w"), "one |"),
    ("one two" + Sent.control("u"), "|"),
    ("one two" + Sent.alt("b") + Sent.control("u"), "|two"),
    ("one two" + Sent.alt("b") + Sent.control("k"), "one |"),
    ("one two" + Sent.home + Sent.alt("d"), "| two"),
    ("one two" + Sent.control("w") + Sent.control("y") + Sent.control("y"), "one twotwo|"),
    ("a b c" + Sent.control("w") + Sent.control("w") + Sent.control("y"), "a b c|"),
    ("a b c" + Sent.home + Sent.control("k") + Sent.control("y"), "a b c|"),
    ("ab" + Sent.control("t"), "ba|"),
    ("abc" + Sent.left + Sent.control("t"), "acb|"),
    ("a" + Sent.control("t"), "a|"),
    ("abc def" + Sent.control("_"), "abc |"),
    ("abc" + Sent.control("u") + Sent.control("_"), "abc|"),
    ("a\u{1B}\rb", "a\nb|"),
    ("ab\u{1B}\rcd" + Sent.home, "ab\n|cd"),
    ("ab\u{1B}\rcdef" + Sent.up, "ab|\ncdef"),
    ("abcd\u{1B}\ref" + Sent.up, "ab|cd\nef"),
    ("abcd\u{1B}\ref" + Sent.up + Sent.down, "abcd\nef|"),
    ("ab\u{1B}\rcd" + Sent.alt("<"), "|ab\ncd"),
    ("ab\u{1B}\rcd" + Sent.alt("<") + Sent.alt(">"), "ab\ncd|"),
    ("ab\u{1B}\rcd" + Sent.control("u") + Sent.control("u"), "ab|"),
    ("ab\u{1B}\rcd" + Sent.up + Sent.control("k"), "ab|cd"),
    ("e\u{301}" + Sent.left, "|e\u{301}"),
    ("e\u{301}x" + Sent.left + "\u{7F}", "|x"),
    ("日本" + Sent.left + "x", "日x|本"),
    ("日本\u{7F}", "日|"),
    ("👨‍👩‍👧x" + Sent.left + Sent.left, "|👨‍👩‍👧x"),
    ("👨‍👩‍👧\u{7F}", "|"),
    ("🇩🇪🇫🇷\u{7F}", "🇩🇪|"),
    ("x\u{301}" + Sent.home + Sent.right, "x\u{301}|"),
    (Sent.paste("a = 1\nb = 2\n"), "a = 1\nb = 2|"),
    (Sent.paste("a\r\nb\rc"), "a\nb\nc|"),
    ("()" + Sent.left + Sent.paste("x"), "(x|)"),
    ("\u{1B}OA\u{1B}[99;99Zab", "ab|"),
    ("a\u{1B}[200~\u{1B}[31m\u{1B}[201~", "a\u{1B}[31m|"),
    (Sent.left + Sent.right + Sent.delete + "\u{7F}ok", "ok|"),
  ]

  @Test(arguments: sequences) func keysLeadToTheText(_ sequence: (typed: String, shown: String)) {
    var typing = Typing()
    #expect(typing.send(sequence.typed) == sequence.shown)
  }

  @Test func aCombiningMarkJoinsTheLetterLeftOfIt() {
    var typing = Typing()
    typing.send("ae" + Sent.left + Sent.right + "\u{301}")
    #expect(typing.editor.content.text.count == 2)
    #expect(typing.send("\u{7F}") == "a|")
  }

  @Test func aMarkInsertedBeforeTheCursorTakesTheCursorOffTheCluster() {
    var content = EditedText(before: "e", after: "\u{301}x")
    #expect(content.before == "e\u{301}")
    #expect(content.after == "x")
    content.moveLeft()
    #expect(content.before.isEmpty)
  }

  @Test func enterSubmitsACompleteEntryAndContinuesAnIncompleteOne() {
    var typing = Typing(isIncomplete: {
      $0.filter { $0 == "(" }.count > $0.filter { $0 == ")" }.count
    })
    typing.send("f(\r")
    #expect(typing.submitted.isEmpty)
    typing.send("1)\r")
    #expect(typing.submitted == ["f(\n1)"])
  }

  @Test func aContinuedLineKeepsItsIndentation() {
    var typing = Typing(isIncomplete: { _ in true })
    #expect(typing.send("    x\ry") == "    x\n    y|")
    #expect(typing.send("\u{7F}\u{7F}") == "    x\n|")
    #expect(typing.send("\t") == "    x\n    |")
  }

  @Test func enterInTheMiddleOfLinesOpensALine() {
    var typing = Typing()
    #expect(typing.send("ab\u{1B}\rcd" + Sent.up + "\r") == "ab\n|\ncd")
    #expect(typing.submitted.isEmpty)
  }

  @Test func aPasteNeverSubmits() {
    var typing = Typing()
    typing.send(Sent.paste("rm everything\nand more\n\n"))
    #expect(typing.submitted.isEmpty)
    typing.send("\r")
    #expect(typing.submitted == ["rm everything\nand more"])
  }

  @Test func controlDEndsOnlyAnEmptyEntry() {
    var typing = Typing()
    typing.send("a" + Sent.home + Sent.control("d"))
    #expect(typing.outcomes.last == .edited)
    typing.send(Sent.control("d"))
    #expect(typing.outcomes.last == .end)
  }

  @Test func controlCGivesUpTheEntryAndControlZSuspends() {
    var typing = Typing()
    typing.send("abc" + Sent.control("c"))
    #expect(typing.outcomes.last == .interrupt("abc"))
    typing.send(Sent.control("z"))
    #expect(typing.outcomes.last == .suspend)
    typing.send(Sent.control("l"))
    #expect(typing.outcomes.last == .clearScreen)
  }

  @Test func keysCutAnywhereDecodeTheSame() {
    let bytes = Array("é日👍\u{1B}[A\u{1B}[1;5C\u{1B}[200~x\ny\u{1B}[201~\u{1B}\r\u{3}z".utf8)
    var whole = KeyDecoder()
    let expected = whole.decode(bytes)
    #expect(expected.count == 9)
    for cut in bytes.indices {
      var decoder = KeyDecoder()
      #expect(decoder.decode(bytes[..<cut]) + decoder.decode(bytes[cut...]) == expected)
    }
  }

  @Test func brokenBytesBecomeReplacementCharactersAndNothingElse() {
    var decoder = KeyDecoder()
    let keys = decoder.decode([0xFF, 0x61, 0xC3, 0x61, 0xE2, 0x82, 0x0D, 0x80])
    #expect(keys.contains(.enter))
    #expect(keys.filter { $0 == .character("a") }.count == 2)
    #expect(keys.filter { $0 == .character("\u{FFFD}") }.count >= 4)
  }

  @Test func aLoneEscapeIsAKeyOnlyAfterSilence() {
    var decoder = KeyDecoder()
    #expect(decoder.decode([0x1B]).isEmpty)
    #expect(decoder.isUndecided)
    #expect(decoder.flush() == [.escape])
    #expect(!decoder.isUndecided)
  }

  @Test(.timeLimit(.minutes(1))) func aMebibyteCanBePasted() {
    var typing = Typing()
    let line = "patches = patchify(preprocess(image('cat.png')))\n"
    let text = String(repeating: line, count: (1 << 20) / line.utf8.count)
    typing.send(Sent.paste(text))
    _ = typing.editor.frame(prompt: Prompt("fovea> "), columns: 80, height: 24, depth: .none)
    #expect(typing.editor.content.text.utf8.count == text.utf8.count - 1)
  }

  @Test func randomKeysNeverLoseTheCursorOrTheText() {
    var state: UInt64 = 1
    func next(below limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    let pieces = [
      "a", "é", "e", "\u{301}", "日", "🇩", "🇪", "👨", "\u{200D}", "👩", "\r", "\t", " ", "\u{7F}",
      Sent.up, Sent.down, Sent.left, Sent.right, Sent.home, Sent.end, Sent.delete, "\u{1B}\r",
      Sent.control("r"), Sent.control("k"), Sent.control("y"), Sent.control("t"),
      Sent.control("w"), Sent.control("_"), Sent.alt("d"), Sent.alt("b"), Sent.escape, "(", "\n",
      Sent.paste("x\u{300}\ny"), Sent.shiftTab, Sent.control("g"), "\u{1B}[", ";5~",
    ]
    for _ in 0..<60 {
      var typing = Typing(
        history: ["one", "def f():\n    two", "日本"],
        complete: { _, cursor in
          Completions(replacing: cursor..<cursor, with: [Candidate("aa"), Candidate("ab")])
        })
      for _ in 0..<60 {
        typing.send(pieces[next(below: pieces.count)])
        let content = typing.editor.content
        #expect(content.text == content.before + content.after)
        let frame = typing.editor.frame(
          prompt: Prompt("> "), columns: 12, height: 6, depth: .none)
        #expect(frame.rows.count <= 6)
        #expect(frame.cursorRow < frame.rows.count && frame.cursorColumn < 12)
        for row in frame.rows where row.width > 12 || row.text.displayWidth != row.width {
          Issue.record("\(row.width) \(row.text.debugDescription)")
        }
      }
    }
  }
}
