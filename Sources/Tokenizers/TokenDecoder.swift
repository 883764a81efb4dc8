/// How tokens become text.
public struct TokenDecoder: Sendable {
  /// The family's way.
  enum Kind: Sendable, Equatable {
    /// Tokens stand for bytes; `wordEnd` ends a word that a space follows, as in CLIP.
    case bytes(wordEnd: String)
    /// Tokens that start with `continuation` go on with a word; spaces come before the others.
    case pieces(continuation: String, cleansUp: Bool)
    /// Steps one after the other, as `tokenizer.json` lists them.
    case steps([DecodingStep])
    /// As SentencePiece itself does.
    case sentencePieces(SentencePieceSpelling)
  }

  let kind: Kind
  /// How ids hold pictures' paths, if they do.
  var paths: PicturePaths?

  /// Whether white space at both ends of a decoded text goes.
  var stripsEnds: Bool {
    if case .bytes(let wordEnd) = kind { !wordEnd.isEmpty } else { false }
  }

  /// Whether a character goes where `stripsEnds` asks for it; the reference counts the four
  /// separators before the space as white space too.
  static func isStripped(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// The bytes that a byte-level token adds to a text.
  static func bytes(of token: String, wordEnd: String) -> [UInt8] {
    let bytes = ByteAlphabet.bytes(of: token)
    return wordEnd.isEmpty ? bytes : replace(wordEnd, by: " ", in: bytes)
  }

  /// The bytes that a piece of a word adds to a text; `isFirst` says that nothing comes before it.
  static func bytes(
    of token: String, continuation: String, cleansUp: Bool, isFirst: Bool
  ) -> [UInt8] {
    var bytes = Array(token.utf8)
    if !isFirst {
      if bytes.starts(with: continuation.utf8) {
        bytes.removeFirst(continuation.utf8.count)
      } else {
        bytes.insert(0x20, at: 0)
      }
    }
    return cleansUp ? cleanedUp(bytes) : bytes
  }

  /// The bytes of a token in the middle of a text, with the space that goes with it.
  func spelledBytes(of token: String) -> [UInt8] {
    switch kind {
    case .bytes(let wordEnd): Self.bytes(of: token, wordEnd: wordEnd)
    case .pieces(let continuation, let cleansUp):
      Self.bytes(of: token, continuation: continuation, cleansUp: cleansUp, isFirst: false)
    case .steps, .sentencePieces: visibleBytes(of: token)
    }
  }

  /// The bytes of a token on its own, for looking at.
  func visibleBytes(of token: String) -> [UInt8] {
    switch kind {
    case .bytes: return ByteAlphabet.bytes(of: token)
    case .pieces: return Array(token.utf8)
    case .steps(let steps):
      if steps.contains(.bytes), let byte = ByteToken.byte(of: token) { return [byte] }
      return Array(steps.reduce(token) { $1.written($0) }.utf8)
    case .sentencePieces:
      if let byte = ByteToken.byte(of: token) { return [byte] }
      return Self.replace(Metaspace.mark, by: " ", in: Array(token.utf8))
    }
  }

  /// Takes away the space before punctuation, within one token, as the reference does.
  private static func cleanedUp(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.contains(0x20) else { return bytes }
    var bytes = bytes
    for (found, replacement) in [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
      (" 'm", "'m"), (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ] {
      bytes = replace(found, by: replacement, in: bytes)
    }
    return bytes
  }

  static func replace(
    _ found: String, by replacement: String, in bytes: [UInt8]
  ) -> [UInt8] {
    let found = Array(found.utf8)
    guard bytes.count >= found.count else { return bytes }
    var result: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if place + found.count <= bytes.count,
        bytes[place..<place + found.count].elementsEqual(found)
      {
        result += Array(replacement.utf8)
        place += found.count
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return result
  }
}
