internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// Which attention is meant.
enum AttentionKind: String, Sendable, CaseIterable {
  case vision, queries, cross, language
}

extension Command {
  static let attention = Command(
    "attention", group: "Looking", "Takes one layer's attention out of a trace.",
    Parameter.any(
      "source", expects: "the result of a stage, a run or an answer", "Where to look."),
    Parameter.integer("block", in: 0...1000, default: 0, "The block, counted from 0."),
    Parameter.optional(
      .integer("head", in: 0...1000, "The head, counted from 0; None for the mean of all.")),
    Parameter.optional(
      .choice(
        "kind",
        "The part of the model: vision, queries (among themselves), cross (queries at the "
          + "picture), language. None takes the part that the source ran last, vision for a run.")),
    returns: "an Attention: a tensor [Q, K], rows look, columns are looked at",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\nattention(vision, block=3, head=1)",
        "Where do the tokens look?"),
      Example(
        "attention(run(scene(7)), block=2, kind=\"cross\").shape", "What do the queries look at?"),
    ], seeAlso: ["rollout", "overlay", "heatmap", "graph"]
  ) { session, source, block, head, kind in
    let (trace, model) = try source.lookedAt("source")
    return .object(
      try AttentionMap.take(
        from: trace, model: model, block: block, head: head, kind: kind ?? source.lastKind))
  }
}

extension AttentionMap {
  /// Finds one layer's pattern in a trace and reduces it to one head or the mean.
  static func take(
    from trace: Trace, model: LoadedModel, block: Int, head: Int?, kind: AttentionKind?
  ) throws -> AttentionMap {
    let kinds = kind.map { [$0] } ?? [.vision, .cross, .queries, .language]
    let found = kinds.lazy.compactMap { kind in
      trace.hasBlocks(of: kind) ? kind : nil
    }.first
    guard let kind = found else {
      throw ArgumentFailure(
        parameter: "source",
        "has no \(kind.map { "\($0.rawValue) " } ?? "")attention pattern in its trace",
        note: "run the stage with keep=\"*\" or keep=\"*.pattern\"")
    }
    let address = try kind.address(block: block, model: model.model)
    guard let pattern = trace[address] else {
      throw ArgumentFailure(
        parameter: "source", "did not keep \(address)",
        note: "run the stage with keep=\"*\" or keep=\"*.pattern\"")
    }
    let heads = pattern.shape[0]
    if let head, head >= heads {
      throw ArgumentFailure(
        parameter: "head", "must be a whole number from 0 to \(heads - 1), not \(head)",
        note: "this layer has \(heads) heads; head \(heads - 1) is the last")
    }
    let weights = head.map { pattern.row($0) } ?? pattern.mean(axis: 0)
    let labels = kind.labels(
      queryCount: weights.shape[0], keyCount: weights.shape[1], model: model.model)
    return AttentionMap(
      weights: weights, address: address.description, head: head, headCount: heads,
      looksAtPatches: kind == .vision || kind == .cross, queryLabels: labels.queries,
      keyLabels: labels.keys, model: model)
  }
}

extension Value {
  /// The attention that the last stage of a source has.
  var lastKind: AttentionKind? {
    guard case .object(let object) = self else { return nil }
    if object is Answer { return .language }
    return switch (object as? StageResult)?.stage {
    case "query", "project", "assemble": .cross
    default: nil
    }
  }
}

extension Trace {
  fileprivate func hasBlocks(of kind: AttentionKind) -> Bool {
    records.contains { $0.address.matches(kind.template.replacing("#", with: "*")) }
  }
}

extension AttentionKind {
  var template: String {
    switch self {
    case .vision: "vision.blocks.#.attention.pattern"
    case .queries: "qformer.blocks.#.attention.pattern"
    case .cross: "qformer.blocks.#.cross_attention.pattern"
    case .language: "language.blocks.#.attention.pattern"
    }
  }

  fileprivate func address(block: Int, model: BLIP2.Model) throws -> Address {
    let tower = template.prefix { $0 != "." }
    let count = model.blockCounts[String(tower)] ?? 0
    let qformer = model.configuration.qformer
    let blocks = (0..<count).filter { self != .cross || qformer.looksAtImage(block: $0) }
    guard blocks.contains(block) else {
      let list = blocks.map(String.init).joined(separator: ", ")
      throw ArgumentFailure(
        parameter: "block",
        self == .cross
          ? "must be one of \(list), not \(block)"
          : "must be a whole number from 0 to \(count - 1), not \(block)",
        note: self == .cross
          ? "the queries look at the picture in these blocks only"
          : "this model has \(count) \(tower) blocks; block \(count - 1) is the last")
    }
    return Address(template.replacing("#", with: "\(block)"))
  }

  fileprivate func labels(
    queryCount: Int, keyCount: Int, model: BLIP2.Model
  ) -> (queries: [String], keys: [String]) {
    let side = model.configuration.vision.gridSize
    func tokens(_ count: Int) -> [String] {
      (0..<count).map { $0 == 0 ? "class" : "\(($0 - 1) / side),\(($0 - 1) % side)" }
    }
    func queries(_ count: Int) -> [String] { (0..<count).map { "query \($0)" } }
    switch self {
    case .vision: return (tokens(queryCount), tokens(keyCount))
    case .queries: return (queries(queryCount), queries(keyCount))
    case .cross: return (queries(queryCount), tokens(keyCount))
    case .language:
      let soft = model.configuration.queryCount
      func places(_ count: Int) -> [String] {
        (0..<count).map { $0 < soft ? "query \($0)" : "token \($0 - soft)" }
      }
      return (places(queryCount), places(keyCount))
    }
  }
}
