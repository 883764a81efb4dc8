internal import CGraphviz
internal import Images
internal import Synchronization

// The only file that knows Graphviz. It is given boxes and edges, never text, and asked for places;
// it reads and writes no file.

/// Where the boxes of a graph go.
struct GraphLayout {
  /// The middle of every box, y downwards, in points.
  let centres: [Point]

  /// The library keeps state of its own between calls.
  private static let turn = Mutex(())

  /// Lays boxes out in layers, downwards along the edges.
  ///
  /// - Parameters:
  ///   - sizes: width and height of each box in points.
  ///   - edges: pairs of numbers of boxes.
  init(
    sizes: [(width: Double, height: Double)], edges: [(from: Int, to: Int)]
  ) throws(FigureError) {
    let result = Self.turn.withLock { _ in
      Self.laidOut(sizes: sizes, edges: edges)
    }
    guard let result else { throw .layout("Graphviz gave no places for \(sizes.count) boxes") }
    centres = result
  }

  private static func laidOut(
    sizes: [(width: Double, height: Double)], edges: [(from: Int, to: Int)]
  ) -> [Point]? {
    guard let context = gvContext() else { return nil }
    defer { gvFreeContext(context) }
    var kind = Agdesc_t()
    (kind.directed, kind.strict, kind.maingraph) = (1, 1, 1)
    guard let graph = agopen(nil, kind, nil) else { return nil }
    defer { agclose(graph) }
    declare("rankdir", "TB", in: graph)
    declare("ranksep", "0.4", in: graph)
    declare("nodesep", "0.3", in: graph)
    // Edges are drawn here, so Graphviz need not route them; the limits bound its search.
    declare("splines", "false", in: graph)
    declare("nslimit", "2", in: graph)
    declare("nslimit1", "2", in: graph)
    declare("mclimit", "0.5", in: graph)
    declare("label", "", ofNodes: true, in: graph)
    declare("shape", "box", ofNodes: true, in: graph)
    declare("fixedsize", "true", ofNodes: true, in: graph)
    declare("width", "1", ofNodes: true, in: graph)
    declare("height", "1", ofNodes: true, in: graph)
    declare("pos", "", ofNodes: true, in: graph)
    var nodes: [UnsafeMutablePointer<Agnode_t>] = []
    for size in sizes {
      guard let node = agnode(graph, nil, 1) else { return nil }
      set("width", "\(size.width / 72)", of: node)
      set("height", "\(size.height / 72)", of: node)
      nodes.append(node)
    }
    for edge in edges { agedge(graph, nodes[edge.from], nodes[edge.to], nil, 1) }
    guard gvLayout(context, graph, "dot") == 0 else { return nil }
    defer { gvFreeLayout(context, graph) }
    attach_attrs(graph)
    var places: [Point] = []
    for node in nodes {
      guard let text = value("pos", of: node) else { return nil }
      let numbers = text.split(separator: ",").compactMap { Double($0) }
      guard numbers.count == 2 else { return nil }
      places.append(Point(numbers[0], -numbers[1]))
    }
    return places
  }

  // Graphviz takes names as mutable text, though it only reads them.

  private static func declare(
    _ name: String, _ value: String, ofNodes: Bool = false,
    in graph: UnsafeMutablePointer<Agraph_t>
  ) {
    var (name, value) = (Array(name.utf8CString), Array(value.utf8CString))
    agattr(graph, ofNodes ? 1 : 0, &name, &value)
  }

  private static func set(
    _ name: String, _ value: String, of node: UnsafeMutablePointer<Agnode_t>
  ) {
    var (name, value) = (Array(name.utf8CString), Array(value.utf8CString))
    agset(node, &name, &value)
  }

  private static func value(
    _ name: String, of node: UnsafeMutablePointer<Agnode_t>
  ) -> String? {
    var name = Array(name.utf8CString)
    return agget(node, &name).map { String(cString: $0) }
  }
}
