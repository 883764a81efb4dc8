import Testing

@testable import Terminal

@Suite struct OutputTests {
  @Test(arguments: [
    ([:], true, ColorDepth.indexed), ([:], false, .none), (["NO_COLOR": "1"], true, .none),
    (["NO_COLOR": ""], true, .indexed), (["TERM": "dumb"], true, .none),
    (["CLICOLOR_FORCE": "1"], false, .indexed), (["FORCE_COLOR": "0"], false, .none),
    (["FORCE_COLOR": "1", "COLORTERM": "truecolor"], false, .full),
    (["NO_COLOR": "1", "FORCE_COLOR": "1"], true, .none),
  ]) func colourFollowsTheEnvironment(
    _ variables: [String: String], _ isTerminal: Bool, _ depth: ColorDepth
  ) {
    #expect(ColorDepth(.auto, isTerminal: isTerminal, in: Environment(variables)) == depth)
  }

  @Test func aChoiceOfColourWins() {
    let quiet = Environment(["NO_COLOR": "1"])
    #expect(ColorDepth(.always, isTerminal: false, in: quiet) == .indexed)
    #expect(ColorDepth(.never, isTerminal: true, in: Environment([:])) == .none)
    #expect(Style.error.apply(to: "x", .none) == "x")
    #expect(Style.error.apply(to: "x", .indexed) == "\u{1B}[1;31mx\u{1B}[0m")
  }

  @Test func aBarRedrawsItsLineAtMostTenTimesASecond() {
    final class Written { var texts: [String] = []; var time = 0.0 }
    let written = Written()
    var bar = ProgressBar(
      "evaluate", total: 1000, unit: "scenes", isTerminal: true, columns: 80,
      now: { written.time }, write: { written.texts.append($0) })
    for done in 1...1000 {
      written.time += 0.01
      bar.update(done: done)
    }
    #expect((90...101).contains(written.texts.count))
    #expect(written.texts.allSatisfy { $0.hasPrefix("\r\u{1B}[K") && $0.displayWidth < 90 })
    #expect(written.texts.last?.contains("/1000 scenes  100/s") == true)
    bar.finish()
    #expect(written.texts.last == "\r\u{1B}[Kevaluate: 1000 scenes in 10 s\n")
  }

  @Test func withoutATerminalThereIsALineForEveryTenth() {
    var texts: [String] = []
    withoutActuallyEscaping({ texts.append($0) }) { write in
      var bar = ProgressBar(
        "train", total: 50, unit: "steps", isTerminal: false, columns: 80, now: { 0 }, write: write)
      for done in 1...50 { bar.update(done: done) }
      bar.finish()
    }
    #expect(texts.count == 10)
    #expect(texts.first == "train: 5/50 steps\n")
    #expect(!texts.contains { $0.contains("\u{1B}") })
  }

  @Test(arguments: [(0.42, "0.4 s"), (12.3, "12 s"), (61, "1 min 1 s"), (3700, "1 h 1 min")])
  func durationsReadNaturally(_ seconds: Double, _ text: String) {
    #expect(ProgressBar.duration(seconds) == text)
  }

  @Test func aPictureBecomesOneCellForTwoPixels() {
    let pixels: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]
    let lines = HalfBlocks.lines(
      pixels: pixels, width: 2, height: 2, columns: 80, rows: 24, depth: .full)
    #expect(
      lines == [
        "\u{1B}[38;2;255;0;0;48;2;0;0;255m▀\u{1B}[38;2;0;255;0;48;2;255;255;255m▀\u{1B}[0m"
      ])
  }

  @Test func aLargePictureIsAveragedToFit() {
    let pixels = [UInt8](repeating: 100, count: 300 * 200 * 3)
    let lines = HalfBlocks.lines(
      pixels: pixels, width: 300, height: 200, columns: 60, rows: 10, depth: .full)
    #expect(lines.count == 10)
    #expect(lines.allSatisfy { $0.filter { $0 == "▀" }.count == 30 })
    #expect(lines[0].contains("38;2;100;100;100"))
  }

  @Test func badPicturesGiveNoLines() {
    for (width, height) in [(0, 1), (2, 2), (Int.max, 2), (-1, -1)] {
      #expect(
        HalfBlocks.lines(
          pixels: [1, 2, 3], width: width, height: height, columns: 8, rows: 8, depth: .full
        ).isEmpty)
    }
  }

  @Test(
    arguments: [
      ((255, 0, 0), 196), ((0, 0, 0), 16), ((255, 255, 255), 231), ((128, 128, 128), 244),
    ] as [((UInt8, UInt8, UInt8), Int)])
  func coloursMapToTheNearestOf256(_ color: (UInt8, UInt8, UInt8), _ index: Int) {
    #expect(HalfBlocks.nearestIndexed(color) == index)
  }
}
