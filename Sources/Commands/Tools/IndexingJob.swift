public import Foundation
internal import Runtime
internal import Searching

/// What `fovea index` does.
public struct IndexingJob {
  private let pictures: URL
  private let index: URL
  private let model: URL?
  private let batch: Int

  /// What came of it.
  public struct Result: Sendable {
    /// The index's folder.
    public let folder: String
    /// What was done, in a sentence.
    public let sentence: String
    /// What was skipped and why, a line a picture.
    public let skippedLines: [String]
  }

  /// Prepares; without an index's folder it is beside the pictures under their name.
  public init(pictures: URL, index: URL?, model: URL?, batch: Int) {
    let folder = pictures.standardizedFileURL
    self.pictures = folder
    self.index =
      index
      ?? folder.deletingLastPathComponent().appending(
        path: folder.lastPathComponent + ".index", directoryHint: .isDirectory)
    (self.model, self.batch) = (model, batch)
  }

  /// Runs it.
  public func run(progress: (Int, Int) -> Void) throws -> Result {
    let session = Session(commands: Commands.all)
    if let model { session[StartingModel.self] = model }
    let builder = IndexBuilder(
      pictures: pictures, index: index.standardizedFileURL,
      embedder: try session.space(for: "index").embedder, batch: batch)
    let report = try builder.run(progress: { progress($0.done, $0.total) })
    var parts = ["\(report.index.pictures.count) pictures", "\(report.embedded) embedded"]
    if report.kept > 0 { parts.append("\(report.kept) unchanged") }
    if report.copied > 0 { parts.append("\(report.copied) copies of others") }
    if report.removed > 0 { parts.append("\(report.removed) gone") }
    if !report.index.skipped.isEmpty { parts.append("\(report.index.skipped.count) skipped") }
    if report.otherFiles > 0 { parts.append("\(report.otherFiles) other files") }
    return Result(
      folder: index.path(percentEncoded: false), sentence: parts.joined(separator: ", "),
      skippedLines: report.index.skipped.map { "\($0.path): \($0.reason)" })
  }
}
