/// A place in a picture, in pixels from its top left corner; a pixel's centre lies at a half.
public struct Point: Sendable, Hashable {
  /// To the right.
  public var x: Double
  /// Downwards.
  public var y: Double

  /// Names a place.
  public init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
}

/// An upright rectangle in a picture, in pixels from its top left corner.
public struct Rectangle: Sendable, Hashable {
  /// The left edge.
  public var x: Double
  /// The top edge.
  public var y: Double
  /// From the left edge to the right one.
  public var width: Double
  /// From the top edge to the bottom one.
  public var height: Double

  /// Names a rectangle by its top left corner and its sides.
  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// The rectangle between two opposite corners.
  public init(from first: Point, to second: Point) {
    self.init(
      x: min(first.x, second.x), y: min(first.y, second.y), width: abs(second.x - first.x),
      height: abs(second.y - first.y))
  }

  /// The top left corner.
  public var topLeft: Point { Point(x: x, y: y) }
  /// The bottom right corner.
  public var bottomRight: Point { Point(x: x + width, y: y + height) }
  /// The middle.
  public var centre: Point { Point(x: x + width / 2, y: y + height / 2) }

  /// Whether `point` lies inside; the left and top edges belong to the rectangle, the others do not.
  public func contains(_ point: Point) -> Bool {
    point.x >= x && point.x < x + width && point.y >= y && point.y < y + height
  }

  /// What both cover; nil where they share no area.
  public func intersection(_ other: Rectangle) -> Rectangle? {
    let (left, top) = (max(x, other.x), max(y, other.y))
    let right = min(x + width, other.x + other.width)
    let bottom = min(y + height, other.y + other.height)
    guard left < right, top < bottom else { return nil }
    return Rectangle(x: left, y: top, width: right - left, height: bottom - top)
  }
}
