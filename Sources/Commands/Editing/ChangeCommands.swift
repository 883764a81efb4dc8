internal import Characters
internal import Images
internal import Language
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  private static let examplePlace = "language.blocks.1.attention.mixed"

  static let zeroChange = Command(
    "change.zero", group: "Editing", "A change: numbers of a place become 0.",
    Parameter.place(), Parameter.heads, Parameter.tokens, Parameter.patches, Parameter.channels,
    Parameter.keys,
    returns: "a Change, for edit(), edits() and changes=",
    details: selecting,
    examples: [
      Example(
        "r = run(scene(7), \"Question: how many shapes are there? Answer:\")\n"
          + "edit(r, change.zero(\"language.blocks.1.attention.mixed\", head=0))",
        "What does one head of the language model do?")
    ], seeAlso: ["edit", "change.scale", "change.mask"]
  ) { _, place, heads, tokens, patches, channels, keys in
    try .change("zero", place, .scale(0), heads, tokens, patches, channels, keys)
  }

  static let scaleChange = Command(
    "change.scale", group: "Editing", "A change: numbers of a place are multiplied.",
    Parameter.place(),
    Parameter.number("by", in: -1e30...1e30, "What they are multiplied by."),
    Parameter.heads, Parameter.tokens, Parameter.patches, Parameter.channels, Parameter.keys,
    returns: "a Change, for edit(), edits() and changes=",
    details: "Negative infinity in scores stays: what nobody may see is not seen because of it.",
    examples: [
      Example(
        "r = run(scene(7))\nedit(r, change.scale(\"projection.output\", 0.5))",
        "A soft prompt of half its length.")
    ], seeAlso: ["edit", "change.zero"]
  ) { _, place, factor, heads, tokens, patches, channels, keys in
    try .change(
      "scale", place, .scale(Float(factor)), heads, tokens, patches, channels, keys,
      arguments: ["by=\(Value.float(factor).represented)"])
  }

  static let addChange = Command(
    "change.add", group: "Editing", "A change: a vector is added to the numbers of a place.",
    Parameter.place(),
    Parameter.tensor(
      "vector", "A number a channel; or a tensor of the place's shape, or of what is chosen of it."),
    Parameter.number("by", in: -1e30...1e30, default: 1, "What the vector is multiplied by."),
    Parameter.heads, Parameter.tokens, Parameter.patches, Parameter.channels, Parameter.keys,
    returns: "a Change, for edit(), edits() and changes=",
    examples: [
      Example(
        "a = run(scene(7))[\"projection.output\"].mean(axis=0)\n"
          + "b = run(scene(8))[\"projection.output\"].mean(axis=0)\n"
          + "edit(run(scene(7)), change.add(\"projection.output\", b - a))",
        "Steer one picture towards another.")
    ], seeAlso: ["edit", "change.replace"]
  ) { _, place, vector, factor, heads, tokens, patches, channels, keys in
    try .change(
      "add", place, .add(vector, by: Float(factor)), heads, tokens, patches, channels, keys,
      arguments: ["a tensor \(vector.shape)"]
        + (factor == 1 ? [] : ["by=\(Value.float(factor).represented)"]))
  }

  static let replaceChange = Command(
    "change.replace", group: "Editing",
    "A change: a tensor stands in the place of what the model computed.",
    Parameter.place(),
    Parameter.tensor(
      "tensor", "Of the place's shape, or of what is chosen of it; or a number a channel."),
    Parameter.heads, Parameter.tokens, Parameter.patches, Parameter.channels, Parameter.keys,
    returns: "a Change, for edit(), edits() and changes=",
    examples: [
      Example(
        "r = run(scene(7))\nsoft = r[\"projection.output\"]\n"
          + "edit(r, change.replace(\"projection.output\", soft.mean(axis=0)))",
        "Every query says the same.")
    ], seeAlso: ["edit", "change.take"]
  ) { _, place, tensor, heads, tokens, patches, channels, keys in
    try .change(
      "replace", place, .replace(tensor), heads, tokens, patches, channels, keys,
      arguments: ["a tensor \(tensor.shape)"])
  }

  static let takeChange = Command(
    "change.take", group: "Editing",
    "A change: a place has the numbers that it had in another run (activation patching).",
    Parameter.place(),
    Parameter.source,
    Parameter.heads, Parameter.tokens, Parameter.patches, Parameter.channels, Parameter.keys,
    returns: "a Change, for edit(), edits() and changes=",
    details: "Where both runs have texts of other lengths, choose tokens that both have.",
    examples: [
      Example(
        "q = \"Question: how many shapes are there? Answer:\"\n"
          + "a = run(scene(7), q)\nb = run(scene(8), q)\n"
          + "edit(a, change.take(\"projection.output\", b))",
        "The question of one run, the picture of another.")
    ], seeAlso: ["edit", "change.freeze"]
  ) { _, place, source, heads, tokens, patches, channels, keys in
    try .taking("take", place, source, heads, tokens, patches, channels, keys)
  }

  static let freezeChange = Command(
    "change.freeze", group: "Editing",
    "A change: attention looks where it looked in another run.",
    Parameter.source,
    Parameter.place(default: "*.pattern"),
    returns: "a Change, for edit(), edits() and changes=",
    examples: [
      Example(
        "r = run(scene(7))\n"
          + "edit(r, [change.freeze(r, \"vision.*.pattern\"), change.mask(patch=(0, 0))])",
        "Hide a patch, while every head looks where it did.")
    ], seeAlso: ["edit", "change.take"]
  ) { _, source, place in
    try .taking("freeze", place, source, nil, nil, nil, nil, nil)
  }

  static let maskChange = Command(
    "change.mask", group: "Editing",
    "A change: patches of the picture, or words of the text, that nothing can see.",
    Parameter.patches, Parameter.tokens, Parameter.optional(.pictureBox),
    Parameter.choice(
      "where", of: ["picture", "attention"], default: "picture",
      "Whether patches are made grey in the picture, or are there and nothing looks at them."),
    Parameter.pictureNumber,
    Parameter.view,
    returns: "a Change, for edit(), edits() and changes=",
    details:
      "Words of the prompt, of a CLIP's text or of match()'s, and patches with where=\"attention\", get "
      + "negative infinity in the scores of every block for all that would look at them but "
      + "themselves, a Q-Former's or resampler's queries among them. Of a picture that the model splits, patches "
      + "are those of the whole unless view= says another; a box hides what it holds in every view, and "
      + "box_of(patches, picture) is the box of some patches.",
    examples: [
      Example(
        "s = scene(7)\nr = run(s)\n"
          + "edit(r, change.mask(patch=patches_under(s.objects[0][\"box\"], s)))",
        "What is left when an object is hidden?"),
      Example(
        "s = scene(7)\nedit(run(s), change.mask(box=s.objects[0][\"box\"]))",
        "The same by its box, for a model that splits pictures in every view."),
      Example(
        "r = run(scene(7), \"Question: how many shapes are there? Answer:\")\n"
          + "edit(r, change.mask(token=\"shapes\"))",
        "The question without one of its words."),
    ], seeAlso: ["edit", "patches_under", "change.zero"]
  ) { session, named, tokens, box, place, picture, view in
    let patches = named ?? box.map { .box($0) }
    guard [named == nil, tokens == nil, box == nil].count(where: { !$0 }) == 1 else {
      throw ArgumentFailure(
        parameter: "patch", "or box or token must be given, and one of them alone",
        note: "a list of changes does several things at once")
    }
    var selection = Selection()
    let chosen = patches ?? tokens
    let views = (try? session.model())?.model.seeing?.viewCount ?? 1
    if let view, views == 1 {
      throw ArgumentFailure(
        parameter: "view", "is for a model that splits pictures, not \(view)")
    }
    // The places of a picture's way, or of a view's, are numbered by it.
    let own = view.map { [$0] } ?? (box == nil ? [views] : Array(1...views))
    func numbered(_ address: String) -> [String] {
      own.map { Address(address).ofPicture((picture - 1) * views + $0 - 1).description }
    }
    let written =
      "change.mask(\(chosen?.written(as: patches == nil ? "token" : "patch") ?? "")"
      + (place == "picture" || patches == nil ? "" : ", where=\"attention\"")
      + (picture == 1 ? "" : ", picture=\(picture)") + (view.map { ", view=\($0)" } ?? "") + ")"
    guard patches == nil || place == "attention" else {
      selection.tokens = chosen
      return .object(
        Change(
          written: written, places: numbered("picture.patches.output"), kind: .scale(0),
          selection: selection, hidden: .patches))
    }
    selection.keys = chosen
    let scores =
      patches == nil
      ? [
        "language.blocks.*.scores", "text.blocks.*.scores", "qformer.blocks.*.attention.scores",
      ]
      : numbered("vision.blocks.*.scores") + numbered("resampler.*.scores")
        + ["qformer.*.cross_attention.scores"]
    return .object(
      Change(
        written: written, places: scores, kind: .hide, selection: selection,
        hidden: patches == nil ? .words : .patches))
  }

  private static let selecting = """
    A place is an address, or a pattern with * and ?. `head` chooses heads, also in \
    `attention.mixed`, where they lie side by side; `token` positions of the sequence, a range of \
    them, or words of the prompt, in capitals or not, or both; `patch` patches, by number, by (row, column), or as \
    `patches_under` gives them for a box; `channel` channels, with `head` those of each head; `key` what is looked at, in patterns \
    and scores. What is not chosen stays, and so does negative infinity in scores: what nobody may \
    see is not seen because of it. While an answer is written, a change holds for every token \
    that follows, unless it names its tokens.
    """
}

extension Value {
  /// A change as a value.
  fileprivate static func change(
    _ name: String, _ place: String, _ kind: Change.Kind, _ heads: [Int]?, _ tokens: Positions?,
    _ patches: Positions?, _ channels: [Int]?, _ keys: Positions?, arguments: [String] = []
  ) throws -> Value {
    guard tokens == nil || patches == nil else {
      throw ArgumentFailure(
        parameter: "patch", "and token choose on one axis; give one of them",
        note: "a list of changes does several things at once")
    }
    let chosen = [
      heads.map { "head=\(Change.list($0))" }, tokens?.written(as: "token"),
      patches?.written(as: "patch"), channels.map { "channel=\(Change.list($0))" },
      keys?.written(as: "key"),
    ].compactMap { $0 }
    let words = ([Value.text(place).represented] + arguments + chosen).joined(separator: ", ")
    return .object(
      Change(
        written: "change.\(name)(\(words))", places: [place], kind: kind,
        selection: Selection(
          heads: heads, tokens: tokens ?? patches, keys: keys, channels: channels)))
  }

  fileprivate static func taking(
    _ name: String, _ place: String, _ source: Value, _ heads: [Int]?, _ tokens: Positions?,
    _ patches: Positions?, _ channels: [Int]?, _ keys: Positions?
  ) throws -> Value {
    let tensors: [Address: Tensor]
    let names: [String]
    if case .object(let file as NamedTensors) = source {
      names = file.elementNames
      tensors = try file.tensors(fitting: place)
    } else if let trace = source.trace {
      names = trace.records.map(\.address.description)
      tensors = Dictionary(
        trace.records.map { ($0.address, $0.tensor) }, uniquingKeysWith: { $1 })
    } else {
      throw ArgumentFailure(
        parameter: "source", "must be \(sources), not \(source.inMessage)")
    }
    guard tensors.keys.contains(where: { $0.matches(place) }) else {
      throw ArgumentFailure(
        parameter: "place",
        "fits nothing that source has kept, which is "
          + names.count.counted(as: "place"),
        note: NearestPlace.hint(place, among: names))
    }
    var brief = source.inMessage
    if case .object(let object) = source {
      brief =
        (object as? StageResult).map { "result of \($0.stage)" } ?? object.brief.visibleOnOneLine
    }
    return try change(
      name, place, .take(tensors, from: brief), heads, tokens, patches, channels, keys,
      arguments: [brief])
  }

  /// What numbers are taken from.
  fileprivate static let sources =
    "a run, a trace, the result of a stage, or tensors() of a trace's file"
}

extension Change {
  fileprivate static func list(_ numbers: [Int]) -> String {
    numbers.count == 1 ? "\(numbers[0])" : "\(numbers)".bounded(to: 60)
  }
}

extension Positions {
  /// As an argument.
  fileprivate func written(as name: String) -> String {
    switch self {
    case .box(let box): return "box=\(box.written)"
    case .numbers(let numbers): return "\(name)=\(Change.list(numbers))"
    case .words(let words):
      let parts = words.map { Value.text($0).represented }
      return "\(name)=\(parts.count == 1 ? parts[0] : "[\(parts.joined(separator: ", "))]")"
    case .several(let several):
      let parts = several.map { part in
        switch part {
        case .words(let words): words.map { Value.text($0).represented }
        case .numbers(let numbers): numbers.map { "\($0)" }
        default: [String]()
        }
      }
      return "\(name)=[\(parts.joined().joined(separator: ", "))]"
    case .patches(let patches):
      let parts = patches.map { patch in
        switch patch {
        case .number(let number): "\(number)"
        case .place(let row, let column): "(\(row), \(column))"
        }
      }
      return
        "\(name)=\(parts.count == 1 ? parts[0] : "[\(parts.joined(separator: ", "))]".bounded(to: 60))"
    }
  }
}

extension Parameter where T == String {
  /// An address, or a pattern of addresses.
  fileprivate static func place(default fallback: String? = nil) -> Self {
    .text(
      "place", default: fallback,
      "An address such as \"language.blocks.1.attention.mixed\", or a pattern with *.")
  }
}

extension Parameter where T == Value {
  /// A run whose numbers are taken.
  fileprivate static var source: Self {
    .any(
      "source", expects: Value.sources,
      "The run whose numbers are taken.")
  }
}

extension Parameter where T == [Int]? {
  fileprivate static var heads: Self { numbers("head", "Which heads; None for all.") }
  fileprivate static var channels: Self { numbers("channel", "Which channels; None for all.") }

  private static func numbers(_ name: String, _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "whole numbers",
      expects: "a whole number, a list or a range of them, or None",
      defaultText: "None", summary: summary)
    return Parameter(facts, fallback: .some(nil)) { value, _ in
      switch value {
      case .none: return .some(nil)
      case .bool: return nil
      default: return (value.integer.map { [$0] } ?? value.wholeNumbers).map { .some($0) }
      }
    }
  }
}

extension Parameter where T == Positions? {
  fileprivate static var tokens: Self {
    positions("token", "Which tokens or queries: numbers, or words of the prompt; None for all.")
  }
  fileprivate static var keys: Self {
    positions("key", "Which keys, of what is looked at: numbers, or words; None for all.")
  }

  private static func positions(_ name: String, _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "positions",
      expects: "a whole number, a word, a list or a range of them, or None",
      defaultText: "None",
      summary: summary)
    return Parameter(facts, fallback: .some(nil)) { value, _ in
      switch value {
      case .none: return .some(nil)
      case .bool: return nil
      case .text(let words): return .some(.words([words.string]))
      case .list(let list) where list.values.contains { $0.text != nil }:
        let parts = list.values.compactMap { part -> Positions? in
          if case .bool = part { return nil }
          return part.text.map { .words([$0]) } ?? part.integer.map { .numbers([$0]) }
        }
        guard parts.count == list.values.count else { return nil }
        let words = list.values.compactMap(\.text)
        return .some(words.count == parts.count ? .words(words) : .several(parts))
      default:
        return (value.integer.map { [$0] } ?? value.wholeNumbers).map { .some(.numbers($0)) }
      }
    }
  }

  /// Patches by number, or by row and column.
  fileprivate static var patches: Self {
    let facts = ParameterFacts(
      name: "patch", type: "patches",
      expects: "(row, column), a number, a list of either, or None", defaultText: "None",
      summary: "Which patches of the picture, as patches_under() gives them too; None for all.")
    return Parameter(facts, fallback: .some(nil)) { value, _ in
      func name(_ value: Value) -> Positions.PatchName? {
        if let number = value.integer { return .number(number) }
        guard case .tuple(let parts) = value, parts.count == 2, let row = parts[0].integer,
          let column = parts[1].integer
        else { return nil }
        return .place(row: row, column: column)
      }
      if case .none = value { return .some(nil) }
      if case .bool = value { return nil }
      if let one = name(value) { return .some(.patches([one])) }
      if case .tuple = value {
        throw ArgumentFailure(
          parameter: "patch", "must be (row, column), a number or a list, not \(value.inMessage)",
          note: "patches_under(box, picture) gives those under a box")
      }
      if let numbers = value.wholeNumbers { return .some(.patches(numbers.map { .number($0) })) }
      guard case .list(let list) = value else { return nil }
      let names = list.values.compactMap(name)
      return names.count == list.values.count ? .some(.patches(names)) : nil
    }
  }
}

extension Parameter where T == [Change] {
  /// Changes that a run is made with.
  static var changes: Self {
    .list(
      of: .object(
        "changes", Change.self, typeName: "Change",
        expects: "a change, as change.zero() gives",
        "What is changed on the way; see change.zero."), default: [])
  }
}
