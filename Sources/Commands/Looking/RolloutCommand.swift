internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  /// Towers whose tokens look at each other in every block.
  private static let towers = ["vision", "text", "language"]

  static let rollout = Command(
    "rollout", group: "Looking",
    "Follows attention through all blocks of a tower: how much of each token reaches each token.",
    Parameter.any(
      "source", expects: "the result of encode(), embed_image(), embed_text() or a run",
      "Where to look."),
    Parameter.optional(
      .integer("block", in: 0...1000, "The last block that is followed; None for all.")),
    Parameter.optional(
      .choice(
        "kind", of: towers,
        "The tower; None takes that of the source; of a run vision, or language where the model has "
          + "no eyes.")),
    returns: "an Attention [T, T], each row sums to 1",
    details: "Heads are averaged and half of every token stays where it is, for the residual "
      + "connection (Abnar and Zuidema 2020).",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\nrollout(vision).shape",
        "Attention through all blocks.")
    ], seeAlso: ["attention", "overlay"]
  ) { _, source, last, kind in
    let (trace, model) = try source.lookedAt("source")
    let tower =
      kind
      ?? (source.lastKind == .text ? AttentionKind.text : model.firstKind).rawValue
    let count = model.model.blockCounts[tower] ?? 0
    guard count > 0 else {
      let has = towers.filter { model.model.blockCounts[$0] != nil }
      throw ArgumentFailure(
        parameter: "kind",
        "must be \(has.map { "\"\($0)\"" }.joined(separator: " or ")): \(model.name) has no \(tower) "
          + "tower")
    }
    let end = last ?? count - 1
    guard end < count else {
      throw ArgumentFailure(
        parameter: "block", "must be a whole number from 0 to \(count - 1), not \(end)",
        note: "this model has \(count) \(tower) blocks; block \(count - 1) is the last")
    }
    let way: (index: Int, view: Int?) =
      tower == "vision"
      ? try model.ways(of: source.runInputs, picture: 0, view: nil).last ?? (0, nil) : (0, nil)
    let patterns = try (0...end).map { block in
      let address = Address("\(tower).blocks.\(block).attention.pattern").ofPicture(way.index)
      guard let pattern = trace[address] else {
        throw ArgumentFailure(
          parameter: "source", "did not keep \(address)",
          note: model.whyAbsent(
            model.model.towers.flatMap(\.attentions).filter { $0.kind == tower }, from: trace))
      }
      return pattern
    }
    let one = try AttentionMap.take(
      from: trace, model: model, block: 0, head: nil, kind: AttentionKind(rawValue: tower),
      view: way.view, of: source.runInputs)
    return .object(
      AttentionMap(
        weights: attentionRollout(patterns), address: "rollout of \(tower) blocks 0 to \(end)",
        head: nil, headCount: one.headCount, looksAtPatches: one.looksAtPatches,
        queryLabels: one.queryLabels, keyLabels: one.keyLabels, model: model, grid: one.grid,
        view: one.view))
  }
}
