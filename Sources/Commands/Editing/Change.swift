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
  /// What it hides, where nobody named a place.
  var hidden: Hidden?

  /// What can be hidden from a model.
  enum Hidden: Sendable {
    case patches, words
  }

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

  /// Whether a box of a picture chooses.
  var isOfBox: Bool {
    [tokens, keys].contains { if case .box? = $0 { true } else { false } }
  }

  /// All words that are named.
  var words: [String] { [tokens, keys].compactMap { $0 }.flatMap(\.words) }
}

/// Some positions of a sequence, as a person names them.
enum Positions: Sendable {
  case numbers([Int])
  /// Wherever the prompt has one of these words.
  case words([String])
  /// Patches of the picture, by number or by row and column.
  case patches([PatchName])
  /// The patches under a box of the picture, of each of its views.
  case box(PictureBox)
  /// Numbers and words together.
  case several([Positions])

  enum PatchName: Sendable, Hashable {
    case number(Int)
    case place(row: Int, column: Int)
  }

  /// The words among them.
  fileprivate var words: [String] {
    switch self {
    case .words(let words): words
    case .several(let parts): parts.flatMap(\.words)
    case .numbers, .patches, .box: []
    }
  }

  /// What they are.
  var noun: String {
    switch self {
    case .numbers: "tokens"
    case .words: "words"
    case .patches, .box: "patches"
    case .several(let parts): parts.first?.noun ?? "tokens"
    }
  }
}

/// What changes come to, in one run of one model.
struct ResolvedChanges {
  /// What is done, by place.
  var alterations: [Address: [Alteration]] = [:]
  /// What a model keeps that does nothing in this run for want of its words, a line each.
  private(set) var notes: [String] = []

  /// Finds the places of changes, and the numbers there.
  ///
  /// - Parameters:
  ///   - input: what the run starts from.
  ///   - places: what it is going to pass.
  ///   - areKept: whether a model keeps the changes; then a run that has not their places, or not
  ///     their words, goes without them.
  ///   - words: the words of a pass of a match.
  /// - Throws: `RuntimeFailure` for a change that fits no place, or not the place's shape.
  init(
    _ changes: [Change], of model: LoadedModel, on input: Input, places: [Outline.Place],
    areKept: Bool = false, words: PassWords? = nil
  ) throws {
    let resolver = PlaceResolver(
      model: model, input: input, places: places, areKept: areKept, words: words)
    for change in changes {
      let fitting = places.filter {
        // What hides words names all places where there may be some.
        change.fits($0.address) && (change.hidden != .words || resolver.hasWords($0))
      }
      guard !fitting.isEmpty || areKept else {
        throw Self.missing(change, among: places, of: model)
      }
      var missing: RuntimeFailure?
      var isHeard = false
      for place in fitting {
        do {
          let alteration = try resolver.alteration(by: change, at: place)
          alterations[place.address, default: []].append(alteration)
          isHeard = isHeard || !alteration.indices.contains { $0?.isEmpty == true }
        } catch let failure as MissingWords {
          if !areKept { throw failure.failure }
          missing = missing ?? failure.failure
        }
      }
      if !isHeard, change.selection.isOfBox, !areKept {
        throw RuntimeFailure(
          .value, "\(change.written) lies where the model sees nothing of the picture")
      }
      if let missing, !isHeard, words == nil {
        notes.append("\(change.written) does nothing here: \(missing.message)")
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

  /// Refuses changes that name words which none of some texts has.
  static func checkWords(
    of changes: [Change], in texts: [[Int]], by tokenizer: any Tokenizer
  ) throws {
    let words = changes.flatMap(\.selection.words)
    guard !words.isEmpty else { return }
    let spelled = texts.lazy.map { SpelledText($0, by: tokenizer) }
    for word in words where !spelled.contains(where: { !$0.tokens(of: word).isEmpty }) {
      throw RuntimeFailure(
        .value,
        "\(texts.count == 1 ? "the text has" : "none of the \(texts.count) texts has the") word "
          + Value.text(word).inMessage,
        notes: texts.first.map { ["such as \(Value.text(tokenizer.decode($0)).inMessage)"] } ?? [])
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
    let isOfPicture = change.hidden == .patches || ["picture", "vision"].contains(root)
    if isOfPicture, model.model.seeing == nil {
      return RuntimeFailure(
        .key, "\(change.written) is for a picture; \(model.name) is \(model.model.kind)")
    }
    switch change.hidden {
    case .words where model.model.textTokenizer == nil:
      return RuntimeFailure(
        .key, "\(change.written) is for a text; \(model.name) is \(model.model.kind)")
    case .words:
      return RuntimeFailure(.key, "\(change.written) is for a text, and what runs here reads none")
    case .patches:
      return RuntimeFailure(
        .key, "\(change.written) is for a picture, and what runs here looks at none")
    case nil: break
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
