internal import Budget

/// What a word is made of before anything merges.
struct WordSymbols: Sendable {
  /// Which parts of a word are looked for in the vocabulary.
  private enum Kind: Sendable {
    /// Bytes: the token of each, then of each at the end of a word; -1 where there is none.
    case bytes([Int32])
    /// Characters; those that no token spells become their bytes' tokens where all of them are there.
    case characters(bytes: [Int32])
  }

  private let kind: Kind
  private let unknown: Int32?
  private let fusesUnknown: Bool

  /// Bytes, as byte-level vocabularies have them.
  ///
  /// - Parameters:
  ///   - wordEnd: what the last symbol of a word ends in, `</w>` for CLIP.
  ///   - unknown: stands for a byte that no token spells; without one such bytes are left out.
  static func bytes(
    of tokens: TokenTable, wordEnd: String, unknown: Int?, fusesUnknown: Bool
  ) -> WordSymbols {
    let names = ByteAlphabet.scalars.map { String(Character($0)) }
    let ends = wordEnd.isEmpty ? names : names.map { $0 + wordEnd }
    let ids = (names + ends).map { Int32(tokens.id($0) ?? -1) }
    return WordSymbols(
      kind: .bytes(ids), unknown: unknown.map(Int32.init), fusesUnknown: fusesUnknown)
  }

  /// Characters, as SentencePiece's vocabularies have them.
  ///
  /// - Parameters:
  ///   - fallsBackToBytes: whether `<0xE7><0x8C><0xAB>` stand for a character without a token.
  ///   - unknown: stands for a character that nothing spells; without one such are left out.
  static func characters(
    of tokens: TokenTable, fallsBackToBytes: Bool, unknown: Int?, fusesUnknown: Bool
  ) -> WordSymbols {
    let ids =
      fallsBackToBytes ? (0...255).map { Int32(tokens.id(ByteToken.name(of: $0)) ?? -1) } : []
    return WordSymbols(
      kind: .characters(bytes: ids), unknown: unknown.map(Int32.init), fusesUnknown: fusesUnknown)
  }

  /// The token that is the whole word as `tokens` spell it, without what ends a word: so the reference
  /// looks for it.
  func wholeWord(_ word: ArraySlice<UInt8>, in tokens: TokenTable) -> Int? {
    guard case .bytes = kind else { return word.withUnsafeBufferPointer { tokens.id($0) } }
    // Every byte is spelled with one or more.
    guard word.count <= tokens.longest else { return nil }
    var text = String.UnicodeScalarView()
    for byte in word { text.append(ByteAlphabet.scalars[Int(byte)]) }
    return tokens.id(String(text))
  }

  /// Appends the tokens that the word starts as; not all of them once the work is asked to end.
  func append(_ word: ArraySlice<UInt8>, to ids: inout [Int32], _ tokens: TokenTable) {
    var lastIsUnknown = false
    func append(_ symbol: Int32) {
      if symbol >= 0 {
        ids.append(symbol)
      } else if let unknown, !(fusesUnknown && lastIsUnknown) {
        ids.append(unknown)
      }
      lastIsUnknown = symbol < 0
    }
    switch kind {
    case .bytes(let symbols):
      for (offset, byte) in word.enumerated() {
        if offset & 0xFFFF == 0xFFFF, Stop.isRequested { return }
        append(symbols[Int(byte) + (offset == word.count - 1 ? 256 : 0)])
      }
    case .characters(let bytes):
      word.withUnsafeBufferPointer { word in
        var (place, count) = (0, 0)
        while place < word.count {
          count += 1
          if count & 0xFFFF == 0, Stop.isRequested { return }
          let length = word.scalar(at: place).length
          let character = UnsafeBufferPointer(rebasing: word[place..<place + length])
          place += length
          if let id = tokens.id(character) {
            append(Int32(id))
          } else if !bytes.isEmpty, character.allSatisfy({ bytes[Int($0)] >= 0 }) {
            for byte in character { append(bytes[Int(byte)]) }
          } else {
            append(-1)
          }
        }
      }
    }
  }
}

/// Tokens such as `<0xE7>`, each of which stands for a byte.
enum ByteToken {
  /// The byte's token.
  static func name(of byte: Int) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x\(digits.utf8.count < 2 ? "0" : "")\(digits)>"
  }

  /// The byte that a token stands for; nil for other tokens.
  static func byte(of token: String) -> UInt8? {
    var token = token
    return token.withUTF8 { bytes in
      guard bytes.count == 6, bytes[0] == UInt8(ascii: "<"), bytes[1] == UInt8(ascii: "0"),
        bytes[2] == UInt8(ascii: "x"), bytes[5] == UInt8(ascii: ">"),
        let high = digit(bytes[3]), let low = digit(bytes[4])
      else { return nil }
      return high << 4 | low
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
  }
}
