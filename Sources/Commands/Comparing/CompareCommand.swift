internal import Checkpoints
internal import Language
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let compare = Command(
    "compare", group: "Looking", "Tells where two runs part, and which step is to blame.",
    Parameter.any(
      "first",
      expects: "a run, a trace, the path of a trace's file, the result of a stage or a tensor",
      "One side."),
    Parameter.any(
      "second", expects: "the same kind of thing, or a precision as load() takes it",
      choices: Precision.allCases.map(\.rawValue),
      "The other side; a precision runs the first again with its weights so."),
    Parameter.flag("every", "A row for every place instead of one for every block."),
    returns: "a Table with a row a block, in the order of the run, and the first that parts",
    details: """
      How far the sides are apart as they ran stands under largest, relative, cosine and SNR. How \
      much each step adds by itself stands under own: the step is run again with the other side's \
      numbers, so nothing accumulates. floor is the error that arithmetic makes there, measured by \
      running the step once more in double precision; both are relative to the largest number. \
      times is own by floor, at the worst place inside: up to 16 is noise, up to 64 suspicious, more \
      a bug.

      A file is Fovea's own, by save() or `fovea trace`, or what hooks in the published \
      implementation kept under module paths; the model in use must be the one that ran. \
      Beside a run it is judged on that run's picture and words, unless it says that its own are \
      others, so that wrong pixels and token ids show. \
      `scripts/dump-hf.py` makes such a file.

      Where a side was made in lower precision, the floor is what that precision does to the same \
      steps of the model that judges, on the other side's numbers; weights as integers and results \
      in half precision are noise then, and a damaged layer still is not.

      The table's first, stage and verdict tell the same to a script; chart draws own errors and \
      floors.
      """,
    examples: [
      Example("compare(run(scene(7)), run(scene(8)))", "Two pictures: they differ, no step errs."),
      Example("compare(run(scene(7)), run(scene(7))).verdict", "Twice the same."),
      Example(
        "r = run(scene(7))\nsave(r.trace, \"run.safetensors\")\n"
          + "compare(r, \"fovea-out/run.safetensors\").verdict",
        "A run and a file."),
      Example("compare(run(scene(7)), \"int8\")", "What do 8 bits a weight cost, and where?"),
    ], seeAlso: ["run", "bill", "load"]
  ) { session, first, second, every in
    if let a = try first.compared(called: "first", in: session),
      let b = try second.compared(called: "second", in: session)
    {
      let comparison = RunComparison(
        first: a, second: b, byPlace: every, isCancelled: { session.isCancelled },
        report: { session.report($0) }, available: session.availableMemory)
      return .object(try comparison.parted(current: session.model).table())
    }
    guard let a = first.tensor, let b = second.tensor else {
      throw ArgumentFailure(
        parameter: "second",
        "must be the same kind of thing as first, not \(second.inMessage)",
        note: "runs, traces, files of traces and results of stages have places; tensors compare "
          + "with tensors")
    }
    var table = Table(Table.differenceColumns, [Table.row("tensor", Difference(a, b))])
    table.importance = ["place", "largest", "relative", "cosine", "at", "shape"]
    return .object(table)
  }
}

extension Value {
  /// A run, a trace, an answer, the result of a stage or a file's path as one side of a comparison;
  /// nil for other values.
  fileprivate func compared(called name: String, in session: Session) throws -> ComparedThing? {
    if case .dictionary = self, name == "second" { return .precision(self) }
    if let text {
      if name == "second", Precision(word: text) != nil { return .precision(self) }
      guard text.hasSuffix(".safetensors") else {
        let words = Precision.allCases.map(\.rawValue)
        throw ArgumentFailure(
          parameter: name,
          "must be a file of a trace, which ends in .safetensors, not \(inMessage)",
          note: NearestName.hint(text, among: words)
            ?? "second may be a precision as well: " + words.joined(separator: ", "))
      }
      return .file(try TraceFile(session.readableURL(for: text)))
    }
    return ComparedSide(self, called: name).map { .side($0) }
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
}
