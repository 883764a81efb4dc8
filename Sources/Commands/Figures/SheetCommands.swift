internal import Figures
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let sheet = Command(
    "sheet", group: "Figures",
    "Draws all heads of all blocks as small maps: where one token looks in each.",
    Parameter.any("source", expects: "the result of a stage or a run", "Where to look."),
    Parameter.integer(
      "query", in: 0...100_000, default: 0,
      "Whose look is shown: 0 is the class token, or the first query."),
    Parameter.choice("kind", default: AttentionKind.vision, "vision, or cross for the queries."),
    returns: "a Figure: a row a block, a column a head, one scale for all",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\nsave(sheet(vision), \"heads.png\")",
        "Where the class token looks, in every head of every block.")
    ], seeAlso: ["attention", "query_maps"]
  ) { _, source, query, kind in
    let (trace, model) = try source.lookedAt("source")
    let side = model.model.patches.side
    let attention = model.model.towers.flatMap(\.attentions).first { $0.kind == kind.rawValue }
    let places = (attention?.blocks ?? []).compactMap { block in
      attention.flatMap { trace.record($0.address(block: block)) }
    }
    guard let first = places.first, first.tensor.shape[2] == side * side + 1 else {
      throw ArgumentFailure(
        parameter: "source", "has no \(kind.rawValue) attention to the picture in its trace",
        note: "run the stage with keep=\"*\" or keep=\"*.pattern\"")
    }
    guard query < first.tensor.shape[1] else {
      throw ArgumentFailure(
        parameter: "query",
        "must be a whole number from 0 to \(first.tensor.shape[1] - 1), not \(query)")
    }
    let heads = first.tensor.shape[0]
    let maps = places.flatMap { place in
      (0..<heads).flatMap { Array(place.tensor.row($0).row(query).elements.dropFirst()) }
    }
    let labels = places.compactMap { place in place.address.parts.compactMap { Int($0) }.first }
    return .object(
      Drawing(
        figure: try Figure.contactSheet(
          Tensor(maps, shape: [places.count, heads, side, side]),
          title: "\(kind.rawValue) attention of "
            + (kind == .vision && query == 0 ? "the class token" : "query \(query)"),
          layers: labels.map(String.init))))
  }

  static let queryMaps = Command(
    "query_maps", group: "Figures", "Draws where each query of the Q-Former looks, on the picture.",
    Parameter.any("source", expects: "the result of query() or a run", "Where to look."),
    Parameter.picture("image", "The picture."),
    Parameter.integer("block", in: 0...1000, default: 0, "The block, counted from 0."),
    Parameter.optional(.integer("head", in: 0...1000, "The head; None for the mean of all.")),
    returns: "a Figure: a small map a query, one scale for all",
    examples: [
      Example(
        "s = scene(7)\nqueries = query(encode(embed(patchify(preprocess(s)))))\n"
          + "save(query_maps(queries, s, block=2), \"queries.png\")", "What each query looks at.")
    ], seeAlso: ["attention", "sheet"]
  ) { _, source, picture, block, head in
    let (trace, model) = try source.lookedAt("source")
    let map = try AttentionMap.take(
      from: trace, model: model, block: block, head: head, kind: .cross)
    let side = model.model.patches.side
    let count = map.weights.shape[0]
    let grids = (0..<count).flatMap { Array(map.weights.row($0).elements.dropFirst()) }
    return .object(
      Drawing(
        figure: try Figure.queryMaps(
          Tensor(grids, shape: [count, side, side]),
          over: Backdrop(picture.image, patches: try model.patchRectangles(of: picture.image)),
          title: map.title)))
  }

  static let tokenStrip = Command(
    "token_strip", group: "Figures",
    "Draws an answer token by token, with probabilities and runners-up.",
    Parameter.any("answer", expects: "an answer or a run", "The answer."),
    returns: "a Figure",
    examples: [Example("save(token_strip(run(scene(7))), \"caption.png\")", "A caption's tokens.")],
    seeAlso: ["decode", "next_token"]
  ) { _, value in
    guard case .object(let object) = value,
      let answer = object as? Answer ?? (object as? Run)?.answer
    else {
      throw ArgumentFailure(
        parameter: "answer", "must be an answer or a run, not \(value.inMessage)")
    }
    let tokenizer = answer.tokenizer
    let steps = answer.answer.generated.steps.map { step in
      TokenStep(
        .init(tokenizer.visible(step.token), probability: Double(step.probability)),
        runnersUp: step.candidates.filter { $0.token != step.token }.map {
          .init(tokenizer.visible($0.token), probability: Double($0.probability))
        })
    }
    return .object(
      Drawing(
        figure: try Figure.tokenStrip(
          steps, title: answer.prompt.isEmpty ? "caption" : answer.prompt)))
  }
}

extension Value {
  /// The trace and the model of an argument, or an error that says what it is instead.
  func lookedAt(_ parameter: String) throws -> (Trace, LoadedModel) {
    guard let trace, let model = sourceModel else {
      throw ArgumentFailure(
        parameter: parameter,
        "must be the result of a stage, a run or an answer, not \(inMessage)")
    }
    return (trace, model)
  }
}
