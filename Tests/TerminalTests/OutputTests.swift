import Characters
import Synchronization
import Testing

@testable import Terminal

@Suite struct OutputTests {
  @Test(arguments: [
    ([:], true, ColorDepth.none), ([:], false, .none), (["TERM": "xterm"], true, .indexed),
    (["NO_COLOR": "1", "TERM": "xterm"], true, .none), (["TERM": ""], true, .none),
    (["NO_COLOR": "", "TERM": "xterm"], true, .indexed), (["TERM": "dumb"], true, .none),
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

  /// What a bar wrote, and the time it is told.
  private final class Watch: Sendable {
    let texts = Mutex<[String]>([])
    let time = Mutex(0.0)

    func bar(_ name: String, total: Int, unit: String, isTerminal: Bool) -> ProgressBar {
      ProgressBar(
        name, total: total, unit: unit, isTerminal: isTerminal, columns: 80,
        now: { self.time.withLock { $0 } },
        write: { text in self.texts.withLock { $0.append(text) } })
    }

    var written: [String] { texts.withLock { $0 } }
  }

  @Test func aBarRedrawsItsLineAtMostTenTimesASecond() {
    let watch = Watch()
    var bar = watch.bar("evaluate", total: 1000, unit: "scenes", isTerminal: true)
    for done in 1...1000 {
      watch.time.withLock { $0 += 0.01 }
      bar.update(done: done)
    }
    #expect((85...101).contains(watch.written.count))
    #expect(watch.written.allSatisfy { $0.hasPrefix("\r\u{1B}[K") && $0.displayWidth < 90 })
    #expect(watch.written.last?.contains("/1000 scenes  100/s") == true)
    bar.finish()
    #expect(watch.written.last == "\r\u{1B}[Kevaluate: 1000 scenes in 10 s\n")
  }

  @Test func whatIsLeftIsToldFromWhatWasDoneSinceABarBegan() {
    let watch = Watch()
    var bar = watch.bar("write", total: 100, unit: "tokens", isTerminal: true)
    bar.update(done: 40)
    #expect(bar.left(done: 40) == nil && bar.rate(done: 40) == 0)
    watch.time.withLock { $0 = 10 }
    bar.update(done: 60)
    #expect(bar.rate(done: 60) == 2 && bar.left(done: 60) == "20 s")
    #expect(watch.written.last?.contains("60/100 tokens  2.0/s  20 s left") == true)
    #expect(bar.left(done: 100) == nil)
  }

  @Test func wordsWithLineBreaksStayOnTheBarsLine() {
    let watch = Watch()
    var bar = watch.bar("tokens", total: 100, unit: "", isTerminal: true)
    watch.time.withLock { $0 = 1 }
    bar.update(done: 40, words: "a cat\r\n\n\tand 一只猫")
    // The last column stays free: what is there wraps at some terminals.
    watch.time.withLock { $0 = 2 }
    bar.update(done: 41, words: String(repeating: "猫a", count: 80))
    #expect(
      watch.written.last.map { $0.dropFirst(4).displayWidth < 80 } == true, "\(watch.written)")
    watch.time.withLock { $0 = 3 }
    bar.update(done: 42, words: "a cat\r\n\n\tand 一只猫")
    #expect(watch.written.last?.hasSuffix("…a cat⏎⏎⇥and 一只猫") == true, "\(watch.written)")
  }

  @Test func aBarMovesAtLeastFourTimesASecondThoughNothingIsDone() {
    let watch = Watch()
    for total in [32, 0] {
      watch.texts.withLock { $0 = [] }
      watch.time.withLock { $0 = 0 }
      var bar = watch.bar("language.blocks", total: total, unit: "", isTerminal: true)
      bar.update(done: 0)
      var drawn: [Double] = []
      for _ in 0..<500 {
        let time = watch.time.withLock { time in
          time += 0.02
          return time
        }
        let before = watch.written.count
        bar.tick()
        if watch.written.count > before { drawn.append(time) }
      }
      #expect(zip(drawn, drawn.dropFirst()).allSatisfy { $1 - $0 < 0.3 } && drawn.count > 30)
      #expect(zip(watch.written, watch.written.dropFirst()).allSatisfy { $0 != $1 })
      #expect(watch.written.last?.contains(total > 0 ? "0/32" : "9.") == true)
    }
  }

  @Test func withoutATerminalThereIsALineForEveryTenth() {
    let watch = Watch()
    var bar = watch.bar("train", total: 50, unit: "steps", isTerminal: false)
    watch.time.withLock { $0 = 1 }
    for done in 1...50 { bar.update(done: done) }
    bar.finish()
    #expect(watch.written.count == 10)
    #expect(watch.written.first?.hasPrefix("train: 5/50 steps") == true)
    #expect(!watch.written.contains { $0.contains("\u{1B}") })
  }

  @Test func withoutATerminalAShortJobHasNoLinesButItsLast() {
    let watch = Watch()
    var bar = watch.bar("compare", total: 100, unit: "%", isTerminal: false)
    for done in 1..<100 {
      watch.time.withLock { $0 = Double(done) / 120 }
      bar.update(done: done)
    }
    #expect(watch.written.isEmpty)
    bar.finish()
    #expect(watch.written.count == 1)
  }

  @Test(arguments: [(0.42, "0.4 s"), (12.3, "12 s"), (61, "1 min 1 s"), (3700, "1 h 1 min")])
  func durationsReadNaturally(_ seconds: Double, _ text: String) {
    #expect(ProgressBar.duration(seconds) == text)
  }
}
