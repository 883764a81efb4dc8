internal import Budget
internal import Characters
public import Images

/// The outline of something in a picture, with its name.
public struct Outline: Sendable, Equatable {
  /// The corners, in the picture's own pixels.
  public var corners: [Point]
  /// What stands at the first corner; nil for nothing.
  public var label: String?
  /// The colour of the line, and of the ground of the label.
  public var colour: Colour

  /// Describes an outline.
  public init(_ corners: [Point], label: String? = nil, colour: Colour) {
    (self.corners, self.label, self.colour) = (corners, label, colour)
  }

  /// The ten colours that matplotlib calls Tableau's, in its order.
  public static let palette = [
    Colour(31, 119, 180), Colour(255, 127, 14), Colour(44, 160, 44), Colour(214, 39, 40),
    Colour(148, 103, 189), Colour(140, 86, 75), Colour(227, 119, 194), Colour(127, 127, 127),
    Colour(188, 189, 34), Colour(23, 190, 207),
  ]
}

extension Figure {
  /// A picture with outlines drawn on it, each with its label at its first corner.
  ///
  /// - Parameter note: a sentence to add to the caption.
  public static func outlines(
    _ outlines: [Outline], on image: Image, title: String, note: String? = nil
  ) throws(FigureError) -> Figure {
    guard !outlines.isEmpty else { throw .empty(figure: "outlines", what: "outlines") }
    let stage = Stage(Backdrop(image, patches: []), side: 400)
    var page = Drawing()
    page.add(stage.image, in: stage.area, sampling: .smooth)
    page.add(stage.area, stroke: Stroke(.line, width: 0.5))
    page.add(outlines, of: image, in: stage.area)
    let caption = [
      "\(outlines.count.counted(as: "outline")) on a picture of \(image.width) × \(image.height) "
        + "pixels.", note,
    ].compactMap { $0 }.joined(separator: " ")
    let names = outlines.compactMap(\.label).filter { !$0.isEmpty }
    let named = names.isEmpty ? "" : " Labels: \(names.prefix(20).joined(separator: ", "))."
    return page.framed(
      title: title, caption: caption, altText: Label.visible("\(title). \(caption)\(named)"))
  }
}

extension Drawing {
  /// Adds the outlines of what is in a picture that is drawn in an area.
  mutating func add(_ outlines: [Outline], of image: Image, in area: Rectangle) {
    let (across, down) = (area.width / Double(image.width), area.height / Double(image.height))
    func place(_ corner: Point) -> Point {
      Point(area.x + corner.x * across, area.y + corner.y * down)
    }
    for outline in outlines where !Stop.isRequested {
      var path = Path(through: outline.corners.map(place))
      path.steps.append(.close)
      add(path, stroke: Stroke(outline.colour, width: 2))
    }
    // Above all lines.
    let size = 9.0
    for outline in outlines where !Stop.isRequested {
      guard let label = outline.label, !label.isEmpty, let corner = outline.corners.first else {
        continue
      }
      let text = Label.fitted(label, width: 200, size: size)
      let width = Typesetter.width(of: text, size: size)
      let start = place(corner)
      let ground = Rectangle(x: start.x, y: start.y, width: width + 6, height: size + 4)
      add(ground, fill: outline.colour)
      add(
        Text(
          text, at: Point(ground.x + 3, ground.maxY - 3.5), size: size,
          colour: outline.colour.contrasting), width: width)
    }
  }
}
