internal import Language
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// A change of what passes some places of a run, as a value: it can be kept, listed and given to
/// whatever runs a model.
struct Change: ForeignObject {
  /// What is done.
  enum Kind: Sendable {
    case scale(Float)
    case add(Tensor, by: Float)
    case replace(Tensor)
    /// What another run had there, by place.
    case take([Address: Tensor], from: String)
    case hide
  }

  /// How it is written.
  let written: String
  /// Which places: an address, or a pattern of addresses.
  let place: String
  let kind: Kind
  var selection = Selection()

  var typeName: String { "Change" }
  var shown: String { written }
  var attributeNames: [String] { ["place"] }

  func attribute(_ attribute: String) throws -> Value? {
    attribute == "place" ? .text(place) : nil
  }
}

extension Change {
  /// Whether it names tokens, which only an input has.
  var namesTokens: Bool { selection.tokens != nil || selection.keys != nil }
}

extension LoadedModel {
  /// Refuses changes where runs go through the model side by side, and pass no places.
  func refuse(_ changes: [Change] = [], for command: String) throws {
    let all = self.changes + changes
    guard let first = all.first else { return }
    throw RuntimeFailure(
      .command, "\(command) does not run changed models, and \(name) has \(first.written)",
      hint: changes.isEmpty
        ? "edits(model, []) takes changes away"
        : "embed_image and embed_text of a model that edits() gave do")
  }
}

/// Which numbers of a place are meant; nil for all.
struct Selection: Sendable {
  var heads: [Int]?
  var tokens: Positions?
  var keys: Positions?
  var channels: [Int]?
}

/// Some positions of a sequence, as a person names them.
enum Positions: Sendable {
  case numbers([Int])
  /// Wherever the prompt has these words.
  case words(String)
  /// Patches of the picture, by number or by row and column.
  case patches([PatchName])

  enum PatchName: Sendable, Hashable {
    case number(Int)
    case place(row: Int, column: Int)
  }
}

/// What changes come to, in one run of one model.
struct ResolvedChanges {
  /// What is done, by place.
  var alterations: [Address: [Alteration]] = [:]

  /// Finds the places of changes, and the numbers there.
  ///
  /// - Parameters:
  ///   - input: what the run starts from.
  ///   - places: what it is going to pass.
  /// - Throws: `RuntimeFailure` for a change that fits no place, or not the place's shape.
  init(
    _ changes: [Change], of model: LoadedModel, on input: Input, places: [Outline.Place]
  ) throws {
    guard !changes.isEmpty else { return }
    for change in changes {
      let fitting = places.filter { $0.address.matches(change.place) }
      guard !fitting.isEmpty else {
        throw RuntimeFailure(
          .key, "no place of this run fits \(Value.text(change.place).inMessage)",
          hint: NearestPlace.hint(change.place, among: places.map(\.address.description)),
          notes: ["describe(\"vision\") lists the places that begin so, by name and shape"])
      }
      let resolver = PlaceResolver(model: model, input: input, places: places)
      for place in fitting {
        guard let alteration = try resolver.alteration(by: change, at: place) else { continue }
        alterations[place.address, default: []].append(alteration)
      }
    }
  }
}

/// Turns names of heads, tokens and patches into indices of a place.
private struct PlaceResolver {
  let model: LoadedModel
  let input: Input
  let places: [Outline.Place]

  func alteration(by change: Change, at place: Outline.Place) throws -> Alteration? {
    var indices = place.axes.map { _ in [Int]?.none }
    let selection = change.selection
    if let heads = selection.heads {
      if let axis = place.axes.firstIndex(of: .head) {
        indices[axis] = try checked(heads, "head", on: axis, of: place)
      } else {
        let axis = place.shape.count - 1
        indices[axis] = try channels(of: heads, at: place)
      }
    }
    if let channels = selection.channels {
      guard
        let axis = place.axes.firstIndex(where: { [.channel, .vocabulary, .label].contains($0) })
      else { throw lacks("channels", place) }
      let chosen = try checked(channels, "channel", on: axis, of: place)
      indices[axis] = indices[axis].map { $0.filter(Set(chosen).contains) } ?? chosen
    }
    if let tokens = selection.tokens {
      guard let axis = place.axes.firstIndex(where: { [.token, .query].contains($0) }) else {
        throw lacks("tokens", place)
      }
      indices[axis] = try positions(tokens, on: axis, of: place, "token")
    }
    if let keys = selection.keys {
      guard let axis = place.axes.firstIndex(of: .key) else { throw lacks("keys", place) }
      indices[axis] = try positions(keys, on: axis, of: place, "key")
    }
    return Alteration(at: indices, try action(of: change, at: place, indices))
  }

  private func action(
    of change: Change, at place: Outline.Place, _ indices: [[Int]?]
  ) throws -> Alteration.Action {
    switch change.kind {
    case .scale(let factor): return .scale(factor)
    case .hide: return .hide
    case .add(let tensor, let factor):
      return .add(try source(tensor, at: place, indices), by: factor)
    case .replace(let tensor): return .put(try source(tensor, at: place, indices))
    case .take(let tensors, let name):
      guard let tensor = tensors[place.address] else {
        throw RuntimeFailure(
          .key, "\(name) has nothing at \(place.address)",
          hint: tensors.isEmpty ? nil : "it was run with a keep= that leaves it out")
      }
      guard tensor.rank == place.shape.count else { throw misshapen(tensor, place) }
      for (axis, kind) in place.axes.enumerated() {
        // Another text may be longer or shorter; what is taken must be in both.
        let isSequence = [.token, .query, .key].contains(kind)
        let last = indices[axis]?.max() ?? place.shape[axis] - 1
        guard
          isSequence && indices[axis] != nil
            ? last < tensor.shape[axis] : tensor.shape[axis] == place.shape[axis]
        else { throw misshapen(tensor, place) }
      }
      return .put(.whole(tensor))
    }
  }

  /// A tensor as the numbers of a place: of its shape, a row for each, or of the shape of what was
  /// selected.
  private func source(
    _ tensor: Tensor, at place: Outline.Place, _ indices: [[Int]?]
  ) throws -> Alteration.Source {
    if tensor.shape == place.shape { return .whole(tensor) }
    if tensor.count == 1 { return .row(tensor.reshaped(1)) }
    if tensor.shape == [place.shape.last ?? 0] { return .row(tensor) }
    let selected = place.shape.indices.map { indices[$0]?.count ?? place.shape[$0] }
    guard tensor.count == selected.reduce(1, *),
      tensor.shape.filter({ $0 != 1 }) == selected.filter({ $0 != 1 })
    else { throw misshapen(tensor, place, selected) }
    var whole = [Float](repeating: 0, count: place.shape.reduce(1, *))
    for number in 0..<tensor.count {
      var (rest, offset, stride) = (number, 0, 1)
      for axis in selected.indices.reversed() {
        let index = rest % selected[axis]
        rest /= selected[axis]
        offset += (indices[axis]?[index] ?? index) * stride
        stride *= place.shape[axis]
      }
      whole[offset] = tensor.elements[number]
    }
    return .whole(Tensor(whole, shape: place.shape))
  }

  private func checked(
    _ numbers: [Int], _ what: String, on axis: Int, of place: Outline.Place
  ) throws -> [Int] {
    let count = place.shape[axis]
    return try numbers.map { number in
      let index = number < 0 ? number + count : number
      guard (0..<count).contains(index) else {
        throw RuntimeFailure(
          .index, "\(place.address) has \(count) \(what)s, and \(what) \(number) is none of them",
          notes: ["they count from 0, and from the end with -1"])
      }
      return index
    }
  }

  /// The channels that belong to heads, where they lie side by side.
  private func channels(of heads: [Int], at place: Outline.Place) throws -> [Int] {
    let parts = place.address.parts
    let pattern = Address(parts.dropLast().joined(separator: ".")) / "pattern"
    guard parts.last == "mixed",
      let count = places.first(where: { $0.address == pattern })?.shape.first
    else { throw lacks("heads", place) }
    let width = place.shape[1] / count
    return try heads.flatMap { number -> [Int] in
      let head = number < 0 ? number + count : number
      guard (0..<count).contains(head) else {
        throw RuntimeFailure(
          .index, "\(place.address) has \(count) heads, and head \(number) is none of them")
      }
      return Array(head * width..<(head + 1) * width)
    }
  }

  private func positions(
    _ positions: Positions, on axis: Int, of place: Outline.Place, _ what: String
  ) throws -> [Int] {
    switch positions {
    case .numbers(let numbers): return try checked(numbers, what, on: axis, of: place)
    case .words(let words): return try self.words(words, on: axis, of: place)
    case .patches(let patches):
      guard let grid = model.model.seeing?.patches else { throw lacks("patches", place) }
      var known: [String: Int] = [:]
      for index in 0..<place.shape[axis] {
        let name = model.model.name(
          of: index, on: place.axes[axis], at: place.address, input: input)
        if let name { known[name] = index }
      }
      return try patches.map { patch in
        let (row, column) =
          switch patch {
          case .number(let number): grid.place(of: number)
          case .place(let row, let column): (row, column)
          }
        guard (0..<grid.side).contains(row), (0..<grid.side).contains(column) else {
          throw RuntimeFailure(
            .index,
            "the model has \(grid.side) × \(grid.side) patches, and row \(row), column \(column) "
              + "is outside")
        }
        guard let index = known["patch \(row),\(column)"] else { throw lacks("patches", place) }
        return index
      }
    }
  }

  /// Wherever the words stand in the prompt.
  private func words(
    _ words: String, on axis: Int, of place: Outline.Place
  ) throws -> [Int] {
    guard let (ids, decode) = try text(at: place) else { throw lacks("words", place) }
    let wanted = words.filter { !$0.isWhitespace }
    var found: Set<Int> = []
    for start in ids.indices {
      for end in start + 1..<min(start + 17, ids.count + 1) {
        let piece = decode(Array(ids[start..<end])).filter { !$0.isWhitespace }
        if piece == wanted {
          found.formUnion(start..<end)
          break
        }
        if piece.count > wanted.count + 4 { break }
      }
    }
    guard !wanted.isEmpty, !found.isEmpty else {
      let all = ids.map { Value.text(decode([$0])).represented }.joined(separator: " ")
      throw RuntimeFailure(
        .value, "the text that \(place.address) sees has no words \(Value.text(words).inMessage)",
        notes: ["its tokens are \(all.bounded())"])
    }
    // What stands for a picture comes first.
    let offset = max(0, place.shape[axis] - ids.count)
    return found.sorted().map { $0 + offset }.filter { $0 < place.shape[axis] }
  }

  /// The token ids of the text that a place belongs to.
  private func text(at place: Outline.Place) throws -> (ids: [Int], decode: ([Int]) -> String)? {
    let root = place.address.parts.first
    if root == "language", place.address.parts.dropFirst().first != "head",
      let writer = model.model.writing
    {
      return (
        try writer.ids(of: input), { writer.tokenizer.decode($0, skipSpecialTokens: true) }
      )
    }
    if root == "text", let tokenizer = model.model.textTokenizer {
      let ids =
        try model.model.embedding?.textIDs(input.prompt)
        ?? tokenizer.encode(input.prompt, addSpecialTokens: true)
      return (ids, { tokenizer.decode($0, skipSpecialTokens: true) })
    }
    return nil
  }

  private func lacks(_ what: String, _ place: Outline.Place) -> RuntimeFailure {
    let axes = place.axes.map(\.rawValue).joined(separator: ", ")
    return RuntimeFailure(
      .value, "\(place.address) has no \(what) to choose among; its axes are \(axes)")
  }

  private func misshapen(
    _ tensor: Tensor, _ place: Outline.Place, _ selected: [Int]? = nil
  ) -> RuntimeFailure {
    let also =
      selected.map { $0 == place.shape ? "" : ", and what was chosen of it \($0)" } ?? ""
    return RuntimeFailure(
      .value,
      "\(place.address) has shape \(place.shape)\(also), but the numbers for it have shape "
        + "\(tensor.shape)")
  }
}
