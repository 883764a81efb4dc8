import Language
import Runtime
import Testing

/// What a script makes grow.
///
/// One after the other: each is timed.
@Suite(.serialized) struct GrowthTests {
  @Test func aTextThatGrowsInALoopTakesTimeByItsLength() {
    let session = Session()
    let clock = ContinuousClock()
    let time = clock.measure {
      let text = "s = \"\"\nfor i in range(80000):\n    s += \"…\"\nlen(s)"
      #expect(session.run(Source(name: "cell", text: text)).value?.integer == 80_000)
    }
    #expect(time < .seconds(5))
  }

  /// Each gives `n`; by the square of that, they would take many minutes.
  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      "s = \"bc\" * (n // 2)\nfor i in range(n): c += s[i] == \"b\" or s[i] == \"c\"",
      "s = \"b😀\" * (n // 2)\nfor i in range(n): c += s[i] == \"b\" or s[i] == \"😀\"",
      "s = \"b😀\" * (n // 2)\nwhile c < len(s): c += 1",
      "s = \"\"\nwhile len(s) < n: s += \"é\"\nc = len(s)",
    ])
  func aLoopOverALongTextTakesTimeByItsLength(_ lines: String) {
    expectItself(200_000, lines)
  }

  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      "l = list(range(n))\nwhile l:\n    l.pop(0)\n    c += 1",
      "l = list(range(n))\nwhile l:\n    c += 1 + (l[0] == l.pop(0))\n    l.pop()",
      "l = list(range(n))\nfor i in range(n):\n    l.append(i)\n    c += l.pop(0) == i",
      "d = dict(zip(range(n), range(n)))\nfor i in range(n): c += d.pop(i) == i",
    ])
  func aLoopThatEmptiesALongListOrDictTakesTimeByItsLength(_ lines: String) {
    expectItself(500_000, lines)
  }

  @Test(
    .timeLimit(.minutes(2)),
    arguments: [
      "c = n + 1 + long.find(part)", "c = n + (part in long)", "c = n + long.count(part)",
      "c = len(long.replace(part, \"\")) // 2", "c = n * len(long.split(part))",
    ])
  func searchingWhatNearlyStandsEverywhereTakesTimeByTheLength(_ line: String) {
    expectItself(1_000_000, "long = \"a\" * (2 * n)\npart = \"a\" * n + \"c\"\n\(line)")
  }

  private func expectItself(_ n: Int, _ lines: String) {
    let result = Session().run(Source(name: "cell", text: "n = \(n)\nc = 0\n\(lines)\nc"))
    #expect(result.value?.integer == n, "\(String(describing: result.failure))")
  }

  @Test func aTextThatGrowsLeavesWhoeverElseHoldsItAlone() {
    let session = Session()
    let text = """
      s = "a"
      t = s
      s += "b"
      def f(x):
          x += "c"
          return x
      [s, t, f(s), s]
      """
    #expect(
      session.run(Source(name: "cell", text: text)).value?.plain == "['ab', 'a', 'abc', 'ab']")
  }

  @Test func aNameOfManyMegabytesIsShownShortened() {
    let session = Session()
    let result = session.run(Source(name: "cell", text: String(repeating: "a", count: 200_000)))
    let drawn = result.diagnostics.map { $0.drawn() }.joined()
    #expect(drawn.utf8.count < 4000)
    #expect(drawn.contains("bytes in all"))
  }

  @Test(arguments: ["a = [a]", "a = {1: a}", "a = [[], {1: a}]"])
  func deepNestingIsFreedWithoutAStackAsDeep(_ line: String) {
    let session = Session()
    let text = "a = []\nfor i in range(300000):\n    \(line)\na = 0\na"
    #expect(session.run(Source(name: "cell", text: text)).value?.plain == "0")
  }

  @Test func thePrintedIsHandedOverInPieces() {
    let session = Session()
    let long = session.run(Source(name: "cell", text: "repr(list(range(100000)))")).value?.text
    #expect(long?.hasPrefix("[0, 1, 2") == true)
    #expect(long?.hasSuffix("99998, 99999]") == true)
  }
}
