internal import Foundation

/// Unicode's form D: `é` as `e` and an accent.
///
/// Foundation gives the parts of one character. The order of what follows a letter is found here,
/// because Foundation takes quadratic time for it: a letter with 100,000 accents would never end.
enum CanonicalDecomposition {
  /// The characters of `text`, taken apart and in canonical order.
  static func scalars(of text: String) -> [Unicode.Scalar] {
    var parts: [Unicode.Scalar: [Unicode.Scalar]] = [:]
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.utf8.count)
    // Where the characters start that have a combining class and follow one another.
    var runStart: Int?
    for scalar in text.unicodeScalars {
      guard scalar.value >= 0xC0 else {
        finishRun(&runStart, &result)
        result.append(scalar)
        continue
      }
      let known = parts[scalar]
      let decomposed = known ?? Self.parts(of: scalar)
      if known == nil { parts[scalar] = decomposed }
      for part in decomposed {
        if part.combiningRank == 0 {
          finishRun(&runStart, &result)
        } else if runStart == nil {
          runStart = result.count
        }
        result.append(part)
      }
    }
    finishRun(&runStart, &result)
    return result
  }

  private static func parts(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    guard scalar.isIn(unicode: 9) else { return [scalar] }
    return Array(String(Character(scalar)).decomposedStringWithCanonicalMapping.unicodeScalars)
  }

  /// Sorts the run that ends here by combining class; equals keep their order.
  private static func finishRun(_ start: inout Int?, _ scalars: inout [Unicode.Scalar]) {
    guard let first = start else { return }
    start = nil
    guard scalars.count - first > 1 else { return }
    let run = scalars[first...].enumerated().map {
      (part: $0.element, rank: $0.element.combiningRank, $0.offset)
    }
    let sorted = run.sorted { ($0.rank, $0.2) < ($1.rank, $1.2) }
    scalars.replaceSubrange(first..., with: sorted.map(\.part))
  }
}

extension Unicode.Scalar {
  /// The combining class: marks of unequal ones have one order, 0 is what never moves.
  ///
  /// As of Unicode 9, whose forms the reference has; classes never change, but marks are added.
  var combiningRank: UInt8 {
    guard value >= 0x300 else { return 0 }
    let rank = properties.canonicalCombiningClass.rawValue
    return rank == 0 || isIn(unicode: 9) ? rank : 0
  }
}
