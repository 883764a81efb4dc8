internal import Images

/// A number's place on a colour bar, and how it is written there.
struct BarTick {
  /// From 0, the lower end, to 1.
  let position: Double
  let label: String
}

extension ColourScale {
  /// Numbers to write beside the bar.
  var barTicks: [BarTick] {
    ticks.compactMap { tick in
      position(tick).map { BarTick(position: Double($0), label: Numeral.short(tick)) }
    }
  }
}

extension Drawing {
  /// Adds a colour bar with its upper left corner at `corner`, ticks to the right, the name of what
  /// they measure turned beside them.
  ///
  /// - Parameter colours: from low to high, as they look where the map is drawn.
  mutating func colourBar(
    _ colours: [Colour], ticks: [BarTick], at corner: Point, height: Double, name: String?
  ) {
    let width = 11.0
    let area = Rectangle(x: corner.x, y: corner.y, width: width, height: height)
    let pixels = colours.reversed().flatMap { [$0.red, $0.green, $0.blue] }
    add(Image(width: 1, height: colours.count, pixels: pixels), in: area, sampling: .blocks)
    add(area, stroke: Stroke(.line, width: 0.5))
    var widest = 0.0
    for tick in ticks {
      let y = area.maxY - tick.position * height
      line(Point(area.maxX, y), Point(area.maxX + 3, y), Stroke(.line, width: 0.5))
      let labelWidth = Typesetter.width(of: tick.label, size: Self.labelSize)
      widest = max(widest, labelWidth)
      add(
        Text(
          tick.label,
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

  /// Adds the colour bar of a scale, in the colours that cells have.
  mutating func colourBar(
    _ scale: ColourScale, at corner: Point, height: Double, name: String?
  ) {
    colourBar(
      scale.map.colours, ticks: scale.barTicks, at: corner, height: height, name: name)
  }
}
