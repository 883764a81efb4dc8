internal import Budget

/// Cuts a text into words, which tokens never straddle.
enum PreTokenizer: Sendable, Equatable {
  /// By a pattern.
  case pattern(WordPattern)
  /// Puts a space before a text that has none.
  case prefixSpace
  /// BERT's: at white space, and around every punctuation mark.
  case bert
  /// By a pattern that chat models have.
  case chatPattern(ChatWordPattern)
  /// Writes spaces as a mark, and puts one before a text that has none.
  case metaspace(Metaspace)
  /// Around digits.
  case digits(SplitBehavior)
  /// At white space, which goes.
  case whitespace
  /// Runs of letters, digits and `_`, and runs of other signs; white space goes.
  case words
  /// Around punctuation marks.
  case punctuation(SplitBehavior)
  /// Around a text.
  case text(String, SplitBehavior)
  /// Around tokens that are found as a whole.
  case pieces(PieceCutter)

  /// The words of a piece of text.
  ///
  /// - Parameter isFirst: whether the piece starts where the whole text does.
  func words(in piece: ArraySlice<UInt8>, isFirst: Bool) -> [ArraySlice<UInt8>] {
    switch self {
    case .pattern(let pattern): Self.parts(of: piece, pattern.words(in: piece))
    case .prefixSpace:
      piece.isEmpty || piece.first == 0x20 ? [piece] : [ArraySlice([0x20] + piece)]
    case .bert: Self.bertWords(in: piece)
    case .chatPattern(let pattern): pattern.words(in: piece).map { piece[$0] }
    case .metaspace(let metaspace): metaspace.words(in: piece, isFirst: isFirst)
    case .digits(let behavior): behavior.words(in: piece) { $0.isNumeric }
    case .whitespace: SplitBehavior.removed.words(in: piece) { $0.properties.isWhitespace }
    case .words: Self.runs(in: piece)
    case .punctuation(let behavior): behavior.words(in: piece) { $0.isPunctuation }
    case .text(let text, let behavior): behavior.words(in: piece, around: text)
    case .pieces(let cutter): cutter.words(in: piece)
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
