internal import Budget
internal import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let classify = Command(
    "classify", group: "Words and pictures",
    "Tells what a picture shows: by a model's own classes, or by labels that you give.",
    Parameter.seen(
      "image", "The picture, or its path; for a model's own classes also what encode() gives."),
    Parameter.optional(
      .list(
        of: .text("labels", "What it may be; None for the model's own classes."),
        mayBeEmpty: false)),
    Parameter.optional(
      .list(
        of: .text(
          "templates",
          "Sentences with {} for the label; None for \"a photo of a {}.\", or without its article "
            + "where the label brings one."))),
    Parameter.integer("top", in: 1...100_000, default: 5, "How many classes are listed."),
    Parameter.truncate,
    Parameter.changes,
    returns: "a Table of label, probability and logit, the most likely first",
    details: "A model's own classes become probabilities as its configuration says: by softmax, or "
      + "each by itself where several may be right; measures of a regression stay as they are. With labels, each is put into every template; the embeddings of its sentences, each "
      + "of length 1, are averaged, and the cosines of these means with the picture, times the "
      + "model's scale, go into softmax (Radford et al. 2021).",
    examples: [
      Example(
        "classify(scene(7), [\"a circle\", \"a square\", \"a triangle\", \"a star\"])",
        "Which shape?"),
      Example(
        "classify(scene(7), [\"red\", \"green\", \"blue\"],\n"
          + "         templates=[\"a {} circle\", \"a {} square\", \"a {} star\"])[\"label\"][0]",
        "An ensemble of sentences: which colour?"),
    ], seeAlso: ["similarity", "match"]
  ) { session, seen, labels, templates, top, truncate, changes in
    if let labels {
      guard case .picture(let picture) = seen else {
        throw ArgumentFailure(parameter: "image", "must be a picture where labels are given")
      }
      let (able, model) = try session.able(.embedding, for: "classify")
      session.noteUnfit(picture, for: model)
      try templates.map(Self.check)
      let part = able.cuttingTexts(truncate)
      try MemoryGate.take(
        labels.count, of: 12 * part.embeddingWidth, for: "embeddings of \(labels.count) labels")
      var changed = model
      changed.changes += changes
      if let first = labels.first, !changes.isEmpty {
        // What fits neither way is told.
        let words = part.sentences(first, templates: templates)[0]
        let places = try part.outline(Input(image: picture.image, prompt: words)).places
        try ResolvedChanges.check(changes, among: places, of: model)
        if !changes.flatMap(\.selection.words).isEmpty {
          let texts = try labels.flatMap { part.sentences($0, templates: templates) }
            .map { try part.textIDs($0) }
          try ResolvedChanges.checkWords(of: changes, in: texts, by: part.tokenizer)
        }
      }
      let runs = changed
      // What broke is said once, where it did.
      var (areTextsBroken, isPictureBroken) = (false, false)
      let logits = try part.classify(
        picture.image, as: labels, templates: templates,
        embedTexts: {
          let made = try Embeddings(
            $0.map { .text($0) }, by: part, of: runs, keep: "", in: session,
            isTold: areTextsBroken)
          areTextsBroken = areTextsBroken || made.areBroken
          return made.rows
        },
        embedImage: { _ in
          let made = try Embeddings([.picture(picture)], by: part, of: runs, keep: "", in: session)
          isPictureBroken = made.areBroken
          return made.rows
        })
      if !session.noteBrokenScale(of: part, model), !areTextsBroken, !isPictureBroken {
        try session.checkFinite(logits, of: model) {
          let broken = logits.elements.firstIndex { !$0.isFinite } ?? 0
          return [part.way(of: .picture(picture))]
            + part.sentences(labels[broken], templates: templates).map { part.way(of: .text($0)) }
        }
      }
      let sentence = labels.first.flatMap { part.sentences($0, templates: templates).first }
      return .object(
        Table.classes(
          logits, labels: labels, top: top,
          note: sentence.map {
            "texts such as \(Value.text($0).represented)"
              + (templates.map(\.count) ?? 1 > 1 ? ", \(templates?.count ?? 1) a label" : "")
          }))
    }
    if let templates, !templates.isEmpty {
      throw ArgumentFailure(parameter: "labels", "must be given together with templates")
    }
    let current = try session.model()
    guard let part = current.model.classifying else {
      guard current.model.embedding != nil || current.isShipped else {
        throw current.lacks(.classifying, for: "classify")
      }
      throw ArgumentFailure(
        parameter: "labels", "must be given: this model has no classes of its own",
        note: "give a list, as in classify(image, [\"a cat\", \"a dog\"])")
    }
    let input = Input(image: seen.image)
    var trace = session.trace(keeping: "")
    trace.alterations = try session.alterations(
      changes, of: current, on: input, in: seen.image == nil ? ["classify"] : nil)
    let alterations = trace.alterations
    let logits =
      switch seen {
      case .picture(let picture): try part.classify(picture.image, trace: &trace)
      case .tokens(let tokens): try part.classify(tokens: tokens, trace: &trace)
      }
    try session.checkFinite(logits, of: current, given: seen.numbers) {
      [
        WayToResult(from: input) { trace in
          trace.alterations = alterations
          switch seen {
          case .picture(let picture): _ = try part.classify(picture.image, trace: &trace)
          case .tokens(let tokens): _ = try part.classify(tokens: tokens, trace: &trace)
          }
        }
      ]
    }
    return .object(
      Table.classes(
        logits.reshaped(logits.count), labels: part.labels, scores: part.scores, top: top))
  }

  private static func check(_ templates: [String]) throws {
    guard !templates.isEmpty else {
      throw ArgumentFailure(parameter: "templates", "must hold at least one sentence with {}")
    }
    for template in templates where !template.contains("{}") {
      throw ArgumentFailure(
        parameter: "templates",
        "must have {} for the label, which "
          + "\(Value.text(template).represented) has not")
    }
  }
}

/// A picture, or the tokens that a vision tower made of one.
enum SeenPicture: Sendable {
  case picture(Picture)
  case tokens(Tensor)

  fileprivate var image: Image? {
    if case .picture(let picture) = self { picture.image } else { nil }
  }
  fileprivate var numbers: Tensor? { if case .tokens(let tokens) = self { tokens } else { nil } }
}

extension Parameter where T == SeenPicture {
  /// A picture or its path, or the result of a stage.
  static func seen(_ name: String, _ summary: String) -> Self {
    let picture = Parameter<Picture>.picture(name, summary)
    let facts = ParameterFacts(
      name: name, type: "Image or StageResult",
      expects: "a picture, as image() or scene() gives, or a file's path, or what encode() gives",
      defaultText: nil, summary: summary, suggestions: picture.facts.suggestions)
    return Parameter(facts) { value, session in
      if case .object(let object) = value, let result = object as? StageResult {
        return .tokens(result.result)
      }
      return try picture.read(value, session).map { .picture($0) }
    }
  }
}

extension Table {
  /// Classes by probability, the most likely first.
  fileprivate static func classes(
    _ logits: Tensor, labels: [String], scores: ClassScores = .softmax, top: Int,
    note: String? = nil
  ) -> Table {
    let numbers = logits.elements
    var asked = 0
    let probabilities: [Float]? =
      switch scores {
      case .softmax: logits.softmax().elements
      case .logistic: numbers.map { 1 / (1 + exp(-$0)) }
      case .none: nil
      }
    let note = note ?? (scores == .softmax ? nil : "of the classes " + scores.inWords)
    let order = numbers.indices.sorted {
      asked += 1
      // Stopped, the order means nothing, and nobody looks at it.
      if asked & 0xFFFF == 0, Stop.isRequested { return false }
      return numbers[$0] > numbers[$1] || (numbers[$0] == numbers[$1] && $0 < $1)
    }
    return Table(
      ["label"] + (probabilities == nil ? [] : ["probability"]) + ["logit"],
      order.prefix(top).map { place in
        [.text(labels[place])]
          + (probabilities.map { [.float(Double($0[place]))] } ?? [])
          + [.float(Double(numbers[place]))]
      },
      note: order.count > top
        ? "\(top) of \(order.count) classes" + (note.map { "; \($0)" } ?? "") : note)
  }
}
