internal import Boxes
internal import Budget
internal import Characters
internal import Checkpoints
internal import Figures
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What is asked of a model in every precision.
struct BilledQuestion {
  let input: Input
  /// What boxes are drawn on.
  let picture: Picture?
  /// How the answer is written; nil as the model's files say.
  var options: GenerationOptions?
  /// Whether the answer is one of a conversation.
  var isConversation = false
  var maxNewTokens: Int?

  /// A picture, a text, or both.
  init(picture: Picture?, prompt: String, maxNewTokens: Int?) {
    (input, self.picture) = (Input(image: picture?.image, prompt: prompt), picture)
    self.maxNewTokens = maxNewTokens
  }

  /// What a run has answered.
  init(_ run: Run, maxNewTokens: Int?) {
    (input, picture) = (run.input, run.history?.pictures.last ?? run.picture)
    (options, isConversation) = (run.course.options, run.course.isConversation)
    self.maxNewTokens = maxNewTokens
  }
}

/// What lower precisions save and cost: the whole model in each, and a part at a time.
struct Bill {
  /// One part, or all of them, in one precision.
  struct Item {
    /// `all` for the whole model.
    let part: String
    let precision: Precision
    let savedByteCount: Int
    /// The answer.
    let text: String
    /// How far what each stage gives is from the model as stored, relative to the largest number there.
    let drift: [(name: String, value: Double)]
    /// The first word that another stands for; nil where the answer is the same.
    let firstChange: String?
    /// The mean and the largest divergence of a next token's distribution, in nats.
    let divergence, worst: Double

    /// Nats a megabyte.
    var damage: Double { divergence / (Double(savedByteCount) / 1e6) }
  }

  /// The parts, the least damage for a byte saved first.
  private(set) var items: [Item] = []
  /// The whole model in each precision.
  private var whole: [Item] = []
  /// Parts in precisions that would take more memory than they do as stored.
  private var useless: [String] = []
  /// Parts in precisions that take more memory than there is.
  private var tooLarge: [String] = []
  /// The model's own answer, and its stages by name.
  private let answer: String
  private let stages: [String]
  /// The picture as the model sees it, for boxes to be drawn on.
  private let canvas: Image?

  /// Tries every precision of the whole, and of every part; one converted model is in memory at a time.
  init(
    of loaded: LoadedModel, _ question: BilledQuestion, precisions: [Precision],
    in session: Session
  ) throws {
    canvas = question.picture.map { loaded.seen($0.image) }
    let isCancelled = { @Sendable in session.isCancelled }
    // All weights as they are stored: mapped, not read.
    var folder = try loaded.checkpoint()
    // One mapping for all readings.
    folder = (try? folder.opened()) ?? folder
    let stored = try ModelLoad(folder)
    let model = try loaded.alike(stored.model)
    let reference = try Answered(model, to: question, following: nil, isCancelled: isCancelled)
    (answer, stages) = (reference.text, reference.stages.map(\.name))
    if reference.isBroken,
      let place = try model.brokenPlace(question.input, isCancelled: isCancelled)
    {
      throw BrokenModel(command: "bill", model: "as stored, \(loaded.name)", place: place)
    }
    func item(_ part: PartWeights?, _ precision: Precision) throws -> Item? {
      let parts = part.map { [$0] } ?? stored.parts
      let load = try ModelLoad.stoppable(
        folder, precisions: Dictionary(uniqueKeysWithValues: parts.map { ($0.name, precision) }),
        available: session.availableMemory
      ) { _, _ in !isCancelled() }
      let saved = stored.parts.bytes - load.parts.bytes
      if let part, saved <= 0 {
        if load.parts != stored.parts { useless.append("\(part.name) in \(precision.rawValue)") }
        return nil
      }
      let found = try Answered(
        loaded.alike(load.model), to: question, following: reference.tokens,
        isCancelled: isCancelled)
      let divergences = reference.divergences(of: found)
      return Item(
        part: part?.name ?? "all", precision: precision, savedByteCount: saved, text: found.text,
        drift: found.drift(from: reference),
        firstChange: Self.change(from: reference.text, to: found.text),
        divergence: divergences.reduce(0, +) / Double(max(1, divergences.count)),
        worst: divergences.max() ?? 0)
    }
    // Float32 saves no part anything.
    let trials =
      precisions.map { (PartWeights?.none, $0) }
      + stored.parts.flatMap { part in
        precisions.filter { $0 != .float32 }.map { (part, $0) }
      }
    for (number, (part, precision)) in trials.enumerated() {
      session.report(Progress("trying precisions", completed: number, total: trials.count))
      do {
        guard let item = try item(part, precision) else { continue }
        if part == nil { whole.append(item) } else { items.append(item) }
      } catch is MemoryShortage {
        tooLarge.append("\(part?.name ?? "all parts") in \(precision.rawValue)")
      }
    }
    items.sort { $0.damage < $1.damage }
  }

  /// The first word that differs: `word 3: green → blue`.
  static func change(from old: String, to new: String) -> String? {
    let words = [old, new].map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    let count = max(words[0].count, words[1].count)
    func word(_ list: [String], _ place: Int) -> String {
      list.indices.contains(place) ? list[place] : "the end"
    }
    return (0..<count).first { word(words[0], $0) != word(words[1], $0) }.map { place in
      "word \(place + 1): \(word(words[0], place)) → \(word(words[1], place))"
    }
  }

  // MARK: What is shown

  func table() throws -> Table {
    let answers = answers
    var notes: [String] = []
    if items.isEmpty, useless.isEmpty {
      notes.append("nothing would be saved: all parts are stored so already, or smaller")
    }
    if !useless.isEmpty {
      notes.append(
        "nothing saved by \(useless.joined(separator: ", ")): the file has as few bits, or tables that "
          + "are used twice are then kept twice")
    }
    if !tooLarge.isEmpty {
      notes.append(
        "more memory than there is would be taken by \(tooLarge.joined(separator: ", "))")
    }
    var table = Table(
      [
        "part", "precision", "saved MB", "first changed word", "divergence", "worst",
        "nats a GB saved",
      ],
      items.map { item in
        [
          .text(item.part), .text(item.precision.rawValue),
          .float(Double(item.savedByteCount) / 1e6), .text(item.firstChange ?? "–"),
          .float(item.divergence), .float(item.worst),
          .float(item.damage * 1000),
        ]
      }, note: notes.isEmpty ? nil : notes.joined(separator: "\n"))
    table.below = [answers]
    table.importance = [
      "part", "precision", "saved MB", "first changed word", "divergence", "worst",
    ]
    table.facts = [
      ("answer", .text(answer)), ("answers", .object(answers)),
      ("chart", .object(Drawing(figure: try figure()))),
    ]
    return table
  }

  /// The stages at which some precision is off.
  private var moved: [String] {
    stages.filter { stage in
      whole.contains { item in item.drift.contains { $0.name == stage && $0.value != 0 } }
    }
  }

  /// A row a precision of the whole model: how far what each stage gives is from what it should be, how much the
  /// boxes of its answer share with those of the model as stored, and the answer.
  private var answers: Table {
    let moved = moved
    let hasBoxes = !MarkedText(answer).boxes.isEmpty
    func row(
      _ name: String, saved: Int, divergence: Double, _ drift: [(name: String, value: Double)],
      _ text: String
    ) -> [Value] {
      let overlap = overlap(of: MarkedText(text).boxes)
      return [.text(name), .float(Double(saved) / 1e6), .float(divergence)]
        + drift.filter { moved.contains($0.name) }.map { .float($0.value) }
        + (hasBoxes ? [overlap.map { .float($0) } ?? .text("–")] : []) + [.text(text)]
    }
    var table = Table(
      ["all parts in", "saved MB", "divergence"] + moved + (hasBoxes ? ["box overlap"] : [])
        + ["answer"],
      [row("as stored", saved: 0, divergence: 0, stages.map { ($0, 0) }, answer)]
        + whole.map {
          row(
            $0.precision.rawValue, saved: $0.savedByteCount, divergence: $0.divergence, $0.drift,
            $0.text)
        },
      note: moved.isEmpty
        ? nil
        : "under \(moved.joined(separator: ", ")): the largest difference of what the stage gives, "
          + "relative to the largest number")
    table.importance = ["all parts in", "answer", "box overlap", "divergence", "saved MB"]
    return table
  }

  /// The mean overlap of boxes with those of the model as stored, one by one; nil where they are not as many.
  private func overlap(of boxes: [Box]) -> Double? {
    let own = MarkedText(answer).boxes
    guard !own.isEmpty, boxes.count == own.count else { return nil }
    return zip(own, boxes).map { $0.edges.overlap(with: $1.edges) }.reduce(0, +)
      / Double(own.count)
  }

  private func figure() throws -> Figure {
    let moved = moved
    func panel(
      _ name: String, _ text: String, _ drift: [(name: String, value: Double)]
    ) -> AnswerPanel {
      AnswerPanel(
        name, text: text, outlines: canvas.map { MarkedText(text).marks.outlines(in: $0) } ?? [],
        measures: drift.filter { moved.contains($0.name) })
    }
    return try Figure.answers(
      [panel("as stored", answer, stages.map { ($0, 0) })]
        + whole.map { panel($0.precision.rawValue, $0.text, $0.drift) }, on: canvas,
      title: "one question, all parts in \(whole.count.counted(as: "precision"))",
      measure: "how far what each stage gives is from the model as stored")
  }
}

/// An answer, what the way to it gave, and the distributions that it was chosen from.
private struct Answered {
  let text: String
  let tokens: [Int]
  /// `[N, V]`: before softmax.
  let logits: Tensor
  /// What each stage gave, of several pictures for each.
  let stages: [(name: String, results: [Tensor])]

  /// - Parameter following: the tokens whose distributions are wanted; nil for the model's own.
  init(
    _ model: any FamilyModel, to question: BilledQuestion, following: [Int]?,
    isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    guard model.writing != nil || (model.classifying != nil && question.input.image != nil) else {
      throw RuntimeFailure(
        .command, "bill needs a model that writes or knows classes; this is \(model.kind)")
    }
    var trace = Trace.nothing
    trace.isCancelled = isCancelled
    var slots = Slots(question.input)
    var stages: [(name: String, results: [Tensor])] = []
    for stage in model.stages.of(question.input) {
      try stage.steps.walk(&slots, trace: &trace)
      stages.append((stage.name, slots.ofAllPictures(stage.gives)))
    }
    self.stages = stages
    if let writer = model.writing {
      var options = question.options ?? writer.defaultOptions
      if let count = question.maxNewTokens { options.maxNewTokens = count }
      options.candidateCount = 0
      let answer = try writer.write(
        after: slots, promptIDs: try writer.ids(of: question.input), options: options,
        trace: trace)
      tokens = answer.generated.tokens
      text =
        question.isConversation ? model.chatting?.reply(in: tokens) ?? answer.text : answer.text
      let sequence = stages.last { $0.name == "assemble" }?.results.first
      // After the last token nothing is chosen.
      logits = try writer.logits(
        after: sequence ?? writer.sequence(question.input, trace: &trace),
        tokens: (following ?? tokens).dropLast(), isCancelled: isCancelled)
    } else {
      let row = slots[.classes] ?? Tensor([.nan], shape: [1])
      let best = Int(row.reshaped(row.count).argmax(axis: 0).elements[0])
      let labels = model.classifying?.labels ?? []
      text = labels.indices.contains(best) ? labels[best] : "\(best)"
      (tokens, logits) = ([], row.reshaped(1, row.count))
    }
  }

  /// Whether some of the logits are no numbers.
  var isBroken: Bool { !logits.elements.allSatisfy(\.isFinite) }

  /// How far what each stage gave is from what it gave another, relative to the largest number there.
  func drift(from reference: Answered) -> [(name: String, value: Double)] {
    zip(stages, reference.stages).map { own, other in
      let differences = zip(own.results, other.results).map { Difference($0, $1).relative }
      // NaN is as far away as can be.
      let worst = differences.reduce(0) { $1.isNaN || $0.isNaN ? .nan : max($0, $1) }
      return (own.name, worst.isNaN ? .infinity : Double(worst))
    }
  }

  /// How far each of another's distributions is from this one's, in nats.
  func divergences(of other: Answered) -> [Double] {
    (0..<min(logits.shape[0], other.logits.shape[0])).map { row in
      let nats = Divergence.nats(of: other.logits.row(row), from: logits.row(row))
      // NaN is as far away as can be, not as near.
      return nats.isNaN ? .infinity : nats
    }
  }
}

extension Box {
  /// Its corners, as a model writes them.
  fileprivate var corners: String { "(\(x1),\(y1)),(\(x2),\(y2))" }
}

extension [PartWeights] {
  /// All bytes of the parts, mapped or not.
  fileprivate var bytes: Int { reduce(0) { $0 + $1.mappedByteCount + $1.ownByteCount } }
}
