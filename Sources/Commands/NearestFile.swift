internal import Files
public import Foundation
internal import Language
internal import Runtime

/// Suggestions for the path of something that is not there.
public enum NearestFile {
  /// How many names of a folder are looked at.
  private static let nameLimit = 10_000

  /// "did you mean 'cat.png'?" for a path that names nothing, by what lies beside it and by other
  /// names that would have done; nil where something is there or nothing is close.
  public static func hint(
    for path: String, at url: URL, or names: [String] = []
  ) -> String? {
    guard !FileManager.default.fileExists(atPath: url.path) else { return nil }
    if let hint = NearestName.hint(path, among: names) { return hint }
    let beside =
      (try? FileManager.default.contentsOfDirectory(
        atPath: url.deletingLastPathComponent().path)) ?? []
    guard
      let name = NearestName.of(
        url.lastPathComponent, among: beside.sorted().prefix(nameLimit).map { $0 })
    else { return nil }
    // As it was typed, but for the last part.
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    let start = folder.lastIndex(of: "/").map { folder[...$0] } ?? ""
    return "did you mean '\(start)\(name)'?"
  }

  /// Runs what reads `path`; an error is given the suggestion, where there is one.
  static func suggesting<Result>(
    for path: String, at url: URL, or names: [String] = [], _ read: () throws -> Result
  ) throws -> Result {
    do {
      return try read()
    } catch {
      guard let hint = hint(for: path, at: url, or: names) else { throw error }
      throw SuggestingFailure(underlying: error, hint: hint)
    }
  }
}

/// An error about a path, and the path that was meant.
struct SuggestingFailure: HasExitCode, HasHint, CustomStringConvertible {
  let underlying: any Error
  let hint: String?

  var exitCode: Int32 { (underlying as? any HasExitCode)?.exitCode ?? ExitCode.failure }
  var description: String { "\(underlying)" }
}
