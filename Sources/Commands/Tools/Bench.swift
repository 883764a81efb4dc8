public import Foundation
internal import Generation
internal import Glibc
internal import Images
internal import Models
internal import Tensors
internal import Tracing

/// Times a model's stages on one picture, and sets them against what the machine can do.
public struct Bench {
  /// One measured stage.
  public struct Row: Sendable {
    /// The stage, such as `vision`.
    public let name: String
    /// The median time of a pass, in seconds.
    public let seconds: Double
    /// Floating-point operations of a pass's matrix products.
    public let operations: Int
    /// Bytes of weights that a pass reads.
    public let weightBytes: Int
  }

  /// What to measure.
  public struct Options: Sendable {
    /// What the language model reads after the picture.
    public var prompt = "Question: what is in the picture? Answer:"
    /// Tokens that are decoded after the first.
    public var tokenCount = 16
    /// Passes of a stage, after one that warms up.
    public var repeats = 3
    /// Whether only the vision tower is measured.
    public var isVisionOnly = false
    /// The defaults.
    public init() {}
  }

  private let model: BLIP2.Model
  private let options: Options
  /// Seconds that reading the model took.
  public let loadSeconds: Double
  /// Bytes of the model's weights, as they are stored.
  public let weightBytes: Int

  /// The prompt's token ids.
  public func promptIDs() throws -> [Int] { try model.promptIDs(options.prompt) }

  /// Measures every stage on `image`.
  ///
  /// - Parameter progress: called with each stage's name before it is measured.
  public func run(_ image: Image, progress: (String) throws -> Void) throws -> [Row] {
    var rows: [Row] = []
    /// Measures `body`, keeps the row, and gives back what the last pass gave.
    func measure<R>(_ name: String, _ body: () throws -> R) throws -> R {
      try progress(name)
      var (result, work) = try Work.counting(body)
      var times: [Double] = []
      for _ in 0..<options.repeats {
        let start = ContinuousClock.now
        result = try body()
        times.append(start.duration(to: .now) / .seconds(1))
      }
      rows.append(
        Row(
          name: name, seconds: times.sorted()[times.count / 2], operations: work.operations,
          weightBytes: work.weightBytes))
      return result
    }
    var nothing = Trace.nothing
    let pixels = try measure("preprocess") { try model.preprocess(image) }
    let seen = try measure("vision") { try look(pixels, trace: &nothing) }
    _ = try measure("vision, keeping patterns") {
      var trace = Trace { Address("*.pattern").matches($0) }
      return try look(pixels, trace: &trace)
    }
    guard !options.isVisionOnly else { return rows }
    let queries = try measure("qformer") { try model.query(seen, trace: &nothing) }
    guard model.writer != nil else { return rows }
    let soft = try measure("projection") { try model.project(queries, trace: &nothing) }
    let ids = try model.promptIDs(options.prompt)
    let sequence = try model.assemble(soft, options.prompt, trace: &nothing)
    var once = model.defaultOptions
    once.maxNewTokens = 1
    _ = try measure("prompt") {
      try model.write(after: sequence, promptIDs: ids, options: once, trace: .nothing)
    }
    _ = try measure("first token") {
      let seen = try look(pixels, trace: &nothing)
      let soft = try model.project(try model.query(seen, trace: &nothing), trace: &nothing)
      let sequence = try model.assemble(soft, options.prompt, trace: &nothing)
      return try model.write(after: sequence, promptIDs: ids, options: once, trace: .nothing)
    }
    try progress("next token")
    rows.append(try measureNextToken(after: sequence, promptIDs: ids))
    return rows
  }

  /// The median time between two tokens of an answer, and the work of one token.
  private func measureNextToken(after sequence: Tensor, promptIDs ids: [Int]) throws -> Row {
    var settings = model.defaultOptions
    var times: [Double] = []
    /// Writes an answer of so many tokens; an end token does not end it.
    func write(_ count: Int) throws -> Work.Amount {
      (settings.minNewTokens, settings.maxNewTokens) = (count, count)
      var last: ContinuousClock.Instant?
      return try Work.counting {
        try model.write(after: sequence, promptIDs: ids, options: settings, trace: .nothing) { _ in
          let now = ContinuousClock.now
          if let last { times.append(last.duration(to: now) / .seconds(1)) }
          last = now
        }
      }.work
    }
    let one = try write(1)
    let two = try write(2)
    times = []
    for _ in 0..<options.repeats { _ = try write(options.tokenCount + 1) }
    return Row(
      name: "next token", seconds: times.sorted()[times.count / 2],
      operations: two.operations - one.operations, weightBytes: two.weightBytes - one.weightBytes)
  }

  private func look(_ pixels: Tensor, trace: inout Trace) throws -> Tensor {
    try model.encode(try model.embed(try model.patchify(pixels), trace: &trace), trace: &trace)
  }
}
