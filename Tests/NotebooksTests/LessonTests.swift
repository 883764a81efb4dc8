import Commands
import Foundation
import Language
import Notebooks
import Runtime
import TestSupport
import Testing

@Suite struct LessonTests {
  static let lessons = [
    "01-pixels-to-patches", "02-attention", "03-q-former-to-words",
    "04-words-and-pictures-in-one-space", "05-a-hand-inside",
  ]

  @Test func everyLessonIsInTheList() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Fixtures.project.appending(path: "lessons").path)
    let found = files.filter { $0.first?.isNumber == true }.map { String($0.dropLast(3)) }
    #expect(found.sorted() == Self.lessons)
  }

  @Test(arguments: lessons) func everyCellRunsAndEveryCheckHolds(name: String) throws {
    let file = Fixtures.project.appending(path: "lessons/\(name).md")
    let output = FileManager.default.temporaryDirectory
      .appending(path: "fovea-lesson-\(UUID().uuidString)", directoryHint: .isDirectory)
    defer { try? FileManager.default.removeItem(at: output) }
    let session = Session(
      commands: Commands.all,
      folders: Folders(script: file.deletingLastPathComponent(), output: output))
    let outcome = try Document(file: file).run(in: session) { event in
      switch event {
      case .problem(let diagnostic): Issue.record("\(diagnostic.drawn())")
      case .check(let text, let passed, let found): #expect(passed, "\(text): found \(found)")
      default: break
      }
    }
    #expect(outcome.exitCode == 0)
    #expect(outcome.passedCount >= 5)
  }
}
