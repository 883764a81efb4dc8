import Foundation
import TestSupport
import Testing

/// What pages tell people to type, on small models under the published names.
@Suite struct FromPythonTests {
  /// Caches of the hubs in which the published names lead to small models, and two pictures.
  private static let published = Fixtures.goldens.appending(path: "published")
  private static let caches = [
    "HF_HUB_CACHE": published.appending(path: "huggingface").path,
    "MODELSCOPE_CACHE": published.appending(path: "modelscope").path,
  ]

  private let folder: TemporaryFolder

  /// A folder with what the pages find beside them.
  init() throws {
    folder = try TemporaryFolder()
    for name in ["cat.png", "dog.png", "ziya-llama", "llama-13b", "from-python.md"] {
      try FileManager.default.createSymbolicLink(
        at: folder.file(name), withDestinationURL: Self.published.appending(path: name))
    }
  }

  private func run(_ arguments: [String]) throws -> ProgramTests.Run {
    try ProgramTests().run(arguments, folder: folder.url, environment: Self.caches)
  }

  /// The fences of the page that are called so.
  private func fences(_ name: String) throws -> [String] {
    let page = try String(contentsOf: folder.file("from-python.md"), encoding: .utf8)
    return page.components(separatedBy: "```\(name)\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
  }

  @Test func everyLineOfFoveaRuns() throws {
    let run = try run(["from-python.md"])
    #expect(run.status == 0, "\(run.errors)")
    #expect(try fences("fovea").count > 15)
    // Nothing that is said here is refused, guessed or left out.
    #expect(!run.errors.contains("error"), "\(run.errors)")
  }

  @Test func everyLineForAShellRuns() throws {
    try Data(try #require(fences("json").first).utf8).write(to: folder.file("messages.json"))
    let lines = try fences("sh").flatMap {
      $0.replacing("\\\n", with: " ").split(separator: "\n").map(String.init)
    }.filter { $0.hasPrefix("fovea ") }
    #expect(lines.count == 3)
    for line in lines {
      let run = try run(line.split(separator: " ").dropFirst().map(String.init))
      #expect(run.status == 0, "\(line): \(run.errors)")
      #expect(line.contains("convert") || !run.output.isEmpty)
      if line.hasSuffix("--json") { #expect(run.output.contains(#""answer""#), "\(run.output)") }
    }
    #expect(FileManager.default.fileExists(atPath: folder.file("ziya-13b/config.json").path))
  }

  /// The table of families in the README: each way to load one, and what comes then.
  @Test func everyFamilyOfTheReadmeIsLoadedAndDoesWhatStandsThere() throws {
    let readme = try String(
      contentsOf: Fixtures.project.appending(path: "README.md"), encoding: .utf8)
    let table = readme.components(separatedBy: "### Families")[1].components(separatedBy: "\n## ")[
      0]
    let rows = table.split(separator: "\n").filter { $0.contains("| `load(") }
    #expect(rows.count == 8)
    var script = "photo = image(\"cat.png\")\nother = image(\"dog.png\")\n"
    for row in rows {
      let columns = row.components(separatedBy: " | ")
      let lines = columns.suffix(2).map { column in
        column.components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }
          .map(\.element)
      }
      #expect(!lines[0].isEmpty && lines[1].count == 3, "\(row)")
      script += (lines[0] + lines[1]).joined(separator: "\n") + "\n"
    }
    let run = try run(["-c", script])
    #expect(run.status == 0, "\(run.errors)")
  }
}
