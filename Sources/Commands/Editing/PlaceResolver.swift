internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// A text without the words that a change names.
struct MissingWords: Error {
  let failure: RuntimeFailure
}

extension RuntimeFailure {
  /// A word that a text has not.
  fileprivate static func noWord(
    _ word: String, in text: String, at address: Address
  ) -> RuntimeFailure {
    RuntimeFailure(
      .value, "the text that \(address) sees has no word \(Value.text(word).inMessage)",
      notes: [
        text.isEmpty
          ? "it has no words at all: none were given" : "it is \(Value.text(text).inMessage)"
      ])
  }
}

/// Turns names of heads, tokens and patches into indices of a place.
struct PlaceResolver {
  let model: LoadedModel
  let input: Input
  let places: [Outline.Place]
  let areKept: Bool
  /// The words of a pass of a match; nil for those of the input.
  let words: PassWords?

  /// Whether the words of a text stand on an axis of a place.
  func hasWords(_ place: Outline.Place) -> Bool {
    guard let words else { return (try? text(at: place)) != nil }
    return place.shape.indices.contains { words.start(on: $0, of: place) != nil }
  }

  func alteration(by change: Change, at place: Outline.Place) throws -> Alteration {
    var indices = place.axes.map { _ in [Int]?.none }
    let selection = change.selection
    if let heads = selection.heads {
      if let axis = place.axes.firstIndex(of: .head) {
        indices[axis] = try checked(heads, "head", on: axis, of: place)
      } else {
        let axis = place.shape.count - 1
        indices[axis] = try channels(of: heads, selection.channels, at: place)
      }
    }
    if let channels = selection.channels, place.axes.contains(.head) || selection.heads == nil {
      guard
        let axis = place.axes.firstIndex(where: { [.channel, .vocabulary, .label].contains($0) })
      else { throw lacks("channels", place) }
      indices[axis] = try checked(channels, "channel", on: axis, of: place)
    }
    if let tokens = selection.tokens {
      guard let axis = place.axes.firstIndex(where: { [.token, .query].contains($0) }) else {
        throw lacks(tokens.noun, place)
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
    case .hide:
      return .hide(isOwnSequence: !place.address.parts.contains("cross_attention"))
    case .add(let tensor, let factor):
      return .add(try source(tensor, at: place, indices), by: factor)
    case .replace(let tensor): return .put(try source(tensor, at: place, indices))
    case .take(let tensors, let name):
      guard let tensor = tensors[place.address] else {
        throw RuntimeFailure(
          .key, "nothing stands at \(place.address) in the \(name)",
          hint: NearestPlace.hint(
            place.address.description, among: tensors.keys.map(\.description).sorted()),
          notes: ["it has \(tensors.count.counted(as: "place")); another model's run has others"])
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
    if tensor.rank == 1, tensor.count == selected.last, let chosen = indices.last, let chosen {
      var row = [Float](repeating: 0, count: place.shape.last ?? 0)
      for (channel, number) in zip(chosen, tensor.elements) { row[channel] = number }
      return .row(Tensor(row, shape: [row.count]))
    }
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
    return try Self.checked(numbers, what, of: count, at: place)
  }

  /// Numbers from 0 on, each once.
  private static func checked(
    _ numbers: [Int], _ what: String, of count: Int, at place: Outline.Place,
    _ owner: String = ""
  ) throws -> [Int] {
    var seen: Set<Int> = []
    return try numbers.compactMap { number in
      let index = number < 0 ? number + count : number
      guard (0..<count).contains(index) else {
        throw RuntimeFailure(
          .index,
          "\(owner)\(place.address) has \(count) \(what)\(what == "patch" ? "es" : "s"), and \(what) \(number) "
            + "is none of them", notes: ["they count from 0, and from the end with -1"])
      }
      return seen.insert(index).inserted ? index : nil
    }
  }

  /// The channels that belong to heads, where they lie side by side; some of each head where only
  /// those are wanted.
  private func channels(
    of heads: [Int], _ wanted: [Int]?, at place: Outline.Place
  ) throws -> [Int] {
    let parts = place.address.parts
    let pattern = Address(parts.dropLast().joined(separator: ".")) / "pattern"
    guard parts.last == "mixed",
      let count = places.first(where: { $0.address == pattern })?.shape.first
    else { throw lacks("heads", place) }
    let width = place.shape[1] / count
    let inside = try wanted.map { wanted in
      try Self.checked(wanted, "channel", of: width, at: place, "each head of ")
    }
    return try Self.checked(heads, "head", of: count, at: place)
      .flatMap { head in (inside ?? Array(0..<width)).map { head * width + $0 } }
  }

  private func positions(
    _ positions: Positions, on axis: Int, of place: Outline.Place, _ what: String
  ) throws -> [Int] {
    switch positions {
    case .numbers(let numbers): return try checked(numbers, what, on: axis, of: place)
    case .words(let words): return try self.words(words, on: axis, of: place)
    case .several(let parts):
      var seen: Set<Int> = []
      return try parts.flatMap { try self.positions($0, on: axis, of: place, what) }
        .filter { seen.insert($0).inserted }
    case .box(let box):
      let under = try patches(under: box, at: place)
      return try self.positions(.patches(under), on: axis, of: place, what)
    case .patches(let patches):
      guard let seer = model.model.seeing else { throw lacks("patches", place) }
      let grid = try seer.patches(of: input, at: place.address.picture.index)
      var known: [String: Int] = [:]
      for index in 0..<place.shape[axis] {
        let name = model.model.name(
          of: index, on: place.axes[axis], at: place.address, input: input)
        if let name { known[name] = index }
      }
      guard known.keys.contains(where: { $0.hasPrefix("patch ") }) else {
        throw lacks("patches", place)
      }
      return try patches.map { patch in
        let (row, column): (Int, Int)
        switch patch {
        case .number(let number):
          let index = try Self.checked([number], "patch", of: grid.count, at: place)[0]
          (row, column) = grid.place(of: index)
        case .place(let givenRow, let givenColumn): (row, column) = (givenRow, givenColumn)
        }
        guard (0..<grid.rowCount).contains(row), (0..<grid.columnCount).contains(column) else {
          throw RuntimeFailure(
            .index,
            "the model has \(grid.rowCount) × \(grid.columnCount) patches, and row \(row), column \(column) "
              + "is outside", notes: ["rows and columns count from 0"])
        }
        guard let index = known["patch \(row),\(column)"] else { throw lacks("patches", place) }
        return index
      }
    }
  }

  /// The patches under a box, in the view that a place belongs to.
  private func patches(
    under box: PictureBox, at place: Outline.Place
  ) throws -> [Positions.PatchName] {
    guard let seer = model.model.seeing else { throw lacks("patches", place) }
    let views = seer.views(of: input)
    let index = place.address.picture.index
    guard views.indices.contains(index), let size = views[index].picture.size else {
      throw RuntimeFailure(.value, "a box needs a picture, and this run began with pixels alone")
    }
    return try seer.way(of: size, view: seer.viewCount > 1 ? views[index].number : nil)
      .patches(under: box.rectangle(in: size)).map { .place(row: $0.row, column: $0.column) }
  }

  /// Wherever the words stand in the text; what a model keeps may lack some.
  private func words(
    _ words: [String], on axis: Int, of place: Outline.Place
  ) throws -> [Int] {
    let (ids, tokenizer): ([Int], any Tokenizer)
    let first: Int?
    if let passed = self.words {
      (ids, tokenizer, first) = (passed.ids, passed.tokenizer, passed.start(on: axis, of: place))
    } else if let own = try text(at: place) {
      // What stands for a picture comes first.
      (ids, tokenizer, first) = (own.ids, own.tokenizer, max(0, place.shape[axis] - own.ids.count))
    } else {
      throw lacks("words", place)
    }
    guard let first else { throw MissingWords(failure: lacks("words", place)) }
    let text = SpelledText(ids, by: tokenizer)
    var found: Set<Int> = []
    for word in words {
      let tokens = text.tokens(of: word)
      guard !tokens.isEmpty || areKept else {
        throw MissingWords(failure: .noWord(word, in: tokenizer.decode(ids), at: place.address))
      }
      found.formUnion(tokens)
    }
    guard !found.isEmpty else {
      throw MissingWords(
        failure: .noWord(words.first ?? "", in: tokenizer.decode(ids), at: place.address))
    }
    return found.sorted().map { $0 + first }.filter { $0 < place.shape[axis] }
  }

  /// The token ids of the text that a place belongs to.
  private func text(at place: Outline.Place) throws -> (ids: [Int], tokenizer: any Tokenizer)? {
    let root = place.address.parts.first
    if root == "language", place.address.parts.dropFirst().first != "head",
      let writer = model.model.writing
    {
      return (try writer.ids(of: input), writer.tokenizer)
    }
    if root == "text", let tokenizer = model.model.textTokenizer {
      let ids =
        try model.model.embedding?.textIDs(input.prompt)
        ?? tokenizer.encode(input.prompt, addSpecialTokens: true)
      return (ids, tokenizer)
    }
    return nil
  }

  private func lacks(_ what: String, _ place: Outline.Place) -> RuntimeFailure {
    let axes = place.axes.map(\.rawValue).joined(separator: ", ")
    return RuntimeFailure(
      .value, "\(place.address) has no \(what) to choose among; its axes are \(axes)",
      hint: place.address.parts.first == "picture" && what == "patches"
        ? "\"picture.patches.output\" has a row a patch" : nil)
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

extension Input.Picture {
  /// How large the original is; nil where that is not known.
  fileprivate var size: PixelSize? {
    switch self {
    case .image(let image), .view(let image, _): image.size
    case .standIn(_, let size, _): size
    case .pixels: nil
    }
  }
}
