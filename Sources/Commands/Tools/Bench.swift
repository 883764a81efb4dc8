internal import Budget
public import Foundation
internal import Generation
public import Images
internal import Models
internal import Runtime
internal import Scenes
public import Tensors
internal import Tracing

/// Times a model's stages on one picture and counts their work.
public struct Bench {
  /// One measured stage.
  public struct Row: Sendable, Equatable {
    /// The stage, such as `encode`.
    public let name: String
    /// The median time of a pass, in seconds.
    public let seconds: Double
    /// The products of a pass.
    public let work: Work.Amount
  }

  /// What is measured, and how often.
  public struct Options: Sendable {
    /// What the language model reads after the picture.
    public var prompt = "Question: what is in the picture? Answer:"
    /// Tokens that are written after the first.
    public var tokenCount = 16
    /// Passes of a stage, after one that warms up.
    public var repeats = 3
    /// Lengths of prompts to read, in place of everything else.
    public var promptLengths: [Int] = []
    /// How many tokens stand before one that is written, in place of everything else.
    public var contexts: [Int] = []
    /// Whether only the language model is measured, at lengths that somebody asks for.
    public var asksForLengths: Bool { !promptLengths.isEmpty || !contexts.isEmpty }
    /// Whether only the vision tower is measured.
    public var isVisionOnly = false
    /// The defaults.
    public init() {}
  }

  /// The name of the rows that others are computed from.
  public enum Name {
    /// Pixels to the vision tower's last tokens.
    public static let vision = "vision"
    /// The same with every attention pattern kept.
    public static let visionKeepingPatterns = "vision, keeping patterns"
    /// Pictures to their embeddings, followed by how many at once; preprocessing is part of it.
    public static let embedding = "embed_image, batch"
    /// Pixels to the first token of an answer.
    public static let firstToken = "first token"
    /// One more token of an answer.
    public static let nextToken = "next token"
  }

  /// Seconds from which on a pass is not repeated.
  private static let longPass = 10.0

  private let loaded: LoadedModel
  private let options: Options
  /// Seconds that reading the model took.
  public let loadSeconds: Double

  private var model: any FamilyModel { loaded.model }
  /// The model's name.
  public var modelName: String { loaded.name }
  /// Whether pictures are measured; else a text alone.
  public var looksAtPictures: Bool { model.seeing != nil }

  /// Reads a model.
  public init(_ choice: ModelChoice, options: Options) throws {
    let start = ContinuousClock.now
    loaded = try LoadedModel.read(choice)
    loadSeconds = start.duration(to: .now) / .seconds(1)
    self.options = options
  }

  /// Bytes of the model's weights, as they are kept.
  public var weightBytes: Int {
    loaded.parts.reduce(0) { $0 + $1.mappedByteCount + $1.ownByteCount }
  }

  /// The picture that is measured with where none is given.
  public static var picture: Image { Scene(seed: 7).painted().image }

  /// The most memory that this process has had, in bytes, mapped weights included.
  public static var peakBytes: Int {
    // Not getrusage: that goes on counting what the program before `exec` had.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
    return (kilobytes.flatMap { Int($0) } ?? 0) * 1024
  }

  /// Forgets the most memory that there was until now, where the system lets a process do so.
  public static func forgetPeak() {
    guard let file = try? FileHandle(forWritingTo: URL(filePath: "/proc/self/clear_refs")) else {
      return
    }
    try? file.write(contentsOf: Data("5".utf8))
  }

  /// The prompt's token ids, of a model that writes.
  public func promptIDs() throws -> [Int] { try model.writing?.promptIDs(options.prompt) ?? [] }

  /// What the model gives on `image` that is no number, and where first; nil where all are finite, and
  /// where lengths are measured, of which nothing comes but times.
  public func brokenPlace(on image: Image) throws -> String? {
    if options.asksForLengths { return nil }
    let input = Input(image: model.seeing == nil ? nil : image, prompt: options.prompt)
    return try model.brokenPlace(input).map {
      "\(loaded.name) gives \($0)"
    }
  }

  /// A picture's file to measure with.
  ///
  /// - Parameter note: gets lines that say what of it the model does not see.
  public static func picture(_ file: URL, note: (String) -> Void) throws -> Image {
    try PictureFile(file, memory: { AvailableMemory.byteCount }, note: note)
      .loaded(for: nil, note)
  }

  /// Measures every stage on `image`, on all views of it where the model splits it.
  ///
  /// - Parameters:
  ///   - note: gets a line for what is left out, and why.
  ///   - progress: called with a row's name before it is measured.
  /// - Throws: `ModelError.missingPart` for lengths of a model that does not write.
  public func run(
    _ image: Image, note: (String) -> Void, progress: (String) throws -> Void
  ) throws -> [Row] {
    if options.asksForLengths { return try lengths(progress: progress) }
    var rows: [Row] = []
    /// Measures `body`, adds the row, and gives back what the last pass gave.
    func measure<R>(_ name: String, _ body: () throws -> R) throws -> R {
      try progress(name)
      let (result, row) = try row(name, body)
      rows.append(row)
      return result
    }
    var nothing = Trace.nothing
    var picture: Input.Picture?
    if let seer = model.seeing {
      let pixels = try measure("preprocess") {
        try (0..<seer.viewCount).map { try seer.prepare(image, view: $0).pixels }
      }
      let views = pixels.map { Input(picture: .pixels($0)) }
      let stages = model.stages.filter { $0.branch == .picture }
      var values = pixels
      for stage in stages.dropFirst() {
        // A sequence is read in the row of the first token, below.
        guard !["assemble", "decode"].contains(stage.name), !options.isVisionOnly else { break }
        values = try measure(stage.name) {
          try zip(values, views).map { try stage.run($0, of: $1, trace: &nothing) }
        }
      }
      let tower = stages.filter { ["patchify", "embed", "encode"].contains($0.name) }
      func see(_ trace: inout Trace) throws {
        for (pixels, view) in zip(pixels, views) {
          var slots = try tower[0].slots(pixels, of: view)
          try tower.steps.walk(&slots, trace: &trace)
        }
      }
      _ = try measure(Name.vision) { try see(&nothing) }
      let kept = try RunMemory(model, Input(image: image)).estimate { $0.matches("*.pattern") }
      if kept.byteCount <= AvailableMemory.byteCount {
        _ = try measure(Name.visionKeepingPatterns) {
          var trace = Trace { $0.matches("*.pattern") }
          return try see(&trace)
        }
      } else {
        note(
          "\(Name.visionKeepingPatterns): left out, because it takes \(kept.byteCount.asByteCount)")
      }
      picture = pixels.count == 1 ? .pixels(pixels[0]) : .image(image)
    }
    guard !options.isVisionOnly else { return rows }
    if let embedder = model.embedding {
      for count in [1, 16] {
        _ = try measure("\(Name.embedding) \(count)") {
          try embedder.embed(images: [Image](repeating: image, count: count))
        }
      }
    }
    guard let writer = model.writing else { return rows }
    let ids = try writer.promptIDs(options.prompt)
    var settings = writer.defaultOptions
    (settings.maxNewTokens, settings.candidateCount) = (1, 0)
    let input = Input(picture: picture, prompt: options.prompt)
    let sequence = try writer.sequence(input, trace: &nothing)
    let read = try measure("prompt") { try writer.read(sequence, trace: &nothing) }
    _ = try measure(Name.firstToken) {
      let sequence = try writer.sequence(input, trace: &nothing)
      return try writer.write(after: sequence, promptIDs: ids, options: settings, trace: .nothing)
    }
    try progress(Name.nextToken)
    if let row = try nextToken(Name.nextToken, of: writer, after: read, promptIDs: ids) {
      rows.append(row)
    }
    return rows
  }

  /// The language model alone, reading prompts and writing behind contexts of the lengths asked for.
  private func lengths(progress: (String) throws -> Void) throws -> [Row] {
    guard let writer = model.writing else {
      throw ModelError.missingPart(
        wanted: "read a prompt of some length", has: "it is \(model.kind)")
    }
    var rows: [Row] = []
    for length in options.promptLengths {
      let name = "prompt of \(length)"
      try progress(name)
      let sequence = try writer.standInSequence(of: length)
      var nothing = Trace.nothing
      rows.append(try row(name) { _ = try writer.read(sequence, trace: &nothing) }.row)
    }
    for context in options.contexts {
      let name = "\(Name.nextToken) after \(context)"
      try progress(name)
      let state = try writer.standIn(for: context)
      let ids = [Int](repeating: 0, count: context)
      if let row = try nextToken(name, of: writer, after: state, promptIDs: ids) {
        rows.append(row)
      }
    }
    return rows
  }

  /// What the last of several passes gave, and the row.
  ///
  /// A pass that warms up and is counted comes before those that are timed; one that takes long needs
  /// no warming up, and is timed alone.
  private func row<R>(_ name: String, _ body: () throws -> R) throws -> (result: R, row: Row) {
    let start = ContinuousClock.now
    var (result, work) = try Work.counting(body)
    let first = start.duration(to: .now) / .seconds(1)
    guard first < Self.longPass else {
      return (result, Row(name: name, seconds: first, work: work))
    }
    let times = try (0..<options.repeats).map { _ in
      let start = ContinuousClock.now
      result = try body()
      return start.duration(to: .now) / .seconds(1)
    }
    return (result, Row(name: name, seconds: Self.median(times), work: work))
  }

  /// The median time between two tokens of an answer, and the work of one token; nil where answers
  /// end at once, for want of positions or of numbers.
  private func nextToken(
    _ name: String, of writer: any WritingModel, after read: Slots, promptIDs ids: [Int]
  ) throws -> Row? {
    var settings = writer.defaultOptions
    settings.candidateCount = 0
    var times: [Double] = []
    /// Writes an answer of so many tokens, end tokens put off.
    func write(_ count: Int) throws -> Work.Amount {
      (settings.minNewTokens, settings.maxNewTokens) = (count, count)
      var last: ContinuousClock.Instant?
      return try Work.counting {
        try writer.write(after: read, promptIDs: ids, options: settings, trace: .nothing) { _ in
          let now = ContinuousClock.now
          if let last { times.append(last.duration(to: now) / .seconds(1)) }
          last = now
        }
      }.work
    }
    let (one, two) = (try write(1), try write(2))
    times = []
    for _ in 0..<options.repeats { _ = try write(options.tokenCount + 1) }
    guard !times.isEmpty else { return nil }
    return Row(name: name, seconds: Self.median(times), work: two - one)
  }

  /// The middle of some times, of one at least.
  public static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }
}
