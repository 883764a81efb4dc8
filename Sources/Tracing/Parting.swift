internal import Synchronization
public import Tensors

/// Where two runs part: what separates them at every place, and how much of it each step has added
/// by itself.
///
/// One model, the judge, is run again on what each side started from, with that side's numbers at
/// every place. What a side has beyond the judge is the error of single steps; what the sides differ
/// in beyond that came from the steps before.
public struct Parting: Sendable {
  /// One of the two runs.
  public struct Side: Sendable {
    /// What it kept.
    public var values: [Address: Tensor]
    /// The judge, on what this side started from.
    public var judge: Replay
    /// The judge again, with other stand-ins for what is not known of the start; nil where all of it
    /// is known.
    public var otherStart: Replay?
    /// Another model that made the numbers, in a lower precision than the judge's, on what the
    /// *other* side started from; nil where the judge's own precision made them.
    public var coarser: Replay?
    /// Results of products whose weights this side has not in the lower precision.
    public var exact: Set<Address>

    /// A run.
    public init(
      values: [Address: Tensor], judge: @escaping Replay, otherStart: Replay? = nil,
      coarser: Replay? = nil, exact: Set<Address> = []
    ) {
      (self.values, self.judge, self.otherStart) = (values, judge, otherStart)
      (self.coarser, self.exact) = (coarser, exact)
    }
  }

  /// One place, or one part of the model.
  public struct Row: Sendable {
    /// The part, such as `vision.blocks.3`, or in a table of places the place.
    public let part: Address
    /// The place whose numbers are compared: the last that the part passes.
    public let place: Address
    /// What its axes count.
    public let axes: [Axis]
    /// How the sides differ there as they ran.
    public let accumulated: Difference
    /// The error of this part alone; nil where what goes into it is not known.
    public let own: OwnError?
    /// What the own error is, here or at the worst place inside.
    public let verdict: Verdict?
    /// The first place inside whose own error is no noise.
    public let firstInside: Address?
    /// What rounding to small integers made of the weights here, at the worst place inside; nil
    /// where there are none.
    public let rounding: Rounding?
    /// The entry of a batch that this row tells of; nil where there is one alone.
    public fileprivate(set) var entry: Int?
  }

  /// What rounding made of a product's weights.
  public struct Rounding: Sendable {
    /// The product's result.
    public let place: Address
    /// How far the weights are from those they were made of.
    public let error: RoundingError
  }

  /// The error that one step has added, beside the error that arithmetic makes there.
  public struct OwnError: Sendable {
    /// How large it is.
    public let size: ErrorSize
    /// What arithmetic makes of it.
    public let floor: ErrorSize
    /// The largest absolute number there, which errors are relative to.
    public let scale: Double
    /// How many times its floor the error is, here or at the worst place inside.
    public let ratio: Double
    /// Whether the floor is what a lower precision makes.
    public let isCoarse: Bool
  }

  /// A row a part, or a place, in the order of the run.
  public let rows: [Row]
  /// The first place where each side has NaN or infinity; nil where all are finite.
  public let broken: [BrokenNumber?]
  /// What only one of the sides has.
  public let onlyInFirst, onlyInSecond: [Address]

  /// The row where the runs part: the first with the worst verdict that is more than noise.
  public var first: Row? {
    guard let worst = verdict, worst > .noise else { return nil }
    return rows.first { $0.verdict == worst }
  }

  /// The worst verdict; nil where no step could be judged.
  public var verdict: Verdict? { rows.compactMap(\.verdict).max() }

  /// The first place where judge and side have tensors of different shapes.
  public let misshapen: Address?

  /// Compares two runs.
  ///
  /// - Parameters:
  ///   - byPlace: a row a place instead of a row a part.
  ///   - rounding: what a side's weights are like, by the place of a product's result.
  ///   - isCancelled: asked between blocks.
  ///   - progress: gets the share that is done, from 0 to 1, after every place of every pass.
  /// - Throws: what the replays throw; `Cancelled`.
  public init(
    _ first: Side, _ second: Side, byPlace: Bool = false,
    rounding: [Address: RoundingError] = [:],
    isCancelled: @escaping @Sendable () -> Bool = { false },
    progress: @escaping @Sendable (Double) -> Void = { _ in }
  ) throws {
    let common = first.values.filter { second.values[$0.key] != nil }
    let pair = [first, second].map { side in side.values.filter { common[$0.key] != nil } }
    let meter = Meter(
      effort: Measured.effort([first, second]) * (byPlace ? 1 : 2) + 1, report: progress)
    let fine = try Measured(
      [first, second], pair, at: { _ in true }, isCancelled: isCancelled, meter)
    let parts = Part.all(of: fine.places)
    let outputs = Set(parts.map(\.output.address))
    let coarse =
      byPlace
      ? nil
      : try Measured([first, second], pair, at: outputs.contains, isCancelled: isCancelled, meter)
    let measuring = meter.pass(steps: parts.count)
    rows = parts.flatMap { part -> [Row] in
      measuring()
      let inner = part.places.map {
        fine.row($0, of: $0.address, inside: [], rounding: rounding[$0.address])
      }
      if byPlace { return inner }
      return [coarse ?? fine].map { $0.row(part.output, of: part.address, inside: inner) }
    }
    misshapen = fine.places.lazy.map(\.address).first { fine.isMisshapen($0) }
    broken = pair.map { values in
      fine.places.lazy.compactMap { place in
        values[place.address].flatMap { BrokenNumber(in: $0, at: place) }
      }.first
    }
    onlyInFirst = first.values.keys.filter { second.values[$0] == nil }.sorted()
    onlyInSecond = second.values.keys.filter { first.values[$0] == nil }.sorted()
  }

  /// The entries of a batch as one: a row a part, of the entry that errs the worst.
  ///
  /// - Parameter home: the entry that a row tells of where none errs; nil for the one whose sides are
  ///   the farthest apart.
  /// - Precondition: at least one entry.
  public init(entries: [Parting], home: Int? = nil) {
    let others = entries.map { entry in
      Dictionary(entry.rows.map { ($0.part, $0) }, uniquingKeysWith: { first, _ in first })
    }
    rows = entries[0].rows.map { row in
      let candidates = others.enumerated().compactMap { number, rows -> Row? in
        var found = rows[row.part]
        found?.entry = number
        return found
      }
      let worst = candidates.compactMap(\.verdict).max() ?? .noise
      if worst > .noise {
        let guilty = candidates.filter { $0.verdict == worst }
        return guilty.max { ($0.own?.ratio ?? 0) < ($1.own?.ratio ?? 0) } ?? row
      }
      if let home { return candidates.first { $0.entry == home } ?? row }
      return candidates.max { $0.accumulated.relative < $1.accumulated.relative } ?? row
    }
    broken = entries[0].broken.indices.map { side in
      entries.enumerated().compactMap { number, entry in
        var found = entry.broken[side]
        found?.entry = number
        return found
      }.first
    }
    (onlyInFirst, onlyInSecond) = (entries[0].onlyInFirst, entries[0].onlyInSecond)
    misshapen = entries.compactMap(\.misshapen).first
  }

  /// The places of one part, in the order of the run.
  private struct Part {
    let address: Address
    var places: [ForcedRun.Place]
    var output: ForcedRun.Place

    static func all(of places: [ForcedRun.Place]) -> [Part] {
      var parts: [Part] = []
      var numbers: [Address: Int] = [:]
      for place in places {
        let address = place.address.part
        if let number = numbers[address] {
          parts[number].places.append(place)
          parts[number].output = place
        } else {
          numbers[address] = parts.count
          parts.append(Part(address: address, places: [place], output: place))
        }
      }
      return parts
    }
  }
}

/// How far several passes are, each counted in steps of its own.
private final class Meter: Sendable {
  private let effort: Double
  private let report: @Sendable (Double) -> Void
  /// The effort of all passes but the last, and how much of the last is done.
  private let state = Mutex((before: 0.0, last: 0.0, done: 0.0))

  /// - Parameter effort: of all passes together.
  init(effort: Double, report: @escaping @Sendable (Double) -> Void) {
    (self.effort, self.report) = (effort, report)
  }

  /// Begins a pass; what it gives is to be called after each step.
  func pass(steps: Int, effort weight: Double = 1) -> @Sendable () -> Void {
    state.withLock { $0 = ($0.before + $0.last, weight, 0) }
    return { [self] in
      let done = state.withLock { state in
        state.done = min(1, state.done + 1 / Double(max(1, steps)))
        return state.before + state.last * state.done
      }
      report(min(1, done / effort))
    }
  }
}

/// What forced runs with one set of cuts have computed.
private struct Measured {
  let given: [[Address: Tensor]]
  /// By the judge, on each side's numbers.
  let judged: [[Address: Tensor]]
  /// What the judge's arithmetic errs by, on the second side's numbers.
  let sums: [Address: ErrorSize]
  /// By a side's own model in lower precision, on the other side's numbers; nil where there is none.
  let coarser: [[Address: Tensor]?]
  /// Results of products that a side's lower precision leaves as they are.
  let exact: [Set<Address>]
  /// Places that depend on what is not known of a side's start.
  let unknown: Set<Address>
  let places: [ForcedRun.Place]

  /// How much longer a pass in double precision takes than others.
  private static let preciseEffort = 3.0

  /// What making this takes, in passes.
  static func effort(_ sides: [Parting.Side]) -> Double {
    let more = sides.flatMap { [$0.otherStart, $0.coarser] }.compactMap { $0 }
    return 2 + preciseEffort + Double(more.count)
  }

  init(
    _ sides: [Parting.Side], _ given: [[Address: Tensor]], at isCut: (Address) -> Bool,
    isCancelled: @escaping @Sendable () -> Bool, _ meter: Meter
  ) throws {
    let cuts = given[0].keys.count(where: isCut)
    func force(_ replay: Replay, _ values: [Address: Tensor]) throws -> ForcedRun {
      let step = meter.pass(steps: cuts)
      return try ForcedRun(replay, given: values, at: isCut, isCancelled: isCancelled) { _, _ in
        step()
        return true
      }
    }
    self.given = given
    let runs = try [force(sides[0].judge, given[0]), force(sides[1].judge, given[1])]
    places = runs[1].places
    judged = runs.map(\.computed)
    let found = Mutex<[Address: ErrorSize]>([:])
    let rounded = judged[1]
    let step = meter.pass(steps: cuts, effort: Self.preciseEffort)
    _ = try Arithmetic.$override.withValue(.float64) {
      // Only the sizes are kept: the tensors of a large model would need as much room again.
      try ForcedRun(
        sides[1].judge, given: given[1], at: isCut, isCancelled: isCancelled
      ) { address, precise in
        step()
        if let tensor = rounded[address], tensor.shape == precise.shape {
          found.withLock { $0[address] = ErrorSize(tensor, precise) }
        }
        return false
      }
    }
    sums = found.withLock { $0 }
    var unknown: Set<Address> = []
    for side in [0, 1] {
      guard let replay = sides[side].otherStart else { continue }
      let other = try force(replay, given[side]).computed
      for (address, tensor) in runs[side].computed where other[address] != tensor {
        unknown.insert(address)
      }
    }
    self.unknown = unknown
    exact = sides.map(\.exact)
    coarser = try [0, 1].map { side in
      try sides[side].coarser.map { try force($0, given[1 - side]).computed }
    }
  }

  func isMisshapen(_ address: Address) -> Bool {
    [0, 1].contains { given[$0][address]?.shape != judged[$0][address]?.shape }
  }

  func row(
    _ place: ForcedRun.Place, of part: Address, inside: [Parting.Row],
    rounding: RoundingError? = nil
  ) -> Parting.Row {
    let address = place.address
    let values = given.map { $0[address] ?? Tensor(0) }
    let own = unknown.contains(address) ? nil : own(at: address, values)
    let ratio = ([own] + inside.map(\.own)).compactMap { $0?.ratio }.max()
    let here = rounding.map { Parting.Rounding(place: address, error: $0) }
    let worst = ([here] + inside.map(\.rounding)).compactMap { $0 }
      .max { (Verdict($0.error), $0.error.ratio) < (Verdict($1.error), $1.error.ratio) }
    // What moving weights does depends on what they were moved for, and is no measured floor.
    let isMoved = ([here] + inside.map(\.rounding)).contains { $0?.error.movement != nil }
    let verdicts =
      [
        own.map { Verdict(ratio: $0.ratio, isCoarse: $0.isCoarse && !isMoved) },
        worst.map { Verdict($0.error) },
      ] + inside.map(\.verdict)
    return Parting.Row(
      part: part, place: address, axes: place.tap.axes,
      accumulated: Difference(values[0], values[1]), own: own?.with(ratio: ratio),
      verdict: verdicts.compactMap { $0 }.max(),
      firstInside: inside.first { $0.verdict ?? .noise > .noise }?.place, rounding: worst)
  }

  private func own(at address: Address, _ values: [Tensor]) -> Parting.OwnError {
    let computed = [0, 1].map { judged[$0][address] ?? values[$0] }
    let size: ErrorSize
    if isMisshapen(address) {
      // Sums never change a shape.
      size = ErrorSize(rootMeanSquare: .infinity, largest: .infinity, worst: 0)
    } else if values[0].shape == values[1].shape {
      size = ErrorSize(computed[0], given: values[0], computed[1], given: values[1])
    } else {
      let sizes = [0, 1].map { ErrorSize(computed[$0], values[$0]) }
      size = sizes[0].rootMeanSquare > sizes[1].rootMeanSquare ? sizes[0] : sizes[1]
    }
    // Each side has an error of its own.
    let sums = sums[address] ?? .none
    var floor = sums + sums + ErrorSize(rounding: values[1])
    var isCoarse = false
    for side in [0, 1] where !exact[side].contains(address) {
      guard let found = coarser[side]?[address], let other = judged[1 - side][address],
        found.shape == other.shape
      else { continue }
      let more = ErrorSize(found, other)
      isCoarse = isCoarse || more.rootMeanSquare > floor.rootMeanSquare
      floor = floor + more
    }
    let scale = values[1].elements.reduce(Float(0)) { $1.isFinite ? max($0, abs($1)) : $0 }
    return Parting.OwnError(
      size: size, floor: floor, scale: Double(scale), ratio: size.ratio(to: floor),
      isCoarse: isCoarse)
  }
}

extension Parting.OwnError {
  fileprivate func with(ratio: Double?) -> Self {
    Parting.OwnError(
      size: size, floor: floor, scale: scale, ratio: ratio ?? self.ratio, isCoarse: isCoarse)
  }
}
