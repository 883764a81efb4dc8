internal import Models
internal import Runtime
internal import Tokenizers
internal import Tracing

/// What changes, and those that a model keeps, come to in each pass of a match.
struct MatchAlterations {
  /// On the way through the vision tower.
  private(set) var vision: [Address: [Alteration]] = [:]
  private var passes: [MatchPass: [Address: [Alteration]]] = [:]

  /// In one pass.
  subscript(pass: MatchPass) -> [Address: [Alteration]] { passes[pass] ?? [:] }

  /// Finds the places of changes in every pass, and words in every text that has them.
  ///
  /// - Throws: `RuntimeFailure` for a given change that fits no place or whose words no text has.
  init(
    _ changes: [Change], of model: LoadedModel, by matcher: any MatchingModel, on input: Input,
    texts: [String]
  ) throws {
    let all = model.changes + changes
    guard !all.isEmpty else { return }
    let ids = try texts.map { try matcher.matchingIDs($0) }
    guard let tokenizer = matcher.textTokenizer, let longest = ids.map(\.count).max() else {
      return
    }
    // All are filled up to the longest, and have the same places.
    let number = ids.firstIndex { $0.count == longest } ?? 0
    func places(_ pass: MatchPass) throws -> [Outline.Place] {
      try matcher.matchingOutline(texts: [texts[number]], pass: pass).places
    }
    let seen = try model.model.outline(input).places.filter { $0.address.isOfVision }
    let (picture, both, text) = (
      try places(.picture), try places(.both(0)), try places(.text(0))
    )
    try ResolvedChanges.check(changes, among: seen + picture + both + text, of: model)
    try ResolvedChanges.checkWords(of: changes, in: ids, by: tokenizer)
    // Changes whose words have been found at a place.
    var found: Set<String> = []
    func resolved(_ places: [Outline.Place], _ words: PassWords?) throws -> [Address: [Alteration]]
    {
      var alterations: [Address: [Alteration]] = [:]
      for change in all {
        let own = try ResolvedChanges(
          [change], of: model, on: input, places: places, areKept: true, words: words
        ).alterations
        if !own.isEmpty { found.insert(change.written) }
        alterations.merge(own) { $0 + $1 }
      }
      return alterations
    }
    vision = try resolved(seen, nil)
    let nothing = PassWords(ids: [], tokenizer: tokenizer, filledCount: -1)
    passes[.picture] = try resolved(picture, nothing)
    let joined = both.first { $0.address.description == "qformer.text.output" }
    let queries = (joined?.shape[0] ?? 0) - longest
    for (number, ids) in ids.enumerated() {
      let words = PassWords(ids: ids, tokenizer: tokenizer, filledCount: longest)
      passes[.text(number)] = try resolved(text, words)
      passes[.both(number)] = try resolved(both, words.behind(queries))
    }
    for change in changes where !found.contains(change.written) {
      throw RuntimeFailure(.value, "\(change.written) names words, and its places have none")
    }
  }
}

/// The words that a pass of a match reads.
struct PassWords {
  let ids: [Int]
  let tokenizer: any Tokenizer
  /// How many tokens there are with those that fill the text up.
  let filledCount: Int
  /// How many queries stand before them where both look at each other.
  private var queryCount = 0

  init(ids: [Int], tokenizer: any Tokenizer, filledCount: Int) {
    (self.ids, self.tokenizer, self.filledCount) = (ids, tokenizer, filledCount)
  }

  /// The same words behind some queries.
  func behind(_ queryCount: Int) -> PassWords {
    var words = self
    words.queryCount = queryCount
    return words
  }

  /// Where the first word stands on an axis; nil where the axis has none.
  func start(on axis: Int, of place: Outline.Place) -> Int? {
    guard place.address.parts.first == "qformer" else { return nil }
    let isOfQueries = place.address.parts.contains {
      $0.hasPrefix("cross_attention") || $0.hasPrefix("query")
    }
    if isOfQueries && !place.address.parts.contains("attention") { return nil }
    switch place.shape[axis] {
    case queryCount + filledCount: return queryCount
    case filledCount: return 0
    default: return nil
    }
  }
}

extension MatchPass {
  /// The same pass over a text of another number.
  func of(text number: Int) -> MatchPass {
    switch self {
    case .picture: .picture
    case .both: .both(number)
    case .text: .text(number)
    }
  }
}

extension Address {
  /// Whether it lies on a picture's way to the vision tower's tokens.
  fileprivate var isOfVision: Bool { ["picture", "vision"].contains(parts.first) }
}
