internal import Foundation

/// Unicode's form C: `e` and an accent as `é`.
///
/// Foundation says which two characters are one. Which of a text meet is found here, because
/// Foundation takes quadratic time for it: a letter with 100,000 accents takes it a quarter of a
/// minute.
enum CanonicalComposition {
  /// The characters of `text`, put together wherever Unicode has one for two.
  static func scalars(of text: String) -> [Unicode.Scalar] {
    var known: [UInt64: Unicode.Scalar?] = [:]
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.utf8.count)
    // Where the last character stands that others can join, and the class of the last after it
    // that did not.
    var starter: Int?
    var lastRank: UInt8 = 0
    for scalar in CanonicalDecomposition.scalars(of: text) {
      let rank = scalar.combiningRank
      if let place = starter, scalar.joinsOthers {
        // What stands between keeps those of its own class from joining, and letters from joining
        // at all.
        let isNext = place == result.count - 1
        if isNext || lastRank < rank, let one = joined(result[place], scalar, &known) {
          result[place] = one
          continue
        }
      }
      if rank == 0 { starter = result.count }
      lastRank = rank
      result.append(scalar)
    }
    return result
  }

  /// The character that two make; `known` holds what was asked before.
  private static func joined(
    _ first: Unicode.Scalar, _ second: Unicode.Scalar, _ known: inout [UInt64: Unicode.Scalar?]
  ) -> Unicode.Scalar? {
    if let syllable = syllable(first.value, second.value) { return syllable }
    // No other letter joins one.
    guard second.properties.generalCategory != .otherLetter else { return nil }
    let key = UInt64(first.value) << 32 | UInt64(second.value)
    if let answer = known[key] { return answer }
    var two = String.UnicodeScalarView()
    two.append(first)
    two.append(second)
    // Taken apart first, because Foundation leaves some pairs whose first is two itself.
    let composed = String(two).decomposedStringWithCanonicalMapping
      .precomposedStringWithCanonicalMapping.unicodeScalars
    let answer =
      composed.count == 1 ? composed.first.flatMap { $0.isIn(unicode: 9) ? $0 : nil } : nil
    known[key] = .some(answer)
    return answer
  }

  /// The syllable of Hangul that two make: a consonant and a vowel, or these and a final.
  ///
  /// By Unicode's arithmetic (section 3.12); Foundation's is one off at the ends of the ranges.
  private static func syllable(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
    switch (first, second) {
    case (0x1100...0x1112, 0x1161...0x1175):
      Unicode.Scalar(0xAC00 + ((first - 0x1100) * 21 + (second - 0x1161)) * 28)
    case (0xAC00...0xD7A3, 0x11A8...0x11C2) where (first - 0xAC00).isMultiple(of: 28):
      Unicode.Scalar(first + (second - 0x11A7))
    default: nil
    }
  }
}

extension Unicode.Scalar {
  /// Whether this can be the second of two that make one: a mark, or a vowel or final of Hangul.
  ///
  /// True for some that cannot; it keeps the letters of most texts from being asked about.
  fileprivate var joinsOthers: Bool {
    guard value >= 0x300 else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark: return true
    case .otherLetter: return 0x1161...0x1175 ~= value || 0x11A8...0x11C2 ~= value
    default: return false
    }
  }
}
