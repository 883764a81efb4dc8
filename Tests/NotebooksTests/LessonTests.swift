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
    "05-words-and-pictures-in-one-space", "11-chat-history-and-boxes", "12-a-hand-inside",
  ]

  @Test func everyLessonIsInTheList() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Fixtures.project.appending(path: "lessons").path)
    let found = files.filter { $0.first?.isNumber == true }.map { String($0.dropLast(3)) }
    #expect(found.sorted() == Self.lessons)
  }

  @Test(arguments: lessons) func everythingThatALessonSaysIsProved(name: String) throws {
    let file = Fixtures.project.appending(path: "lessons/\(name).md")
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
}
