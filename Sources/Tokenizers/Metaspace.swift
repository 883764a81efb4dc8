/// Writes a space as a mark that prints, and starts a text with one, as SentencePiece does.
struct Metaspace: Sendable, Equatable {
  /// SentencePiece's own mark.
  static let mark = "\u{2581}"

  /// Which texts get a mark before them.
  enum Prefix: Sendable, Equatable {
    /// Each, also one between two added tokens, unless it starts with a mark.
    case always
    /// The one at the very start, unless it starts with a mark.
    case first
    /// None.
    case never
    /// Each, whatever it starts with: SentencePiece's own way.
    case evenIfMarked
  }

  var mark = Self.mark
  var prefix: Prefix
  /// Whether each mark starts a word.
  var splits = false

  /// The words of a piece; `isFirst` says that the piece starts where the whole text does.
  func words(in piece: ArraySlice<UInt8>, isFirst: Bool) -> [ArraySlice<UInt8>] {
    guard !piece.isEmpty else { return [] }
    let mark = Array(self.mark.utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(piece.count + piece.count / 4 + mark.count)
    let startsMarked = piece.first == 0x20 || piece.starts(with: mark)
    let getsPrefix =
      switch prefix {
      case .always: !startsMarked
      case .first: isFirst && !startsMarked
      case .never: false
      case .evenIfMarked: true
      }
    if getsPrefix { bytes += mark }
    for byte in piece {
      if byte == 0x20 { bytes += mark } else { bytes.append(byte) }
    }
    let text = ArraySlice(bytes)
    return splits ? SplitBehavior.mergedWithNext.words(in: text, around: self.mark) : [text]
  }
}
