import Commands
import Foundation
import TestSupport
import Testing

@Suite struct ReferenceTests {
  /// `FOVEA_RECORD=1` writes the page anew; the test fails then too, so that nobody overlooks it.
  @Test func thePageIsWhatTheDeclarationsSay() throws {
    let url = Fixtures.project.appending(path: "lessons/reference.md")
    let written = try? String(contentsOf: url, encoding: .utf8)
    if ProcessInfo.processInfo.environment["FOVEA_RECORD"] == "1" {
      try Commands.reference.write(to: url, atomically: true, encoding: .utf8)
      Issue.record(
        "lessons/reference.md was written anew; run the tests again without FOVEA_RECORD")
    }
    #expect(
      written == Commands.reference,
      "lessons/reference.md is not what the commands declare; run the tests with FOVEA_RECORD=1")
  }
}
