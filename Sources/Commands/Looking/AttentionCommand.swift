internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// Which attention is meant.
enum AttentionKind: String, Sendable, CaseIterable {
  case vision, queries, cross, language, text
}

extension Command {
  static let attention = Command(
    "attention", group: "Looking", "Takes one layer's attention pattern out of a trace.",
    Parameter.any(
      "source", expects: "the result of a stage, a run or an answer", "Where to look."),
    Parameter.integer("block", in: 0...1000, default: 0, "The block, counted from 0."),
    Parameter.optional(
      .integer("head", in: 0...1000, "The head, counted from 0; None for the mean of all.")),
    Parameter.optional(
      .choice(
        "kind",
        "The part of the model: vision, queries (among themselves), cross (queries at the "
          + "picture), language, text. None takes the part that the source ran last, vision for a run."
      )),
    Parameter.pictureNumber,
    Parameter.view,
    returns: "an Attention: a tensor [Q, K], rows look, columns are looked at",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\nattention(vision, block=3, head=1)",
        "Where do the tokens look?"),
      Example(
        "attention(run(scene(7)), block=2, kind=\"cross\").shape", "What do the queries look at?"),
    ], seeAlso: ["rollout", "overlay", "heatmap", "graph"]
  ) { session, source, block, head, kind, picture, view in
    let (trace, model) = try source.lookedAt("source")
    return .object(
      try AttentionMap.take(
        from: trace, model: model, block: block, head: head, kind: kind ?? source.lastKind,
        picture: picture - 1, view: view.map { $0 - 1 }, of: source.runInputs))
  }
}

extension AttentionMap {
  /// Finds one layer's pattern in a trace and reduces it to one head or the mean.
  static func take(
    from trace: Trace, model: LoadedModel, block: Int, head: Int?, kind: AttentionKind?,
    picture: Int = 0, view: Int? = nil, of input: Input = Input()
  ) throws -> AttentionMap {
    let places = model.model.towers.flatMap(\.attentions).filter {
      kind == nil || $0.kind == kind?.rawValue
    }
    guard let place = places.first(where: { trace.has($0) }) else {
      throw ArgumentFailure(
        parameter: "source",
        "has no \(kind.map { "\($0.rawValue) " } ?? "")attention pattern in its trace",
        note: model.whyAbsent(places, from: trace))
    }
    try place.check(block: block)
    let isOfPicture = place.keys.areOfPicture
    let ways =
      isOfPicture
      ? try model.ways(of: input, picture: picture, view: view) : [(index: picture, view: nil)]
    let words = model.words(of: input, at: place)
    let maps = try ways.map { way in
      try take(
        from: trace, model: model, at: place, block: block, head: head, way: way, of: input,
        words: words)
    }
    guard var whole = maps.last else {
      throw trace.missing(place.address(block: block).description)
    }
    // Of tokens that look at each other a query is another place in every view.
    if maps.count > 1, place.queries == .queries { whole.views = maps }
    return whole
  }

  /// The pattern of one way in a trace.
  private static func take(
    from trace: Trace, model: LoadedModel, at place: AttentionPlace, block: Int, head: Int?,
    way: (index: Int, view: Int?), of input: Input, words: [String]
  ) throws -> AttentionMap {
    let picture = way.index
    let address = place.address(block: block).ofPicture(picture)
    guard let pattern = trace[address] else {
      throw ArgumentFailure(
        parameter: "source", "did not keep \(address)",
        note: picture > 0 && trace[place.address(block: block)] != nil
          ? "what ran has fewer pictures, or looks at no picture there"
          : "run the stage with keep=\"*\" or keep=\"*.pattern\"")
    }
    let heads = pattern.shape[0]
    if let head, head >= heads {
      throw ArgumentFailure(
        parameter: "head", "must be a whole number from 0 to \(heads - 1), not \(head)",
        note: "this layer has \(heads) heads; head \(heads - 1) is the last")
    }
    let weights = head.map { pattern.row($0) } ?? pattern.mean(axis: 0)
    let grid = try model.model.seeing.map { try $0.patches(of: input, at: picture) }
    return AttentionMap(
      weights: weights, address: address.description, head: head, headCount: heads,
      looksAtPatches: place.keys.areOfPicture,
      queryLabels: place.queries.labels(weights.shape[0], in: grid, words: words),
      keyLabels: place.keys.labels(weights.shape[1], in: grid, words: words), model: model,
      grid: grid, view: way.view)
  }
}

extension Parameter where T == Int {
  /// Which of several pictures.
  static var pictureNumber: Self {
    .integer("picture", in: 1...1000, default: 1, "Which of several pictures, the first is 1.")
  }
}

extension Parameter where T == Int? {
  /// Which view of a picture that the model splits.
  static var view: Self {
    .optional(
      .integer(
        "view", in: 1...5,
        "Of a picture that the model splits: 1 top left, 2 top right, 3 bottom left, 4 bottom right, 5 the "
          + "whole."))
  }
}

extension Value {
  /// The attention that the last stage of a source has.
  var lastKind: AttentionKind? {
    guard case .object(let object) = self else { return nil }
    if object is Answer { return .language }
    if let embeddings = object as? Embeddings { return embeddings.areTexts ? .text : .vision }
    return switch (object as? StageResult)?.stage {
    case "query", "assemble": .cross
    case "project": (object as? StageResult)?.model.model.embedding == nil ? .cross : .vision
    case "read", "project_text": .text
    default: nil
    }
  }
}

extension LoadedModel {
  /// What `kind` may be for this model.
  var attentionKinds: [String] { model.towers.flatMap(\.attentions).map(\.kind) }

  /// The attention of a whole run where nobody says which: what looks at the picture, or else the
  /// model's first.
  var firstKind: AttentionKind {
    let kinds = attentionKinds.compactMap(AttentionKind.init)
    return kinds.contains(.vision) ? .vision : kinds.first ?? .vision
  }

  /// Why a trace has none of these attentions: the model has none, another part ran, or the trace
  /// did not keep them.
  func whyAbsent(_ places: [AttentionPlace], from trace: Trace) -> String {
    guard !places.isEmpty else { return "\(name) has " + attentionKinds.joined(separator: ", ") }
    let ran = Set(trace.records.compactMap { $0.address.parts.first })
    let others = model.towers.flatMap(\.attentions).filter { trace.has($0) }.map(\.kind)
    guard !others.isEmpty,
      !places.contains(where: { ran.contains($0.template.prefix { $0 != "." }) })
    else { return "run the stage with keep=\"*\" or keep=\"*.pattern\"" }
    return "what ran has attention of the kind " + others.joined(separator: ", ")
  }
}

extension LoadedModel {
  /// The tokens of the text that an attention's positions stand for, with what a picture's rows among
  /// them are; none where that is not known.
  fileprivate func words(of input: Input, at place: AttentionPlace) -> [String] {
    guard case .text = place.queries else { return [] }
    if place.kind == AttentionKind.text.rawValue {
      guard let part = model.embedding else { return [] }
      return ((try? part.textIDs(input.prompt)) ?? []).map { part.tokenizer.visible($0) }
    }
    guard let writer = model.writing, let ids = try? writer.ids(of: input) else { return [] }
    var words = ids.map { writer.tokenizer.visible($0) }
    guard let context = try? model.chatting?.context(of: input), context.ids == ids else {
      return words
    }
    for part in context.parts {
      guard case .picture(let index, let view) = part.kind else { continue }
      let shown = view.map { ", \(PictureView.name(of: $0))" } ?? ""
      for (row, token) in part.tokens.enumerated() {
        words[token] = "picture \(index + 1)\(shown), row \(row)"
      }
    }
    return words
  }
}

extension Trace {
  fileprivate func has(_ place: AttentionPlace) -> Bool {
    place.blocks.contains { self[place.address(block: $0)] != nil }
  }
}

extension AttentionPlace {
  /// Fails, with the blocks that there are, for one that has no such attention.
  fileprivate func check(block: Int) throws {
    guard !blocks.contains(block) else { return }
    let tower = template.prefix { $0 != "." }
    let isEvery = blocks == Array(0..<blocks.count)
    throw ArgumentFailure(
      parameter: "block",
      isEvery
        ? "must be a whole number from 0 to \(blocks.count - 1), not \(block)"
        : "must be one of \(blocks.map(String.init).joined(separator: ", ")), not \(block)",
      note: isEvery
        ? "this model has \(blocks.count) \(tower) blocks; block \(blocks.count - 1) is the last"
        : "the queries look at the picture in these blocks only")
  }
}

extension AttentionPlace.Tokens {
  /// Whether a picture's tokens come first.
  var areOfPicture: Bool { self == .patches || self == .patchesAndQueries }

  /// A name for each of `count` positions; `words` are a text's tokens, where they are known.
  func labels(_ count: Int, in grid: PatchGrid?, words: [String] = []) -> [String] {
    (0..<count).map { index in
      switch self {
      case .patchesAndQueries where index >= grid?.tokenCount ?? 0:
        return "query \(index - (grid?.tokenCount ?? 0))"
      case .patches, .patchesAndQueries:
        return grid?.patch(ofToken: index).flatMap { grid?.place(of: $0) }
          .map { "\($0.row),\($0.column)" } ?? "class"
      case .queries: return "query \(index)"
      case .text(let soft) where index < soft: return "query \(index)"
      case .text(let soft):
        // The words may begin with those that stand for the picture, or behind them.
        let word = soft == 0 ? index : index - (count - words.count)
        return words.indices.contains(word) ? words[word] : "token \(index - soft)"
      }
    }
  }
}
