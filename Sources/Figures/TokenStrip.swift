internal import Characters
internal import Images

/// One token that a model wrote, with what it might have written instead.
public struct TokenStep: Sendable, Equatable {
  /// A token and its probability.
  public struct Candidate: Sendable, Equatable {
    /// The token's text as it is.
    public var token: String
    /// From 0 to 1.
    public var probability: Double

    /// Pairs a token with its probability.
    public init(_ token: String, probability: Double) {
      (self.token, self.probability) = (token, probability)
    }
  }

  /// The token that was taken.
  public var chosen: Candidate
  /// Others, the likeliest first.
  public var runnersUp: [Candidate]

  /// Describes one step.
  public init(_ chosen: Candidate, runnersUp: [Candidate] = []) {
    (self.chosen, self.runnersUp) = (chosen, runnersUp)
  }
}

extension Figure {
  /// Generated tokens from left to right, each with its probability and the next likeliest beneath.
  ///
  /// - Parameters:
  ///   - steps: one a token; at most 512 are drawn.
  ///   - runnerUpLimit: how many alternatives are shown at most.
  public static func tokenStrip(
    _ steps: [TokenStep], title: String, runnerUpLimit: Int = 4
  ) throws(FigureError) -> Figure {
    guard !steps.isEmpty else { throw .empty(figure: "token strip", what: "tokens") }
    let shown = steps.prefix(512)
    let alternatives = min(
      max(0, runnerUpLimit), 20, shown.map(\.runnersUp.count).max() ?? 0)
    let (width, gap, perLine) = (104.0, 6.0, 6)
    let rowHeight = 22.0
    let height = 42 + Double(alternatives) * rowHeight
    var page = Drawing()
    for (index, step) in shown.enumerated() {
      let x = Double(index % perLine) * (width + gap)
      let y = Double(index / perLine) * (height + 20)
      page.add(Text("\(index)", at: Point(x + 2, y - 3), size: 8, colour: .quietInk), width: 8)
      candidate(step.chosen, x: x, y: y, width: width, isChosen: true, on: &page)
      for (row, other) in step.runnersUp.prefix(alternatives).enumerated() {
        candidate(
          other, x: x, y: y + 42 + Double(row) * rowHeight, width: width, isChosen: false,
          on: &page)
      }
    }
    let hidden = steps.count - shown.count
    let caption = [
      "Probability of each token that was written (dark) and of the next likeliest (light); "
        + "bars from 0 to 100 %. ␣ is a space, ⏎ a line's end.",
      hidden > 0 ? "\(hidden) later tokens are not shown." : nil,
    ].compactMap { $0 }.joined(separator: " ")
    let doubted = shown.map(\.chosen).min { $0.probability < $1.probability }
    var alt = "\(title). \(steps.count.counted(as: "token")): "
    alt += shown.map { Label.visible($0.chosen.token, limit: 80) }.joined()
    if let doubted {
      alt += ". The least likely, “\(Label.token(doubted.token))”, had a probability of "
      alt += "\(Percentage.text(doubted.probability))."
    }
    return page.framed(title: title, caption: caption, altText: alt)
  }

  private static func candidate(
    _ candidate: TokenStep.Candidate, x: Double, y: Double, width: Double, isChosen: Bool,
    on page: inout Drawing
  ) {
    let height = isChosen ? 38.0 : 20.0
    let probability =
      candidate.probability.isFinite ? min(max(candidate.probability, 0), 1) : 0
    let percent = Percentage.text(candidate.probability)
    let percentWidth = 46.0
    if isChosen {
      let box = Rectangle(x: x, y: y, width: width, height: height)
      page.add(
        Path(box, cornerRadius: 3), fill: Colour(240, 244, 248),
        stroke: Stroke(Colour(176, 190, 204)))
      page.centre(
        Label.fitted(Label.token(candidate.token), width: width - 8, size: 11, isBold: true),
        at: Point(x + width / 2, y + 11), size: 11, isBold: true, width: width - 8)
      let track = Rectangle(x: x + 5, y: y + 25, width: width - 14 - percentWidth, height: 6)
      page.add(track, fill: .faint)
      var filled = track
      filled.width *= probability
      page.add(filled, fill: .accent)
      page.add(
        Text(percent, at: Point(x + width - 4, y + 32), anchor: .end), width: percentWidth)
    } else {
      page.add(
        Text(
          Label.fitted(Label.token(candidate.token), width: width - 12 - percentWidth, size: 9),
          at: Point(x + 5, y + 11)), width: width - 12 - percentWidth)
      page.add(
        Text(
          percent, at: Point(x + width - 4, y + 11), anchor: .end, colour: .quietInk),
        width: percentWidth)
      let track = Rectangle(x: x + 5, y: y + 15, width: width - 9, height: 2)
      page.add(track, fill: .faint)
      var filled = track
      filled.width *= probability
      page.add(filled, fill: Colour(122, 163, 190))
    }
  }
}
