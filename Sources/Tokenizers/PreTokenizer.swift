internal import Budget

/// Cuts a text into words, which tokens never straddle.
enum PreTokenizer: Sendable, Equatable {
  /// By a pattern.
  case pattern(WordPattern)
  /// Puts a space before a text that has none.
  case prefixSpace
  /// BERT's: at white space, and around every punctuation mark.
  case bert

  /// The words of a piece of text.
  func words(in piece: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    switch self {
    case .pattern(let pattern): Self.parts(of: piece, pattern.words(in: piece))
    case .prefixSpace:
      piece.isEmpty || piece.first == 0x20 ? [piece] : [ArraySlice([0x20] + piece)]
    case .bert: Self.bertWords(in: piece)
    }
  }

  private static func parts(
    of piece: ArraySlice<UInt8>, _ ranges: [Range<Int>]
  ) -> [ArraySlice<UInt8>] {
    var parts: [ArraySlice<UInt8>] = []
    Stop.parts(of: ranges.count, size: 1 << 14) { numbers in
      for range in ranges[numbers] { parts.append(piece[range]) }
    }
    return parts
  }

  private static func bertWords(in piece: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var words: [ArraySlice<UInt8>] = []
    piece.withUnsafeBufferPointer { bytes in
      var place = 0
      var start = 0
      func finish() {
        if start < place {
          words.append(piece[piece.startIndex + start..<piece.startIndex + place])
        }
      }
      while place < bytes.count {
        let (scalar, length) = bytes.scalar(at: place)
        if words.count & 0x3FFF == 0x3FFF, Stop.isRequested { return }
        if scalar.properties.isWhitespace {
          finish()
          start = place + length
        } else if scalar.isPunctuation {
          finish()
          start = place + length
          words.append(piece[piece.startIndex + place..<piece.startIndex + start])
        }
        place += length
      }
      finish()
    }
    return words
  }
}
