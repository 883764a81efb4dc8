internal import Budget
internal import Checkpoints
internal import Figures
internal import Files
public import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Tracing

/// Compares two runs on the command line.
public struct CompareTool {
  /// What is compared and by what.
  public struct Request: Sendable {
    /// Each a trace's file or a model's folder; the second may be a precision.
    public var first, second: String
    /// The model that judges files, and how the weights of folders' models are kept.
    public var model = ModelChoice()
    /// The picture that folders' models run on.
    public var image: URL?
    /// What they read after it.
    public var prompt = ""
    /// Gets lines that say what of a picture's file the models do not see.
    public var note: @Sendable (String) -> Void = { _ in }
    /// Whether every place has a row.
    public var byPlace = false

    /// Asks for a comparison.
    public init(first: String, second: String) { (self.first, self.second) = (first, second) }
  }

  private let table: Table
  private let parted: PartingTable

  /// Reads, runs and compares.
  ///
  /// - Parameter progress: what is being done, how much of it is done, and of how much.
  public init(
    _ request: Request,
    progress: @escaping @Sendable (_ what: String, _ done: Int, _ total: Int) -> Void = {
      _, _, _ in
    }
  ) throws {
    let comparison = RunComparison(
      first: try Self.side(request.first, request), second: try Self.side(request.second, request),
      byPlace: request.byPlace,
      report: { progress($0.label, $0.completed, $0.total ?? 0) })
    // A file is judged by the model as it is stored.
    parted = try comparison.parted {
      var choice = ModelChoice(folder: request.model.folder)
      choice.language = request.model.language
      return try LoadedModel.read(choice)
    }
    table = try parted.table()
  }

  private static func side(_ path: String, _ request: Request) throws -> ComparedThing {
    if path == request.second {
      if Precision(word: path) != nil { return .precision(.text(path)) }
      if path.contains("="), !FileManager.default.fileExists(atPath: path) {
        do {
          return .precision(try PrecisionChoice.byPart(path))
        } catch let failure as ArgumentFailure {
          throw UsageFailure(words: "\(path) \(failure.message)", note: failure.note)
        }
      }
    }
    guard isModel(path) else { return .file(try TraceFile(URL(typed: path))) }
    let url = try ModelPlace.folder(path, revision: request.model.revision)
    var choice = request.model
    choice.folder = url
    let loaded = try LoadedModel.read(choice)
    let model = loaded.model
    guard request.image != nil || !model.needsPicture else {
      throw UsageFailure(
        words: "\(path) is a model, and there is no picture for it to run on",
        note: "give one with --image")
    }
    let image = try request.image.map {
      try PictureFile($0, memory: { AvailableMemory.byteCount }, note: request.note)
        .loaded(for: model.seeing?.preprocessing, request.note)
    }
    let input = Input(image: image, prompt: request.prompt)
    var trace = Trace.everything
    try model.pass(input, trace: &trace)
    var side = ComparedSide(name: path, trace: trace, model: loaded, input: input)
    side.picture = request.image?.lastPathComponent
    return .side(side)
  }

  /// Whether a side is a model rather than a trace's file: a folder, or a name that models have.
  public static func isModel(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    let place = path.withHomeFolder
    return unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
      ? isFolder.boolValue : ModelPlace.isModel(path)
  }

  /// The table, as a terminal shows it.
  public var text: String { table.shown }

  /// Whether no step is worse than noise and all numbers that one side has are numbers on the other.
  public var isClean: Bool { parted.isClean }

  /// Writes the table's rows.
  public func writeCSV(to url: URL) throws { try table.writeCSV(to: url) }

  /// Draws own errors and floors.
  public func writeChart(to url: URL) throws {
    let figure = try parted.figure()
    let bytes: [UInt8] =
      switch url.pathExtension.lowercased() {
      case "svg": figure.svg()
      case "pdf": try figure.pdf()
      default: try figure.png()
      }
    try WholeFile.write(bytes, to: url)
  }

  /// The verdict, the first place that parts and all rows.
  public var json: String {
    let rows = table.rows.map { row in
      JSON.object(
        JSON.Object(zip(table.columns, row).map { ($0.0, Self.json($0.1)) }))
    }
    let facts = ["verdict", "first", "stage"].map { name in
      (name, Self.json(table.facts.first { $0.name == name }?.value ?? .none))
    }
    return JSON.object(
      JSON.Object(
        [("schema", .integer(1)), ("clean", .bool(isClean))] + facts
          + [
            ("notes", .array((table.note ?? "").split(separator: "\n").map { .string("\($0)") })),
            ("rows", .array(rows)),
          ])
    ).written(indented: true)
  }

  private static func json(_ value: Value) -> JSON {
    switch value {
    case .integer(let number): .integer(number)
    // JSON has neither infinity nor NaN; the text says which.
    case .float(let number):
      number.isFinite ? .number(number) : .string(number.isNaN ? "nan" : "\(number)")
    case .text(let text): .string(text.string)
    case .bool(let truth): .bool(truth)
    default: .null
    }
  }
}
