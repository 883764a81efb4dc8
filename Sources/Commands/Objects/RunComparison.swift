internal import Models
internal import Runtime
internal import Tracing

/// What can stand on one side of a comparison of runs.
enum ComparedThing {
  /// Numbers that are in memory, and what is known of how they came about.
  case side(ComparedSide)
  /// Numbers in a file.
  case file(TraceFile)
}

/// Two runs, judged by the model of one of them.
struct RunComparison {
  let first: ComparedThing
  let second: ComparedThing
  var byPlace = false
  var isCancelled: @Sendable () -> Bool = { false }

  /// Where they part.
  ///
  /// - Parameter current: the model that judges where neither side brings one.
  func parted(current: () throws -> LoadedModel) throws -> PartingTable {
    let model = try known(first) ?? known(second) ?? current()
    guard let judge = model.model as? any RepeatableModel else {
      throw RuntimeFailure(.command, "runs of \(model.name) cannot be made again")
    }
    let matched = try [first, second].map { try side($0, of: model, judge: judge) }
    let (a, b) = (matched[0].side, matched[1].side)
    guard a.values.keys.contains(where: { b.values[$0] != nil }) else {
      throw ArgumentFailure(
        parameter: "second", "has no place in common with first",
        note: "first has \(a.values.count) places, second \(b.values.count)")
    }
    let parting = try Parting(
      a.judged(by: judge), b.judged(by: judge), byPlace: byPlace, isCancelled: isCancelled)
    if known(first) == nil, known(second) == nil, let place = parting.misshapen {
      throw ArgumentFailure(
        parameter: "first", "is of another model than \(model.name): \(place) has another shape",
        note: "load(\"folder\") reads the model that made it")
    }
    return PartingTable(
      parting: parting, judge: judge, inputs: b.inputs, names: [a.name, b.name],
      remarks: matched.flatMap(\.remarks), hasMisfits: matched.contains(where: \.hasMisfits))
  }

  private func known(_ thing: ComparedThing) -> LoadedModel? {
    if case .side(let side) = thing { side.model } else { nil }
  }

  private func side(
    _ thing: ComparedThing, of model: LoadedModel, judge: any RepeatableModel
  ) throws -> MatchedFile {
    switch thing {
    case .side(let side): MatchedFile(side: side)
    case .file(let file): try file.side(of: model, judge: judge, isCancelled: isCancelled)
    }
  }
}
