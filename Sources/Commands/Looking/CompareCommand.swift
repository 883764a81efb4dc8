internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let compare = Command(
    "compare", group: "Looking", "Tells where two runs, traces or tensors part.",
    Parameter.any(
      "first", expects: "a run, a trace, the result of a stage or a tensor", "One side."),
    Parameter.any("second", expects: "the same kind of thing", "The other side."),
    Parameter.number(
      "tolerance", in: 0...1, default: 0.0001,
      "Differences up to this count as rounding, relative to the largest number of a place."),
    returns: "a Table with a row a place, in the order of the run, and the first that parts",
    examples: [
      Example("compare(run(scene(7)), run(scene(8)))", "Where do two pictures part?"),
      Example("compare(run(scene(7)), run(scene(7)))[\"largest\"][0]", "Twice the same: nowhere."),
    ], seeAlso: ["run", "describe"]
  ) { _, first, second, tolerance in
    if let a = first.trace, let b = second.trace {
      return .object(try Table.comparing(a, b, tolerance: Float(tolerance)))
    }
    guard let a = first.tensor, let b = second.tensor else {
      throw ArgumentFailure(
        parameter: "second",
        "must be the same kind of thing as first, not \(second.inMessage)",
        note: "runs, traces and results of stages have places; tensors compare with tensors")
    }
    return .object(
      Table(Table.differenceColumns, [Table.row("tensor", Difference(a, b))]))
  }
}

extension Table {
  static let differenceColumns = [
    "place", "shape", "largest", "relative", "cosine", "SNR dB", "at",
  ]

  static func row(_ name: String, _ difference: Difference) -> [Value] {
    let shape =
      difference.shapes[0] == difference.shapes[1]
      ? "\(difference.shapes[0])" : "\(difference.shapes[0]) and \(difference.shapes[1])"
    return [
      .text(name), .text(shape), .float(Double(difference.largest)),
      .float(Double(difference.relative)), .float(difference.cosine),
      .float(difference.signalToNoise),
      .text(difference.largest == 0 ? "" : "\(difference.worstPlace)"),
    ]
  }

  /// One row a place that both traces hold.
  static func comparing(_ a: Trace, _ b: Trace, tolerance: Float) throws -> Table {
    let comparison = Comparison(a, b)
    guard !comparison.places.isEmpty else {
      throw ArgumentFailure(
        parameter: "second", "has no place in common with first",
        note: "first has \(comparison.onlyInFirst.count) places, second "
          + "\(comparison.onlyInSecond.count)")
    }
    let apart = comparison.firstApart(tolerance: tolerance)
    var note =
      apart.map {
        "part first at \($0.address): relative difference "
          + Digits.short(Double($0.difference.relative))
      } ?? "all \(comparison.places.count) places agree within \(Digits.short(Double(tolerance)))"
    let lonely = comparison.onlyInFirst.count + comparison.onlyInSecond.count
    if lonely > 0 { note += "; \(lonely) places are on one side only" }
    return Table(
      differenceColumns, comparison.places.map { row($0.address.description, $0.difference) },
      note: note)
  }
}
