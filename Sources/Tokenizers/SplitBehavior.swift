/// What becomes of the parts of a text that a cut finds.
enum SplitBehavior: String, Sendable {
  /// They go.
  case removed = "Removed"
  /// Each is a word.
  case isolated = "Isolated"
  /// Each ends the word before it.
  case mergedWithPrevious = "MergedWithPrevious"
  /// Each starts the word after it.
  case mergedWithNext = "MergedWithNext"
  /// Each run of them is a word.
  case contiguous = "Contiguous"

  /// A part of a text: what was found, or what stands between.
  private struct Part {
    var range: Range<Int>
    let isFound: Bool
  }

  /// The words of `piece`, cut at each character of a class.
  func words(
    in piece: ArraySlice<UInt8>, at isFound: (Unicode.Scalar) -> Bool
  ) -> [ArraySlice<UInt8>] {
    var found: [Range<Int>] = []
    piece.withUnsafeBufferPointer { bytes in
      var place = 0
      while place < bytes.count {
        let (scalar, length) = bytes.scalar(at: place)
        let start = piece.startIndex + place
        if isFound(scalar) { found.append(start..<start + length) }
        place += length
      }
    }
    return words(in: piece, found: found)
  }

  /// The words of `piece`, cut wherever a text stands.
  func words(in piece: ArraySlice<UInt8>, around text: String) -> [ArraySlice<UInt8>] {
    let text = Array(text.utf8)
    var found: [Range<Int>] = []
    var place = piece.startIndex
    while !text.isEmpty, place + text.count <= piece.endIndex {
      if piece[place] == text[0], piece[place..<place + text.count].elementsEqual(text) {
        found.append(place..<place + text.count)
        place += text.count
      } else {
        place += 1
      }
    }
    return words(in: piece, found: found)
  }

  private func words(in piece: ArraySlice<UInt8>, found: [Range<Int>]) -> [ArraySlice<UInt8>] {
    guard !found.isEmpty else { return piece.isEmpty ? [] : [piece] }
    var parts: [Part] = []
    var place = piece.startIndex
    for range in found {
      if place < range.lowerBound {
        parts.append(Part(range: place..<range.lowerBound, isFound: false))
      }
      parts.append(Part(range: range, isFound: true))
      place = range.upperBound
    }
    if place < piece.endIndex { parts.append(Part(range: place..<piece.endIndex, isFound: false)) }
    return joined(parts).map { piece[$0] }
  }

  private func joined(_ parts: [Part]) -> [Range<Int>] {
    var words: [Range<Int>] = []
    for (place, part) in parts.enumerated() {
      let before = place > 0 ? parts[place - 1] : nil
      let joinsBefore =
        switch self {
        case .removed, .isolated: false
        case .contiguous: before?.isFound == part.isFound
        case .mergedWithPrevious: part.isFound && before?.isFound == false
        // A found part takes along what follows it, unless that was found too.
        case .mergedWithNext: before?.isFound == true && !part.isFound
        }
      if self == .removed && part.isFound { continue }
      if joinsBefore, let last = words.indices.last {
        words[last] = words[last].lowerBound..<part.range.upperBound
      } else {
        words.append(part.range)
      }
    }
    return words
  }
}

/// Cuts a text around tokens that are found as a whole, such as SentencePiece's user-defined pieces.
struct PieceCutter: Sendable, Equatable {
  let pieces: [String]
  private let finder: AddedTokenFinder

  init(_ pieces: [String]) {
    self.pieces = pieces
    finder = AddedTokenFinder(
      pieces.enumerated().map { AddedToken(id: $0.offset, content: $0.element) }
    ) { $0 }
  }

  static func == (one: PieceCutter, other: PieceCutter) -> Bool { one.pieces == other.pieces }

  /// The words of a text, the pieces among them.
  func words(in piece: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var words: [ArraySlice<UInt8>] = []
    var place = piece.startIndex
    for part in finder.parts(of: piece, parsing: .all) {
      let length =
        switch part {
        case .text(let text): text.count
        case .token(let place, _): pieces[place].utf8.count
        }
      words.append(piece[place..<place + length])
      place += length
    }
    return words
  }
}

extension PreTokenizer {
  /// Whether it makes a new text, so that places in the old one say nothing.
  var writesAnew: Bool {
    switch self {
    case .prefixSpace, .metaspace: true
    default: false
    }
  }

  /// Runs of parts of words, and runs of what is neither that nor white space.
  static func runs(in piece: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var words: [ArraySlice<UInt8>] = []
    var last: Bool?
    piece.withUnsafeBufferPointer { bytes in
      var (place, start) = (0, 0)
      func finish() {
        if last != nil {
          words.append(piece[piece.startIndex + start..<piece.startIndex + place])
        }
        start = place
      }
      while place < bytes.count {
        let (scalar, length) = bytes.scalar(at: place)
        let isPart: Bool? =
          scalar.isWordPart ? true : scalar.properties.isWhitespace ? nil : false
        if isPart != last { finish() }
        last = isPart
        place += length
      }
      finish()
    }
    return words
  }
}

extension Unicode.Scalar {
  /// Whether it is a digit or number to the reference, whose table here is that of Unicode 17.
  var isNumeric: Bool {
    if value < 0x80 { return value >= 0x30 && value <= 0x39 }
    switch properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return 0x11DE0...0x11DE9 ~= value || 0x16FF4...0x16FF6 ~= value
    }
  }
}
