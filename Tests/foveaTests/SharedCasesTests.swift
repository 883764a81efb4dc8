import Files
import Foundation
import TestSupport
import Testing

/// Small inputs of the kinds that people send, with right values, from a folder beside the project.
///
/// Each case is a folder with `expected.json`: commands of the program and what they must print. Steps
/// that are wishes count for nothing here.
@Suite struct SharedCasesTests {
  private static let folder = (Fixtures.shared ?? Fixtures.project).appending(
    path: "cases", directoryHint: .isDirectory)

  static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter {
      FileManager.default.fileExists(
        atPath: folder.appending(path: $0).appending(path: "expected.json").path)
    }.sorted()

  @Test(
    .enabled(
      if: !cases.isEmpty,
      "there is no folder shared/cases beside the project"), arguments: cases)
  func everyStepOfACaseGivesItsRightValue(_ name: String) throws {
    let copy = FileManager.default.temporaryDirectory
      .appending(path: "fovea-case-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.copyItem(at: Self.folder.appending(path: name), to: copy)
    defer { try? FileManager.default.removeItem(at: copy) }
    let expected = try JSON(file: copy.appending(path: "expected.json"))
    let environment = (expected["environment"]?.object?.members ?? []).map { key, value in
      (key, copy.appending(path: value.text ?? "").path)
    }
    let steps = try #require(expected["steps"]?.array)
    for step in steps where step["wish"]?.bool != true {
      let arguments = (step["command"]?.array ?? []).compactMap(\.text)
      let run = try Self.run(arguments, in: copy, Dictionary(uniqueKeysWithValues: environment))
      #expect(
        Self.isRight(run, step),
        "\(name): \(arguments.last ?? "")\n\(run.output)\(run.errors)\nexpected \(step.written())")
    }
  }

  private static func isRight(_ run: ProgramTests.Run, _ step: JSON) -> Bool {
    let both = (run.output + run.errors).lowercased()
    let failed = run.status != 0
    if let words = step["refuses"]?.text { return failed && both.contains(words.lowercased()) }
    if let words = step["says"]?.text { return both.contains(words.lowercased()) }
    if let words = step["or_refuses"]?.text, failed {
      return run.errors.split(separator: "\n").first?.lowercased().contains(words) == true
    }
    let found = run.output.matches(of: #/-?(?:\d+\.?\d*(?:e-?\d+)?|nan|inf)/#).compactMap {
      Double(String($0.output))
    }
    let tolerance = step["tolerance"]?.double ?? 0
    let choices = step["either"]?.array ?? [step["numbers"] ?? .null]
    return !failed
      && choices.contains { choice in
        let numbers = (choice.array ?? []).compactMap(\.double)
        return numbers.count == found.count && !numbers.isEmpty
          && zip(numbers, found).allSatisfy { abs($0 - $1) <= tolerance }
      }
  }

  private static func run(
    _ arguments: [String], in folder: URL, _ environment: [String: String]
  ) throws -> ProgramTests.Run {
    let process = Process()
    process.executableURL = try ProgramTests.program()
    process.arguments = arguments
    process.environment = [
      "HOME": "/nonexistent", "FOVEA_HISTORY": "", "PATH": "/usr/bin:/bin",
    ].merging(environment) { $1 }
    process.currentDirectoryURL = folder
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let written = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return ProgramTests.Run(
      status: process.terminationStatus, output: String(decoding: written, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }
}
