import Commands
import Foundation
import Language
import Notebooks
import Runtime
import TestSupport
import Testing

@Suite struct LessonTests {
  static let lessons = [
    "01-what-a-patch-is", "02-from-pixels-to-vectors", "03-attention-one-head", "04-many-heads",
    "05-words-and-pictures-in-one-space", "06-what-the-q-former-asks", "07-soft-prompts",
    "08-writing-word-by-word", "09-find-the-bug", "10-half-the-bits",
    "11-chat-history-and-boxes", "12-a-hand-inside",
  ]

  private static func file(_ name: String) -> URL {
    Fixtures.project.appending(path: "lessons/\(name).md")
  }

  @Test func everyLessonIsInTheListInBothLanguages() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Fixtures.project.appending(path: "lessons").path)
    let found = files.filter { $0.first?.isNumber == true }.map { String($0.dropLast(3)) }
    #expect(found.sorted() == Self.lessons.flatMap { [$0, $0 + ".zh"] }.sorted())
  }

  @Test(arguments: lessons) func everythingThatALessonSaysIsProved(name: String) throws {
    let file = Self.file(name)
    let output = FileManager.default.temporaryDirectory
      .appending(path: "fovea-lesson-\(UUID().uuidString)", directoryHint: .isDirectory)
    defer { try? FileManager.default.removeItem(at: output) }
    let session = Session(
      commands: Commands.all,
      folders: Folders(script: file.deletingLastPathComponent(), output: output))
    let trial = Trial(try Document(file: file), in: session)
    for diagnostic in trial.diagnostics { Issue.record("\(diagnostic.drawn())") }
    #expect(trial.provenCount >= 10)
  }

  /// A patch is said by row and column of the grid that the model at hand has.
  @Test func pointsGoByTheGridOfTheModelAtHand() throws {
    let lesson = """
      ```fovea
      m = resize(192)
      s = scene(12)
      ```
      ```point {#x}
      ask: Where?
      on: s
      ```
      ```answer {for=#x}
      answer: [grid(s).columns + 3]
      wrong: 0, 3 :: that is the first row
      ```
      """
    let document = Document(Source(name: "lesson.md", text: lesson), isLesson: true)
    let session = Session(commands: Commands.all)
    let trial = Trial(document, in: session)
    #expect(trial.diagnostics.map { $0.drawn() } == [])
    let tutor = Tutor(document, in: session)
    try tutor.prepare()
    _ = tutor.run()
    tutor.leave(.done)
    #expect(tutor.pictureLine == "grid(s);")
    #expect(try tutor.show()?.answer == "1, 3")
    let columns = try #require(
      session.run(Source(name: "x", text: "grid(s).columns")).value?.integer)
    #expect(columns != 10)
    #expect(try tutor.judge("\(columns + 3)") == .right(""))
    #expect(try tutor.judge("13") == .wrong("not \(13 / columns), \(13 % columns)"))
  }

  /// What runs and what is right does not depend on who reads: so one language's proof is the other's.
  @Test(arguments: lessons) func bothLanguagesHaveTheSameCodeAndAnswers(name: String) throws {
    func said(_ name: String) throws -> [[String]] {
      let document = try Document(file: Self.file(name))
      #expect(document.complaints.isEmpty)
      return document.parts.compactMap { part in
        let lines = document.source.text(of: part.range).split(separator: "\n").map(String.init)
        switch part.kind {
        case .prose: return nil
        // Comments, titles and what is printed are for the reader.
        case .code, .solution:
          return lines.filter {
            !$0.hasPrefix("#") && !$0.contains("print(") && !$0.contains("title=")
          }
        case .expectation: return lines
        // Of questions, how many answers there are to choose from; of answers all but words.
        case .question: return [part.name ?? "", "\(lines.count { $0.hasPrefix("- ") })"]
        case .answer:
          return lines.map { line in
            ["hint", "why"].contains { line.hasPrefix($0 + ":") }
              ? String(line.prefix(4)) : line.components(separatedBy: " :: ")[0]
          }
        }
      }
    }
    let (one, other) = (try said(name), try said(name + ".zh"))
    #expect(one.count == other.count)
    for (place, (one, other)) in zip(one, other).enumerated() {
      #expect(one == other, "cell \(place + 1) of \(name)")
    }
  }
}
