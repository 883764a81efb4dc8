import Language
import Testing

@Suite struct ManyDiagnosticsTests {
  @Test(arguments: ["$", "\0", "🙂", ")"])
  func aFileThatIsNoScriptIsComplainedOfAFewTimes(_ character: String) {
    let source = Source(name: "file", text: String(repeating: character, count: 10_000))
    let clock = ContinuousClock()
    var drawn = ""
    let time = clock.measure {
      let program = Program(parsing: source)
      #expect(program.diagnostics.count == 11)
      drawn = program.diagnostics.map { $0.drawn() }.joined(separator: "\n")
    }
    #expect(drawn.contains("and 9,990 more like these"))
    #expect(drawn.utf8.count < 20_000)
    #expect(time < .seconds(5))
  }

  @Test func aLongTextInAMessageLosesItsMiddle() {
    let long = "ä" + String(repeating: "é", count: 100_000) + "ö"
    let short = long.bounded()
    #expect(short.utf8.count < 1300)
    #expect(short.hasPrefix("äé") && short.hasSuffix("éö"))
    #expect(short.contains("200004 bytes in all"))
    #expect("short".bounded() == "short")
  }

  @Test func aCaretStandsUnderItsPlaceInALineOfMegabytes() {
    let before = String(repeating: "x + ", count: 300_000)
    let source = Source(name: "file", text: before + "$ + y" + before)
    let start = before.utf8.count
    let drawn = Diagnostic("here", source: source, range: SourceRange(start, start + 1)).drawn()
    let lines = drawn.split(separator: "\n")
    let caret = lines[2].firstIndex(of: "^").map {
      lines[2].distance(from: lines[2].startIndex, to: $0)
    }
    let sign = lines[1].firstIndex(of: "$").map {
      lines[1].distance(from: lines[1].startIndex, to: $0)
    }
    #expect(caret != nil && caret == sign)
  }
}
