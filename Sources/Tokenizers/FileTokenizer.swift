internal import Budget

/// A tokenizer put together from the parts that its files name.
struct FileTokenizer: Tokenizer {
  /// What makes tokens of words.
  enum Model: Sendable {
    case bytePairs(BytePairEncoding)
    case wordPieces(WordPiece)

    var tokens: TokenTable {
      switch self {
      case .bytePairs(let model): model.tokens
      case .wordPieces(let model): model.tokens
      }
    }
  }

  /// What stands before and after a text.
  struct Frame: Sendable, Equatable {
    var before: [Int] = []
    var after: [Int] = []
  }

  private var normalizers: [Normalizer]
  private var preTokenizers: [PreTokenizer]
  private let model: Model
  private let frame: Frame
  private let roles: [SpecialRole: Int]
  /// How a text holds pictures' paths, if it does.
  private let paths: PicturePaths?
  /// What `SpecialTokenParsing.usual` is.
  private let usualParsing: SpecialTokenParsing
  private let addedById: [Int: AddedToken]
  private let addedByContent: [String: Int]
  private let plainFinder: AddedTokenFinder
  private let normalizedFinder: AddedTokenFinder
  let tokenDecoder: TokenDecoder
  let vocabularySize: Int

  init(
    normalizers: [Normalizer], preTokenizers: [PreTokenizer], model: Model, added: [AddedToken],
    frame: Frame, decoder: TokenDecoder.Kind, roles: [SpecialRole: Int],
    paths: PicturePaths? = nil, usualParsing: SpecialTokenParsing = .all
  ) {
    (self.normalizers, self.preTokenizers, self.model) = (normalizers, preTokenizers, model)
    (self.frame, self.roles) = (frame, roles)
    (self.paths, self.usualParsing) = (paths, usualParsing)
    tokenDecoder = TokenDecoder(kind: decoder, paths: paths)
    addedById = Dictionary(added.map { ($0.id, $0) }) { _, last in last }
    addedByContent = Dictionary(added.map { ($0.content, $0.id) }) { _, last in last }
    plainFinder = AddedTokenFinder(added.filter { !$0.isNormalized && $0.isInTexts }) { $0 }
    normalizedFinder = AddedTokenFinder(added.filter { $0.isNormalized && $0.isInTexts }) {
      content in
      normalizers.reduce(content) { $1.apply(to: $0) }
    }
    vocabularySize = max(model.tokens.size, added.reduce(0) { max($0, $1.id + 1) })
  }

  /// The same vocabulary with other steps before it; tokens that are found in normalised texts are
  /// looked for as before.
  func with(normalizers: [Normalizer], preTokenizers: [PreTokenizer]) -> FileTokenizer {
    var changed = self
    (changed.normalizers, changed.preTokenizers) = (normalizers, preTokenizers)
    return changed
  }

  /// Whether it cuts texts as CLIP does.
  var isCLIP: Bool { preTokenizers.contains(.pattern(.clip)) }

  func encode(_ text: String, addSpecialTokens: Bool) -> [Int] {
    var ids = addSpecialTokens ? frame.before : []
    append(text, to: &ids, parsing: usualParsing)
    if addSpecialTokens { ids += frame.after }
    return ids
  }

  func encode(_ text: String, options: EncodingOptions) throws(PathFailure) -> [Int] {
    var ids = options.addSpecialTokens ? frame.before : []
    let usual = options.parseSpecialTokens == .usual
    let parsing = usual ? usualParsing : options.parseSpecialTokens
    if let paths, parsing != .none {
      let text = normalized(ArraySlice(Array(text.utf8)))
      var space = BytePairEncoding.Workspace()
      let parts = try paths.parts(normalizedFinder.parts(of: text, parsing: parsing), of: text) {
        token($0) ?? ""
      }
      for part in parts {
        switch part {
        case .token(let id): ids.append(id)
        case .path(let path): ids += paths.ids(of: path)
        case .text(let piece): encode(piece, isFirst: false, into: &ids, &space)
        }
      }
    } else {
      append(text, to: &ids, parsing: parsing)
    }
    if options.addSpecialTokens { ids += frame.after }
    return ids
  }

  /// Appends the ids of a text in which no special token is found.
  func append(_ text: String, to ids: inout [Int]) { append(text, to: &ids, parsing: .none) }

  private func append(_ text: String, to ids: inout [Int], parsing: SpecialTokenParsing) {
    var space = BytePairEncoding.Workspace()
    let bytes = ArraySlice(Array(text.utf8))
    for part in plainFinder.parts(of: bytes, parsing: parsing) {
      guard case .text(let piece) = part else {
        if case .token(let id, _) = part { ids.append(id) }
        continue
      }
      let text = normalized(piece)
      let isStart =
        piece.startIndex == bytes.startIndex && !normalizers.contains { $0.takesStart(of: piece) }
      for part in normalizedFinder.parts(of: text, parsing: parsing) {
        if Stop.isRequested { break }
        switch part {
        case .token(let id, _): ids.append(id)
        case .text(let word):
          let isFirst = isStart && word.startIndex == text.startIndex
          encode(word, isFirst: isFirst, into: &ids, &space)
        }
      }
    }
  }

  private func normalized(_ piece: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard !normalizers.isEmpty else { return piece }
    let text = String(decoding: piece, as: UTF8.self)
    return ArraySlice(Array(normalizers.reduce(text) { $1.apply(to: $0) }.utf8))
  }

  /// Appends the tokens of a piece; `isFirst` says that it starts where the whole text does.
  private func encode(
    _ piece: ArraySlice<UInt8>, isFirst: Bool, into ids: inout [Int],
    _ space: inout BytePairEncoding.Workspace
  ) {
    var words = [piece]
    var isFirst = isFirst
    for cutter in preTokenizers {
      let start = words.first?.startIndex
      if words.count == 1 {
        words = cutter.words(in: words[0], isFirst: isFirst)
      } else {
        words = words.enumerated().flatMap { place, word in
          cutter.words(in: word, isFirst: isFirst && place == 0)
        }
      }
      // Where white space went from the start, the first word starts later.
      if words.first?.startIndex != start && !cutter.writesAnew { isFirst = false }
    }
    for (place, word) in words.enumerated() where !word.isEmpty {
      if place & 0x3FF == 0, Stop.isRequested { return }
      switch model {
      case .bytePairs(let model): model.encode(word, into: &ids, &space)
      case .wordPieces(let model): model.encode(word, into: &ids)
      }
    }
  }

  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String {
    var bytes: [UInt8] = []
    var run = DecodingRun(tokenDecoder)
    for id in ids {
      bytes += run.append(id, of: self, skipSpecialTokens: skipSpecialTokens)
    }
    bytes += run.finish()
    let text = String(decoding: bytes, as: UTF8.self)
    guard tokenDecoder.stripsEnds else { return text }
    let scalars = text.unicodeScalars
    guard let last = scalars.lastIndex(where: { !TokenDecoder.isStripped($0) }) else { return "" }
    return String(scalars[...last].drop(while: TokenDecoder.isStripped))
  }

  func token(_ id: Int) -> String? { addedById[id]?.content ?? model.tokens.string(id) }

  func id(_ token: String) -> Int? { addedByContent[token] ?? model.tokens.id(token) }

  func isSpecial(_ id: Int) -> Bool { addedById[id]?.isSpecial ?? false }

  func id(for role: SpecialRole) -> Int? { roles[role] }
}
