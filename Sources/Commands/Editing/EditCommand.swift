internal import Characters
internal import Figures
internal import Generation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let edit = Command(
    "edit", group: "Editing",
    "Runs again with changes, from the first step that they reach and no further back.",
    Parameter.object(
      "run", Run.self, typeName: "Run", expects: "a run, as run() gives",
      "The run that is changed; an edit's .after is one as well."),
    Parameter.list(
      of: .object(
        "changes", Change.self, typeName: "Change", expects: "a change, as change.zero() gives",
        "One change, or a list of them."), mayBeEmpty: false),
    returns: "an Edit: .before and .after, both runs; .divergence of what comes next, in nats; "
      + ".steps that ran again, of .of; .figure",
    details: """
      What ran before the first change is not run again: the state between two blocks is kept where \
      the run kept what the block gives, and always between two stages. The result equals a run from \
      nothing with the same changes, to the bit. Changes hold for the tokens of the answer as well.
      """,
    examples: [
      Example(
        "r = run(scene(7), \"Question: how many shapes are there? Answer:\")\n"
          + "e = edit(r, change.zero(\"language.blocks.1.attention.mixed\", head=0))\n"
          + "e.divergence",
        "Switch a head off, and see how the next token's probabilities move."),
      Example(
        "r = run(scene(7))\ne = edit(r, change.mask(patch=(3, 3)))\n"
          + "edit(e.after, change.scale(\"projection.output\", 2)).text",
        "An edit of an edit."),
    ], seeAlso: ["change.zero", "change.take", "change.mask", "edits", "run", "compare"]
  ) { session, run, changes in
    try session.checkMemory(
      model: run.model, input: run.input, keep: run.course.keep,
      newTokens: run.course.options?.maxNewTokens)
    let (after, first) = try Run.of(run, changedBy: changes, in: session)
    let stages = run.model.model.stages.of(run.input)
    return .object(
      Edit(
        before: run, after: after, changes: changes, first: first, stepCount: stages.steps.count,
        firstStep: stages.steps[first].roots.first?.description ?? ""))
  }

  static let edits = Command(
    "edits", group: "Editing", "A model that keeps changes: every run of it has them.",
    Parameter.object(
      "model", LoadedModel.self, typeName: "Model", expects: "a model, as load() gives",
      "The model that is changed."),
    Parameter.list(
      of: .object(
        "changes", Change.self, typeName: "Change", expects: "a change, as change.zero() gives",
        "One change, or a list of them; none takes all away.")),
    returns: "the Model, which is the one in use from now on",
    examples: [
      Example(
        "m = load(\"scenes\")\n"
          + "edits(m, change.zero(\"language.blocks.1.attention.mixed\", head=0))\n"
          + "run(scene(7)).text\nedits(m, []);",
        "A model without one of its heads, and whole again.")
    ], seeAlso: ["edit", "change.zero", "load"]
  ) { session, model, changes in
    var changed = model
    changed.changes = changes
    // A change that fits nothing is told now, not at the first run.
    let hasWords = changed.model.stages.contains { $0.branch == .text }
    let places =
      try changed.model.outline(Input(prompt: hasWords ? "a" : "")).places
      + (changed.model.matching?.matchingOutline(texts: ["a"]).places ?? [])
    try ResolvedChanges.check(changes, among: places, of: changed)
    session[CurrentModel.self] = changed
    return .object(changed)
  }
}

/// Two runs side by side: one as it was, and one with changes.
struct Edit: ForeignObject {
  let before, after: Run
  let changes: [Change]
  /// The first step that ran again.
  let first: Int
  let stepCount: Int
  let firstStep: String

  var typeName: String { "Edit" }
  var heldByteCount: Int { before.heldByteCount + after.heldByteCount }
  var brief: String { "edit of \(before.brief)" }

  /// What each run ended in, as probabilities with a name each; nil where it is no distribution.
  private var distributions: (names: [String], before: [Float], after: [Float])? {
    guard let a = before.scores, let b = after.scores, a.count == b.count else { return nil }
    let (p, q) = (a.softmax().elements, b.softmax().elements)
    let reach = p.indices.map { max(p[$0], q[$0]) }
    // A NaN stands behind all numbers.
    let order = p.indices.sorted { reach[$0] > reach[$1] || (!(reach[$1] > reach[$0]) && $0 < $1) }
      .prefix(8)
    return (order.map { before.scoreName($0) }, order.map { p[$0] }, order.map { q[$0] })
  }

  /// How far the second distribution is from the first, in nats; nil where there are none.
  var divergence: Double? {
    guard let a = before.scores, let b = after.scores, a.count == b.count else { return nil }
    return Divergence.nats(of: b, from: a)
  }

  var shown: String {
    var lines = [brief] + changes.map { "  \($0.written)" }
    func answer(_ run: Run) -> String {
      run.answer?.brief ?? run.topScore ?? "\(run.last?.shape ?? [])"
    }
    lines += ["before  \(answer(before))", "after   \(answer(after))"]
    if let distributions {
      lines.append(
        TextTable(
          [before.answer == nil ? "class" : "next token", "before", "after"],
          distributions.names.indices.prefix(5).map { index in
            [
              distributions.names[index],
              Percentage.text(distributions.before[index]),
              Percentage.text(distributions.after[index]),
            ]
          }
        ).text)
    } else if let a = before.last, let b = after.last, a.shape == b.shape {
      lines.append("cosine of both results: \(Digits.short(Difference(b, a).cosine))")
    }
    if let divergence {
      lines.append("divergence \(Digits.short(divergence)) nats")
    }
    lines.append(
      "\(stepCount - first) of \(stepCount.counted(as: "step")) ran again, from \(firstStep)")
    return lines.joined(separator: "\n")
  }

  var attributeNames: [String] {
    ["before", "after", "text", "divergence", "steps", "of", "changes", "figure", "table"]
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "before": .object(before)
    case "after": .object(after)
    case "text": try after.topScore.map { .text($0) } ?? after.attribute("text")
    case "divergence": divergence.map { .float($0) } ?? Value.none
    case "steps": .integer(stepCount - first)
    case "of": .integer(stepCount)
    case "changes": .newList(changes.map { .object($0) })
    case "table": .object(try table())
    case "figure": .object(try drawing())
    default: nil
    }
  }

  /// The likeliest of both, side by side.
  private func table() throws -> Table {
    guard let distributions else { throw noDistribution }
    return Table(
      [before.answer == nil ? "class" : "token", "before", "after"],
      distributions.names.indices.map { index in
        [
          .text(distributions.names[index]), .float(Double(distributions.before[index])),
          .float(Double(distributions.after[index])),
        ]
      })
  }

  private var noDistribution: RuntimeFailure {
    RuntimeFailure(
      .command,
      "\(before.model.name) ends in no probabilities; compare(e.before, e.after) shows "
        + "where both runs part")
  }
}

extension Edit {
  /// The likeliest of both as bars beside each other.
  fileprivate func drawing() throws -> Drawing {
    guard let distributions else { throw noDistribution }
    return Drawing(
      figure: try .pairs(
        zip(distributions.before, distributions.after).map { (Double($0), Double($1)) },
        labels: distributions.names, names: ("before", "after"),
        title: changes.map(\.written).joined(separator: "; "), valueName: "probability"))
  }
}
