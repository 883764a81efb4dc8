internal import Characters
internal import Foundation
public import Images

/// One of several answers to the same question.
public struct AnswerPanel: Sendable {
  /// What gave it, drawn bold.
  public let heading: String
  /// The answer.
  public let text: String
  /// What it points at, in the picture's own pixels.
  public let outlines: [Outline]
  /// How far each step of the way to it is from where it should be: 0, or a number of any size.
  public let measures: [(name: String, value: Double)]

  /// An answer and the way to it.
  public init(
    _ heading: String, text: String, outlines: [Outline] = [],
    measures: [(name: String, value: Double)] = []
  ) {
    (self.heading, self.text, self.outlines, self.measures) = (heading, text, outlines, measures)
  }
}

extension Figure {
  /// Answers beside each other: on the picture what each points at, below it the words, and a bar a step on a
  /// logarithmic scale that all of them share.
  ///
  /// - Parameters:
  ///   - panels: from 1 to 24.
  ///   - image: what the answers are about; nil where there is no picture.
  ///   - measure: what the bars are, in a few words.
  public static func answers(
    _ panels: [AnswerPanel], on image: Image?, title: String, measure: String
  ) throws(FigureError) -> Figure {
    guard (1...24).contains(panels.count) else {
      throw .range(
        figure: "answers", what: "the number of answers", found: "\(panels.count)",
        expected: "1 to 24")
    }
    let (side, gap) = (200.0, 16.0)
    let picture = image.map { image in
      Rectangle(x: 0, y: 0, width: side, height: side).fitting(
        width: image.width, height: image.height)
    }
    let texts: [[String]] = panels.map { panel in
      let lines = Typesetter.lines(of: panel.text, width: side, size: 9)
      return lines.count > 4 ? lines[..<3] + [lines[3] + " …"] : lines
    }
    let scale = LogarithmicScale(panels.flatMap { $0.measures.map(\.value) })
    let columns = min(panels.count, 3)
    let lineCount = texts.map(\.count).max() ?? 0
    let barCount = panels.map(\.measures.count).max() ?? 0
    // Below the heading, the picture and the words.
    let barsTop: Double = 28 + (picture?.height ?? 0) + Double(lineCount) * 12
    let height: Double = barsTop + Double(barCount) * 12 + gap
    var page = Drawing()
    for (index, panel) in panels.enumerated() {
      let left = Double(index % columns) * (side + gap)
      let top = Double(index / columns) * height
      page.add(
        Text(
          Label.fitted(panel.heading, width: side, size: 10, isBold: true),
          at: Point(left, top + 10), size: 10, isBold: true))
      var y = top + 16
      if let image, let picture {
        let area = Rectangle(x: left, y: y, width: picture.width, height: picture.height)
        page.addThumbnail(image, in: area)
        page.add(panel.outlines, of: image, in: area)
        y = area.maxY + 6
      }
      for (number, line) in texts[index].enumerated() {
        page.add(Text(line, at: Point(left, y + 9 + Double(number) * 12)), width: 0)
      }
      for (number, measure) in panel.measures.enumerated() {
        let line = top + barsTop + Double(number) * 12
        page.add(
          Text(
            Label.fitted(measure.name, width: 58, size: 8), at: Point(left + 60, line + 8),
            anchor: .end, size: 8, colour: .quietInk))
        let room = side - 64 - 44
        let length = scale.fraction(of: measure.value) * room
        page.add(
          Rectangle(x: left + 64, y: line + 1.5, width: max(0.6, length), height: 7),
          fill: .accent)
        page.add(
          Text(
            measure.value == 0 ? "0" : Numeral.short(measure.value),
            at: Point(left + 64 + length + 4, line + 8), size: 8, colour: .quietInk))
      }
    }
    let said = panels.map { panel in
      "\(panel.heading): \(panel.text), \(panel.outlines.count.counted(as: "outline"))"
    }
    return page.framed(
      title: title,
      caption: scale.sentence.map { "Bars: \(measure), \($0)." }
        ?? "\(panels.count.counted(as: "answer")); \(measure): nowhere.",
      altText: Label.visible("\(title). " + said.joined(separator: "; ")))
  }
}

/// Numbers of any size as shares of a length, by their logarithms.
private struct LogarithmicScale {
  private let low, high: Double
  private let isEmpty: Bool

  init(_ values: [Double]) {
    let positive = values.filter { $0 > 0 && $0.isFinite }.map { log10($0) }
    isEmpty = positive.isEmpty
    low = (positive.min() ?? 0).rounded(.down) - 1
    high = max((positive.max() ?? 0).rounded(.up), low + 1)
  }

  /// From 0 to 1; 0 is at the beginning, what is not finite at the end.
  func fraction(of value: Double) -> Double {
    guard value.isFinite else { return 1 }
    return value > 0 ? (log10(value) - low) / (high - low) : 0
  }

  /// What the ends stand for; nil where all numbers are 0.
  var sentence: String? {
    isEmpty ? nil : "on a logarithmic scale from 1e\(Int(low)) to 1e\(Int(high)), one for all"
  }
}
