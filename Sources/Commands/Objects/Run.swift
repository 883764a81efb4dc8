internal import Characters
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
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
  let input: Input
  /// How it was made, and where it can go on from.
  let course: Course
  /// What was said, this answer too, where it is one of a conversation.
  var history: Conversation?
  /// How many of the person's turns the model's window did not hold.
  var cut = 0

  /// How a run was made, and the states that it can go on from.
  struct Course: Sendable {
    /// Which places it keeps.
    let keep: String
    /// How its answer is written; nil where the model writes none.
    let options: GenerationOptions?
    /// Whether its answer is one of a conversation.
    var isConversation = false
    /// What was changed on the way, the model's own changes left out.
    var changes: [Change] = []
    /// What these and the model's own come to.
    var alterations: [Address: [Alteration]] = [:]
    /// The state before some of its steps, by their number.
    var states: [Int: Slots] = [:]
    /// The state behind the last.
    var last: Slots
  }

  /// What the last stage gave.
  var last: Tensor? {
    model.model.stages.of(input).last.flatMap { course.last[$0.gives] }
  }

  /// What the last stage gave, where it is a number a token or class; nil for embeddings and the like.
  var scores: Tensor? {
    (course.last[.logits] ?? course.last[.classes]).map { $0.reshaped($0.count) }
  }

  /// The token or class that a score belongs to.
  func scoreName(_ index: Int) -> String {
    if let writer = model.model.writing { return writer.tokenizer.visible(index) }
    let labels = model.model.classifying?.labels ?? []
    return labels.indices.contains(index) ? labels[index] : "\(index)"
  }

  /// The likeliest class; nil for a model that knows none.
  var topScore: String? {
    guard model.model.writing == nil, let scores else { return nil }
    return scoreName(Int(scores.argmax(axis: 0).elements[0]))
  }

  var typeName: String { "Run" }
  var brief: String {
    "run of \(model.name)" + (picture.map { " on \($0.name.visibleOnOneLine)" } ?? "")
  }

  var shown: String {
    "\(brief): \(trace.records.count.counted(as: "place")) kept"
      + (model.changes + course.changes).map { "\n  \($0.written)" }.joined()
      + (answer.map { "\n\($0.prompt.isEmpty ? "" : $0.prompt + " ")→ \($0.brief)" } ?? "")
  }

  var attributeNames: [String] {
    ["answer", "text", "trace", "image", "changes"]
      + (history == nil ? [] : ["history", "context", "steps", "ids"])
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "answer": answer.map { .object($0) } ?? Value.none
    case "text": answer.map { .text($0.text) } ?? Value.none
    case "trace":
      .object(TraceView(trace: trace, title: brief, model: model, input: input))
    case "changes": .newList((model.changes + course.changes).map { .object($0) })
    case "image": picture.map { .object($0) } ?? Value.none
    case "history": history.map { .object($0) }
    case "context": try context.map { .object($0) }
    case "steps", "ids": history == nil ? nil : try answer?.attribute(attribute)
    default: nil
    }
  }

  /// The tokens that the model read, of a conversation.
  var context: ContextView? {
    get throws {
      guard history != nil, let chat = model.model.chatting else { return nil }
      return ContextView(context: try chat.context(of: input), cut: cut, input: input, model: model)
    }
  }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text else { return nil }
    return try trace.value(at: address, of: model, on: input)
  }

  /// Patches are hidden behind the pixels: those stay what they were.
  func remark(on index: Value) -> String? {
    guard let address = index.text, Address(address).parts.last == "output",
      Address(address).parts.dropLast().last == "pixels",
      let change = (model.changes + course.changes).first(where: { $0.hidden == .patches }),
      let patches = trace.records.first(where: {
        $0.address.parts.suffix(2) == ["patches", "output"]
      })
    else { return nil }
    return "these are the pixels before \(change.written), which acts on the patches; "
      + "image(x[\"\(patches.address)\"]) is what the model saw"
  }

  var heldByteCount: Int { trace.byteCount }
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
  var runInputs: Input {
    guard case .object(let object) = self else { return Input() }
    return switch object {
    case let run as Run: run.input
    case let embeddings as Embeddings: embeddings.input
    case let view as TraceView: view.input
    case let answer as Answer: answer.input
    case let result as StageResult: result.input
    default: Input()
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
