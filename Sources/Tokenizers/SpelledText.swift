/// A text as its tokens spell it, in which words are looked for byte by byte.
///
/// A word is first spelled by the same tokenizer, so that it is found as the tokens have it: in CLIP's
/// texts without capitals, and with the marks at the ends of words. Time grows with the length of both.
public struct SpelledText: Sendable {
  private let tokenizer: any Tokenizer
  private let folded: Folded
  /// Where in the text the bytes of each token lie.
  private let spans: [Range<Int>]
  /// How many tokens there are.
  public var tokenCount: Int { spans.count }

  /// The text of some tokens.
  public init(_ ids: [Int], by tokenizer: any Tokenizer) {
    var bytes: [UInt8] = []
    spans = ids.map { id in
      let start = bytes.count
      bytes += tokenizer.spelledBytes(id)
      return start..<bytes.count
    }
    (self.tokenizer, folded) = (tokenizer, Folded(bytes))
  }

  /// The tokens that have a part of a word, wherever it stands as a whole word, in capitals or not.
  ///
  /// White space at its ends counts for nothing. Empty where the text has no such word.
  public func tokens(of word: String) -> [Int] {
    let places = folded.places(of: spelled(word))
    var (found, next) = ([Int](), 0)
    for (token, span) in spans.enumerated() where !span.isEmpty {
      while next < places.count, places[next].upperBound <= span.lowerBound { next += 1 }
      if next < places.count, places[next].lowerBound < span.upperBound { found.append(token) }
    }
    return found
  }

  /// A word as its tokens spell it; as it is written where some of it has no token.
  private func spelled(_ word: String) -> Folded {
    let ids = tokenizer.encode(word, addSpecialTokens: false)
    let unknown = tokenizer.id(for: .unknown)
    let isKnown = !ids.contains { $0 == unknown || tokenizer.isSpecial($0) }
    let bytes = isKnown ? ids.flatMap { tokenizer.spelledBytes($0) } : Array(word.utf8)
    return Folded(bytes).trimmed
  }
}

extension Tokenizer {
  /// The bytes that a token has in the middle of a text; none for a special one.
  public func spelledBytes(_ id: Int) -> [UInt8] {
    guard !isSpecial(id), let token = token(id) else { return [] }
    return tokenDecoder.spelledBytes(of: token)
  }
}

/// Bytes of a text in small letters, each with its place in the text.
private struct Folded {
  private var bytes: [UInt8] = []
  /// Which byte of the text each belongs to, and the end behind the last.
  private var origins: [Int] = []
  /// The scalar that begins at a byte; nil inside of one, and for bytes that are none.
  private var scalars: [Unicode.Scalar?] = []

  init(_ text: [UInt8]) {
    var place = 0
    text.withUnsafeBufferPointer { text in
      while place < text.count {
        let length = (1...4).first { length in
          place + length <= text.count
            && String(validating: text[place..<place + length], as: UTF8.self) != nil
        }
        guard let length else {
          append([text[place]], nil, from: place)
          place += 1
          continue
        }
        for scalar in text.scalar(at: place).scalar.properties.lowercaseMapping.unicodeScalars {
          append(Array(String(scalar).utf8), scalar, from: place)
        }
        place += length
      }
    }
    origins.append(place)
  }

  private mutating func append(_ new: [UInt8], _ scalar: Unicode.Scalar?, from place: Int) {
    for index in new.indices {
      bytes.append(new[index])
      origins.append(place)
      scalars.append(index == 0 ? scalar : nil)
    }
  }

  /// Without white space at its ends.
  var trimmed: Folded {
    var result = self
    while let last = result.lastScalar(before: result.bytes.count),
      last.properties.isWhitespace
    {
      let count = String(last).utf8.count
      result.bytes.removeLast(count)
      result.scalars.removeLast(count)
      result.origins.removeLast(count)
    }
    let spaces = result.scalars.prefix { $0?.properties.isWhitespace ?? true }.count
    result.bytes.removeFirst(spaces)
    result.scalars.removeFirst(spaces)
    result.origins.removeFirst(spaces)
    return result
  }

  /// Where a text has these bytes and they are no part of a longer word: ranges of the text's bytes, the
  /// first first.
  func places(of word: Folded) -> [Range<Int>] {
    let count = word.bytes.count
    guard count > 0, count <= bytes.count else { return [] }
    let shorter = word.shorterStarts
    var (found, matched) = ([Range<Int>](), 0)
    for (place, byte) in bytes.enumerated() {
      while matched > 0, byte != word.bytes[matched] { matched = shorter[matched - 1] }
      if byte == word.bytes[matched] { matched += 1 }
      guard matched == count else { continue }
      matched = shorter[matched - 1]
      let (start, end) = (place + 1 - count, place + 1)
      if !joins(at: start), !joins(at: end) { found.append(origins[start]..<origins[end]) }
    }
    return found
  }

  /// How many bytes at each place end what the bytes begin with, fewer than all up to there: what is
  /// left of a match when the next byte differs (Knuth, Morris and Pratt 1977).
  private var shorterStarts: [Int] {
    var (starts, matched) = ([0], 0)
    for byte in bytes.dropFirst() {
      while matched > 0, byte != bytes[matched] { matched = starts[matched - 1] }
      if byte == bytes[matched] { matched += 1 }
      starts.append(matched)
    }
    return starts
  }

  /// Whether what lies before a byte and what begins there are one word or one character.
  private func joins(at place: Int) -> Bool {
    guard place > 0, place < bytes.count, let before = lastScalar(before: place),
      let after = scalars[place]
    else { return false }
    if after.properties.isGraphemeExtend || after == "\u{200D}" || before == "\u{200D}" {
      return true
    }
    // Scripts without spaces have words side by side.
    return [before, after].allSatisfy {
      $0.value < 0x2E80 && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
    }
  }

  /// The scalar that ends before a byte; nil where bytes that are none do.
  private func lastScalar(before place: Int) -> Unicode.Scalar? {
    (1...4).lazy.map { place - $0 }.first { $0 >= 0 && scalars[$0] != nil }.flatMap { scalars[$0] }
  }
}
