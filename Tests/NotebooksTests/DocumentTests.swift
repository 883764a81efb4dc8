import Foundation
import Notebooks
import Runtime
import Synchronization
import Testing

@Suite struct DocumentTests {
  /// Everything a run prints, and how it ended.
  func transcript(_ text: String, name: String = "lesson.md") throws -> (text: String, Outcome) {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try text.write(to: file, atomically: true, encoding: .utf8)
    let document = try Document(file: file)
    let output = Mutex("")
    let session = Session(output: { text in output.withLock { $0 += text } })
    let outcome = document.run(in: session) { event in
      if case .asking = event { return }
      output.withLock { $0 += event.text + "\n" }
    }
    return (
      output.withLock { $0 }.replacingOccurrences(of: file.path, with: name), outcome
    )
  }

  @Test func aLessonRunsFromTopToBottom() throws {
    let (text, outcome) = try transcript(
      """
      ---
      title: Patches
      ---
      # Patches

      ```fovea {#grid}
      x = zeros(49, 3072)
      print("made")
      x.shape
      ```
      Between.

      ```predict {#count}
      ask: How many patches?
      ```
      <details><summary>Answer</summary>

      ```answer {for=#count}
      hint: 224/32 a side
      answer: x.shape[0]
      why: 7 · 7
      ```
      </details>

      ```expect {for=#grid}
      type: tuple
      value: x.sum() ≈ 0 ± 0.1
      x.shape == (49, 3072)
      ```
      ```quiz {#rows}
      ask: Which rows sum to 1?
      - queries
      - keys
      ```
      ```answer {for=#rows}
      right: 1 :: softmax is over keys
      wrong: 2 :: not these
      ```
      ```task {#twice}
      ask: Make y, twice x.
      ```
      ```answer {for=#twice}
      check: (y - 2 * x).abs().max() == 0
      ```
      ```solution {for=#twice}
      y = x * 2
      ```
      ```python
      not run
      ```
      """)
    #expect(
      text == """
        # Patches
        > x = zeros(49, 3072)
          print("made")
          x.shape
        made
        (49, 3072)
        Between.
        ? How many patches?
          hint: 224/32 a side
          answer: 49
          7 · 7
        ✓ type: tuple
        ✓ value: x.sum() ≈ 0 ± 0.1
        ✓ x.shape == (49, 3072)
        ? Which rows sum to 1?
          [x] queries: softmax is over keys
          [ ] keys: not these
        ? Make y, twice x.
          answer: y = x * 2
        ```python
        not run
        ```

        """)
    #expect(outcome.exitCode == 0)
    #expect(outcome.passedCount == 3)
  }

  @Test func anErrorStandsAtTheLessonsOwnPlace() throws {
    let (text, outcome) = try transcript("# A\n\n```fovea\nx = 1\ny = x / 0\n```\n")
    #expect(text.contains("lesson.md:5:5: error: division by zero\n    y = x / 0\n        ^^^^^"))
    #expect(outcome.exitCode == 1)
  }

  @Test func nothingRunsWhereACellIsMalformed() throws {
    let (text, outcome) = try transcript(
      "```fovea\nprint(\"ran\")\n```\n```fovea\ny = (\n```\n")
    #expect(text.contains("lesson.md:5:5: error: '(' is never closed"))
    #expect(!text.contains("ran\n"))
    #expect(outcome.exitCode == 1)
  }

  @Test func aCheckThatDoesNotHoldGoesOnAndGivesTwo() throws {
    let (text, outcome) = try transcript(
      """
      ```fovea {#a}
      x = zeros(2, 3)
      x
      ```
      ```expect {for=#a}
      shape: [3, 2]
      x.sum() == 1
      ```
      ```fovea
      print("after")
      ```
      """)
    #expect(text.contains("✗ shape: [3, 2]: found [2, 3]"))
    #expect(text.contains("lesson.md:6:8: error: this does not hold: found [2, 3]"))
    #expect(text.contains("✗ x.sum() == 1: found False"))
    #expect(text.contains("after"))
    #expect(outcome.exitCode == 2)
    #expect(outcome.failedCount == 2)
  }

  @Test func fencesThatMakeNoSenseAreNamed() throws {
    let (text, outcome) = try transcript(
      "```fovea {#a}\nx = 1\n```\n```expect {for=#b}\nx == 1\n```\n```fovae\n```\n```fovea\nx = 1\n"
    )
    #expect(text.contains("lesson.md:4:1: error: there is no cell '#b' above"))
    #expect(text.contains("lesson.md:7:1: warning: this fence is called 'fovae'"))
    #expect(text.contains("lesson.md:9:1: error: this fence is never closed"))
    #expect(outcome.exitCode == 1)
  }

  @Test func aScriptShowsEachCellsLastValue() throws {
    let (text, outcome) = try transcript(
      "x = 1\nx + 1\n# %% second\nprint(x)\nx + 2\n", name: "a.fovea")
    #expect(text == "2\n1\n3\n")
    #expect(outcome.exitCode == 0)
    #expect(outcome.cellCount == 2)
  }

  @Test func aScriptsErrorHasItsOwnLine() throws {
    let (text, outcome) = try transcript("# %%\nx = 1\n# %%\ny = z\n", name: "a.fovea")
    #expect(text.contains("a.fovea:4:5: error: there is no 'z' here"))
    #expect(outcome.exitCode == 1)
  }

  @Test func aMissingFileIsAnError() {
    #expect(throws: (any Error).self) { try Document(file: URL(filePath: "/nowhere/a.fovea")) }
  }

  @Test func anEmptyFileRuns() throws {
    #expect(try transcript("", name: "a.fovea").1.exitCode == 0)
    #expect(try transcript("").1.exitCode == 0)
  }
}
