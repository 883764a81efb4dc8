/// Unicode's form D: `é` as `e` and an accent.
///
/// GLib gives the parts of one character. The order of what follows a letter is found here, in time that
/// grows with its length: a letter with 100,000 accents would never end in a sort by neighbours.
enum CanonicalDecomposition {
  /// The characters of `text`, taken apart and in canonical order.
  ///
  /// - Parameter version: of Unicode; characters that came later are left alone.
  static func scalars(of text: String, unicode version: Int = 9) -> [Unicode.Scalar] {
    var parts: [Unicode.Scalar: [Unicode.Scalar]] = [:]
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.utf8.count)
    // Where the characters start that have a combining class and follow one another.
    var runStart: Int?
    for scalar in text.unicodeScalars.untilStopped {
      guard scalar.value >= 0xC0 else {
        finishRun(&runStart, &result, version)
        result.append(scalar)
        continue
      }
      let known = parts[scalar]
      let decomposed =
        known ?? (scalar.isIn(unicode: version) ? CharacterTables.decomposed(scalar) : [scalar])
      if known == nil { parts[scalar] = decomposed }
      for part in decomposed {
        if part.combiningRank(unicode: version) == 0 {
          finishRun(&runStart, &result, version)
        } else if runStart == nil {
          runStart = result.count
        }
        result.append(part)
      }
    }
    finishRun(&runStart, &result, version)
    return result
  }

  /// Sorts the run that ends here by combining class; equals keep their order.
  private static func finishRun(
    _ start: inout Int?, _ scalars: inout [Unicode.Scalar], _ version: Int
  ) {
    guard let first = start else { return }
    start = nil
    guard scalars.count - first > 1 else { return }
    let run = scalars[first...].enumerated().map {
      (part: $0.element, rank: $0.element.combiningRank(unicode: version), $0.offset)
    }
    let sorted = run.sorted { ($0.rank, $0.2) < ($1.rank, $1.2) }
    scalars.replaceSubrange(first..., with: sorted.map(\.part))
  }
}

extension Unicode.Scalar {
  /// The combining class: marks of unequal ones have one order, 0 is what never moves.
  ///
  /// Classes never change, but marks are added: those of a later version of Unicode have none.
  func combiningRank(unicode version: Int) -> UInt8 {
    guard value >= 0x300 else { return 0 }
    let rank = CharacterTables.combiningClass(self)
    return rank == 0 || isIn(unicode: version) ? rank : 0
  }
}
