/// How tokens become text.
public struct TokenDecoder: Sendable {
  /// The family's way.
  enum Kind: Sendable, Equatable {
    /// Tokens stand for bytes; `wordEnd` ends a word that a space follows, as in CLIP.
    case bytes(wordEnd: String)
    /// Tokens that start with `continuation` go on with a word; spaces come before the others.
    case pieces(continuation: String, cleansUp: Bool)
  }

  let kind: Kind

  /// Whether white space at both ends of a decoded text goes.
  var stripsEnds: Bool {
    if case .bytes(let wordEnd) = kind { !wordEnd.isEmpty } else { false }
  }

  /// Whether a character goes where `stripsEnds` asks for it; the reference counts the four
  /// separators before the space as white space too.
  static func isStripped(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  /// The bytes that a token adds to a text; `isFirst` says that nothing comes before it.
  func bytes(of token: String, isFirst: Bool) -> [UInt8] {
    switch kind {
    case .bytes(let wordEnd):
      let bytes = ByteAlphabet.bytes(of: token)
      guard !wordEnd.isEmpty else { return bytes }
      return Self.replace(wordEnd, by: " ", in: bytes)
    case .pieces(let continuation, let cleansUp):
      var bytes = Array(token.utf8)
      if !isFirst {
        if bytes.starts(with: continuation.utf8) {
          bytes.removeFirst(continuation.utf8.count)
        } else {
          bytes.insert(0x20, at: 0)
        }
      }
      return cleansUp ? Self.cleanedUp(bytes) : bytes
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

  private static func replace(
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
