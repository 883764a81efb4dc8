internal import Figures
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What is needed to word where two runs part.
struct PartingTable {
  var parting: Parting
  let judge: any FamilyModel
  /// What the second side started from, by entry of a batch, for the words of a prompt.
  var input: [Input]
  let names: [String]
  /// What was compared, in words for a chart.
  let title: String
  /// What did not match, a line each.
  var remarks: [String] = []
  /// Whether a tensor of a file had another shape than its place.
  var hasMisfits = false
  /// The parts of the judge's run, in its order.
  var parts: [Address] = []
  /// How the weights of the sides' models differ; nil where a side brings none.
  var weights: WeightDifference?

  /// Whether all that could be compared has the same shape on both sides and is rounding.
  var isClean: Bool {
    parting.verdict == .noise && !hasMisfits && parting.broken.allSatisfy { $0 == nil }
      && !parting.rows.contains(where: \.hasTwoShapes)
  }

  /// Whether each side is a run of a model of its own: none of them can judge the other's steps.
  private var isOfTwoModels: Bool { weights?.isOfTwoModels == true }

  /// A verdict in a word; what another model's step makes is none of its errors.
  private func word(_ verdict: Verdict) -> String {
    isOfTwoModels && verdict > .noise ? "other model" : verdict.rawValue
  }

  /// The parts of which nothing was compared.
  private var uncompared: [Address] {
    let compared = Set(parting.rows.map(\.place.part))
    return parts.filter { !compared.contains($0) }
  }

  /// The parts just before a place of which nothing was compared: a mistake there shows at the place.
  private func gap(before place: Address) -> [Address] {
    let uncompared = Set(uncompared)
    guard let index = parts.firstIndex(of: place.part) else { return [] }
    return parts[..<index].reversed().prefix { uncompared.contains($0) }.reversed()
  }

  static let columns = [
    "place", "stage", "shape", "largest", "relative", "cosine", "SNR dB", "at", "own", "floor",
    "times", "verdict", "inside",
  ]

  func table() throws -> Table {
    // Only where weights are small integers is there something to say of their rounding.
    let isRounded = parting.rows.contains { $0.rounding != nil }
    var table = Table(
      Self.columns + (isRounded ? ["rounding"] : []),
      parting.rows.map { row in
        let rounding = row.rounding.map { Value.float($0.error.ratio) } ?? .text("")
        return cells(row) + (isRounded ? [rounding] : [])
      }, note: note)
    table.importance = [
      "place", "verdict", "times", "inside", "own", "floor", "relative", "stage", "rounding",
      "largest", "at", "shape",
    ]
    table.facts = [
      ("verdict", parting.verdict.map { .text(word($0)) } ?? Value.none),
      ("first", parting.first.map { .text(Self.guilty($0).description) } ?? Value.none),
      (
        "chart",
        try Value.object(Drawing(figure: figure()))
      ),
      ("stage", parting.first.map { .text(judge.stage(of: $0.place)) } ?? Value.none),
    ]
    return table
  }

  private func cells(_ row: Parting.Row) -> [Value] {
    let difference = row.accumulated
    let hasOneShape = !row.hasTwoShapes
    let scale = row.own.map { max($0.scale, .leastNormalMagnitude) } ?? 1
    return [
      .text(row.part.description), .text(judge.stage(of: row.place)),
      .text(
        hasOneShape
          ? "\(difference.shapes[0])" : "\(difference.shapes[0]) and \(difference.shapes[1])"),
      .float(Double(difference.largest)), .float(Double(difference.relative)),
      .float(difference.cosine), .float(difference.signalToNoise),
      .text(
        difference.largest == 0 || !hasOneShape
          ? ""
          : words(difference.worstPlace, axes: row.axes, at: row.place, entry: row.entry)),
      row.own.map { .float($0.size.largest / scale) } ?? .text("–"),
      row.own.map { .float($0.floor.largest / scale) } ?? .text("–"),
      row.own.map { .float($0.ratio) } ?? .text("–"),
      .text(row.verdict.map(word) ?? "–"), .text(row.firstInside.map { inner($0, of: row) } ?? ""),
    ]
  }

  /// Own errors of each part beside what arithmetic makes there.
  func figure() throws -> Figure {
    try Figure.errors(
      parting.rows.prefix(400).map { row in
        let scale = row.own.map { max($0.scale, .leastNormalMagnitude) } ?? 1
        return Figure.ErrorLine(
          row.part.description, accumulated: Double(row.accumulated.relative),
          own: row.own.map { $0.size.largest / scale },
          floor: row.own.map { $0.floor.largest / scale },
          remark: row.verdict.flatMap { $0 == .noise ? nil : word($0) })
      }, title: title)
  }

  /// Indices in words: `patch 3,4, channel 12`.
  private func words(
    _ index: [Int], axes: [Axis], at address: Address, entry: Int?
  ) -> String {
    let words = judge.words(
      index, axes: axes, at: address, input: input[min(entry ?? 0, input.count - 1)])
    return (entry.map { "entry \($0), " } ?? "") + words
  }

  private func inner(_ address: Address, of row: Parting.Row) -> String {
    let prefix = row.part.description + "."
    let text = address.description
    return text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
  }

  /// The place to look at.
  static func guilty(_ row: Parting.Row) -> Address { row.firstInside ?? row.place }

  private static func word(_ first: Parting.Row) -> String {
    first.verdict == .bug ? "part at" : "may part at"
  }

  /// What is wrong with weights that are more than noise.
  private static func sentence(_ error: RoundingError) -> String {
    let group = error.group.map { "group \($0) of " } ?? ""
    let times = Digits.short(error.ratio)
    guard let movement = error.movement else {
      return "the weights of \(group)row \(error.row) are \(times) times as far from those they "
        + "were made of as rounding to their steps is; at most "
        + "\(Digits.short(RoundingError.largestOfRounding)) can be that"
    }
    if movement.systematic > Verdict.roundingBugLimit {
      return "the weights of \(group)row \(error.row) are \(times) times as far from those they "
        + "were made of as rounding to their steps is, all along one line, as a wrong zero point or "
        + "scale makes them"
    }
    if movement.median > Verdict.movedNoiseLimit {
      return
        "half of all groups are \(Digits.short(movement.median)) times as far from the weights "
        + "they were made of as rounding to their steps is; where GPTQ moves them it is up to "
        + Digits.short(Verdict.movedNoiseLimit)
    }
    return "the weights of \(group)row \(error.row) are \(times) times as far from those they "
      + "were made of as rounding to their steps is; where GPTQ moves them it is up to "
      + Digits.short(Verdict.movedGroupNoiseLimit)
  }

  private var note: String {
    var lines: [String] = []
    if let place = parting.misshapen {
      let isWords = place.description.hasSuffix("tokens.output")
      lines.append(
        isWords
          ? "the sides read other numbers of tokens: from \(place) on, shapes differ"
          : "the sides are runs of different models: from \(place) on, shapes differ")
    } else if isOfTwoModels, let weights {
      let first = parting.rows.first { $0.verdict ?? .noise > .noise }
      lines.append(
        "the sides are runs of two models: \(weights.differing) of \(weights.compared) weights differ, "
          + "so no step is judged"
          + (first.map { "; what is no rounding begins at \($0.part)" } ?? ""))
    } else if let first = parting.first, let rounding = first.rounding,
      Verdict(rounding.error) > .noise,
      first.own.map({ Verdict(ratio: $0.ratio, isCoarse: $0.isCoarse) }) ?? .noise <= .noise
    {
      lines.append(
        "\(Self.word(first)) \(rounding.place) (\(judge.stage(of: first.place))): "
          + Self.sentence(rounding.error))
    } else if let first = parting.first, let own = first.own {
      lines.append(
        "\(Self.word(first)) \(Self.guilty(first)) (\(judge.stage(of: first.place)))"
          + "\(first.entry.map { ", entry \($0)" } ?? ""): its own error is "
          + (own.ratio.isFinite
            ? "\(Digits.short(own.ratio)) times what rounding does there"
            : "not finite, or its shape is another"))
      let gap = gap(before: Self.guilty(first))
      if let start = gap.first {
        lines.append(
          "it may come from any part since \(start): of "
            + "\(gap.count == 1 ? "that" : "those \(gap.count)") nothing was compared")
      }
    } else if parting.verdict == nil {
      lines.append("no step could be judged")
    } else if parting.rows.allSatisfy({ $0.accumulated.largest == 0 }) {
      lines.append("the same numbers at all \(parting.rows.count) places")
    } else {
      let start = parting.rows.first { $0.accumulated.largest != 0 }
      lines.append(
        "no step has an error of its own beyond rounding"
          + (start.map { "; the differences begin at \($0.part)" } ?? ""))
    }
    let moved = parting.rows.count { $0.rounding?.error.movement != nil }
    if moved > 0 {
      lines.append(
        "in \(moved) of \(parting.rows.count) parts the integers are not the nearest to the weights: "
          + "GPTQ moves them so, to make up for its own errors")
    }
    for (broken, name) in zip(parting.broken, names) {
      guard let broken else { continue }
      let place = words(broken.index, axes: broken.axes, at: broken.address, entry: broken.entry)
      lines.append("\(name) holds \(broken.kind) first at \(broken.address): \(place)")
    }
    let lonely = parting.onlyInFirst.count + parting.onlyInSecond.count
    if lonely > 0 { lines.append("\(lonely) places are on one side only") }
    let uncompared = uncompared
    if !uncompared.isEmpty {
      lines.append(
        "not compared: \(uncompared.count) of \(parts.count) parts, "
          + uncompared.prefix(6).map(\.description).joined(separator: ", ")
          + (uncompared.count > 6 ? ", …" : ""))
    }
    lines += remarks
    return lines.joined(separator: "\n")
  }
}

extension Parting.Row {
  /// Whether the sides have tensors of different shapes here.
  fileprivate var hasTwoShapes: Bool { accumulated.shapes[0] != accumulated.shapes[1] }
}
