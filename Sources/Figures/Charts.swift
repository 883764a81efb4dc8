internal import Images
public import Tensors

extension Figure {
  /// How often each size of number occurs in a tensor.
  ///
  /// - Parameter binCount: how many equal parts the range is cut into, from 1 to 512.
  public static func histogram(
    _ tensor: Tensor, title: String, valueName: String = "value", binCount: Int = 48
  ) throws(FigureError) -> Figure {
    guard tensor.count > 0 else { throw .empty(figure: "histogram", what: "numbers") }
    guard (1...512).contains(binCount) else {
      throw .range(
        figure: "histogram", what: "the number of bins", found: "\(binCount)",
        expected: "1 to 512")
    }
    let summary = Summary(tensor, binCount: binCount)
    let spread = summary.range ?? 0...0
    let isFlat = spread.lowerBound == spread.upperBound
    let (low, high) =
      isFlat
      ? (Double(spread.lowerBound) - 0.5, Double(spread.upperBound) + 0.5)
      : (Double(spread.lowerBound), Double(spread.upperBound))
    var bins = summary.histogram
    if isFlat, summary.range != nil {
      bins = [Int](repeating: 0, count: binCount)
      bins[binCount / 2] = summary.histogram.reduce(0, +)
    }
    let most = max(1, bins.max() ?? 1)
    let chart = Chart(x: (low, high), y: (0, Double(most)), width: 400, height: 180)
    var page = Drawing()
    chart.drawAxes(xName: valueName, yName: "count", on: &page)
    for (index, count) in bins.enumerated() where count > 0 {
      let step = 400 / Double(binCount)
      let top = chart.y(Double(count))
      page.add(
        Rectangle(
          x: Double(index) * step, y: top, width: max(0.5, step - 0.6), height: 180 - top),
        fill: .accent)
    }
    let mean = chart.x(summary.mean)
    if summary.range != nil, (0...400).contains(mean) {
      page.line(Point(mean, 0), Point(mean, 180), Stroke(.ink, width: 0.8, dashes: [3, 2]))
      page.add(
        Text(
          "mean", at: Point(mean + (mean > 360 ? -3 : 3), -4), anchor: mean > 360 ? .end : .start,
          colour: .quietInk))
    }
    let bad = summary.nanCount + summary.infinityCount
    var facts = "\(Numeral.count(tensor.count)) numbers"
    if let range = summary.range {
      facts += " from \(Numeral.short(range.lowerBound)) to \(Numeral.short(range.upperBound)), "
      facts += "mean \(Numeral.short(summary.mean)), "
      facts += "standard deviation \(Numeral.short(summary.standardDeviation))"
    }
    facts +=
      bad == 0
      ? "; all finite."
      : "; left out: \(Numeral.count(summary.nanCount)) NaN and "
        + "\(Numeral.count(summary.infinityCount)) infinite."
    return page.framed(
      title: title, caption: facts + " Shape \(tensor.shape), \(binCount) equal bins.",
      altText: "\(title). Histogram: \(facts) The fullest bin holds \(most).")
  }

  /// Numbers as level bars, one a label, from 0.
  public static func bars(
    _ values: [Double], labels: [String], title: String, valueName: String = "value"
  ) throws(FigureError) -> Figure {
    guard !values.isEmpty else { throw .empty(figure: "bars", what: "numbers") }
    guard values.count == labels.count else {
      throw .count(
        figure: "bars", what: "labels", found: labels.count, expected: values.count)
    }
    guard values.count <= 400 else {
      throw .range(
        figure: "bars", what: "the number of bars", found: "\(values.count)",
        expected: "at most 400")
    }
    let finite = values.filter(\.isFinite)
    let (low, high) = (min(0, finite.min() ?? 0), max(0, finite.max() ?? 0))
    let height = Double(values.count) * 16
    let chart = Chart(
      x: (low, high > low ? high : low + 1), y: (0, 1), width: 320, height: height)
    var page = Drawing()
    chart.drawLevelAxis(name: valueName, on: &page)
    for (index, (value, label)) in zip(values, labels).enumerated() {
      let middle = Double(index) * 16 + 8
      page.add(
        Text(
          Label.fitted(Label.token(label), width: 180, size: 9), at: Point(-6, middle + 3.2),
          anchor: .end))
      chart.drawBar(
        value, top: middle - 5.5, height: 11, baseline: middle + 3.2, colour: .accent, on: &page)
    }
    page.line(Point(chart.x(0), 0), Point(chart.x(0), height), Stroke(.ink, width: 0.6))
    let top = values.indices.filter { values[$0].isFinite }.max { values[$0] < values[$1] }
    let alt = top.map { "; the largest is \(Numeral.short(values[$0])) for “\(labels[$0])”" } ?? ""
    return page.framed(
      title: title, caption: "Bars from 0; \(valueName) beside each.",
      altText: "\(title). \(values.count) bars\(alt).")
  }

  /// Two numbers a label as level bars, one below the other.
  ///
  /// - Parameter names: what the first of each pair is, and the second.
  public static func pairs(
    _ values: [(Double, Double)], labels: [String], names: (String, String), title: String,
    valueName: String = "value"
  ) throws(FigureError) -> Figure {
    guard !values.isEmpty else { throw .empty(figure: "pairs", what: "numbers") }
    guard values.count == labels.count else {
      throw .count(figure: "pairs", what: "labels", found: labels.count, expected: values.count)
    }
    let finite = values.flatMap { [$0.0, $0.1] }.filter(\.isFinite)
    let (low, high) = (min(0, finite.min() ?? 0), max(0, finite.max() ?? 0))
    let height = Double(values.count) * 28
    let chart = Chart(
      x: (low, high > low ? high : low + 1), y: (0, 1), width: 320, height: height)
    var page = Drawing()
    chart.drawLevelAxis(name: valueName, on: &page)
    for (index, (pair, label)) in zip(values, labels).enumerated() {
      let top = Double(index) * 28 + 3
      page.add(
        Text(
          Label.fitted(Label.token(label), width: 180, size: 9), at: Point(-6, top + 14),
          anchor: .end))
      for (value, start, colour) in [(pair.0, top, Colour.line), (pair.1, top + 11, Colour.accent)]
      {
        chart.drawBar(
          value, top: start, height: 10, baseline: start + 8.5, colour: colour, on: &page)
      }
    }
    page.line(Point(chart.x(0), 0), Point(chart.x(0), height), Stroke(.ink, width: 0.6))
    return page.framed(
      title: title, caption: "Pale: \(names.0). Dark: \(names.1).",
      altText: "\(title). Two bars for each of \(values.count) labels: "
        + zip(labels, values).map {
          "“\($0)” \(Numeral.short($1.0)) \(names.0), \(Numeral.short($1.1)) \(names.1)"
        }.joined(separator: "; ") + ".")
  }

  /// One line of a chart.
  public struct Series: Sendable, Equatable {
    /// What it is, in a few words.
    public var name: String
    /// Its numbers, at 0, 1, 2 and so on.
    public var values: [Double]

    /// Names a line.
    public init(_ name: String, _ values: [Double]) { (self.name, self.values) = (name, values) }
  }

  /// Numbers that follow each other as lines; gaps where they are not finite.
  ///
  /// - Parameter series: from 1 to 8 lines.
  public static func lines(
    _ series: [Series], title: String, xName: String, yName: String
  ) throws(FigureError) -> Figure {
    guard (1...8).contains(series.count) else {
      throw .range(
        figure: "lines", what: "the number of lines", found: "\(series.count)", expected: "1 to 8")
    }
    let finite = series.flatMap(\.values).filter(\.isFinite)
    guard let least = finite.min(), let most = finite.max() else {
      throw .empty(figure: "lines", what: "finite numbers")
    }
    let room = most > least ? (most - least) * 0.05 : 0.5
    let last = Double(max(1, (series.map(\.values.count).max() ?? 1) - 1))
    let chart = Chart(x: (0, last), y: (least - room, most + room), width: 400, height: 220)
    var page = Drawing()
    chart.drawAxes(xName: xName, yName: yName, on: &page)
    // Okabe and Ito's colours, apart for every kind of colour vision.
    let colours = [
      Colour(0, 114, 178), Colour(213, 94, 0), Colour(0, 158, 115), Colour(204, 121, 167),
      Colour(230, 159, 0), Colour(86, 180, 233), Colour(0, 0, 0), Colour(140, 140, 140),
    ]
    for (index, line) in series.enumerated() {
      var steps: [Path.Step] = []
      var isDown = false
      for (place, value) in line.values.enumerated() {
        guard value.isFinite else {
          isDown = false
          continue
        }
        let point = Point(chart.x(Double(place)), chart.y(value))
        steps.append(isDown ? .line(point) : .move(point))
        isDown = true
      }
      page.add(Path(steps), stroke: Stroke(colours[index], width: 1.4))
      let y = 8 + Double(index) * 14
      page.line(Point(412, y), Point(428, y), Stroke(colours[index], width: 2))
      page.add(Text(Label.fitted(line.name, width: 120, size: 9), at: Point(433, y + 3.2)))
    }
    let facts = series.map {
      "\($0.name): \($0.values.count) numbers, last \(Numeral.short($0.values.last ?? .nan))"
    }.joined(separator: "; ")
    return page.framed(
      title: title,
      caption: "Vertical axis from \(Numeral.short(least)) to \(Numeral.short(most)).",
      altText: "\(title). Lines. \(facts).")
  }
}

/// A plane with two axes, upper left corner at the origin.
struct Chart {
  let xRange: (low: Double, high: Double)
  let yRange: (low: Double, high: Double)
  let width: Double
  let height: Double

  init(x: (Double, Double), y: (Double, Double), width: Double, height: Double) {
    (xRange, yRange, self.width, self.height) = (x, y, width, height)
  }

  func x(_ value: Double) -> Double {
    (value - xRange.low) / (xRange.high - xRange.low) * width
  }
  func y(_ value: Double) -> Double {
    height - (value - yRange.low) / (yRange.high - yRange.low) * height
  }

  func drawAxes(xName: String, yName: String, on page: inout Drawing) {
    for tick in Ticks.between(yRange.low, yRange.high, about: 4) {
      let place = y(tick)
      page.line(Point(0, place), Point(width, place), Stroke(.faint, width: 0.5))
      page.add(
        Text(Numeral.short(tick), at: Point(-6, place + 3.2), anchor: .end, colour: .quietInk))
    }
    page.add(
      Text(
        Label.fitted(yName, width: max(100, height), size: 10),
        at: Point((page.bounds?.x ?? 0) - 6, height / 2), anchor: .middle, size: 10, angle: -90))
    drawLevelAxis(name: xName, on: &page)
    page.line(Point(0, 0), Point(0, height), Stroke(.line, width: 0.6))
  }

  /// One number as a level bar from 0, with its digits behind it.
  ///
  /// - Parameters:
  ///   - top: where the bar begins, from above.
  ///   - baseline: where its digits stand.
  func drawBar(
    _ value: Double, top: Double, height: Double, baseline: Double, colour: Colour,
    on page: inout Drawing
  ) {
    guard value.isFinite else {
      return page.add(Text("not finite", at: Point(x(0) + 4, baseline), colour: .invalid))
    }
    let (from, to) = (min(x(0), x(value)), max(x(0), x(value)))
    page.add(Rectangle(x: from, y: top, width: to - from, height: height), fill: colour)
    page.add(Text(Numeral.short(value), at: Point(to + 4, baseline), colour: .quietInk))
  }

  func drawLevelAxis(name: String, on page: inout Drawing) {
    page.line(Point(0, height), Point(width, height), Stroke(.line, width: 0.6))
    for tick in Ticks.between(xRange.low, xRange.high, about: 6) {
      let place = x(tick)
      page.line(Point(place, height), Point(place, height + 3), Stroke(.line, width: 0.5))
      page.add(
        Text(
          Numeral.short(tick), at: Point(place, height + 13), anchor: .middle, colour: .quietInk))
    }
    page.add(
      Text(
        Label.fitted(name, width: width, size: 10), at: Point(width / 2, height + 28),
        anchor: .middle, size: 10))
  }
}
