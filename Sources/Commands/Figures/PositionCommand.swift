internal import Figures
internal import Models
internal import Runtime
internal import Tensors

extension Command {
  static let positionSimilarity = Command(
    "position_similarity", group: "Figures",
    "Draws how alike the position embeddings are: at each patch, its likeness to all patches.",
    Parameter.optional(
      .choice("kind", of: ["vision", "text"], "The tower; text draws one matrix of positions.")),
    returns: "a Figure: a grid of grids of cosines, or for texts a matrix",
    examples: [Example("save(position_similarity(), \"positions.png\")", "Neighbours are alike.")],
    seeAlso: ["embed", "sheet"]
  ) { session, kind in
    let loaded = try session.model()
    let model = loaded.model
    let title = "likeness of position embeddings"
    let none = RuntimeFailure(
      .command,
      "position_similarity draws the positions that a vision or text tower adds to its tokens, and "
        + "\(loaded.name) is \(model.kind)")
    if kind == "text" {
      guard let part = model.embedding ?? (try? session.able(.embedding, for: "").part) else {
        guard model.seeing != nil else { throw none }
        throw ArgumentFailure(
          parameter: "kind", "must be \"vision\": \(loaded.name) has no text tower")
      }
      let unit = part.textPositionEmbeddings.unitRows()  // [L, D]
      var options = HeatmapOptions()
      (options.rowAxis, options.columnAxis) = ("position", "position")
      options.valueName = "cosine"
      return .object(
        Drawing(
          figure: try Figure.heatmap(
            unit.matmulTransposed(unit), title: "\(title) of texts", options: options)))
    }
    guard let seer = model.seeing else { throw none }
    let (rows, columns) = (seer.patches.rowCount, seer.patches.columnCount)
    let unit = seer.patches.patches(of: seer.positionEmbeddings).unitRows()  // [P, D]
    var options = PanelOptions()
    options.normalisation = .minimumToMaximum
    options.valueName = "cosine"
    return .object(
      Drawing(
        figure: try Figure.similarityMaps(
          unit.matmulTransposed(unit), rows: rows, columns: columns, title: title, options: options)
      ))
  }
}
