internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What a stage gave: a tensor that arithmetic takes as it is, and the trace of the way there.
struct StageResult: ForeignObject {
  /// The stage's name.
  let stage: String
  let result: Tensor
  let trace: Trace
  /// The model that ran.
  let model: LoadedModel
  /// What the way to it started from, as far as it is known.
  var input = Input()

  var tensor: Tensor? { result }
  var provenance: Provenance? {
    Provenance(stage, view: model.view(of: Address("picture"), in: input))
  }
  var typeName: String { "StageResult" }

  var shown: String {
    let line =
      Value.tensor(result, from: provenance).displayed + (shape.map { "\n\($0)" } ?? "")
    guard !trace.records.isEmpty else { return line }
    let example = trace.records.last { $0.address.description.hasSuffix(".pattern") }
    let way = "trace: \(trace.records.count.counted(as: "place"))"
    return line + "\n" + way
      + (example.map { ", such as \(stageVariable)[\"\($0.address)\"]" } ?? "")
  }

  /// What became of the picture's shape, where the stage is the one that changes it.
  private var shape: String? {
    guard stage == "preprocess", let seer = model.model.seeing, seer.viewCount == 1,
      let image = input.image
    else { return nil }
    return try? seer.way(of: image.size, view: nil).sentence
  }

  var brief: String { "\(stage) \(result.shape)" }
  var heldByteCount: Int { trace.byteCount }
  private var stageVariable: String { "_" }

  var attributeNames: [String] { ["trace", "tensor", "stage", "prompt"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "trace":
      .object(
        TraceView(
          trace: trace, title: stage, model: model, input: input))
    case "tensor": .tensor(result, from: provenance)
    case "stage": .text(stage)
    case "prompt": input.words == nil ? Value.none : .text(input.prompt)
    default: nil
    }
  }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text else { return nil }
    return try trace.value(at: address, of: model, on: input)
  }

  var elementNames: [String] { trace.records.map(\.address.description) }
}

/// The numbers that were kept on the way through a model, by address.
struct TraceView: ForeignObject {
  let trace: Trace
  let title: String
  /// The model that ran, where it is known.
  var model: LoadedModel?
  /// What the run started from, as far as it is known.
  var input = Input()

  var typeName: String { "Trace" }
  var elementNames: [String] { trace.records.map(\.address.description) }

  var shown: String {
    guard !trace.records.isEmpty else { return "\(title): a trace that kept nothing" }
    let rows = trace.records.map { [$0.address.description, "\($0.tensor.shape)", $0.tap.summary] }
    return TextTable(["place", "shape", "what it is"], rows).text
  }
  var brief: String { "trace of \(title), \(trace.records.count.counted(as: "place"))" }
  var heldByteCount: Int { trace.byteCount }

  var attributeNames: [String] { ["items", "keys", "values"] }

  func summary(of attribute: String) -> String? {
    let what: String
    switch attribute {
    case "items": what = "names and tensors"
    case "keys": what = "names"
    case "values": what = "tensors"
    default: return nil
    }
    return "The \(what) of the places that were kept, in the order of the run."
  }

  func attribute(_ attribute: String) throws -> Value? {
    let pick: @Sendable (Trace.Record) -> Value
    let (model, input) = (model, input)
    switch attribute {
    case "items":
      pick = { .tuple([.text($0.address.description), $0.value(of: model, on: input)]) }
    case "keys": pick = { .text($0.address.description) }
    case "values": pick = { $0.value(of: model, on: input) }
    default: return nil
    }
    return .function(
      Callable(
        attribute, summary(of: attribute) ?? "",
        .text("pattern", default: "*", "Which places; * stands for anything, as in *.pattern.")
      ) { [trace] _, pattern in
        let fitting = trace.records.filter { $0.address.matches(pattern) }
        guard !fitting.isEmpty || pattern == "*" else { throw trace.missing(pattern) }
        return .newList(fitting.map(pick))
      })
  }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text else { return nil }
    return try trace.value(at: address, of: model, on: input)
  }
}

extension Trace {
  /// The bytes of all that was kept.
  var byteCount: Int { records.reduce(0) { $0 + 4 * $1.tensor.count } }

  /// What was kept at `address`, or an error that names the nearest place.
  ///
  /// - Parameters:
  ///   - model: the model that ran, where it is known.
  ///   - input: what the run started from, as far as it is known.
  func value(
    at address: String, of model: LoadedModel? = nil, on input: Input = Input()
  ) throws -> Value {
    if let record = record(Address(address)) { return record.value(of: model, on: input) }
    let names = records.map(\.address.description)
    let fitting = names.filter { Address($0).matches(address) }
    if fitting.count == 1, let record = record(Address(fitting[0])) {
      return record.value(of: model, on: input)
    }
    if fitting.count > 1 {
      throw RuntimeFailure(
        .key, "\(fitting.count) places of the trace fit '\(address)'",
        hint: "trace.items(\(Value.text(address).represented)) gives each with its name",
        notes: ["such as \(fitting[0]) and \(fitting[1])"])
    }
    throw missing(address)
  }

  /// Why nothing stands at an address, or at no address that fits a pattern.
  func missing(_ address: String) -> RuntimeFailure {
    let names = records.map(\.address.description)
    return RuntimeFailure(
      .key, "the trace has no place '\(address)'",
      hint: NearestPlace.hint(address, among: names),
      notes: ["it keeps \(names.count.counted(as: "place")); show(x.trace) lists them"])
  }
}

extension Trace.Record {
  /// The tensor, which knows its address, what its axes count and which view of a picture it lies on.
  fileprivate func value(of model: LoadedModel?, on input: Input) -> Value {
    .tensor(
      tensor,
      from: Provenance(
        address.description, axes: tap.axes.map { .init($0.rawValue) },
        view: model?.view(of: address, in: input)))
  }
}
