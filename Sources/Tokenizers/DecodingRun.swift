/// A step from tokens to text, as `tokenizer.json` lists them.
enum DecodingStep: Sendable, Equatable {
  /// Puts one text wherever another stands in a token.
  case replace(String, by: String)
  /// Makes characters of runs of tokens such as `<0xE7>`; of a run that is no UTF-8, as many `\u{FFFD}`
  /// as it has bytes.
  case bytes
  /// Makes one text of all tokens, for the steps that follow.
  case fuse
  /// Takes up to `start` and `stop` characters from the ends of a token, or of the text once it is one.
  case strip(Unicode.Scalar, start: Int, stop: Int)
  /// Writes marks as spaces, and leaves out those of the first token if `dropsFirst`.
  case spaces(mark: Unicode.Scalar, dropsFirst: Bool)

  /// A token as this step writes it, for looking at.
  func written(_ token: String) -> String {
    switch self {
    case .replace(let found, let replacement):
      Normalizer.replace(found, by: replacement, in: token)
    case .spaces(let mark, _): Normalizer.replace(String(mark), by: " ", in: token)
    case .bytes, .fuse, .strip: token
    }
  }
}

/// How SentencePiece's own decoder spells.
struct SentencePieceSpelling: Sendable, Equatable {
  /// The piece that stands for what no piece spells, and what it is decoded to.
  var unknown: String
  var unknownSurface: String
  /// Whether the first space goes, which encoding put there.
  var dropsFirstSpace: Bool
  /// Whether all spaces at the start go.
  var dropsAllSpaces: Bool
}

/// Tokens on their way to text: what must be known of those before.
struct DecodingRun: Sendable {
  private let kind: TokenDecoder.Kind
  private var isFirst = true
  /// Bytes of tokens such as `<0xE7>`, until one comes that is none.
  private var bytes: [UInt8] = []
  /// How many characters a strip may still take from the start of the text.
  private var stripsLeft: Int
  private let paths: PicturePaths?
  private var reading: PathReading

  init(_ decoder: TokenDecoder) {
    (kind, paths) = (decoder.kind, decoder.paths)
    reading = PathReading(paths)
    stripsLeft = Self.strips(kind)
  }

  /// The bytes that an id adds to the text.
  mutating func append(
    _ id: Int, of tokenizer: some Tokenizer, skipSpecialTokens: Bool
  ) -> [UInt8] {
    switch reading.next(id) {
    case .byte(let byte): return [byte]
    case .padding: return []
    case .token:
      guard !(skipSpecialTokens && tokenizer.isSpecial(id)), let token = tokenizer.token(id)
      else { return [] }
      return append(token)
    }
  }

  private mutating func append(_ token: String) -> [UInt8] {
    defer { isFirst = false }
    switch kind {
    case .bytes(let wordEnd): return TokenDecoder.bytes(of: token, wordEnd: wordEnd)
    case .pieces(let continuation, let cleansUp):
      return TokenDecoder.bytes(
        of: token, continuation: continuation, cleansUp: cleansUp, isFirst: isFirst)
    case .steps(let steps):
      var text: [UInt8] = []
      pass(token, through: steps[...], to: &text)
      return text
    case .sentencePieces(let spelling): return piece(token, spelling)
    }
  }

  /// What is left when no more tokens come; the next one starts a text.
  mutating func finish() -> [UInt8] {
    var text: [UInt8] = []
    switch kind {
    case .bytes, .pieces: break
    case .steps(let steps):
      if let place = steps.firstIndex(of: .bytes) {
        flush(through: steps[(place + 1)...], to: &text)
      }
    case .sentencePieces: text = looseCharacters()
    }
    (isFirst, stripsLeft) = (true, Self.strips(kind))
    reading = PathReading(paths)
    return text
  }

  private static func strips(_ kind: TokenDecoder.Kind) -> Int {
    switch kind {
    case .bytes, .pieces: 0
    case .steps(let steps):
      steps.reduce(0) { if case .strip(_, let start, _) = $1 { $0 + start } else { $0 } }
    case .sentencePieces(let spelling): spelling.dropsFirstSpace ? 1 : 0
    }
  }

  private mutating func pass(
    _ token: String, through steps: ArraySlice<DecodingStep>, to text: inout [UInt8]
  ) {
    var token = token
    for (place, step) in zip(steps.indices, steps) {
      switch step {
      case .replace: token = step.written(token)
      case .spaces(let mark, let dropsFirst):
        token =
          isFirst && dropsFirst
          ? Normalizer.replace(String(mark), by: "", in: token) : step.written(token)
      case .bytes:
        let rest = steps[(place + 1)...]
        if let byte = ByteToken.byte(of: token) {
          bytes.append(byte)
          return
        }
        flush(through: rest, to: &text)
      case .strip(let scalar, let start, let stop): token = stripped(token, scalar, start, stop)
      case .fuse:
        // What follows is one strip at most, of the start of the text.
        if case .strip(let scalar, _, _)? = steps[(place + 1)...].first, stripsLeft > 0 {
          var scalars = token.unicodeScalars[...]
          while stripsLeft > 0, scalars.first == scalar {
            scalars.removeFirst()
            stripsLeft -= 1
          }
          if !scalars.isEmpty { stripsLeft = 0 }
          token = String(scalars)
        }
        text.append(contentsOf: token.utf8)
        return
      }
    }
    text.append(contentsOf: token.utf8)
  }

  private mutating func flush(
    through steps: ArraySlice<DecodingStep>, to text: inout [UInt8]
  ) {
    guard !bytes.isEmpty else { return }
    let run = bytes
    bytes = []
    if let characters = String(validating: run, as: UTF8.self) {
      pass(characters, through: steps, to: &text)
    } else {
      for _ in run { pass("\u{FFFD}", through: steps, to: &text) }
    }
  }

  private func stripped(
    _ token: String, _ scalar: Unicode.Scalar, _ start: Int, _ stop: Int
  ) -> String {
    var scalars = token.unicodeScalars[...]
    for _ in 0..<start where scalars.first == scalar { scalars.removeFirst() }
    for _ in 0..<stop where scalars.last == scalar { scalars.removeLast() }
    return String(scalars)
  }

  private mutating func piece(_ token: String, _ spelling: SentencePieceSpelling) -> [UInt8] {
    if let byte = ByteToken.byte(of: token) {
      bytes.append(byte)
      return []
    }
    var text = looseCharacters()
    if !text.isEmpty { stripsLeft = 0 }
    if token == spelling.unknown {
      stripsLeft = 0
      return text + Array(spelling.unknownSurface.utf8)
    }
    var scalars = token.unicodeScalars[...]
    if stripsLeft > 0, scalars.first == Metaspace.mark.unicodeScalars.first {
      scalars.removeFirst()
      if !spelling.dropsAllSpaces { stripsLeft = 0 }
    }
    if !scalars.isEmpty { stripsLeft = 0 }
    text += TokenDecoder.replace(Metaspace.mark, by: " ", in: Array(String(scalars).utf8))
    return text
  }

  /// The characters that the bytes so far are, each byte that is of none as `\u{FFFD}`.
  private mutating func looseCharacters() -> [UInt8] {
    defer { bytes = [] }
    var text: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let length = (1...4).first { length in
        place + length <= bytes.count
          && String(validating: bytes[place..<place + length], as: UTF8.self) != nil
      }
      text += length.map { bytes[place..<place + $0] } ?? ArraySlice("\u{FFFD}".utf8)
      place += length ?? 1
    }
    return text
  }
}
