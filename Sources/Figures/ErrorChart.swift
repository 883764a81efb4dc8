internal import Foundation
internal import Images

extension Figure {
  /// The errors of one step, relative to its largest number.
  public struct ErrorLine: Sendable, Equatable {
    /// The step.
    public var name: String
    /// As the runs went, with all that came from earlier steps.
    public var accumulated: Double
    /// Of this step alone; nil where it is not known.
    public var own: Double?
    /// What arithmetic makes there; nil where it is not known.
    public var floor: Double?
    /// A word where something is wrong.
    public var remark: String?

    /// Names a step's errors.
    public init(
      _ name: String, accumulated: Double, own: Double?, floor: Double?, remark: String? = nil
    ) {
      (self.name, self.accumulated, self.own) = (name, accumulated, own)
      (self.floor, self.remark) = (floor, remark)
    }
  }

  /// Errors of the steps of two runs as level bars on a logarithmic axis: a pale bar for the
  /// accumulated error, a dark one for the step's own, an upright line for the floor.
  ///
  /// - Parameter lines: from 1 to 400.
  public static func errors(
    _ lines: [ErrorLine], title: String
  ) throws(FigureError) -> Figure {
    guard !lines.isEmpty else { throw .empty(figure: "errors", what: "steps") }
    guard lines.count <= 400 else {
      throw .range(
        figure: "errors", what: "the number of steps", found: "\(lines.count)",
        expected: "at most 400")
    }
    let positive = lines.flatMap { [$0.accumulated, $0.own, $0.floor].compactMap { $0 } }
      .filter { $0.isFinite && $0 > 0 }
    let low = Foundation.floor(log10(max(1e-30, positive.min() ?? 1e-8)))
    let high = max(low + 1, ceil(log10(min(1e30, positive.max() ?? 1))))
    let (width, step) = (320.0, 16.0)
    let height = Double(lines.count) * step
    func x(_ value: Double) -> Double {
      let exponent = value > 0 ? log10(value) : low
      return (min(high, max(low, exponent)) - low) / (high - low) * width
    }
    var page = Drawing()
    let every = max(1, Int((high - low) / 8))
    for exponent in stride(from: Int(low), through: Int(high), by: every) {
      let place = (Double(exponent) - low) / (high - low) * width
      page.line(Point(place, 0), Point(place, height), Stroke(.faint, width: 0.5))
      page.add(
        Text("1e\(exponent)", at: Point(place, height + 13), anchor: .middle, colour: .quietInk))
    }
    for (index, line) in lines.enumerated() {
      let middle = Double(index) * step + step / 2
      page.add(
        Text(
          Label.fitted(Label.token(line.name), width: 180, size: 9), at: Point(-6, middle + 3.2),
          anchor: .end))
      let isBad = line.remark != nil
      page.add(
        Rectangle(
          x: 0, y: middle - 6, width: line.accumulated.isFinite ? x(line.accumulated) : width,
          height: 12), fill: .faint)
      if let own = line.own {
        page.add(
          Rectangle(x: 0, y: middle - 3, width: own.isFinite ? x(own) : width, height: 6),
          fill: isBad ? Colour(213, 94, 0) : .accent)
      }
      if let floor = line.floor, floor.isFinite, floor > 0 {
        page.line(
          Point(x(floor), middle - 6), Point(x(floor), middle + 6), Stroke(.ink, width: 1.2))
      }
      if let remark = line.remark {
        page.add(
          Text(
            Label.fitted(remark, width: 100, size: 9), at: Point(width + 6, middle + 3.2),
            colour: .ink))
      }
    }
    page.line(Point(0, height), Point(width, height), Stroke(.line, width: 0.6))
    page.add(
      Text(
        "largest error relative to the largest number, logarithmic",
        at: Point(width / 2, height + 28), anchor: .middle, size: 10))
    let bad = lines.filter { $0.remark != nil }
    let facts =
      bad.first.map { "\(bad.count) of \(lines.count) steps stand out, first \($0.name)" }
      ?? "none of \(lines.count) steps stands out"
    return page.framed(
      title: title,
      caption: "Pale: accumulated. Dark: the step's own. Upright line: what arithmetic makes.",
      altText: "\(title). Errors of each step on a logarithmic axis; \(facts).")
  }
}
