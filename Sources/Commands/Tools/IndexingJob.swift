internal import Characters
public import Files
public import Foundation
internal import Models
internal import Runtime
public import Searching

/// What `fovea index` does.
public struct IndexingJob {
  private let pictures: URL
  private let index: URL
  private let model: ModelChoice
  private let batch: Int
  private let method: SearchMethod

  /// What came of it.
  public struct Result: Sendable {
    /// The index's folder.
    public let folder: String
    /// What was done, in a sentence.
    public let sentence: String
    /// What was skipped and why, a line a picture.
    public let skippedLines: [String]
    /// The same as numbers, and where the time went, in seconds: `model` while the model worked,
    /// `waiting` while it had no pictures, `reading` the processor's time that reading took beside
    /// it.
    public let facts: JSON
  }

  /// Prepares; without an index's folder it is beside the pictures under their name.
  public init(
    pictures: URL, index: URL?, model: ModelChoice, batch: Int,
    method: SearchMethod = .automatic
  ) {
    let folder = pictures.standardizedFileURL
    self.pictures = folder
    self.index =
      index
      ?? folder.deletingLastPathComponent().appending(
        path: folder.lastPathComponent + ".index", directoryHint: .isDirectory)
    (self.model, self.batch, self.method) = (model, batch, method)
  }

  /// Runs it.
  ///
  /// - Parameters:
  ///   - checkpoint: called often; what it throws ends the run, and the next goes on.
  ///   - progress: what is being done, how many pictures are done, and of how many.
  public func run(
    checkpoint: () throws -> Void, progress: (String, Int, Int) -> Void
  ) throws -> Result {
    let session = Session(
      commands: Commands.all,
      notes: { [notes = model.notes] in notes.write(String($0.dropLast())) })
    session[StartingModel.self] = model.folder
    session[StartingPrecision.self] = model
    let current = try session.model()
    guard current.isShipped || current.model.embedding != nil else {
      throw current.lacks(.embedding, for: "index", advice: "give another with --model FOLDER")
    }
    let builder = IndexBuilder(
      pictures: pictures, index: index.standardizedFileURL,
      embedder: try session.space(for: "index").embedder, batch: batch,
      method: method, limits: session.limitsOfPicturesAtOnce)
    let report: IndexBuilder.Report
    do {
      report = try builder.run(
        checkpoint: checkpoint, progress: { progress($0.activity, $0.done, $0.total) })
    } catch SearchingError.otherModel(let index, let made, let found, _) {
      let isShipped = made.folder == ShippedModel.jointFolder.path(percentEncoded: false)
      throw SearchingError.otherModel(
        index: index, made: made, found: found,
        remedy: (isShipped ? "leave --model out" : "give --model \(made.folder)")
          + " to go on with it, or another folder with --to")
    }
    var parts = [report.index.pictures.count.counted(as: "picture"), "\(report.embedded) embedded"]
    if report.kept > 0 { parts.append("\(report.kept) unchanged") }
    if report.copied > 0 {
      parts.append(report.copied == 1 ? "1 copy of another" : "\(report.copied) copies of others")
    }
    if report.removed > 0 { parts.append("\(report.removed) gone") }
    if !report.index.skipped.isEmpty { parts.append("\(report.index.skipped.count) skipped") }
    if report.transparent > 0 { parts.append("\(report.transparent) with transparency dropped") }
    if report.cut > 0 { parts.append("\(report.cut) of 16-bit grey cut at 255") }
    if report.otherFiles > 0 { parts.append(report.otherFiles.counted(as: "other file")) }
    if let graph = report.index.nearestFacts { parts.append(graph.sentence) }
    return Result(
      folder: index.path(percentEncoded: false), sentence: parts.joined(separator: ", "),
      skippedLines: report.index.skipped.map { picture in
        // What is wrong with a file often names it.
        picture.reason.hasPrefix(picture.path)
          ? picture.reason : "\(picture.path): \(picture.reason)"
      },
      facts: facts(of: report))
  }

  private func facts(of report: IndexBuilder.Report) -> JSON {
    let times = report.times
    return [
      "index": .string(index.path(percentEncoded: false)),
      "pictures": .integer(report.index.pictures.count), "embedded": .integer(report.embedded),
      "unchanged": .integer(report.kept), "copies": .integer(report.copied),
      "gone": .integer(report.removed), "skipped": .integer(report.index.skipped.count),
      "other_files": .integer(report.otherFiles), "transparent": .integer(report.transparent),
      "cut": .integer(report.cut),
      "seconds": [
        "total": .number(times.total), "model": .number(times.model),
        "waiting": .number(times.waiting), "reading": .number(times.reading),
        "linking": .number(times.linking),
      ],
      "recall_at_10": report.index.nearestFacts.map { .number($0.recall) } ?? .null,
    ]
  }
}

extension IndexBuilder.State {
  /// What is being done, in a word.
  var activity: String { isLinking ? "linking" : "embedding" }
}

extension NearestFacts {
  /// What the graph is, in a few words.
  var sentence: String {
    "linked with their neighbours"
      + (queryCount > 0
        ? ", which finds \(Percentage.text(Float(recall))) of the ten nearest" : "")
  }
}
