internal import Figures
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let graph = Command(
    "graph", group: "Figures",
    "Draws the stages of the model, or the strongest connections of one attention.",
    Parameter.any(
      "source", expects: "an attention, the result of a stage or a run, or None",
      default: Value.none, "What is drawn; None for the stages."),
    Parameter.integer("block", in: 0...1000, default: 0, "The block, counted from 0."),
    Parameter.optional(.integer("head", in: 0...1000, "The head; None for the mean of all.")),
    Parameter.optional(.choice("kind", "The part of the model, as in attention().")),
    Parameter.integer("top", in: 1...200, default: 40, "How many connections are drawn."),
    Parameter.optional(.picture("image", "The picture, for thumbnails of the patches.")),
    returns: "a Figure",
    examples: [
      Example("save(graph(), \"stages.svg\")", "The way from picture to answer."),
      Example(
        "s = scene(7)\nqueries = query(encode(embed(patchify(preprocess(s)))))\n"
          + "save(graph(queries, block=2, kind=\"cross\", top=20, image=s), \"queries.svg\")",
        "Which patches the queries take most from."),
    ], seeAlso: ["stages", "attention"]
  ) { session, source, block, head, kind, top, picture in
    if case .none = source { return .object(Drawing(figure: try stageGraph(try session.model()))) }
    let map: AttentionMap
    if case .object(let object) = source, let attention = object as? AttentionMap {
      map = attention
    } else if case .object(let object) = source, let view = object as? TraceView {
      map = try AttentionMap.take(
        from: view.trace, model: try view.model ?? session.model(), block: block, head: head,
        kind: kind, of: view.input)
    } else {
      let (trace, model) = try source.lookedAt("source")
      map = try AttentionMap.take(
        from: trace, model: model, block: block, head: head, kind: kind ?? source.lastKind,
        of: source.runInputs)
    }
    let patches = map.grid ?? map.model.model.seeing?.patches
    let thumbnails =
      try picture.map { try map.model.thumbnails(of: $0.image, view: map.view) } ?? [:]
    func nodes(_ labels: [String], arePatches: Bool) -> [AttentionNode] {
      labels.enumerated().map { index, label in
        let patch = arePatches ? patches?.patch(ofToken: index) : nil
        return AttentionNode(label, picture: patch.flatMap { thumbnails[$0] })
      }
    }
    let queriesArePatches = map.looksAtPatches && map.weights.shape[0] == map.weights.shape[1]
    return .object(
      Drawing(
        figure: try Figure.attentionGraph(
          map.weights, title: map.title,
          queries: nodes(map.queryLabels, arePatches: queriesArePatches),
          keys: nodes(map.keyLabels, arePatches: map.looksAtPatches), edgeLimit: top)))
  }

  private static func stageGraph(_ model: LoadedModel) throws -> Figure {
    func way(_ branch: Stage.Branch) -> [StageNode] {
      model.model.stages.filter { $0.branch == branch }.map {
        StageNode($0.name, shape: $0.output, sentence: $0.summary)
      }
    }
    let words = StageNode("text", shape: "words", sentence: "Any text.")
    let (picture, text) = (way(.picture), way(.text))
    var nodes =
      picture.isEmpty
      ? [words] + text
      : [StageNode("image", shape: "Y × X pixels", sentence: "A picture file, or a scene.")]
        + picture
    var edges = nodes.indices.dropLast().map { GraphEdge(from: $0, to: $0 + 1) }
    if !picture.isEmpty, !text.isEmpty {
      let (lastOfPicture, first) = (nodes.count - 1, nodes.count)
      nodes += [words] + text
      nodes.append(
        StageNode(
          "similarity", shape: "a number a pair",
          sentence: "The cosine of the two: how alike picture and text are."))
      edges += (first..<nodes.count - 1).map { GraphEdge(from: $0, to: $0 + 1) }
      edges.append(GraphEdge(from: lastOfPicture, to: nodes.count - 1))
    }
    return try Figure.stageGraph(nodes, edges: edges, title: "stages of \(model.name)")
  }
}

extension LoadedModel {
  /// The pixels of each patch, as the model sees them.
  fileprivate func thumbnails(of image: Image, view: Int?) throws -> [Int: Image] {
    let prepared = try able(.seeing, for: "graph").prepare(image, view: view)
    let (way, patch) = (prepared.geometry, prepared.geometry.patchSize)
    var result: [Int: Image] = [:]
    for index in 0..<way.patchCount {
      let (row, column) = (index / way.columnCount, index % way.columnCount)
      result[index] = prepared.picture.cropped(
        x: column * patch, y: row * patch, width: patch, height: patch)
    }
    return result
  }
}
