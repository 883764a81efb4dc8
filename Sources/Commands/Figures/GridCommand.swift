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
    returns: "a Figure",
    examples: [Example("save(grid(scene(7), highlight=[30]), \"grid.png\")", "Where is patch 30?")],
    seeAlso: ["patchify", "overlay"]
  ) { session, picture, highlight, view in
    let model = try session.model()
    if model.model.seeing?.viewCount == 1 {
      _ = try model.ways(of: Input(), picture: 0, view: view)
    }
    let rectangles = try model.patchRectangles(of: picture.image, view: view.map { $0 - 1 })
    if let outside = highlight.first(where: { $0 >= rectangles.count }) {
      throw ArgumentFailure(
        parameter: "highlight", "must be patches from 0 to \(rectangles.count - 1), not \(outside)")
    }
    return .object(
      Drawing(
        figure: try Figure.patchGrid(
          try session.model().seen(picture.image), patches: rectangles,
          title: "patches of \(picture.name)",
          highlighted: highlight)))
  }
}
