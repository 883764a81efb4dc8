internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// A whole run, on a picture or on a text alone: every place of it, and the answer.
struct Run: ForeignObject {
  /// Nil for a model that reads text alone.
  let picture: Picture?
  /// Nil where the model has no language model.
  let answer: Answer?
  let trace: Trace
  let model: LoadedModel

  /// What it started from.
  var inputs: RunInputs { RunInputs(image: picture?.image, prompt: answer?.prompt ?? "") }

  var typeName: String { "Run" }
  var brief: String {
    "run of \(model.name)" + (picture.map { " on \($0.name.visibleOnOneLine)" } ?? "")
  }

  var shown: String {
    "\(brief): \(trace.records.count.counted(as: "place")) kept"
      + (answer.map { "\n\($0.prompt.isEmpty ? "" : $0.prompt + " ")→ \($0.brief)" } ?? "")
  }

  var attributeNames: [String] { ["answer", "text", "trace", "image"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "answer": answer.map { .object($0) } ?? Value.none
    case "text": answer.map { .text($0.text) } ?? Value.none
    case "trace":
      .object(TraceView(trace: trace, title: brief, model: model, inputs: inputs))
    case "image": picture.map { .object($0) } ?? Value.none
    default: nil
    }
  }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text else { return nil }
    return try trace.value(at: address)
  }
  var elementNames: [String] { trace.records.map(\.address.description) }
}

extension Value {
  /// The trace in a value: a trace itself, or that of a stage, an answer or a run.
  var trace: Trace? {
    guard case .object(let object) = self else { return nil }
    return switch object {
    case let view as TraceView: view.trace
    case let result as StageResult: result.trace
    case let answer as Answer: answer.answer.trace
    case let run as Run: run.trace
    case let embeddings as Embeddings: embeddings.trace
    default: nil
    }
  }

  /// What the run of a value started from, as far as it is known.
  var runInputs: RunInputs {
    guard case .object(let object) = self else { return RunInputs() }
    return switch object {
    case let run as Run: run.inputs
    case let embeddings as Embeddings: embeddings.inputs
    case let view as TraceView: view.inputs
    case let answer as Answer: RunInputs(prompt: answer.prompt)
    case let result as StageResult: RunInputs(prompt: result.prompt ?? "")
    default: RunInputs()
    }
  }

  /// The model that a value came from.
  var sourceModel: LoadedModel? {
    guard case .object(let object) = self else { return nil }
    return switch object {
    case let result as StageResult: result.model
    case let answer as Answer: answer.model
    case let run as Run: run.model
    case let map as AttentionMap: map.model
    case let view as TraceView: view.model
    case let embeddings as Embeddings: embeddings.model
    case let map as PatchMap: map.model
    default: nil
    }
  }
}
