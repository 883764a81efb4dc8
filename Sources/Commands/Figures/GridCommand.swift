internal import Figures
internal import Images
internal import Models
internal import Runtime
internal import Tensors

extension Command {
  static let grid = Command(
    "grid", group: "Figures", "Draws the patches of a picture with their numbers.",
    Parameter.picture("image", "The picture."),
    Parameter.list(
      of: .integer("highlight", in: 0...100_000, "Patches to frame, counted row by row from 0."),
      default: []),
    Parameter.view,
    Parameter.optional(
      .integer(
        "side", in: 1...200,
        "Cut the picture into so many rows and columns; None for the model's own patches.")),
    returns: "a Figure; .columns tells how many patches stand in a row",
    examples: [Example("save(grid(scene(7), highlight=[30]), \"grid.png\")", "Where is patch 30?")],
    seeAlso: ["patchify", "overlay"]
  ) { session, picture, highlight, view, side in
    let model = try session.model()
    if model.model.seeing?.viewCount == 1 {
      _ = try model.ways(of: Input(), picture: 0, view: view)
    }
    let backdrop =
      try side.map { side in
        Backdrop(
          model.seen(picture.image),
          patches: Rectangle.evenGrid(
            rows: side, columns: side, overWidth: picture.image.width, height: picture.image.height
          ))
      } ?? model.backdrop(of: picture.image, view: view.map { $0 - 1 })
    let count = backdrop.patches.count
    if let outside = highlight.first(where: { $0 >= count }) {
      throw ArgumentFailure(
        parameter: "highlight", "must be patches from 0 to \(count - 1), not \(outside)")
    }
    return .object(
      Drawing(
        figure: try Figure.patchGrid(
          backdrop, title: "patches of \(picture.name)", highlighted: highlight),
        columns: backdrop.patches.count { $0.y == backdrop.patches.first?.y }))
  }
}
