import Characters
import Testing

@testable import Terminal

@Suite struct CompletionTests {
  /// Completes the word left of the cursor from a list.
  static let complete: @Sendable (String, String.Index) -> Completions? = { text, cursor in
    let words = ["patchify", "patches", "preprocess", "project", "encode"]
    let start =
      text[..<cursor].lastIndex { !$0.isLetter }.map { text.index(after: $0) } ?? text.startIndex
    let word = text[start..<cursor]
    let found = words.filter { $0.hasPrefix(word) }
    return Completions(
      replacing: start..<cursor, with: found.map { Candidate($0, detail: "about \($0)") })
  }

  @Test func theOnlyCandidateIsPutIn() {
    var typing = Typing(complete: Self.complete)
    #expect(typing.send("x = enc\t") == "x = encode|")
    #expect(typing.send("\t") == "x = encode|")
    #expect(typing.outcomes.last == .refused)
  }

  @Test func whatAllCandidatesShareIsPutInFirst() {
    var typing = Typing(complete: Self.complete)
    #expect(typing.send("pa\t") == "patch|")
    #expect(typing.send("\t") == "patchify|")
    #expect(typing.send("\t") == "patches|")
    #expect(typing.send("\t") == "patchify|")
    #expect(typing.send(Sent.shiftTab) == "patches|")
    typing.send("\r")
    #expect(typing.submitted.isEmpty)
    typing.send("\r")
    #expect(typing.submitted == ["patches"])
  }

  @Test func escapeBringsBackWhatWasTyped() {
    var typing = Typing(complete: Self.complete)
    #expect(typing.send("f(p\t\t\t" + Sent.escape) == "f(p|")
  }

  @Test func typingNarrowsTheMenu() {
    var typing = Typing(complete: Self.complete)
    typing.send("p\tr")
    guard case .completing(let menu) = typing.editor.mode else {
      Issue.record("the menu closed")
      return
    }
    #expect(menu.candidates.map(\.label) == ["preprocess", "project"])
    #expect(typing.send("\t") == "preprocess|")
    #expect(typing.send("(") == "preprocess(|")
    #expect(typing.editor.mode == .editing)
  }

  @Test func whatIsRightOfTheCursorStays() {
    var typing = Typing(complete: Self.complete)
    #expect(typing.send("(enc)" + Sent.left + "\t") == "(encode|)")
  }

  @Test func nothingToCompleteIsRefused() {
    var typing = Typing(complete: Self.complete)
    typing.send("zzz\t")
    #expect(typing.outcomes.last == .refused)
  }

  @Test func theMenuFitsTheTerminalAndCountsTheRest() throws {
    let candidates = (0..<30).map { Candidate("name\($0)", detail: "what \u{1B}[2J it is") }
    var typing = Typing(complete: { _, cursor in
      Completions(replacing: cursor..<cursor, with: candidates)
    })
    typing.send("\t\t")
    for (columns, height) in [(80, 24), (20, 8), (8, 3), (4, 1)] {
      let frame = typing.editor.frame(
        prompt: Prompt("> "), columns: columns, height: height, depth: .none)
      #expect(frame.rows.count <= height)
      #expect(frame.rows.allSatisfy { $0.width <= columns && $0.text.displayWidth == $0.width })
      #expect(!frame.rows.contains { $0.text.contains("\u{1B}") })
    }
    let rows = typing.editor.frame(prompt: Prompt("> "), columns: 80, height: 24, depth: .none).rows
    #expect(rows.count == 11)
    #expect(rows[1].text.hasPrefix("> name0"))
    #expect(rows.last?.text == "  … 21 more")
  }
}
