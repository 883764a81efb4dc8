internal import Characters
internal import Images

/// A box of a stage graph.
public struct StageNode: Sendable, Equatable {
  /// What it is called.
  public var name: String
  /// The shape that comes out of it, in words.
  public var shape: String
  /// What it does, in one sentence.
  public var sentence: String

  /// Describes a stage.
  public init(_ name: String, shape: String = "", sentence: String = "") {
    (self.name, self.shape, self.sentence) = (name, shape, sentence)
  }
}

/// An arrow from one box to another, by their numbers.
public struct GraphEdge: Sendable, Equatable {
  /// Where the arrow begins.
  public var from: Int
  /// Where it ends.
  public var to: Int
  /// How strong it is; the strongest are drawn where there are too many.
  public var weight: Double

  /// Draws an arrow.
  public init(from: Int, to: Int, weight: Double = 1) {
    (self.from, self.to, self.weight) = (from, to, weight)
  }
}

extension Figure {
  /// The stages of a model as boxes from top to bottom, with an arrow where a tensor passes on.
  ///
  /// - Parameters:
  ///   - nodes: at most `nodeLimit` are drawn, the first.
  ///   - edges: arrows between nodes; the strongest `edgeLimit` are drawn.
  public static func stageGraph(
    _ nodes: [StageNode], edges: [GraphEdge], title: String, nodeLimit: Int = 18,
    edgeLimit: Int = 240
  ) throws(FigureError) -> Figure {
    guard !nodes.isEmpty else { throw .empty(figure: "stage graph", what: "stages") }
    try check(edges, nodeCount: nodes.count, figure: "stage graph")
    let shown = nodes.prefix(max(1, nodeLimit))
    let inside = edges.filter { $0.from < shown.count && $0.to < shown.count && $0.from != $0.to }
    let kept = strongest(inside, limit: edgeLimit)
    let width = 190.0
    let texts = shown.map { node in
      Array(Typesetter.lines(of: node.sentence, width: width - 16, size: 9).prefix(4))
        .filter { !$0.isEmpty }
    }
    let sizes = zip(shown, texts).map { node, lines in
      (
        width: width,
        height: 24 + (node.shape.isEmpty ? 0 : 13) + Double(lines.count) * 12 + 2
      )
    }
    let layout = try GraphLayout(
      sizes: sizes, edges: kept.map { ($0.from, $0.to) })
    var page = Drawing()
    for edge in kept {
      let (a, b) = (layout.centres[edge.from], layout.centres[edge.to])
      let isDown = b.y > a.y
      page.arrow(
        from: Point(a.x, a.y + sizes[edge.from].height / 2 * (isDown ? 1 : -1)),
        to: Point(b.x, b.y - sizes[edge.to].height / 2 * (isDown ? 1 : -1)))
    }
    for (index, node) in shown.enumerated() {
      let (centre, size) = (layout.centres[index], sizes[index])
      let box = Rectangle(
        x: centre.x - size.width / 2, y: centre.y - size.height / 2, width: size.width,
        height: size.height)
      page.add(
        Path(box, cornerRadius: 4), fill: Colour(245, 247, 250),
        stroke: Stroke(Colour(150, 168, 186), width: 0.8))
      var y = box.y + 15
      let name = Label.fitted(node.name, width: width - 16, size: 10, isBold: true)
      page.add(Text(name, at: Point(box.x + 8, y), size: 10, isBold: true))
      if !node.shape.isEmpty {
        y += 13
        let shape = Label.fitted(node.shape, width: width - 16, size: 9)
        page.add(Text(shape, at: Point(box.x + 8, y), colour: .accent))
      }
      for line in texts[index] {
        y += 12
        page.add(Text(line, at: Point(box.x + 8, y), colour: .quietInk))
      }
    }
    let caption = [
      "Top to bottom: \(nodes.count.counted(as: "stage")), \(edges.count.counted(as: "connection")).",
      shown.count < nodes.count ? "\(nodes.count - shown.count) later stages are hidden." : nil,
      kept.count < edges.count ? "\(edges.count - kept.count) connections are hidden." : nil,
    ].compactMap { $0 }.joined(separator: " ")
    let names = shown.map { Label.visible($0.name, limit: 60) }.joined(separator: ", ")
    return page.framed(
      title: title, caption: caption,
      altText:
        "\(title). \(nodes.count.counted(as: "stage")), \(edges.count.counted(as: "connection")): \(names)."
    )
  }

  private static func check(
    _ edges: [GraphEdge], nodeCount: Int, figure: String
  ) throws(FigureError) {
    for edge in edges {
      for end in [edge.from, edge.to] where end < 0 || end >= nodeCount {
        throw .range(
          figure: figure, what: "the end of a connection", found: "\(end)",
          expected: "0 to \(nodeCount - 1)")
      }
    }
  }

  /// The strongest, in their old order; of equals the first.
  static func strongest(_ edges: [GraphEdge], limit: Int) -> [GraphEdge] {
    guard edges.count > max(0, limit) else { return edges }
    func strength(_ index: Int) -> Double {
      edges[index].weight.isNaN ? -.infinity : edges[index].weight
    }
    return edges.indices.sorted {
      strength($0) != strength($1) ? strength($0) > strength($1) : $0 < $1
    }.prefix(max(0, limit)).sorted().map { edges[$0] }
  }
}

extension Drawing {
  /// A curve downwards (or upwards) that ends in a filled head.
  mutating func arrow(from: Point, to: Point) {
    let down = to.y > from.y ? 1.0 : -1.0
    let bend = max(8, abs(to.y - from.y) * 0.4) * down
    let neck = Point(to.x, to.y - 6 * down)
    add(
      Path([
        .move(from), .curve(Point(from.x, from.y + bend), Point(neck.x, neck.y - bend), neck),
      ]), stroke: Stroke(Colour(110, 110, 110), width: 0.9))
    add(
      Path([
        .move(to), .line(Point(to.x - 3, to.y - 6.5 * down)),
        .line(Point(to.x + 3, to.y - 6.5 * down)), .close,
      ]), fill: Colour(110, 110, 110))
  }
}
