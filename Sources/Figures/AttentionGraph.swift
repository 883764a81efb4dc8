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
  /// The most queries, and the most keys, that an attention's graph has: as many as fit on a page.
  static let graphSideLimit = 44

  /// The strongest connections of an attention pattern: queries at the left, the keys that they
  /// attend to at the right, both in their order, lines as wide as the weights.
  ///
  /// Queries and keys without a drawn connection are left out, and so are connections that would need
  /// more of either than fit on a page.
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
    let wanted = min(200, max(1, edgeLimit))
    var (kept, usedQueries, usedKeys) = ([Int](), Set<Int>(), Set<Int>())
    for index in order where kept.count < wanted {
      let (query, key) = (index / columns, index % columns)
      guard usedQueries.contains(query) || usedQueries.count < graphSideLimit,
        usedKeys.contains(key) || usedKeys.count < graphSideLimit
      else { continue }
      kept.append(index)
      usedQueries.insert(query)
      usedKeys.insert(key)
    }
    let left = GraphColumn(usedQueries, of: queries, x: 0)
    let right = GraphColumn(usedKeys, of: keys, x: 320)
    let height = max(left.height, right.height)
    let (leftTop, rightTop) = ((height - left.height) / 2, (height - right.height) / 2)
    var page = Drawing()
    let most = pattern.elements[strongest]
    // The strongest above the others.
    for index in kept.reversed() {
      let share = Double(pattern.elements[index] / most)
      let from = Point(left.x + GraphColumn.width, leftTop + left.middle(of: index / columns))
      let to = Point(right.x, rightTop + right.middle(of: index % columns))
      let tint = ColourMap.viridis.colours[min(255, Int(40 + share * 160))]
      page.add(
        Path([.move(from), .curve(Point(from.x + 80, from.y), Point(to.x - 80, to.y), to)]),
        stroke: Stroke(
          Colour(tint.red, tint.green, tint.blue, opacity: 0.35 + 0.6 * share),
          width: 0.4 + 4.6 * share))
    }
    page.add(left, top: leftTop)
    page.add(right, top: rightTop)
    for (column, name) in [(left, "query"), (right, "key")] {
      page.add(
        Text(
          name, at: Point(column.x + GraphColumn.width / 2, -8), anchor: .middle,
          size: Drawing.axisSize))
    }
    let hidden = pattern.count - kept.count
    let isCrowded = kept.count < min(wanted, order.count)
    let caption = [
      "A query at the left attends to keys at the right, both in their order. Width and colour by "
        + "weight, the widest is \(Numeral.short(most)).",
      hidden > 0
        ? "Drawn: the \(kept.count) strongest of \(Numeral.count(pattern.count)) connections"
          + (isCrowded ? " among \(graphSideLimit) queries and keys at most" : "")
          + "; \(Numeral.count(hidden)) are hidden." : nil,
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

/// The queries or the keys of an attention's graph, one below the other in their order.
private struct GraphColumn {
  static let width = 110.0
  let x: Double
  /// Their numbers, and what they are.
  let nodes: [(number: Int, node: AttentionNode)]
  private let places: [Int: Int]
  private let step: Double

  init(_ used: Set<Int>, of all: [AttentionNode], x: Double) {
    self.x = x
    let numbers = used.sorted()
    nodes = numbers.map { ($0, all[$0]) }
    places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($0.element, $0.offset) })
    step = nodes.contains { $0.node.picture != nil } ? 36 : 24
  }

  var height: Double { Double(nodes.count) * step }

  /// How far the middle of a node is below the column's top.
  func middle(of number: Int) -> Double { (Double(places[number] ?? 0) + 0.5) * step }

  /// The box of a node.
  func box(of number: Int, top: Double) -> Rectangle {
    let side = step - 4
    return Rectangle(
      x: x, y: top + middle(of: number) - side / 2, width: Self.width, height: side)
  }
}

extension Drawing {
  fileprivate mutating func add(_ column: GraphColumn, top: Double) {
    for (number, node) in column.nodes {
      let box = column.box(of: number, top: top)
      add(
        Path(box, cornerRadius: 3), fill: Colour(245, 247, 250),
        stroke: Stroke(Colour(150, 168, 186)))
      var room = box
      if let picture = node.picture {
        let side = box.height - 4
        let scale = side / Double(max(picture.width, picture.height))
        let (w, h) = (Double(picture.width) * scale, Double(picture.height) * scale)
        addThumbnail(
          picture, in: Rectangle(x: box.x + 3, y: box.centre.y - h / 2, width: w, height: h))
        room = Rectangle(
          x: box.x + side + 4, y: box.y, width: box.width - side - 6, height: box.height)
      }
      centre(
        Label.fitted(Label.token(node.name), width: room.width - 8, size: 9), at: room.centre,
        width: room.width - 8)
    }
  }
}
