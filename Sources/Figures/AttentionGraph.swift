public import Images
public import Tensors

/// A token or a patch of an attention graph.
public struct AttentionNode: Sendable, Equatable {
  /// What it is called: a token's text or a patch's number.
  public var name: String
  /// The patch's pixels, where it is one.
  public var picture: Image?

  /// Describes a token or a patch.
  public init(_ name: String, picture: Image? = nil) {
    (self.name, self.picture) = (name, picture)
  }
}

extension Figure {
  /// The strongest connections of an attention pattern: queries at the left, the keys that they
  /// attend to at the right, lines as wide as the weights.
  ///
  /// Queries and keys without a drawn connection are left out.
  ///
  /// - Parameters:
  ///   - pattern: `[T, S]`, a row a query, a column a key.
  ///   - queries: one a row.
  ///   - keys: one a column.
  ///   - edgeLimit: how many connections are drawn, at most 200.
  public static func attentionGraph(
    _ pattern: Tensor, title: String, queries: [AttentionNode], keys: [AttentionNode],
    edgeLimit: Int = 40
  ) throws(FigureError) -> Figure {
    guard pattern.rank == 2 else {
      throw .shape(figure: "attention graph", found: pattern.shape, expected: "[T, S]")
    }
    guard pattern.count > 0 else { throw .empty(figure: "attention graph", what: "connections") }
    guard queries.count == pattern.shape[0] else {
      throw .count(
        figure: "attention graph", what: "queries", found: queries.count,
        expected: pattern.shape[0])
    }
    guard keys.count == pattern.shape[1] else {
      throw .count(
        figure: "attention graph", what: "keys", found: keys.count, expected: pattern.shape[1])
    }
    let columns = keys.count
    let order = pattern.elements.indices.filter {
      pattern.elements[$0].isFinite && pattern.elements[$0] > 0
    }.sorted {
      let (a, b) = (pattern.elements[$0], pattern.elements[$1])
      return a != b ? a > b : $0 < $1
    }
    guard let strongest = order.first else {
      throw .empty(figure: "attention graph", what: "connections above zero")
    }
    let kept = order.prefix(min(200, max(1, edgeLimit))).sorted()
    let usedQueries = Array(Set(kept.map { $0 / columns })).sorted()
    let usedKeys = Array(Set(kept.map { $0 % columns })).sorted()
    let boxes = usedQueries.map { queries[$0] } + usedKeys.map { keys[$0] }
    let sizes = boxes.map { node in
      node.picture == nil ? (width: 96.0, height: 20.0) : (width: 96.0, height: 40.0)
    }
    let left = Dictionary(
      usedQueries.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { a, _ in a })
    let right = Dictionary(
      usedKeys.enumerated().map { ($0.element, $0.offset + usedQueries.count) },
      uniquingKeysWith: { a, _ in a })
    let edges = kept.map { index in
      (
        from: left[index / columns] ?? 0, to: right[index % columns] ?? 0,
        weight: pattern.elements[index]
      )
    }
    let layout = try GraphLayout(
      sizes: sizes, edges: edges.map { ($0.from, $0.to) }, isLevel: true)
    // Graphviz parts the two sides by little; long lines are easier to follow.
    let place = { (index: Int) -> Point in
      Point(index < usedQueries.count ? 0 : 300, layout.centres[index].y)
    }
    var page = Drawing()
    let most = pattern.elements[strongest]
    for edge in edges.sorted(by: { $0.weight < $1.weight }) {
      let share = Double(edge.weight / most)
      let from = Point(48, place(edge.from).y)
      let to = Point(300 - 48, place(edge.to).y)
      let tint = ColourMap.viridis.colours[min(255, Int(40 + share * 160))]
      page.add(
        Path([.move(from), .curve(Point(from.x + 70, from.y), Point(to.x - 70, to.y), to)]),
        stroke: Stroke(
          Colour(tint.red, tint.green, tint.blue, opacity: 0.35 + 0.6 * share),
          width: 0.4 + 4.6 * share))
    }
    for (index, node) in boxes.enumerated() {
      let (centre, size) = (place(index), sizes[index])
      let box = Rectangle(
        x: centre.x - 48, y: centre.y - size.height / 2, width: 96, height: size.height)
      page.add(
        Path(box, cornerRadius: 3), fill: Colour(245, 247, 250),
        stroke: Stroke(Colour(150, 168, 186)))
      var room = box
      if let picture = node.picture {
        let scale = 34 / Double(max(picture.width, picture.height))
        let (w, h) = (Double(picture.width) * scale, Double(picture.height) * scale)
        let area = Rectangle(x: box.x + 3, y: centre.y - h / 2, width: w, height: h)
        page.addThumbnail(picture, in: area)
        room = Rectangle(x: box.x + 40, y: box.y, width: 54, height: box.height)
      }
      page.centre(
        Label.fitted(Label.token(node.name), width: room.width - 8, size: 9), at: room.centre,
        width: room.width - 8)
    }
    let top = (page.bounds?.y ?? 0) - 8
    page.add(Text("query", at: Point(0, top), anchor: .middle, size: Drawing.axisSize))
    page.add(Text("key", at: Point(300, top), anchor: .middle, size: Drawing.axisSize))
    let hidden = pattern.count - kept.count
    let caption = [
      "A query at the left attends to keys at the right. Width and colour by weight, the widest is "
        + "\(Numeral.short(most)).",
      hidden > 0
        ? "The \(kept.count) strongest of \(Numeral.count(pattern.count)) connections; "
          + "\(Numeral.count(hidden)) are hidden." : nil,
      pattern.nonFiniteSentence == nil ? nil : "Connections without a finite weight are hidden.",
    ].compactMap { $0 }.joined(separator: " ")
    let query = Label.visible(queries[strongest / columns].name, limit: 60)
    let key = Label.visible(keys[strongest % columns].name, limit: 60)
    return page.framed(
      title: title, caption: caption,
      altText: "\(title). The strongest of \(pattern.count) connections, \(Numeral.short(most)), "
        + "runs from “\(query)” to “\(key)”.")
  }
}
