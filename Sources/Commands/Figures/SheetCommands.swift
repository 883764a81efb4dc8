internal import Figures
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Scenes
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let sheet = Command(
    "sheet", group: "Figures",
    "Draws all heads of all blocks as small maps: what looks where in each.",
    Parameter.any("source", expects: "the result of a stage or a run", "Where to look."),
    Parameter.optional(
      .integer(
        "query", in: 0...100_000,
        "Whose look is shown; None for 0, the class token or the first query, and of tokens that "
          + "look at each other for all.")),
    Parameter.optional(
      .choice(
        "kind",
        "The part of the model, as in attention(); None for text where the source is one, else "
          + "vision, or language where the model has no eyes.")),
    Parameter.optional(
      .picture(
        "image", "The picture beneath; None for the one that the source ran on, where it knows it.")
    ),
    Parameter.scale(.each),
    returns: "a Figure: a row a block, a column a head",
    details: "Attention to the picture is drawn on the picture, a map for one query. Of texts "
      + "and queries each map is a whole pattern: rows look, columns are looked at.",
    examples: [
      Example(
        "vision = encode(embed(patchify(preprocess(scene(7)))))\nsave(sheet(vision), \"heads.png\")",
        "Where the class token looks, in every head of every block."),
      Example(
        "save(sheet(embed_text(\"a red circle\")), \"words.png\")",
        "Which word looks at which, in every head of every block."),
    ], seeAlso: ["attention", "query_maps"]
  ) { _, source, query, kind, picture, scale in
    let (trace, model) = try source.lookedAt("source")
    let kind = kind ?? (source.lastKind == .text ? AttentionKind.text : model.firstKind)
    let attentions = model.model.towers.flatMap(\.attentions).filter { $0.kind == kind.rawValue }
    let way: (index: Int, view: Int?) =
      attentions.first?.keys.areOfPicture == true
      ? try model.ways(of: source.runInputs, picture: 0, view: nil).last ?? (0, nil) : (0, nil)
    var patterns: [(block: Int, weights: Tensor)] = []  // each [H, Q, K]
    for attention in attentions {
      for block in attention.blocks {
        guard let weights = trace[attention.address(block: block).ofPicture(way.index)] else {
          continue
        }
        patterns.append((block, weights))
      }
    }
    guard let attention = attentions.first, let shape = patterns.first?.weights.shape else {
      throw ArgumentFailure(
        parameter: "source", "has no \(kind.rawValue) attention in its trace",
        note: model.whyAbsent(attentions, from: trace))
    }
    if let query, query >= shape[1] {
      throw ArgumentFailure(
        parameter: "query", "must be a whole number from 0 to \(shape[1] - 1), not \(query)")
    }
    let isOfPicture = attention.keys.areOfPicture
    let grid = try model.model.seeing.map { try $0.patches(of: source.runInputs, at: way.index) }
    let shown = isOfPicture ? query ?? 0 : query
    var maps: [Float] = []
    for pattern in patterns {
      for head in 0..<shape[0] {
        let weights = pattern.weights.row(head)
        guard let shown else {
          maps += weights.elements
          continue
        }
        let row = weights.row(shown)
        maps += isOfPicture ? grid?.map(ofLook: row)?.elements ?? [] : row.elements
      }
    }
    let size =
      isOfPicture
      ? [grid?.rowCount ?? 0, grid?.columnCount ?? 0] : [shown == nil ? shape[1] : 1, shape[2]]
    let hasClassToken = grid.map { $0.leadingTokenCount > 0 } ?? false
    let looking =
      shown.map {
        $0 == 0 && attention.queries == .patches && hasClassToken
          ? "the class token" : attention.queries == .patches ? "token \($0)" : "query \($0)"
      }
      ?? "all tokens: rows look, columns are looked at"
    let image = picture?.image ?? source.runInputs.image
    let backdrop =
      isOfPicture ? try image.map { try model.backdrop(of: $0, view: way.view) } : nil
    var options = PanelOptions()
    options.sharing = scale.sharing
    options.valueName = "attention probability"
    return .object(
      Drawing(
        figure: try Figure.contactSheet(
          Tensor(maps, shape: [patterns.count, shape[0]] + size), over: backdrop,
          title: "\(kind.rawValue) attention of \(looking)",
          blocks: patterns.map { String($0.block) }, options: options)))
  }

  static let queryMaps = Command(
    "query_maps", group: "Figures", "Draws where each query of the Q-Former looks, on the picture.",
    Parameter.any("source", expects: "the result of query() or a run", "Where to look."),
    Parameter.picture("image", "The picture."),
    Parameter.integer("block", in: 0...1000, default: 0, "The block, counted from 0."),
    Parameter.optional(.integer("head", in: 0...1000, "The head; None for the mean of all.")),
    Parameter.view,
    Parameter.scale(.each),
    returns: "a Figure: a small map a query; of a scene with what each looks at in words",
    examples: [
      Example(
        "s = scene(7)\nqueries = query(encode(embed(patchify(preprocess(s)))))\n"
          + "save(query_maps(queries, s, block=2), \"queries.png\")", "What each query looks at.")
    ], seeAlso: ["attention", "sheet"]
  ) { _, source, picture, block, head, view, scale in
    let (trace, model) = try source.lookedAt("source")
    let map = try AttentionMap.take(
      from: trace, model: model, block: block, head: head, kind: .cross, view: view.map { $0 - 1 },
      of: source.runInputs)
    let patches = try map.grid ?? model.able(.seeing, for: "query_maps").patches
    let count = map.weights.shape[0]
    let grids = (0..<count).map { patches.map(ofLook: map.weights.row($0))?.elements ?? [] }
    let backdrop = try model.backdrop(of: picture.image, view: map.view)
    var options = PanelOptions()
    options.sharing = scale.sharing
    options.valueName = "attention probability"
    let notes = picture.scene.map { scene in
      grids.map { scene.words(for: $0, on: backdrop.patches) }
    }
    // Small maps have room for a number alone.
    let labels = count > 64 ? (0..<count).map { "\($0)" } : map.queryLabels
    let said = [
      count > 64 ? "Above: the query's number." : nil,
      notes == nil ? nil : "Beneath: what it looks at. \(Scene.sharesSentence)",
    ].compactMap(\.self)
    if !said.isEmpty { options.note = said.joined(separator: " ") }
    return .object(
      Drawing(
        figure: try Figure.mapPanels(
          Tensor(grids.flatMap { $0 }, shape: [count, patches.rowCount, patches.columnCount]),
          over: backdrop, title: map.title, labels: labels, notes: notes,
          options: options)))
  }

  static let tokenStrip = Command(
    "token_strip", group: "Figures",
    "Draws an answer token by token, with probabilities and runners-up; or a conversation's tokens.",
    Parameter.any(
      "answer", expects: "an answer, a run, or a context as make_context() gives",
      "The answer, or what a model reads of a conversation."),
    returns: "a Figure",
    examples: [
      Example("save(token_strip(run(scene(7))), \"caption.png\")", "A caption's tokens."),
      Example(
        "a = chat(scene(7), \"how many shapes are there?\")\n"
          + "save(token_strip(a.context), \"context.png\")",
        "What the model read, coloured by what it is."),
    ],
    seeAlso: ["decode", "next_token"]
  ) { _, value in
    if case .object(let object) = value, let context = object as? ContextView {
      return .object(Drawing(figure: try context.strip))
    }
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
    if case .object(let embeddings as Embeddings) = self, embeddings.trace == nil {
      throw ArgumentFailure(
        parameter: parameter,
        "must be the embedding of one item; embeddings of \(embeddings.items.count) items keep no "
          + "trace",
        note: embeddings.areTexts
          ? "embed one text alone, as in embed_text(\"a cat\")"
          : "embed one picture alone, as in embed_image(picture)")
    }
    guard let trace, let model = sourceModel else {
      throw ArgumentFailure(
        parameter: parameter,
        "must be the result of a stage, a run or an answer, not \(inMessage)")
    }
    return (trace, model)
  }
}
