internal import Characters
public import Images

/// One picture on a sheet of many.
public struct PictureItem: Sendable {
  /// The picture; nil where it could not be read, which is drawn as an empty frame.
  public let image: Image?
  /// The first line beneath it, drawn bold: what is said of it.
  public let heading: String
  /// The second line beneath it: its name.
  public let name: String

  /// A picture with its two lines.
  public init(_ image: Image?, heading: String, name: String) {
    (self.image, self.heading, self.name) = (image, heading, name)
  }
}

extension Figure {
  /// Pictures in rows, each with two lines beneath it.
  ///
  /// - Parameters:
  ///   - rows: the pictures; at most 1,024 in all.
  ///   - labels: a few lines to the left of each row; nil for none.
  ///   - caption: how to read it.
  public static func pictureSheet(
    _ rows: [[PictureItem]], labels: [[String]]? = nil, title: String, caption: String
  ) throws(FigureError) -> Figure {
    let count = rows.reduce(0) { $0 + $1.count }
    guard count > 0 else { throw .empty(figure: "picture sheet", what: "pictures") }
    guard count <= 1024 else {
      throw .range(
        figure: "picture sheet", what: "the number of pictures", found: "\(count)",
        expected: "at most 1024")
    }
    if let labels, labels.count != rows.count {
      throw .count(
        figure: "picture sheet", what: "row labels", found: labels.count, expected: rows.count)
    }
    let columns = rows.map(\.count).max() ?? 1
    let side = min(112, max(56, (640 / Double(columns)).rounded(.down) - 8))
    let hasHeadings = rows.joined().contains { !$0.heading.isEmpty }
    let (stepX, stepY) = (side + 8, side + (hasHeadings ? 34 : 20))
    var page = Drawing()
    for (row, items) in rows.enumerated() {
      let top = Double(row) * stepY
      for (line, label) in (labels?[row] ?? []).enumerated() {
        let text = Label.fitted(label, width: 130, size: 10, isBold: line == 0)
        page.add(
          Text(
            text, at: Point(-10, top + side / 2 - 6 + Double(line) * 13), anchor: .end, size: 10,
            isBold: line == 0, colour: line == 0 ? .ink : .quietInk))
      }
      for (column, item) in items.enumerated() {
        let frame = Rectangle(x: Double(column) * stepX, y: top, width: side, height: side)
        page.add(item, in: frame)
      }
    }
    let missing = rows.joined().count { $0.image == nil }
    let note = missing > 0 ? " Empty frames: \(missing) that could not be read." : ""
    let first = rows.joined().first
    return page.framed(
      title: title, caption: caption + note,
      altText: "\(title). \(count.counted(as: "picture")); the first is \(first?.name ?? ""), "
        + "\(first?.heading ?? "").")
  }

  /// Pictures at places on a plane, where neighbours are alike.
  ///
  /// Of pictures that would cover each other the first is drawn.
  /// - Parameters:
  ///   - places: a place for each picture, in any unit.
  ///   - images: gives the picture of an index; asked for those alone that are drawn.
  ///   - names: what is written along the two directions.
  public static func pictureMap(
    _ places: [(x: Double, y: Double)], names: (x: String, y: String), title: String,
    images: (Int) -> Image?
  ) throws(FigureError) -> Figure {
    guard !places.isEmpty else { throw .empty(figure: "picture map", what: "pictures") }
    guard places.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) else {
      throw .range(
        figure: "picture map", what: "a place", found: "no finite number", expected: "a number")
    }
    let (width, height, side) = (680.0, 520.0, 34.0)
    let across = Span(places.map(\.x), onto: width - side)
    // Up on the page is more.
    let down = Span(places.map { -$0.y }, onto: height - side)
    var taken: Set<[Int]> = []
    var page = Drawing()
    page.add(Rectangle(x: 0, y: 0, width: width, height: height), stroke: Stroke(.line))
    for (name, fraction) in [("x", across.place(of: 0)), ("y", down.place(of: 0))] {
      // Where zero is, in each direction.
      let stroke = Stroke(.line, width: 0.5, dashes: [2, 3])
      if name == "x" {
        page.line(Point(fraction + side / 2, 0), Point(fraction + side / 2, height), stroke)
      } else {
        page.line(Point(0, fraction + side / 2), Point(width, fraction + side / 2), stroke)
      }
    }
    var drawn = 0
    for (index, place) in places.enumerated() {
      let (x, y) = (across.place(of: place.x), down.place(of: -place.y))
      let cell = [Int(x / side), Int(y / side)]
      guard taken.insert(cell).inserted, let image = images(index) else { continue }
      // In the middle of its cell, so that neighbours do not cover each other.
      let frame = Rectangle(
        x: min(Double(cell[0]) * side, width - side) + 1,
        y: min(Double(cell[1]) * side, height - side) + 1, width: side - 2, height: side - 2)
      page.addThumbnail(image, in: frame.fitting(width: image.width, height: image.height))
      drawn += 1
    }
    page.add(
      Text(names.x, at: Point(width / 2, height + 14), anchor: .middle, size: Drawing.axisSize))
    page.add(
      Text(names.y, at: Point(-8, height / 2), anchor: .middle, size: Drawing.axisSize, angle: -90))
    return page.framed(
      title: title,
      caption:
        "Drawn: \(Numeral.count(drawn)) of \(Numeral.count(places.count)), the first of each place. "
        + "Dashed: the middle of all.",
      altText: "\(title). A plane with \(drawn) of \(places.count.counted(as: "picture")).")
  }
}

/// Numbers laid on a stretch of points.
private struct Span {
  let low: Double
  let factor: Double
  let offset: Double

  init(_ numbers: [Double], onto length: Double) {
    let (smallest, largest) = (numbers.min() ?? 0, numbers.max() ?? 0)
    low = smallest
    let spread = largest - smallest
    // All at one place: in the middle.
    (factor, offset) = spread > 1e-12 ? (length / spread, 0) : (0, length / 2)
  }

  func place(of number: Double) -> Double { (number - low) * factor + offset }
}

extension Drawing {
  /// Adds a small picture with a thin frame, without which a white one has no edge.
  mutating func addThumbnail(_ image: Image, in area: Rectangle) {
    add(image, in: area, sampling: .smooth)
    add(area, stroke: Stroke(.line, width: 0.4))
  }

  fileprivate mutating func add(_ item: PictureItem, in frame: Rectangle) {
    if let image = item.image {
      addThumbnail(image, in: frame.fitting(width: image.width, height: image.height))
    } else {
      add(frame, stroke: Stroke(.line, dashes: [3, 3]))
      centre(
        "not readable", at: Point(frame.x + frame.width / 2, frame.y + frame.height / 2),
        colour: .quietInk)
    }
    let middle = frame.x + frame.width / 2
    let room = frame.width + 4
    guard !item.heading.isEmpty else {
      add(
        Text(
          Label.fittedAtStart(item.name, width: room, size: 8), at: Point(middle, frame.maxY + 10),
          anchor: .middle, size: 8, colour: .quietInk))
      return
    }
    add(
      Text(
        Label.fitted(item.heading, width: room, size: 9, isBold: true),
        at: Point(middle, frame.maxY + 11), anchor: .middle, isBold: true))
    add(
      Text(
        Label.fittedAtStart(item.name, width: room, size: 8), at: Point(middle, frame.maxY + 21),
        anchor: .middle, size: 8, colour: .quietInk))
  }
}

extension Rectangle {
  /// The largest rectangle of these proportions in the middle of this one.
  func fitting(width: Int, height: Int) -> Rectangle {
    guard width > 0, height > 0 else { return self }
    let scale = min(self.width / Double(width), self.height / Double(height))
    let (w, h) = (Double(width) * scale, Double(height) * scale)
    return Rectangle(
      x: x + (self.width - w) / 2, y: y + (self.height - h) / 2, width: w, height: h)
  }
}

extension Label {
  /// The text cut to fit, with an ellipsis in front: of a path the end tells most.
  static func fittedAtStart(_ text: String, width: Double, size: Double) -> String {
    let whole = Array(Typesetter.drawable(visible(text, limit: 400)))
    var first = 0
    while first < whole.count,
      Typesetter.width(of: (first > 0 ? "…" : "") + String(whole[first...]), size: size) > width
    { first += 1 }
    return (first > 0 ? "…" : "") + String(whole[first...])
  }
}
