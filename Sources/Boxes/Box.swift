/// An upright box in a picture as models write it: its corners in thousandths of the picture's sides, from 0
/// to 999.
public struct Box: Sendable, Hashable {
  /// The greatest coordinate.
  public static let largest = 999

  /// The left edge.
  public let x1: Int
  /// The top edge.
  public let y1: Int
  /// The right edge, not left of the left one.
  public let x2: Int
  /// The bottom edge, not above the top one.
  public let y2: Int

  /// The box with these edges; nil where they lie the wrong way round or beyond 0 to 999.
  public init?(x1: Int, y1: Int, x2: Int, y2: Int) {
    let all = 0...Self.largest
    guard all.contains(x1), all.contains(y1), all.contains(x2), all.contains(y2), x1 <= x2, y1 <= y2
    else { return nil }
    (self.x1, self.y1, self.x2, self.y2) = (x1, y1, x2, y2)
  }

  /// Its edges in the same thousandths.
  public var edges: Edges {
    Edges(left: Double(x1), top: Double(y1), right: Double(x2), bottom: Double(y2))
  }

  /// Its edges in the pixels of a picture, see `Thousandth`.
  public func pixels(width: Int, height: Int) -> Edges {
    Edges(
      left: Double(Thousandth.pixel(x1, of: width)), top: Double(Thousandth.pixel(y1, of: height)),
      right: Double(Thousandth.pixel(x2, of: width)),
      bottom: Double(Thousandth.pixel(y2, of: height)))
  }

  /// As a model writes it.
  public var written: String { "<box>(\(x1),\(y1)),(\(x2),\(y2))</box>" }
}

/// Four corners of something that lies askew, in thousandths of the picture's sides, from 0 to 999.
public struct Quad: Sendable, Hashable {
  /// A corner.
  public struct Corner: Sendable, Hashable {
    /// To the right.
    public let x: Int
    /// Downwards.
    public let y: Int
  }

  /// The four, in the order in which they were written.
  public let corners: [Corner]

  /// The quad with these four corners; nil for another number of them, or beyond 0 to 999.
  public init?(_ corners: [(x: Int, y: Int)]) {
    let all = 0...Box.largest
    guard corners.count == 4, corners.allSatisfy({ all.contains($0.x) && all.contains($0.y) })
    else { return nil }
    self.corners = corners.map { Corner(x: $0.x, y: $0.y) }
  }

  /// The corners in the pixels of a picture, see `Thousandth`.
  public func pixels(width: Int, height: Int) -> [(x: Int, y: Int)] {
    corners.map { (Thousandth.pixel($0.x, of: width), Thousandth.pixel($0.y, of: height)) }
  }

  /// As a model writes it.
  public var written: String {
    "<quad>\(corners.map { "(\($0.x),\($0.y))" }.joined(separator: ","))</quad>"
  }
}

/// Thousandths of a picture's side.
public enum Thousandth {
  /// The pixel at a coordinate: `int(x / 1000 * side)` as Python reckons it, in double precision and cut
  /// off, which for some is one less than whole numbers give.
  public static func pixel(_ coordinate: Int, of side: Int) -> Int {
    Int(Double(coordinate) / 1000 * Double(side))
  }
}

/// The edges of an upright box, in pixels or in thousandths.
public struct Edges: Sendable, Hashable {
  /// The four edges.
  public var left, top, right, bottom: Double

  /// Names the edges.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
  }

  private var area: Double { max(0, right - left) * max(0, bottom - top) }

  /// How much two boxes share: the area of both over that of either (IoU), 0 where neither has an area.
  public func overlap(with other: Edges) -> Double {
    let common = Edges(
      left: max(left, other.left), top: max(top, other.top), right: min(right, other.right),
      bottom: min(bottom, other.bottom)
    ).area
    let either = area + other.area - common
    return either > 0 ? common / either : 0
  }
}
