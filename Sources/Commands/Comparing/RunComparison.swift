internal import Budget
internal import Checkpoints
internal import Foundation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What can stand on one side of a comparison of runs.
enum ComparedThing {
  /// Numbers that are in memory, and what is known of how they came about.
  case side(ComparedSide)
  /// Numbers in a file.
  case file(TraceFile)
  /// The other side's run again, its model read in another precision: a word, or a dictionary by
  /// part.
  case precision(Value)
}

extension ComparedThing {
  /// How many runs it holds.
  fileprivate var entryCount: Int {
    if case .file(let file) = self { file.entryCount } else { 1 }
  }
}

/// Two runs, judged by the model of one of them.
struct RunComparison {
  let first: ComparedThing
  let second: ComparedThing
  var byPlace = false
  var isCancelled: @Sendable () -> Bool = { false }
  var report: @Sendable (Runtime.Progress) -> Void = { _ in }
  /// The memory that models which are read for this may take.
  var available = AvailableMemory.byteCount

  /// Refuses a comparison whose passes take more than there is: the numbers of both sides, and those
  /// of the steps made again and in double precision, lie beside each other.
  private func checkPasses(_ judge: any FamilyModel) throws {
    let sides = [first, second].compactMap { thing -> ComparedSide? in
      if case .side(let side) = thing { side } else { nil }
    }
    guard let input = sides.first?.input, let outline = try? judge.outline(input) else { return }
    let (bytes, overflow) = outline.byteCount.multipliedReportingOverflow(by: 4)
    try MemoryEstimate([.init("four passes of every place", overflow ? .max : bytes)]).check(
      of: "this", suggestion: "compare fewer places, or try all the same with memory(\"any\")",
      available: available)
  }

  /// Where they part.
  ///
  /// The model that loses the least judges, read as it is stored; the first of two that lose alike.
  ///
  /// - Parameter current: the model that judges where neither side brings one.
  func parted(current: () throws -> LoadedModel) throws -> PartingTable {
    let known = [first, second].compactMap(Self.model)
    let loss = known.map { LowerPrecision(of: $0).loss }
    let chosen = zip(loss, known).min { $0.0 < $1.0 }?.1
    var model = try chosen ?? current()
    if !model.precisions.isEmpty {
      let stored = try LoadedModel.read(model.checkpoint(), name: model.name)
      model = try stored.with(model.alike(stored.model))
    }
    let judge = model.model
    try checkPasses(judge)
    let counts = [first, second].map(\.entryCount)
    let count = counts.contains(1) ? counts.max() ?? 1 : counts.min() ?? 1
    var tables: [PartingTable] = []
    var home: (entry: Int, distance: Float)?
    for entry in 0..<count {
      let table = try parted(entry: entry, by: judge, of: model) { [report] share in
        let percent = 100 * (Double(entry) + share) / Double(count)
        report(Runtime.Progress("comparing (%)", completed: Int(percent), total: 100))
      }
      // One run against a batch: it is the entry with the same picture that it stands beside.
      let distance = table.parting.rows.first?.accumulated.relative ?? .infinity
      if counts.contains(1), distance < home?.distance ?? .infinity { home = (entry, distance) }
      tables.append(table)
    }
    var table = tables[0]
    if known.isEmpty, let place = table.parting.misshapen,
      !place.description.hasSuffix("tokens.output")
    {
      throw ArgumentFailure(
        parameter: "first", "is of another model than \(model.name): \(place) has another shape",
        note: "load(\"folder\") reads the model that made it")
    }
    if known.count == 2 { table.weights = WeightDifference(known[0], known[1]) }
    guard count > 1 else { return table }
    table.parting = Parting(entries: tables.map(\.parting), home: home?.entry)
    table.input = tables.flatMap(\.input)
    table.hasMisfits = tables.contains(where: \.hasMisfits)
    table.remarks.append("\(count) entries of a batch were compared")
    if counts[0] != counts[1], !counts.contains(1) {
      table.remarks.append(
        "first holds \(counts[0]) entries, second \(counts[1]): the first \(count) were compared")
    }
    return table
  }

  /// Where one entry's runs part.
  private func parted(
    entry: Int, by judge: any FamilyModel, of model: LoadedModel,
    progress: @escaping @Sendable (Double) -> Void
  ) throws -> PartingTable {
    let matched = [
      try side(first, entry, other: second, of: model, judge: judge),
      try side(second, entry, other: first, of: model, judge: judge),
    ]
    let sides = matched.map(\.side)
    guard sides[0].values.keys.contains(where: { sides[1].values[$0] != nil }) else {
      throw ArgumentFailure(
        parameter: "second", "has no place in common with first",
        note: "first has \(sides[0].values.count) places, second \(sides[1].values.count)")
    }
    let starts = starts(of: sides, judge: judge)
    let judged = try [0, 1].map { index in
      sides[index].judged(
        by: judge, from: starts[index],
        coarser: try sides[index].precision?.replay(
          model, on: starts[1 - index], owner: sides[index].model, available: available,
          progress: converting))
    }
    let parting = try Parting(
      judged[0], judged[1], byPlace: byPlace,
      rounding: entry == 0 ? try rounding(of: sides, against: judge) : [:],
      isCancelled: isCancelled, progress: progress)
    var table = PartingTable(
      parting: parting, judge: judge, input: [sides[1].input], names: sides.map(\.name),
      title: ComparedSide.title(of: sides[0], and: sides[1]),
      remarks: matched.flatMap(\.remarks)
        + [sides[0].answer(beside: sides[1], by: judge)].compactMap { $0 },
      hasMisfits: matched.contains(where: \.hasMisfits))
    table.parts = try judge.outline(starts[1]).places.map(\.address.part)
      .reduce(into: []) { parts, part in if parts.last != part { parts.append(part) } }
    return table
  }

  /// What each side is judged on: a file on the picture and words of the run beside it, and the
  /// second of two files on those of the first, where they say that they are the same.
  private func starts(
    of sides: [ComparedSide], judge: any FamilyModel
  ) -> [Input] {
    let isFile = [first, second].map { if case .file = $0 { true } else { false } }
    return [0, 1].map { index in
      let isJudgedByTheOther = isFile[index] && (!isFile[1 - index] || index == 1)
      // In a batch each entry has a picture of its own.
      guard isJudgedByTheOther, [first, second].allSatisfy({ $0.entryCount == 1 }) else {
        return sides[index].input
      }
      return sides[index].claimed(like: sides[1 - index], by: judge)
    }
  }

  /// What rounding to small integers made of the sides' weights, by the place of a product's result:
  /// the worse of both.
  private func rounding(
    of sides: [ComparedSide], against judge: any FamilyModel
  ) throws -> [Address: RoundingError] {
    var found: [Address: RoundingError] = [:]
    for side in sides {
      guard let model = side.model?.model else { continue }
      let places = try model.outline(side.input).places
      guard places.contains(where: { $0.weight?.isQuantized == true }) else { continue }
      var originals: [Address: StoredTensor] = [:]
      for place in try judge.outline(side.input).places { originals[place.address] = place.weight }
      for place in places {
        if isCancelled() { throw Cancelled() }
        guard let weight = place.weight, let original = originals[place.address],
          let error = RoundingError(of: weight, from: original)
        else { continue }
        if error.ratio >= found[place.address]?.ratio ?? 0 { found[place.address] = error }
      }
    }
    return found
  }

  /// Reports how much of a model is converted, and answers whether to go on.
  private func converting(_ done: Int, _ total: Int) -> Bool {
    report(.converting(done, of: total))
    return !isCancelled()
  }

  private static func model(_ thing: ComparedThing) -> LoadedModel? {
    if case .side(let side) = thing { side.model } else { nil }
  }

  private func side(
    _ thing: ComparedThing, _ entry: Int, other: ComparedThing, of model: LoadedModel,
    judge: any FamilyModel
  ) throws -> MatchedFile {
    switch thing {
    case .side(let side): return MatchedFile(side: side)
    case .file(let file):
      let beside: Input? = if case .side(let run) = other { run.input } else { nil }
      return try file.side(
        entry: min(entry, file.entryCount - 1), of: model, judge: judge, beside: beside)
    case .precision(let choice):
      guard case .side(let side) = other, side.model != nil,
        side.input.image != nil || side.input.pixels != nil
          || side.model?.model.needsPicture == false
      else {
        throw ArgumentFailure(
          parameter: "second", "is a precision, so first must be a run that can be made again",
          note: "run() gives one, and a stage, where nobody changed numbers on the way to it")
      }
      guard !side.isChanged else {
        throw ArgumentFailure(
          parameter: "second", "is a precision, so first must be a run without changes",
          note: "compare it with the run that it was changed from")
      }
      return MatchedFile(side: try again(side, in: choice, of: model))
    }
  }

  /// A side's run again, in another precision.
  private func again(
    _ side: ComparedSide, in choice: Value, of model: LoadedModel
  ) throws -> ComparedSide {
    let precisions: [String: Precision]
    do {
      precisions = try PrecisionChoice.read(dtype: choice, for: model.folder)
    } catch let failure as ArgumentFailure {
      throw ArgumentFailure(parameter: "second", failure.message, note: failure.note)
    }
    let checkpoint = try model.checkpoint()
    var coarse = LoadedModel(
      name: model.name, from: checkpoint,
      load: try .stoppable(
        checkpoint, precisions: precisions, available: available, progress: converting))
    coarse.precisions = precisions
    coarse = try coarse.with(model.alike(coarse.model))
    let kept = Set(side.values.keys)
    var trace = Trace { kept.contains($0) }
    trace.isCancelled = isCancelled
    try coarse.model.pass(side.input, trace: &trace)
    return ComparedSide(
      name: choice.text ?? "other precisions", trace: trace, model: coarse, input: side.input)
  }
}

extension ModelLoad {
  /// Reads a folder, each part in its precision, and throws `Cancelled` where that is stopped.
  ///
  /// - Parameter progress: called with bytes converted, of how many; `false` stops the reading.
  static func stoppable(
    _ folder: CheckpointFolder, precisions: [String: Precision],
    rounding: [String: ElementType] = [:], available: Int = AvailableMemory.byteCount,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Bool
  ) throws -> ModelLoad {
    do {
      return try ModelLoad(
        folder, precisions: precisions, rounding: rounding, available: available,
        progress: progress)
    } catch CheckpointError.stopped { throw Cancelled() }
  }
}

extension Runtime.Progress {
  /// How much of a model is converted, in bytes.
  static func converting(_ done: Int, of total: Int) -> Self {
    let unit = 1_000_000
    return Self(
      "converting weights (MB)", completed: done / unit, total: max(1, total / unit))
  }
}
