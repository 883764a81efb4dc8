internal import Characters
internal import Images

/// A run of tokens of one kind, for a strip.
public struct TokenRun: Sendable, Equatable {
  /// What they are: runs of one name have one colour.
  public var name: String
  /// Each token's text as it is; empty for a run that is drawn as one block.
  public var tokens: [String]
  /// How many there are.
  public var count: Int

  /// Describes a run.
  public init(_ name: String, tokens: [String], count: Int? = nil) {
    (self.name, self.tokens, self.count) = (name, tokens, count ?? tokens.count)
  }
}

extension Figure {
  /// A list of tokens in lines, coloured by what they are, with a legend that counts them.
  ///
  /// - Parameters:
  ///   - runs: in order; of each at most 400 tokens are drawn.
  ///   - note: what stands below it besides, a sentence.
  public static func contextStrip(
    _ runs: [TokenRun], title: String, note: String = ""
  ) throws(FigureError) -> Figure {
    guard !runs.isEmpty else { throw .empty(figure: "token strip", what: "tokens") }
    var names: [String] = []
    for run in runs where !names.contains(run.name) { names.append(run.name) }
    let lineWidth = 720.0
    let height = 20.0
    let gap = 3.0
    let size = 10.0
    var page = Drawing()
    var x = 0.0
    var y = 0.0
    func place(_ width: Double) -> Rectangle {
      if x > 0, x + width > lineWidth { (x, y) = (0, y + height + gap) }
      let box = Rectangle(x: x, y: y, width: width, height: height)
      x += width + gap
      return box
    }
    func colour(_ name: String) -> Colour {
      runColours[(names.firstIndex(of: name) ?? 0) % runColours.count]
    }
    for run in runs {
      let fill = colour(run.name)
      if run.tokens.isEmpty {
        let words = "\(run.name): \(run.count) rows"
        let box = place(max(160, Typesetter.width(of: words, size: size) + 12))
        page.add(Path(box, cornerRadius: 3), fill: fill, stroke: Stroke(.line))
        page.centre(words, at: Point(box.x + box.width / 2, box.y + height / 2), size: size)
      }
      for token in run.tokens.prefix(400) {
        let words = Label.fitted(Label.token(token), width: 200, size: size)
        let width = Typesetter.width(of: words, size: size)
        let box = place(max(14, width + 8))
        page.add(Path(box, cornerRadius: 3), fill: fill)
        page.centre(
          words, at: Point(box.x + box.width / 2, box.y + height / 2), size: size, width: width)
      }
    }
    (x, y) = (0, y + height + 14)
    for name in names {
      let count = runs.filter { $0.name == name }.map(\.count).reduce(0, +)
      let words = "\(name): \(count)"
      let box = place(Typesetter.width(of: words, size: size) + 24)
      page.add(Rectangle(x: box.x, y: box.y + 5, width: 10, height: 10), fill: colour(name))
      page.add(Text(words, at: Point(box.x + 14, box.y + 14), size: size))
    }
    let total = runs.map(\.count).reduce(0, +)
    let alt =
      "\(title). \(total.counted(as: "token")): "
      + runs.map { "\($0.name) \($0.count)" }.joined(separator: ", ") + "."
    return page.framed(
      title: title,
      caption: "\(total.counted(as: "token")) in the order in which the model reads them, coloured "
        + "by what they are. ␣ is a space, ⏎ a line's end."
        + (note.isEmpty ? "" : " " + note),
      altText: alt)
  }

  /// Light, so that ink reads on them.
  private static var runColours: [Colour] {
    [
      Colour(226, 226, 226), Colour(253, 224, 178), Colour(188, 216, 236), Colour(200, 230, 201),
      Colour(244, 199, 211), Colour(215, 204, 235), Colour(255, 245, 157), Colour(178, 223, 219),
    ]
  }
}
