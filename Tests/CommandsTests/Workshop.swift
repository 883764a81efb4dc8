import Commands
import Foundation
import Language
import Runtime
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

  /// The texts of a list, such as a table's column.
  func texts(_ expression: String, sourceLocation: SourceLocation = #_sourceLocation) throws
    -> [String]
  {
    guard case .list(let list) = try value(expression, sourceLocation: sourceLocation) else {
      Issue.record("\(expression) is no list", sourceLocation: sourceLocation)
      return []
    }
    return list.values.map(\.plain)
  }
}
