public import Images

extension Point {
  /// Names a place on a figure, in points.
  init(_ x: Double, _ y: Double) { self.init(x: x, y: y) }
}

extension Rectangle {
  /// The right side.
  var maxX: Double { x + width }
  /// The lower side.
  var maxY: Double { y + height }
  /// The smallest rectangle around both.
  func union(_ other: Rectangle) -> Rectangle {
    let (left, top) = (min(x, other.x), min(y, other.y))
    return Rectangle(
      x: left, y: top, width: max(maxX, other.maxX) - left, height: max(maxY, other.maxY) - top)
  }

  func moved(_ dx: Double, _ dy: Double) -> Rectangle {
    Rectangle(x: x + dx, y: y + dy, width: width, height: height)
  }

  /// The rectangle with every coordinate multiplied.
  func scaled(_ horizontal: Double, _ vertical: Double) -> Rectangle {
    Rectangle(
      x: x * horizontal, y: y * vertical, width: width * horizontal, height: height * vertical)
  }

  /// The columns and rows of the pixels whose centres lie inside, right and lower side excluded,
  /// within a picture: rectangles that share a side never share a pixel.
  func pixels(inWidth width: Int, height: Int) -> (columns: Range<Int>, rows: Range<Int>) {
    func span(_ low: Double, _ high: Double, _ limit: Int) -> Range<Int> {
      guard low.isFinite, high.isFinite, high > low else { return 0..<0 }
      let first = (min(max(low, -1), Double(limit) + 1) - 0.5).rounded(.up)
      let end = (min(max(high, -1), Double(limit) + 1) - 0.5).rounded(.up)
      let start = min(max(Int(first), 0), limit)
      return start..<max(start, min(Int(end), limit))
    }
    return (span(x, maxX, width), span(y, maxY, height))
  }

  /// A rectangle of pixels on a picture for each patch of a grid that covers it evenly, row by row.
  public static func evenGrid(
    rows: Int, columns: Int, overWidth width: Int, height: Int
  ) -> [Rectangle] {
    let (w, h) = (Double(width), Double(height))
    return (0..<max(0, rows)).flatMap { row in
      (0..<max(0, columns)).map { column in
        let left = w * Double(column) / Double(columns)
        let top = h * Double(row) / Double(rows)
        return Rectangle(
          x: left, y: top, width: w * Double(column + 1) / Double(columns) - left,
          height: h * Double(row + 1) / Double(rows) - top)
      }
    }
  }
}
