import Foundation
import Glibc
import TestSupport
import Testing

/// A lesson as a person takes it, from a pipe and at a terminal.
@Suite struct LessonProgramTests {
  private static let lesson = """
    ---
    lesson: tiny
    title: Tiny
    ---
    # Tiny

    Some words.

    ```fovea
    x = 3
    ```
    ```predict {#square}
    ask: What is its square?
    ```
    ```answer {for=#square}
    hint: three times three
    answer: x * x
    why: the square
    ```
    ```task {#half}
    ask: Make y, half of x.
    ```
    ```answer {for=#half}
    check: y == 1.5
    ```
    ```solution {for=#half}
    y = x / 2
    ```
    The end.
    """

  private struct Place {
    let folder: URL
    var file: URL { folder.appending(path: "tiny.md") }
    var environment: [String: String] {
      ["FOVEA_PROGRESS": folder.appending(path: "progress").path, "LANG": "C.UTF-8"]
    }

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(LessonProgramTests.lesson.utf8).write(to: file)
    }
  }

  @Test func aLessonIsTakenFromAPipeAndGoesOnWhereItWasLeft() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    func take(_ lines: String...) throws -> ProgramTests.Run {
      try ProgramTests().run(
        ["lesson", place.file.path], input: lines.map { $0 + "\n" }.joined(),
        environment: place.environment)
    }
    let first = try take("", "6", "hint", "9")
    #expect(first.status == 0)
    for words in [
      "Some words.", "x = 3", "? What is its square?", "✗ 6 is too small",
      "hint: three times three", "✓ right: the square", "goes on here",
    ] { #expect(first.output.contains(words), "\(words) in \(first.output)") }
    #expect(!first.output.contains("x * x"))
    let second = try take("y = 1", "z = x / 2", "y = z", "")
    #expect(second.output.contains("goes on at step 3 of 4"))
    #expect(second.output.contains("✗ not yet: y == 1.5 is not true"))
    #expect(second.output.contains("✓ right"))
    #expect(second.output.contains("The end."))
    #expect(second.output.contains("that was all of it"))
    let third = try take()
    #expect(third.output.contains("done; fovea lesson reset"))
    let reset = try ProgramTests().run(
      ["lesson", "reset", place.file.path], environment: place.environment)
    #expect(reset.status == 0 && reset.output == "forgotten\n")
    #expect(try take("skip", "skip", "back", "show", "show").output.contains("y = x / 2"))
  }

  @Test func nothingIsLostByKill() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    let kept = place.folder.appending(path: "progress/tiny.json")
    for (number, line) in ["", "9"].enumerated() {
      let process = Process()
      process.executableURL = try ProgramTests.program()
      process.arguments = ["lesson", place.file.path]
      process.environment = place.environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
      let (typed, output) = (Pipe(), Pipe())
      (process.standardInput, process.standardOutput) = (typed, output)
      process.standardError = FileHandle.nullDevice
      try process.run()
      try typed.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
      // The pipe stays open: the program waits for more when it is killed.
      var steps = 0
      for _ in 0..<2000 where steps <= number {
        usleep(10_000)
        let text = (try? String(contentsOf: kept, encoding: .utf8)) ?? ""
        steps = text.components(separatedBy: "\"done\"").count - 1
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(steps == number + 1)
    }
    let last = try ProgramTests().run(
      ["lesson", place.file.path], environment: place.environment)
    #expect(last.output.contains("goes on at step 3 of 4"), "\(last.output)")
  }

  @Test func stepsThatHaveChangedAreSaidToComeAgain() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    func take(_ lines: String...) throws -> String {
      try ProgramTests().run(
        ["lesson", place.file.path], input: lines.map { $0 + "\n" }.joined(),
        environment: place.environment
      ).output
    }
    #expect(!(try take("", "9")).contains("changed"))
    try Data(Self.lesson.replacing("its square?", with: "the square of x?").utf8)
      .write(to: place.file)
    // Only what was left behind the change tells that something did change.
    #expect(!(try take("skip")).contains("changed"))
    try Data(Self.lesson.replacing("x = 3", with: "x = 4 - 1").utf8).write(to: place.file)
    let words = "steps that have changed since you took them come again: 1\n"
    #expect(try take("").contains(words))
    #expect(!(try take("quit")).contains("changed"))
  }

  /// What is said at a step is heard in the middle of code and of brackets too, and an answer never goes
  /// on in a second line.
  @Test func noStepHoldsAnybody() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    let run = try ProgramAtTerminal(
      ["lesson", place.file.path], typing: "\r[9, (\r9\rdef half(x):\rhint\r(1,\rshow\r",
      in: place.folder, environment: place.environment)
    for words in ["cannot be read as a number", "✓ right: the square", "y = x / 2", "all of it"] {
      #expect(run.seen.contains(words), "\(words) in \(run.seen)")
    }
  }

  @Test func aWindowThatGetsNarrowIsFollowed() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    let run = try ProgramAtTerminal(
      ["lesson", place.file.path], typing: "\0help\r\rquit\r", in: place.folder,
      environment: place.environment)
    #expect(run.seen.contains("leave; what\r\n       you did is\r\n       kept"), "\(run.seen)")
  }

  @Test func aLessonOfOnesOwnIsTriedBeforeItIsTaken() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    func take(_ text: String) throws -> ProgramTests.Run {
      try Data(text.utf8).write(to: place.file)
      return try ProgramTests().run(
        ["lesson", place.file.path], input: "\n", environment: place.environment)
    }
    let broken = try take(Self.lesson.replacing("y = x / 2", with: "y = x"))
    #expect(broken.status == 65 && broken.output.isEmpty)
    #expect(
      broken.errors.contains("tiny.md:24:8: error: the solution does not"), "\(broken.errors)")
    let empty = try take("# Nothing\n\nto do\n")
    #expect(
      empty.status == 65 && empty.errors.contains("tiny.md:1:1: error: this lesson has no step"))
    let trial = try ProgramTests().run(
      ["lesson", "test", place.file.path], environment: place.environment)
    #expect(trial.status == 2 && trial.output.hasPrefix("✗"))
  }

  @Test func theListIsInTheLanguageOfTheTexts() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    for option in ["--texts", "--language"] {
      let list = try ProgramTests().run(["lesson", option, "zh"], environment: place.environment)
      #expect(list.status == 0 && list.output.contains("fovea lesson 1 从第一课开始"), "\(option)")
    }
    let file = place.folder.appending(path: "tiny.zh.md")
    try Data(Self.lesson.utf8).write(to: file)
    let help = try ProgramTests().run(
      ["lesson", file.path], input: "help\n", environment: place.environment)
    #expect(help.output.contains("quit   离开；进度会保存"), "\(help.output)")
  }

  @Test func missingLessonsSayWhereTheyAreLookedFor() throws {
    let named = try ProgramTests().run(["lesson"], environment: ["FOVEA_LESSONS": "/nowhere"])
    #expect(named.status == 64 && named.errors.contains("FOVEA_LESSONS names /nowhere"))
    let book = try ProgramTests().run(
      ["lesson", "x.ipynb"], environment: ["FOVEA_PROGRESS": "/tmp/none"])
    #expect(book.status == 65 && book.errors.contains("x.ipynb is a Jupyter notebook"))
  }

  @Test func aLessonAtATerminal() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    let run = try ProgramAtTerminal(
      ["lesson", place.file.path], typing: "\r8\rplay\rx = 4\r\u{4}9\rshow\r", in: place.folder,
      environment: place.environment)
    #expect(run.status == 0)
    for words in ["✗ 8 is too small", "✓ right: the square", "y = x / 2", "that was all of it"] {
      #expect(run.seen.contains(words), "\(words)")
    }
  }

  @Test func theLessonsThatShipAreListedAndTried() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    let list = try ProgramTests().run(["lesson"], environment: place.environment)
    #expect(list.status == 0 && list.output.contains(" 3  Attention: one head"), "\(list.errors)")
    let trial = try ProgramTests().run(
      ["lesson", "test", place.file.path], environment: place.environment)
    #expect(trial.status == 0 && trial.output.contains("✓ tiny.md: 2 questions, 2 proofs"))
    try Data(Self.lesson.replacingOccurrences(of: "y = x / 2", with: "y = x").utf8)
      .write(to: place.file)
    let broken = try ProgramTests().run(
      ["lesson", "test", place.file.path], environment: place.environment)
    #expect(broken.status == 2 && broken.errors.contains("the solution does not do what is asked"))
  }

  @Test func whatIsNoLessonIsSaidInALine() throws {
    let place = try Place()
    defer { try? FileManager.default.removeItem(at: place.folder) }
    for (arguments, status, words) in [
      (["lesson", "77"], 64, "there is no lesson 77; fovea lesson lists those there are"),
      (["lesson", "nowhere.md"], 66, "nowhere.md: the lesson is not there"),
    ] as [([String], Int32, String)] {
      let run = try ProgramTests().run(arguments, environment: place.environment)
      #expect(run.status == status && run.errors.contains(words), "\(run.errors)")
    }
    try Data("```predict\nask: a\n```\n".utf8).write(to: place.file)
    let broken = try ProgramTests().run(
      ["lesson", place.file.path], environment: place.environment)
    #expect(broken.status == 65 && broken.errors.contains("tiny.md:1:1: error"), "\(broken.errors)")
    #expect(broken.output.isEmpty)
  }
}
