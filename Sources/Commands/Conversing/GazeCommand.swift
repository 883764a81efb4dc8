internal import Budget
internal import Characters
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let gaze = Command(
    "gaze", group: "Conversation",
    "Shows what a word of an answer looked at: each turn, and each picture, patch by patch.",
    Parameter.object(
      "answer", Run.self, typeName: "Run", expects: "an answer of chat()", "The answer."),
    Parameter.integer(
      "step", in: 0...100_000, default: 0, "Which token of the answer; 0 is the first."),
    Parameter.optional(
      .integer("block", in: 0...1000, "The block, counted from 0; None for the mean of all.")),
    Parameter.optional(
      .integer("head", in: 0...1000, "The head, counted from 0; None for the mean of all.")),
    returns: "a Gaze: a share for each part of the context, and a map for each picture",
    details: """
      The token that writes a word is the one before it: its attention is read off the language \
      model, block by block. What falls on a picture's rows is followed through the attention by \
      which each row was gathered from the patches. Shares add up to 1.
      """,
    examples: [
      Example(
        "a = chat(scene(7), \"what color is the star?\")\ng = gaze(a)\ng",
        "Which part of the conversation the first word was written from."),
      Example(
        "s = scene(7)\ng = gaze(chat(s, \"what color is the star?\"))\n"
          + "save(overlay(g.maps[0], s), \"gaze.png\")", "And where in the picture."),
    ], seeAlso: ["chat", "attention", "overlay"]
  ) { session, run, step, block, head in
    guard let context = try run.context, let answer = run.answer,
      let writer = run.model.model.writing,
      let tower = run.model.model.towers.first(where: { $0.name == "language" }),
      let place = tower.attentions.first, let sequence = run.course.last[.sequence]
    else {
      throw ArgumentFailure(parameter: "answer", "must be an answer of chat()")
    }
    let tokens = answer.answer.generated.tokens
    guard step < tokens.count else {
      throw ArgumentFailure(
        parameter: "step", "must be a whole number from 0 to \(tokens.count - 1), not \(step)",
        note: "this answer has \(tokens.count.counted(as: "token"))")
    }
    for (name, given, count) in [
      ("block", block, tower.blockCount), ("head", head, tower.headCount),
    ] where given.map({ $0 >= count }) ?? false {
      throw ArgumentFailure(
        parameter: name, "must be a whole number from 0 to \(count - 1), not \(given ?? 0)")
    }
    let addresses = (block.map { [$0] } ?? Array(0..<tower.blockCount)).map {
      place.address(block: $0)
    }
    let kept = Set(addresses)
    var trace = Trace { kept.contains($0) }
    (trace.alterations, trace.isCancelled) = (run.course.alterations, { session.isCancelled })
    if step == 0 {
      // What the run has kept need not be made again.
      if addresses.allSatisfy({ run.trace[$0] != nil }) {
        trace = run.trace
      } else {
        _ = try writer.read(sequence, trace: &trace)
      }
    } else {
      try writer.follow(run.course.last, by: Array(tokens[..<step]), trace: &trace)
    }
    var rows: [Tensor] = []  // each [K]
    for pattern in addresses.compactMap({ trace[$0] }) {
      let last = pattern.shape[1] - 1
      rows += (head.map { [$0] } ?? Array(0..<pattern.shape[0])).map {
        pattern.row($0).row(last)
      }
    }
    let sum = rows.dropFirst().reduce(rows[0]) { $0 + $1 }
    let count = Float(rows.count)
    return .object(
      try Gaze(
        look: sum.map { $0 / count }, context: context, run: run,
        gathered: try run.gathered(for: context, in: session),
        title: answer.tokenizer.visible(tokens[step])))
  }
}

extension Run {
  /// Where the rows of the first picture are gathered from its patches; nil of a model without such a layer.
  fileprivate var gathering: Address? {
    let cross = model.model.towers.flatMap(\.attentions).last { $0.kind == "cross" }
    return cross.flatMap { cross in cross.blocks.last.map { cross.address(block: $0) } }
  }

  /// A trace that has how the rows of every picture were gathered: that of the run, or, where it kept less, of the
  /// stages up to there again.
  fileprivate func gathered(for context: ContextView, in session: Session) throws -> Trace {
    let ways = context.context.parts.count { if case .picture = $0.kind { true } else { false } }
    guard let place = gathering, (0..<ways).contains(where: { trace[place.ofPicture($0)] == nil })
    else { return trace }
    var again = Trace { $0.picture.place == place }
    (again.alterations, again.isCancelled) = (course.alterations, { session.isCancelled })
    _ = try model.model.run(input, through: model.model.stage(of: place), trace: &again)
    return again
  }
}

/// What a word of an answer looked at.
struct Gaze: ForeignObject {
  /// A part of the context: what it is, and its share.
  struct Share: Sendable {
    let what: String
    var tokens: Int
    var share: Float
  }

  /// `[K]`: a share a token of the context and of the answer before the word; they add up to 1.
  let look: Tensor
  /// The word.
  let title: String
  /// One a part.
  let shares: [Share]
  /// For each picture a number a patch.
  let maps: [PatchMap]

  /// - Parameter gathered: has how every picture's rows were gathered from its patches.
  init(look: Tensor, context: ContextView, run: Run, gathered: Trace, title: String) throws {
    (self.look, self.title) = (look, title)
    let numbers = look.elements
    var shares: [Share] = []
    var maps: [PatchMap] = []
    // Views of pictures come in the order of their ways through the model.
    var (way, views) = (0, [Int: [PatchMap]]())
    for part in context.context.parts {
      let share = numbers[part.tokens].reduce(0, +)
      let name = context.name(of: part)
      if let last = shares.lastIndex(where: { $0.what == name }) {
        shares[last].tokens += part.tokens.count
        shares[last].share += share
      } else {
        shares.append(Share(what: name, tokens: part.tokens.count, share: share))
      }
      guard case .picture(let index, let view) = part.kind else { continue }
      defer { way += 1 }
      let rows = Tensor(Array(numbers[part.tokens]), shape: [1, part.tokens.count])
      guard let map = try Self.map(rows, way: way, run, gathered) else { continue }
      let shown = "picture \(index + 1)" + (view.map { ", \(PictureView.name(of: $0))" } ?? "")
      let own = PatchMap(
        numbers: map, subject: "\(shown), seen for \(title)", model: run.model, view: view)
      guard view != nil else {
        maps.append(own)
        continue
      }
      views[index, default: []].append(own)
    }
    for (index, parts) in views.sorted(by: { $0.key < $1.key }) {
      guard let seer = run.model.model.seeing, run.input.pictures.indices.contains(index),
        let image = run.input.pictures[index].image
      else { continue }
      let together = try ViewedMap(
        parts.map { (try seer.way(of: image.size, view: $0.view), $0.numbers) })
      maps.append(
        PatchMap(
          numbers: together.numbers, subject: "picture \(index + 1), seen for \(title)",
          model: run.model, views: parts))
    }
    let read = context.context.ids.count
    if numbers.count > read {
      shares.append(
        Share(
          what: "the answer so far", tokens: numbers.count - read,
          share: numbers[read...].reduce(0, +)))
    }
    (self.shares, self.maps) = (shares, maps)
  }

  /// A share a row of a picture, followed to its patches, `[rows, columns]`.
  private static func map(
    _ rows: Tensor, way: Int, _ run: Run, _ gathered: Trace
  ) throws -> Tensor? {
    guard let pattern = run.gathering.flatMap({ gathered[$0.ofPicture(way)] }),
      let grid = try run.model.model.seeing?.patches(of: run.input, at: way)
    else { return nil }
    return grid.map(ofLook: rows.matmul(pattern.mean(axis: 0)))  // of [1, T]
  }

  var typeName: String { "Gaze" }
  var tensor: Tensor? { look }
  var provenance: Provenance? { Provenance("what \(title) looked at") }

  var shown: String {
    let rows = shares.map { [$0.what, "\($0.tokens)", Percentage.text($0.share)] }
    return "\(title.visibleOnOneLine) looked at\n"
      + TextTable(["what", "tokens", "share"], rows, rightAligned: [false, true, true]).text
      + (maps.isEmpty
        ? ""
        : "\n.maps[0] lies on the patches of the first picture: overlay draws it"
          + (maps[0].views.isEmpty ? "" : ", all views together or one by view="))
  }

  var attributeNames: [String] { ["shares", "maps", "tensor"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "shares":
      .object(
        Table(
          ["what", "tokens", "share"],
          shares.map { [.text($0.what), .integer($0.tokens), .float(Double($0.share))] }))
    case "maps": .newList(maps.map { .object($0) })
    case "tensor": .tensor(look, from: Provenance("what \(title) looked at"))
    default: nil
    }
  }
}
