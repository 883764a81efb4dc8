internal import Images

extension Figure {
  /// The picture with the outlines of its patches, the numbers of rows and columns at its edges, and
  /// where there is room each patch's own number, row by row from 0.
  ///
  /// - Parameters:
  ///   - backdrop: the picture and its patches.
  ///   - highlighted: numbers of patches to frame.
  public static func patchGrid(
    _ backdrop: Backdrop, title: String, highlighted: [Int] = []
  ) throws(FigureError) -> Figure {
    let patches = backdrop.patches
    guard !patches.isEmpty else { throw .empty(figure: "patch grid", what: "patches") }
    if let outside = highlighted.first(where: { !patches.indices.contains($0) }) {
      throw .range(
        figure: "patch grid", what: "a patch to frame", found: "\(outside)",
        expected: "0 to \(patches.count - 1)")
    }
    let stage = Stage(backdrop, side: 400)
    var page = Drawing()
    page.add(stage.image, in: stage.area, sampling: .smooth)
    let places = patches.indices.map(stage.place(of:))
    let drawable = places.filter { Mark.shape(Path($0), fill: nil, stroke: nil).isDrawable }
    let outlines = Path(drawable.flatMap { Path($0).steps })
    page.add(outlines, stroke: Stroke(Colour(0, 0, 0, opacity: 0.55), width: 1))
    page.add(outlines, stroke: Stroke(.white, width: 0.4))
    for index in highlighted {
      page.add(places[index], stroke: Stroke(.black, width: 3))
      page.add(places[index], stroke: Stroke(Colour(255, 221, 51), width: 1.8))
    }
    page.numberEdges(of: places, around: stage.area)
    let last = Typesetter.width(of: "\(patches.count - 1)", size: 9)
    let smallest = places.map { min($0.width, $0.height * 1.6) }.min() ?? 0
    // Every patch is numbered where three digits fit.
    let size = min(9, max(6, 9 * (smallest - 3) / max(last, 1)))
    let fits = last * size / 9 <= smallest - 2
    for (index, place) in places.enumerated() where fits {
      let label = "\(index)"
      let width = Typesetter.width(of: label, size: size)
      let height = size * 0.73 + 3
      let shade = Rectangle(x: place.x + 1, y: place.y + 1, width: width + 3, height: height)
      page.add(shade, fill: Colour(0, 0, 0, opacity: 0.55))
      page.add(
        Text(
          label, at: Point(shade.x + 1.5, shade.maxY - 1.5), size: size, colour: .white),
        width: width)
    }
    let caption = [
      "\(patches.count) patches on a picture of \(backdrop.image.width) × \(backdrop.image.height) "
        + "pixels; rows at the left and columns above count from 0"
        + (fits ? ", and so do the patches, row by row." : "."), backdrop.note,
    ].compactMap { $0 }.joined(separator: " ")
    return page.framed(
      title: title, caption: caption,
      altText: "\(title). \(caption)")
  }
}

extension Drawing {
  /// Numbers the rows of patches at the left of a picture and the columns above it.
  fileprivate mutating func numberEdges(of places: [Rectangle], around area: Rectangle) {
    guard let first = places.first else { return }
    func isLevel(_ one: Rectangle, _ two: Rectangle) -> Bool { abs(one.y - two.y) < two.height / 2 }
    let columns = places.prefix { isLevel($0, first) }
    let rows = places.indices.filter { $0 == 0 || !isLevel(places[$0], places[$0 - 1]) }
      .map { places[$0] }
    let size = Self.labelSize
    func every(_ count: Int, _ room: Double, _ needed: Double) -> Int {
      room > 0.01 ? max(1, Int((needed / room).rounded(.up))) : max(1, count)
    }
    let wide = Typesetter.width(of: "\(columns.count)", size: size) + 4
    let step = every(columns.count, first.width, wide)
    for (number, place) in columns.enumerated() where number.isMultiple(of: step) {
      add(
        Text("\(number)", at: Point(place.centre.x, area.y - 5), anchor: .middle, colour: .quietInk)
      )
    }
    let down = every(rows.count, first.height, size + 2)
    for (number, place) in rows.enumerated() where number.isMultiple(of: down) {
      add(
        Text(
          "\(number)", at: Point(area.x - 6, place.centre.y + Text.dropFromMiddle(size: size)),
          anchor: .end, colour: .quietInk))
    }
    add(
      Text(
        "column", at: Point(area.centre.x, area.y - 18), anchor: .middle, size: Self.axisSize))
    add(
      Text(
        "row", at: Point(area.x - 24, area.centre.y), anchor: .middle, size: Self.axisSize,
        angle: -90))
  }
}
