internal import Characters
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
  /// Which places: an address, or patterns of addresses.
  let places: [String]
  let kind: Kind
  var selection = Selection()

  var typeName: String { "Change" }
  var shown: String { written }
  var attributeNames: [String] { ["places"] }

  func attribute(_ attribute: String) throws -> Value? {
    attribute == "places" ? .texts(places) : nil
  }

  /// Whether it reaches a place.
  func fits(_ address: Address) -> Bool { places.contains { address.matches($0) } }
}

extension LoadedModel {
  /// Refuses changes where runs go through the model side by side, and pass no places.
  func refuse(for command: String) throws {
    guard let first = changes.first else { return }
    throw RuntimeFailure(
      .command, "\(command) does not run changed models, and \(name) has \(first.written)",
      hint: "edits(model, []) takes changes away")
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
  /// Wherever the prompt has one of these words.
  case words([String])
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
  ///   - areKept: whether a model keeps the changes; then a run that has not their places, or not
  ///     their words, goes without them.
  /// - Throws: `RuntimeFailure` for a change that fits no place, or not the place's shape.
  init(
    _ changes: [Change], of model: LoadedModel, on input: Input, places: [Outline.Place],
    areKept: Bool = false
  ) throws {
    for change in changes {
      let fitting = places.filter { change.fits($0.address) }
      guard !fitting.isEmpty || areKept else {
        throw Self.missing(change, among: places, of: model)
      }
      let resolver = PlaceResolver(model: model, input: input, places: places)
      for place in fitting {
        do {
          alterations[place.address, default: []].append(
            try resolver.alteration(by: change, at: place))
        } catch let failure as MissingWords {
          if !areKept { throw failure.failure }
        }
      }
    }
  }

  /// Refuses changes that fit none of some places.
  static func check(
    _ changes: [Change], among places: [Outline.Place], of model: LoadedModel
  ) throws {
    for change in changes where !places.contains(where: { change.fits($0.address) }) {
      throw missing(change, among: places, of: model)
    }
  }

  /// Why a change fits nothing.
  private static func missing(
    _ change: Change, among places: [Outline.Place], of model: LoadedModel
  ) -> RuntimeFailure {
    let wanted = change.places[0]
    let names = places.map(\.address.description)
    var roots: [String] = []
    var known: Set<String> = []
    for place in places {
      let parts = place.address.parts
      if let root = parts.first, !roots.contains(String(root)) { roots.append(String(root)) }
      for count in 1..<max(1, parts.count) {
        known.insert(parts.prefix(count).joined(separator: "."))
      }
    }
    let root = wanted.split(separator: ".").first.map(String.init) ?? ""
    if ["picture", "vision"].contains(root), model.model.seeing == nil {
      return RuntimeFailure(
        .key, "\(change.written) is for a picture; \(model.name) is \(model.model.kind)")
    }
    return RuntimeFailure(
      .key, "no place that runs here fits \(Value.text(wanted).inMessage)",
      hint: known.contains(wanted)
        ? "that is a part; \(Value.text(wanted + ".output").inMessage) is what it gives, and \".*\" behind it all its places"
        : NearestPlace.hint(wanted, among: names),
      notes: [
        "places begin with \(roots.joined(separator: ", ")); describe(\"\(roots.last ?? "")\") lists them"
      ])
  }
}

/// A text without the words that a change names.
private struct MissingWords: Error {
  let failure: RuntimeFailure
}

/// Turns names of heads, tokens and patches into indices of a place.
private struct PlaceResolver {
  let model: LoadedModel
  let input: Input
  let places: [Outline.Place]

  func alteration(by change: Change, at place: Outline.Place) throws -> Alteration {
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
    case .hide:
      return .hide(isOwnSequence: !place.address.parts.contains("cross_attention"))
    case .add(let tensor, let factor):
      return .add(try source(tensor, at: place, indices), by: factor)
    case .replace(let tensor): return .put(try source(tensor, at: place, indices))
    case .take(let tensors, let name):
      guard let tensor = tensors[place.address] else {
        throw RuntimeFailure(
          .key, "\(name) has nothing at \(place.address)",
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
    _ numbers: [Int], _ what: String, of count: Int, at place: Outline.Place
  ) throws -> [Int] {
    var seen: Set<Int> = []
    return try numbers.compactMap { number in
      let index = number < 0 ? number + count : number
      guard (0..<count).contains(index) else {
        throw RuntimeFailure(
          .index,
          "\(place.address) has \(count) \(what)\(what == "patch" ? "es" : "s"), and \(what) \(number) "
            + "is none of them", notes: ["they count from 0, and from the end with -1"])
      }
      return seen.insert(index).inserted ? index : nil
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
    return try Self.checked(heads, "head", of: count, at: place)
      .flatMap { Array($0 * width..<($0 + 1) * width) }
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
        let (row, column): (Int, Int)
        switch patch {
        case .number(let number):
          let index = try Self.checked([number], "patch", of: grid.count, at: place)[0]
          (row, column) = grid.place(of: index)
        case .place(let givenRow, let givenColumn): (row, column) = (givenRow, givenColumn)
        }
        guard (0..<grid.side).contains(row), (0..<grid.side).contains(column) else {
          throw RuntimeFailure(
            .index,
            "the model has \(grid.side) × \(grid.side) patches, and row \(row), column \(column) "
              + "is outside", notes: ["rows and columns count from 0"])
        }
        guard let index = known["patch \(row),\(column)"] else { throw lacks("patches", place) }
        return index
      }
    }
  }

  /// Wherever the words stand in the prompt, as whole words, in capitals or not.
  private func words(
    _ words: [String], on axis: Int, of place: Outline.Place
  ) throws -> [Int] {
    guard let (ids, tokenizer) = try text(at: place) else { throw lacks("words", place) }
    // Which characters each token gives; one that gives a part of a character has it whole.
    var decoder = StreamingDecoder(tokenizer)
    var text: [Character] = []
    var spans: [Range<Int>] = []
    for id in ids {
      let start = text.count
      text += decoder.append(id).lowercased()
      let isPart = text.count == start && !tokenizer.isSpecial(id)
      spans.append(start..<text.count + (isPart ? 1 : 0))
    }
    text += decoder.finish().lowercased()
    var found: Set<Int> = []
    for word in words {
      let wanted = Array(word.lowercased().drop { $0.isWhitespace })
      let places = Self.places(of: wanted, in: text)
      guard !wanted.isEmpty, !places.isEmpty else {
        throw MissingWords(
          failure: RuntimeFailure(
            .value, "the text that \(place.address) sees has no word \(Value.text(word).inMessage)",
            notes: ["it is \(Value.text(String(text)).inMessage)"]))
      }
      for (index, span) in spans.enumerated() where !span.isEmpty {
        // A space before a word is in the same token, and does not make it another word's.
        let letters = span.filter { $0 < text.count && !text[$0].isWhitespace }
        if letters.contains(where: { letter in places.contains { $0.contains(letter) } }) {
          found.insert(index)
        }
      }
    }
    // What stands for a picture comes first.
    let offset = max(0, place.shape[axis] - ids.count)
    return found.sorted().map { $0 + offset }.filter { $0 < place.shape[axis] }
  }

  /// Where a text has some characters that are no part of a longer word.
  private static func places(of wanted: [Character], in text: [Character]) -> [Range<Int>] {
    guard let first = wanted.first, let last = wanted.last, text.count >= wanted.count else {
      return []
    }
    // Scripts without spaces have words side by side.
    func joins(_ a: Character, _ b: Character) -> Bool {
      [a, b].allSatisfy {
        ($0.isLetter || $0.isNumber) && ($0.unicodeScalars.first?.value ?? 0) < 0x2E80
      }
    }
    return (0...text.count - wanted.count).map { $0..<$0 + wanted.count }.filter { range in
      text[range].elementsEqual(wanted)
        && (range.lowerBound == 0 || !joins(text[range.lowerBound - 1], first))
        && (range.upperBound == text.count || !joins(last, text[range.upperBound]))
    }
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
