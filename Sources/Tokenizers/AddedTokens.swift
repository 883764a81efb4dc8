internal import Budget

/// A token that is found in a text as a whole, before it is cut into words.
struct AddedToken: Sendable, Equatable {
  var id: Int
  var content: String
  /// Only where no letter or digit stands beside it.
  var isSingleWord = false
  /// Takes along the white space before it.
  var takesSpaceBefore = false
  /// Takes along the white space after it.
  var takesSpaceAfter = false
  /// Is looked for in the normalised text.
  var isNormalized = false
  /// Is looked for at all.
  var isInTexts = true
  /// Is left out where special tokens are to be skipped.
  var isSpecial = false
}

extension SpecialTokenParsing {
  /// Whether the name of a token in a text becomes that token.
  func finds(_ token: AddedToken) -> Bool {
    switch self {
    case .usual, .all: true
    case .pictureTags: PicturePaths.tags.contains(token.content) || !token.isSpecial
    case .none: !token.isSpecial
    }
  }
}

/// Finds added tokens: from left to right, at each place the longest.
struct AddedTokenFinder: Sendable {
  /// A part of a text.
  enum Part {
    /// A token, and where its name starts in the text.
    case token(Int, at: Int)
    case text(ArraySlice<UInt8>)
  }

  /// The tokens that can start with a byte, longest first.
  private var tokensByFirstByte: [UInt8: [(bytes: [UInt8], token: AddedToken)]] = [:]
  /// Whether all tokens are special, so that a text may be read without looking for any.
  private let areSpecial: Bool

  /// Finds `tokens`, each spelled as `spelling` gives.
  init(_ tokens: [AddedToken], spelling: (String) -> String) {
    areSpecial = tokens.allSatisfy(\.isSpecial)
    for token in tokens {
      let bytes = Array(spelling(token.content).utf8)
      guard let first = bytes.first else { continue }
      tokensByFirstByte[first, default: []].append((bytes, token))
    }
    for first in tokensByFirstByte.keys {
      tokensByFirstByte[first]?.sort { $0.bytes.count > $1.bytes.count }
    }
  }

  /// The parts of `text` in order.
  func parts(of text: ArraySlice<UInt8>, parsing: SpecialTokenParsing) -> [Part] {
    if tokensByFirstByte.isEmpty || areSpecial && parsing == .none {
      return text.isEmpty ? [] : [.text(text)]
    }
    var starts = [Bool](repeating: false, count: 256)
    for byte in tokensByFirstByte.keys { starts[Int(byte)] = true }
    var parts: [Part] = []
    var taken = text.startIndex
    var place = text.startIndex
    while place < text.endIndex {
      if place & 0xFFFFF == 0, Stop.isRequested { return [] }
      guard starts[Int(text[place])], let found = token(at: place, in: text) else {
        place += 1
        continue
      }
      let end = place + found.bytes.count
      defer { place = max(end, taken) }
      let token = found.token
      guard parsing.finds(token) else { continue }
      if token.isSingleWord, !Self.standsAlone(place..<end, in: text) { continue }
      var start = place
      var stop = end
      if token.takesSpaceBefore {
        start = Self.spaceStart(before: place, downTo: taken, in: text)
      }
      if token.takesSpaceAfter { stop = Self.spaceEnd(after: end, in: text) }
      if taken < start { parts.append(.text(text[taken..<start])) }
      parts.append(.token(token.id, at: place))
      taken = stop
    }
    if taken < text.endIndex { parts.append(.text(text[taken...])) }
    return parts
  }

  private func token(
    at place: Int, in text: ArraySlice<UInt8>
  ) -> (bytes: [UInt8], token: AddedToken)? {
    tokensByFirstByte[text[place]]?.first { candidate in
      candidate.bytes.count <= text.endIndex - place
        && text[place..<place + candidate.bytes.count].elementsEqual(candidate.bytes)
    }
  }

  private static func standsAlone(_ range: Range<Int>, in text: ArraySlice<UInt8>) -> Bool {
    let before = scalar(before: range.lowerBound, in: text)
    let after = scalar(after: range.upperBound, in: text)
    return !(before?.isWordPart ?? false) && !(after?.isWordPart ?? false)
  }

  private static func spaceStart(
    before place: Int, downTo limit: Int, in text: ArraySlice<UInt8>
  ) -> Int {
    var place = place
    while place > limit, let before = scalar(before: place, in: text),
      before.properties.isWhitespace
    {
      place -= UTF8.width(before)
    }
    return max(place, limit)
  }

  private static func spaceEnd(after place: Int, in text: ArraySlice<UInt8>) -> Int {
    var place = place
    while let after = scalar(after: place, in: text), after.properties.isWhitespace {
      place += UTF8.width(after)
    }
    return place
  }

  private static func scalar(before place: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard place > text.startIndex else { return nil }
    var start = place - 1
    while start > text.startIndex && text[start] & 0xC0 == 0x80 { start -= 1 }
    return scalar(after: start, in: text)
  }

  private static func scalar(after place: Int, in text: ArraySlice<UInt8>) -> Unicode.Scalar? {
    guard place < text.endIndex else { return nil }
    return text[place...].prefix(4).withUnsafeBufferPointer { $0.scalar(at: 0).scalar }
  }
}
