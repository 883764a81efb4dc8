/// Unicode's form C: `e` and an accent as `é`.
///
/// GLib says which two characters are one. Which of a text meet is found here, in time that grows with
/// its length: a letter with 100,000 accents takes libraries that go by whole texts minutes.
enum CanonicalComposition {
  /// The characters of `text`, put together wherever Unicode has one for two.
  ///
  /// - Parameter version: of Unicode; characters that came later are left alone.
  static func scalars(of text: String, unicode version: Int = 9) -> [Unicode.Scalar] {
    var known: [UInt64: Unicode.Scalar?] = [:]
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.utf8.count)
    // Where the last character stands that others can join, and the class of the last after it
    // that did not.
    var starter: Int?
    var lastRank: UInt8 = 0
    for scalar in CanonicalDecomposition.scalars(of: text, unicode: version).untilStopped {
      let rank = scalar.combiningRank(unicode: version)
      if let place = starter, scalar.joinsOthers {
        // What stands between keeps those of its own class from joining, and letters from joining
        // at all.
        let isNext = place == result.count - 1
        if isNext || lastRank < rank, let one = joined(result[place], scalar, version, &known) {
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
    _ first: Unicode.Scalar, _ second: Unicode.Scalar, _ version: Int,
    _ known: inout [UInt64: Unicode.Scalar?]
  ) -> Unicode.Scalar? {
    let key = UInt64(first.value) << 32 | UInt64(second.value)
    if let answer = known[key] { return answer }
    let answer = CharacterTables.composed(first, second).flatMap {
      $0.isIn(unicode: version) ? $0 : nil
    }
    known[key] = .some(answer)
    return answer
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
