internal import Figures
internal import Runtime
internal import Tensors

extension Command {
  static let heatmap = Command(
    "heatmap", group: "Figures", "Draws a matrix as coloured cells with axes and a colour bar.",
    Parameter.any(
      "matrix", expects: "a matrix [R, C], an attention or a similarity", "The numbers."),
    Parameter.cmap(),
    Parameter.flag(
      "centered", "Whether colours lie evenly about 0, for numbers with a sign; best with RdBu."),
    Parameter.text("title", default: "", "What stands above it."),
    returns: "a Figure",
    examples: [
      Example(
        "queries = query(encode(embed(patchify(preprocess(scene(7))))))\n"
          + "heatmap(attention(queries, block=1, head=0, kind=\"queries\"))",
        "Which query looks at which."),
      Example("heatmap(preprocess(scene(7))[0], title=\"red plane\")", "Any matrix will do."),
    ], seeAlso: ["attention", "overlay", "histogram"]
  ) { _, matrix, cmap, centered, title in
    if case .object(let object) = matrix, let similarity = object as? Similarity {
      return .object(
        Drawing(
          figure: try similarity.figure(title: title, map: cmap.map, isCentred: centered)))
    }
    var numbers = try matrix.requireTensor("matrix", from: "attention")
    while numbers.rank > 2, numbers.shape[0] == 1 { numbers = numbers.row(0) }
    if numbers.rank == 1 { numbers = numbers.reshaped(1, numbers.count) }
    guard numbers.rank == 2 else {
      throw ArgumentFailure(
        parameter: "matrix", "must have two axes, not shape \(numbers.shape)",
        note: "take a part of it, as in x[0] or x[0, :, :]")
    }
    var options = HeatmapOptions()
    options.map = cmap.map
    if centered { options.normalisation = .symmetric(about: 0) }
    guard case .object(let object) = matrix, let attention = object as? AttentionMap else {
      return .object(
        Drawing(
          figure: try Figure.heatmap(
            numbers, title: title.isEmpty ? matrix.provenance?.title ?? "matrix" : title,
            options: options)))
    }
    if !centered { options.normalisation = .zeroToMaximum }
    (options.rowAxis, options.columnAxis) = ("query: who looks", "key: who is looked at")
    options.valueName = "attention probability"
    return .object(
      Drawing(
        figure: try Figure.heatmap(
          numbers, title: title.isEmpty ? attention.title : title,
          rowLabels: attention.queryLabels, columnLabels: attention.keyLabels, options: options)))
  }
}
