internal import Images

extension Drawing {
  /// Adds a colour bar with its upper left corner at `corner`, numbers to the right, the name of
  /// what they measure turned beside them.
  ///
  /// - Parameter shown: the 256 colours as they look where the map is drawn, from low to high; the
  ///   scale's own unless something else is mixed in.
  mutating func colourBar(
    _ scale: ColourScale, at corner: Point, height: Double, name: String?,
    shown: [Colour]? = nil
  ) {
    let width = 11.0
    let area = Rectangle(x: corner.x, y: corner.y, width: width, height: height)
    let colours = (shown ?? scale.map.colours).reversed().flatMap { [$0.red, $0.green, $0.blue] }
    add(Image(width: 1, height: 256, pixels: colours), in: area, sampling: .blocks)
    add(area, stroke: Stroke(.line, width: 0.5))
    var widest = 0.0
    for tick in scale.ticks {
      guard let position = scale.position(tick) else { continue }
      let y = area.maxY - Double(position) * height
      line(Point(area.maxX, y), Point(area.maxX + 3, y), Stroke(.line, width: 0.5))
      let label = Numeral.short(tick)
      let labelWidth = Typesetter.width(of: label, size: Self.labelSize)
      widest = max(widest, labelWidth)
      add(
        Text(
          label,
          at: Point(area.maxX + 5, y + Text.dropFromMiddle(size: Self.labelSize)),
          colour: .quietInk), width: labelWidth)
    }
    if let name {
      let fitted = Label.fitted(name, width: max(height, 120), size: Self.labelSize)
      add(
        Text(
          fitted, at: Point(area.maxX + 5 + widest + 13, area.centre.y), anchor: .middle,
          angle: -90))
    }
  }
}
