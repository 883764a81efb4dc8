internal import Images

/// Marks being put together.
///
/// It knows how far they reach, so that nothing is cut off.
struct Drawing {
  private(set) var marks: [Mark] = []
  private(set) var bounds: Rectangle?

  static let labelSize = 9.0
  static let axisSize = 10.0
  static let titleSize = 12.0

  /// Makes room on the page; places that no page has are not given any.
  mutating func reserve(_ area: Rectangle) {
    guard [area.x, area.y, area.maxX, area.maxY].allSatisfy({ abs($0) < 1e5 }) else { return }
    bounds = bounds?.union(area) ?? area
  }

  mutating func add(
    _ path: Path, fill: Colour? = nil, stroke: Stroke? = nil
  ) {
    marks.append(.shape(path, fill: fill, stroke: stroke))
    let points = path.points
    guard let first = points.first else { return }
    let half = (stroke?.width ?? 0) / 2
    var (low, high) = (first, first)
    for point in points {
      low = Point(min(low.x, point.x), min(low.y, point.y))
      high = Point(max(high.x, point.x), max(high.y, point.y))
    }
    reserve(
      Rectangle(
        x: low.x - half, y: low.y - half, width: high.x - low.x + 2 * half,
        height: high.y - low.y + 2 * half))
  }

  mutating func add(_ area: Rectangle, fill: Colour? = nil, stroke: Stroke? = nil) {
    add(Path(area), fill: fill, stroke: stroke)
  }

  mutating func line(_ from: Point, _ to: Point, _ stroke: Stroke = Stroke(.line)) {
    add(Path(through: [from, to]), stroke: stroke)
  }

  mutating func add(_ image: Image, in area: Rectangle, sampling: Mark.Sampling) {
    marks.append(.picture(image, in: area, sampling: sampling))
    reserve(area)
  }

  /// Adds a line of text.
  ///
  /// Give `width` where it is known, since measuring costs time.
  mutating func add(_ text: Text, width known: Double? = nil) {
    marks.append(.text(text))
    let width =
      known ?? Typesetter.width(of: text.characters, size: text.size, isBold: text.isBold)
    let start: Double =
      switch text.anchor {
      case .start: 0
      case .middle: -width / 2
      case .end: -width
      }
    let reach = Text.reach(size: text.size)
    let turn = Turn(degrees: text.angle)
    for (x, y) in [
      (start, -reach.above), (start + width, -reach.above), (start, reach.below),
      (start + width, reach.below),
    ] {
      let corner = turn.applied(x, y)
      reserve(
        Rectangle(x: text.place.x + corner.x, y: text.place.y + corner.y, width: 0, height: 0))
    }
  }

  /// Adds text whose middle, in both directions, is at `centre`.
  mutating func centre(
    _ characters: String, at centre: Point, size: Double = labelSize, isBold: Bool = false,
    colour: Colour = .ink, width: Double? = nil
  ) {
    add(
      Text(
        characters, at: Point(centre.x, centre.y + Text.dropFromMiddle(size: size)),
        anchor: .middle, size: size, isBold: isBold, colour: colour), width: width)
  }

  /// Adds another drawing, moved.
  mutating func add(_ other: Drawing, dx: Double = 0, dy: Double = 0) {
    marks += other.marks.map { $0.moved(dx, dy) }
    if let area = other.bounds { reserve(area.moved(dx, dy)) }
  }

  /// The finished figure: title above, caption beneath, an even margin around.
  func framed(title: String, caption: String, altText: String) -> Figure {
    let content = bounds ?? Rectangle(x: 0, y: 0, width: 0, height: 0)
    let margin = 14.0
    let column = max(content.width.rounded(.up), 300)
    var page = Drawing()
    var y = margin
    for line in Typesetter.lines(of: title, width: column, size: Self.titleSize, isBold: true)
      .prefix(4) where !line.isEmpty
    {
      y += 12
      page.add(Text(line, at: Point(margin, y), size: Self.titleSize, isBold: true), width: 0)
      y += 4
    }
    if y > margin { y += 8 }
    // Whole points keep cells of whole points sharp.
    page.add(
      self, dx: (margin - content.x).rounded(.up), dy: (y - content.y).rounded(.up))
    y += content.height.rounded(.up) + 1
    if !caption.isEmpty {
      y += 8
      for line in Typesetter.lines(of: caption, width: column, size: Self.labelSize).prefix(12) {
        y += 10
        page.add(
          Text(line, at: Point(margin, y), size: Self.labelSize, colour: .quietInk), width: 0)
        y += 3
      }
    }
    return Figure(
      title: title, width: column + 2 * margin + 1, height: y + margin, marks: page.marks,
      altText: altText, caption: caption)
  }
}

/// A turn about the origin, clockwise on a page whose y grows downwards.
private struct Turn {
  let cosine: Double
  let sine: Double

  init(degrees: Double) {
    // The three turns that figures use, without a mathematics library.
    switch degrees {
    case 0: (cosine, sine) = (1, 0)
    case -90: (cosine, sine) = (0, -1)
    case 90: (cosine, sine) = (0, 1)
    default:
      let root = 0.5.squareRoot()
      (cosine, sine) = (root, degrees < 0 ? -root : root)
    }
  }

  func applied(_ x: Double, _ y: Double) -> Point {
    Point(x * cosine - y * sine, x * sine + y * cosine)
  }
}
