internal import Budget
internal import Characters
internal import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Runtime

/// What a command line says about a model: its folder, and how its weights are kept.
public struct ModelChoice: Sendable, Equatable {
  /// The folder; nil for the model that ships.
  public var folder: URL?
  /// The folder of its language model, of a model that lies in two.
  public var language: URL?
  /// The revision of published models that are named beside it, as a side of a comparison is.
  public var revision: String?
  /// A precision, or one a part as in `vision=bfloat16,language=int4`; nil for weights as stored.
  public var dtype: String?
  /// `int8` or `int4` for the weights of all layers, or one a part.
  public var quantize: String?
  /// What stands in for settings of its `config.json`, by their path; a text a JSON value or a word.
  public var config: [(path: String, value: String)] {
    get { givenSettings.members.map { ($0.key, $0.value.text ?? $0.value.written()) } }
    set {
      givenSettings = JSON.Object(
        newValue.map { path, text in (path, (try? JSON(parsing: text)) ?? .string(text)) })
    }
  }
  /// The same as they are read.
  var givenSettings = JSON.Object()

  /// Where it is said what a model's files lack, a line at a time without its end.
  public var notes = NoteSink()

  /// Something that takes lines; all of them are equal.
  public struct NoteSink: Sendable, Equatable {
    let write: @Sendable (String) -> Void

    /// Passes lines to `write`.
    public init(_ write: @escaping @Sendable (String) -> Void = { _ in }) { self.write = write }

    /// Whether two choices say the same, wherever notes go.
    public static func == (a: Self, b: Self) -> Bool { true }
  }

  /// The model in `folder`, or the one that ships.
  public init(folder: URL? = nil, dtype: String? = nil, quantize: String? = nil) {
    (self.folder, self.dtype, self.quantize) = (folder, dtype, quantize)
  }

  /// The folder, that of the model that ships included.
  var url: URL { folder ?? ShippedModel.folder }

  /// Where its files are.
  func checkpoint() throws -> CheckpointFolder {
    try CheckpointFolder(url, language: language, givenSettings: givenSettings)
  }

  /// The precision of each part that is named.
  ///
  /// - Throws: `UsageFailure` for what the model has not; what reading its configuration throws.
  func precisions() throws -> [String: Precision] {
    guard dtype != nil || quantize != nil else { return [:] }
    do {
      return try PrecisionChoice.read(dtype: dtype, quantize: quantize, for: url)
    } catch let failure as ArgumentFailure {
      throw UsageFailure(words: "--\(failure.parameter) \(failure.message)", note: failure.note)
    }
  }

  /// Looks whether the model is there and has the parts that are named, without reading it.
  ///
  /// - Throws: as a load would.
  public func check() throws {
    _ = try precisions()
    if language != nil || !givenSettings.isEmpty { _ = try Family.find(checkpoint()) }
  }
}

/// An option of the command line that cannot be.
struct UsageFailure: HasExitCode, CustomStringConvertible {
  let words: String
  let note: String?

  var exitCode: Int32 { ExitCode.usage }
  var description: String { words + (note.map { "; \($0)" } ?? "") }
}

extension LoadedModel {
  /// Reads the model of a command line.
  ///
  /// - Parameters:
  ///   - available: the memory that may be taken.
  ///   - progress: called with bytes converted, of how many; `false` stops the load.
  static func read(
    _ choice: ModelChoice, available: Int = AvailableMemory.byteCount,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws -> LoadedModel {
    let precisions = try choice.precisions()
    let checkpoint = try choice.checkpoint()
    let load = try ModelLoad(
      checkpoint, precisions: precisions, available: available, progress: progress)
    var model = LoadedModel(
      name: ModelPlace.name(of: choice.url), from: checkpoint, load: load)
    for note in load.notes { choice.notes.write("note: \(note.visibleOnOneLine)") }
    model.precisions = precisions
    return model
  }
}
