public import Images

/// One thing drawn on a figure.
///
/// A figure is a list of these, the later above the earlier; every format is written from the same
/// list.
public enum Mark: Sendable, Equatable {
  /// An outline, filled, stroked or both.
  case shape(Path, fill: Colour?, stroke: Stroke?)
  /// A line of text.
  case text(Text)
  /// A picture stretched over a rectangle.
  case picture(Image, in: Rectangle, sampling: Sampling)

  /// How a stretched picture gets its pixels.
  public enum Sampling: Sendable, Equatable {
    /// Each pixel stays a block: for grids of numbers.
    case blocks
    /// Neighbours are mixed: for photographs.
    case smooth
  }
}

/// How a line is drawn.
public struct Stroke: Sendable, Equatable {
  /// Its colour.
  public var colour: Colour
  /// Its thickness in points.
  public var width: Double
  /// The lengths of dashes and gaps in points; none for a solid line.
  public var dashes: [Double]

  /// Describes a line.
  public init(_ colour: Colour, width: Double = 0.75, dashes: [Double] = []) {
    (self.colour, self.width, self.dashes) = (colour, width, dashes)
  }
}

/// An outline of straight lines and cubic curves, in points.
public struct Path: Sendable, Equatable {
  /// One step of the pen.
  public enum Step: Sendable, Equatable {
    /// Lifts the pen and sets it down elsewhere.
    case move(Point)
    /// A straight line.
    case line(Point)
    /// A cubic Bézier curve by two control points to an end.
    case curve(Point, Point, Point)
    /// A straight line back to where the pen was set down.
    case close
  }

  /// The steps, in order.
  public var steps: [Step]

  /// Takes the steps of a pen.
  public init(_ steps: [Step]) { self.steps = steps }

  /// The four sides of a rectangle.
  public init(_ rectangle: Rectangle) {
    self.init([
      .move(Point(rectangle.x, rectangle.y)), .line(Point(rectangle.maxX, rectangle.y)),
      .line(Point(rectangle.maxX, rectangle.maxY)), .line(Point(rectangle.x, rectangle.maxY)),
      .close,
    ])
  }

  /// A rectangle with quarter circles for corners.
  public init(_ rectangle: Rectangle, cornerRadius: Double) {
    let r = max(0, min(cornerRadius, rectangle.width / 2, rectangle.height / 2))
    // Of a control arm, so that the curve is a quarter circle to 0.03 %.
    let c = r * (1 - 0.552_284_75)
    let (left, top, right, bottom) = (rectangle.x, rectangle.y, rectangle.maxX, rectangle.maxY)
    self.init([
      .move(Point(left + r, top)), .line(Point(right - r, top)),
      .curve(Point(right - c, top), Point(right, top + c), Point(right, top + r)),
      .line(Point(right, bottom - r)),
      .curve(Point(right, bottom - c), Point(right - c, bottom), Point(right - r, bottom)),
      .line(Point(left + r, bottom)),
      .curve(Point(left + c, bottom), Point(left, bottom - c), Point(left, bottom - r)),
      .line(Point(left, top + r)),
      .curve(Point(left, top + c), Point(left + c, top), Point(left + r, top)), .close,
    ])
  }

  /// Straight lines from point to point.
  public init(through points: [Point]) {
    self.init(points.enumerated().map { $0.offset == 0 ? .move($0.element) : .line($0.element) })
  }

  /// Every point that the path names, control points included: the path lies within their hull.
  var points: [Point] {
    steps.flatMap { (step: Step) -> [Point] in
      switch step {
      case .move(let end), .line(let end): [end]
      case .curve(let first, let second, let end): [first, second, end]
      case .close: []
      }
    }
  }

  func moved(_ dx: Double, _ dy: Double) -> Path {
    func there(_ point: Point) -> Point { Point(point.x + dx, point.y + dy) }
    return Path(
      steps.map { step in
        switch step {
        case .move(let end): .move(there(end))
        case .line(let end): .line(there(end))
        case .curve(let a, let b, let end): .curve(there(a), there(b), there(end))
        case .close: .close
        }
      })
  }
}

/// One line of text.
public struct Text: Sendable, Equatable {
  /// Which part of the line its place names.
  public enum Anchor: Sendable, Equatable {
    /// Its left end.
    case start
    /// Its middle.
    case middle
    /// Its right end.
    case end
  }

  /// The characters, with nothing in them that a reader cannot see: controls are spelled out, and signs
  /// that no font has are named.
  public let characters: String
  /// Where the anchor stands on the line that letters stand on, in points.
  public var place: Point
  /// Which part of the line stands at the place.
  public var anchor: Anchor
  /// The size of the font in points.
  public var size: Double
  /// Whether the letters are bold.
  public var isBold: Bool
  /// The colour.
  public var colour: Colour
  /// How far the line is turned clockwise about its place, in degrees.
  public var angle: Double

  /// Places a line of text; whatever is in `characters` is made visible and cut at 2,000.
  public init(
    _ characters: String, at place: Point, anchor: Anchor = .start, size: Double = 9,
    isBold: Bool = false, colour: Colour = .ink, angle: Double = 0
  ) {
    self.characters = Typesetter.drawable(Label.visible(characters))
    (self.place, self.anchor, self.size) = (place, anchor, size)
    (self.isBold, self.colour, self.angle) = (isBold, colour, angle)
  }

  /// How far below the middle of its capitals a line stands, for text centred in a box.
  static func dropFromMiddle(size: Double) -> Double { size * 0.36 }

  /// How far text reaches above and below the line it stands on.
  static func reach(size: Double) -> (above: Double, below: Double) { (size * 0.93, size * 0.24) }
}

extension Mark {
  func moved(_ dx: Double, _ dy: Double) -> Mark {
    switch self {
    case .shape(let path, let fill, let stroke):
      return .shape(path.moved(dx, dy), fill: fill, stroke: stroke)
    case .text(var text):
      text.place = Point(text.place.x + dx, text.place.y + dy)
      return .text(text)
    case .picture(let image, let area, let sampling):
      return .picture(image, in: area.moved(dx, dy), sampling: sampling)
    }
  }

  /// Whether every place is a finite number of a size that pages have.
  var isDrawable: Bool {
    func fits(_ numbers: Double...) -> Bool { numbers.allSatisfy { abs($0) < 1e6 } }
    switch self {
    case .shape(let path, _, let stroke):
      return path.points.allSatisfy { fits($0.x, $0.y) } && fits(stroke?.width ?? 0)
    case .text(let text):
      return fits(text.place.x, text.place.y, text.angle) && text.size > 0 && text.size < 1000
    case .picture(_, let area, _):
      return fits(area.x, area.y) && area.width > 0 && area.height > 0 && fits(area.maxX, area.maxY)
    }
  }
}
