internal import Budget
internal import Characters
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// Something that was put into the space of pictures and texts: a picture or a text.
enum Embedded: Sendable {
  case picture(Picture)
  case text(String)

  /// What its run starts from.
  var input: Input {
    switch self {
    case .picture(let picture): Input(image: picture.image)
    case .text(let text): Input(words: .text(text))
    }
  }

  var name: String {
    switch self {
    case .picture(let picture): picture.name
    case .text(let text): text
    }
  }

  /// The name as people see it: on one line, and never nothing.
  var label: String { name.isEmpty ? "⟨empty⟩" : name.visibleOnOneLine }
}

/// Vectors of pictures or texts in the space that they share, one row each.
struct Embeddings: ForeignObject {
  let items: [Embedded]
  /// `[N, E]`, as the model projects them.
  let rows: Tensor
  /// How the only item came about; nil where there are several.
  let trace: Trace?
  let model: LoadedModel

  var tensor: Tensor? { rows }
  var typeName: String { "Embeddings" }
  var brief: String {
    "embeddings of "
      + (items.count == 1 ? items[0].label.shortened(toColumns: 60) : "\(items.count) items")
  }
  /// Whether a number of theirs is NaN or infinity.
  var areBroken: Bool { rows.firstNonFinite() != nil }
  /// Whether they are of texts.
  var areTexts: Bool { if case .text = items.first { true } else { false } }

  var shown: String {
    let shown = items.prefix(Table.shownLimit)
    let lengths = shown.indices.map { (rows.row($0) * rows.row($0)).sum(axis: 0).elements[0] }
    let lines = zip(shown, lengths).map { item, square in
      [item.label, Digits.short(Double(square.squareRoot()))]
    }
    return "\(brief) by \(model.name), \(rows.shape)\n"
      + TextTable(["of", "length"], lines, rightAligned: [false, true]).text
      + (shown.count < items.count ? "\nthe first \(shown.count) of \(items.count)" : "")
      + (trace.map { "\ntrace: \($0.records.count.counted(as: "place"))" } ?? "")
  }

  var attributeNames: [String] { ["tensor", "unit", "names", "trace"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "tensor": .tensor(rows, from: Provenance(brief))
    case "unit": .tensor(rows.unitRows(), from: Provenance("\(brief), of length 1"))
    case "names": .texts(items.map(\.name))
    case "trace":
      trace.map { .object(TraceView(trace: $0, title: brief, model: model, input: input)) }
        ?? Value.none
    default: nil
    }
  }

  /// What the only item's run started from.
  var input: Input {
    items.count == 1 ? items[0].input : Input()
  }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text, let trace else { return nil }
    return try trace.value(at: address)
  }
  var elementNames: [String] { trace?.records.map(\.address.description) ?? [] }
}

extension Embeddings {
  /// Puts pictures or texts into a model's space: one with its trace, several as a batch.
  ///
  /// Where a number is none, `session` is told where it breaks first, unless `isTold` says that it
  /// was told of others of the kind.
  init(
    _ items: [Embedded], by part: any EmbeddingModel, of model: LoadedModel,
    keep: String, in session: Session, isTold: Bool = false
  ) throws {
    // What is changed is found in the text as it is cut.
    let runs = model.with(part)
    // A batch passes no places, and nothing could be changed on its way.
    var traces =
      items.count == 1 || !model.changes.isEmpty
      ? try items.map { try session.trace(keeping: keep, of: runs, on: $0.input) } : []
    let pictures = items.compactMap { item -> Picture? in
      if case .picture(let picture) = item { picture } else { nil }
    }
    let texts = items.compactMap { item -> String? in
      if case .text(let text) = item { text } else { nil }
    }
    try MemoryGate.take(
      items.count, of: 8 * part.embeddingWidth, for: "\(items.count) embeddings")
    let rows =
      try texts.isEmpty
      ? part.embed(images: pictures.map(\.image), traces: &traces)
      : part.embed(texts: texts, traces: &traces)
    if items.count == 1, let trace = traces.first {
      session.note(trace, keptNothingOf: keep, by: model, on: items[0].input)
    }
    if !isTold {
      try session.checkFinite(rows, of: model) {
        let broken = items.indices.first { !rows.row($0).elements.allSatisfy(\.isFinite) }
        return broken.map { [part.way(of: items[$0])] } ?? []
      }
    }
    self.init(
      items: items, rows: rows, trace: items.count == 1 ? traces.first : nil, model: model)
  }
}
