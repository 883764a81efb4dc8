import Commands
import Foundation
import Language
import Runtime
import TestSupport
import Testing

/// A session that writes below a temporary folder, and what it printed.
final class Workshop: Sendable {
  let session: Session
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "fovea-commands-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    session = Session(
      commands: Commands.all,
      folders: Folders(
        script: folder,
        output: folder.appending(path: "fovea-out", directoryHint: .isDirectory)))
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func run(_ text: String) -> CellResult { session.run(Source(name: "cell", text: text)) }

  /// Runs a text that must not fail.
  func value(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> Value {
    let result = run(text)
    if let failure = result.failure {
      Issue.record("\(text): \(failure)", sourceLocation: sourceLocation)
    }
    #expect(result.succeeded, sourceLocation: sourceLocation)
    return try #require(result.value, sourceLocation: sourceLocation)
  }
}

@Suite struct ExampleTests {
  @Test(arguments: Commands.all.map(\.name)) func everyCommandIsWellDeclared(name: String) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    #expect(Commands.all.count { $0.name == name } == 1)
    #expect(command.summary.hasSuffix("."))
    #expect(!command.examples.isEmpty)
    #expect(Set(command.parameters.map(\.name)).count == command.parameters.count)
    for other in command.seeAlso {
      #expect(Commands.all.contains { $0.name == other }, "\(name) points to \(other)")
    }
    for parameter in command.parameters { #expect(parameter.summary.hasSuffix(".")) }
  }

  @Test(
    arguments: Commands.all.flatMap { command in
      command.examples.indices.map { (command.name, $0) }
    })
  func everyExampleRuns(name: String, index: Int) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    let result = try Workshop().run(command.examples[index].source)
    #expect(
      result.succeeded,
      "\(command.examples[index].source): \(result.failure.map { "\($0)" } ?? "\(result.diagnostics)")"
    )
  }
}
