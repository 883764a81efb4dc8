internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let compare = Command(
    "compare", group: "Looking", "Tells where two runs part, and which step is to blame.",
    Parameter.any(
      "first", expects: "a run, a trace, the result of a stage or a tensor", "One side."),
    Parameter.any("second", expects: "the same kind of thing", "The other side."),
    Parameter.flag("every", "A row for every place instead of one for every block."),
    returns: "a Table with a row a block, in the order of the run, and the first that parts",
    details: """
      How far the sides are apart as they ran stands under largest, relative, cosine and SNR. How \
      much each step adds by itself stands under own: the step is run again with the other side's \
      numbers, so nothing accumulates. floor is the error that arithmetic makes there, measured by \
      running the step once more in double precision; both are relative to the largest number. \
      times is own by floor, at the worst place inside: up to 8 is noise, up to 32 suspicious, more \
      a bug.

      The table's first, stage and verdict tell the same to a script.
      """,
    examples: [
      Example("compare(run(scene(7)), run(scene(8)))", "Two pictures: they differ, no step errs."),
      Example("compare(run(scene(7)), run(scene(7))).verdict", "Twice the same."),
    ], seeAlso: ["run", "describe"]
  ) { session, first, second, every in
    if let a = ComparedSide(first, called: "first"), let b = ComparedSide(second, called: "second")
    {
      return .object(try Table.comparing(a, b, byPlace: every, in: session))
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

  /// Two runs, judged by the model of one of them.
  static func comparing(
    _ a: ComparedSide, _ b: ComparedSide, byPlace: Bool, in session: Session
  ) throws -> Table {
    guard a.values.keys.contains(where: { b.values[$0] != nil }) else {
      throw ArgumentFailure(
        parameter: "second", "has no place in common with first",
        note: "first has \(a.values.count) places, second \(b.values.count)")
    }
    let known = a.model ?? b.model
    let model = try known ?? session.model()
    guard let judge = model.model as? any RepeatableModel else {
      throw RuntimeFailure(.command, "runs of \(model.name) cannot be made again")
    }
    let parting = try Parting(
      a.judged(by: judge), b.judged(by: judge), byPlace: byPlace
    ) { session.isCancelled }
    return PartingTable(
      parting: parting, judge: judge, inputs: b.inputs, names: [a.name, b.name]
    ).table
  }
}
