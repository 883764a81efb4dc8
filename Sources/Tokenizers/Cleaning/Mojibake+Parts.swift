extension Mojibake {
  private static func set(_ name: String) -> ScalarSet {
    ScalarSet(points: places.first { $0.name == name }?.points ?? "")
  }

  /// First characters of two, three and four, and how many follow.
  private static let firsts = [
    (set("utf8FirstOf2"), 1), (set("utf8FirstOf3"), 2), (set("utf8FirstOf4"), 3),
  ]
  private static let following = set("utf8Continuation")
  /// Those that hardly stand for themselves beside such a sequence.
  private static let strictlyFollowing = set("utf8ContinuationStrict")

  /// The text with the sequences that look like UTF-8 decoded again, each for itself; what is only part
  /// of a garble stays.
  static func decodedParts(of text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var place = 0
    while place < text.count {
      let isInside = place > 0 && strictlyFollowing.contains(text[place - 1])
      let end = isInside ? place : sequenceEnd(in: text, from: place)
      guard end > place else {
        result.append(text[place])
        place += 1
        continue
      }
      let part = Array(text[place..<end])
      // Shorter than the whole, or this would never end.
      result += part.count < text.count && isLikely(in: part) ? TextRepair.decodedAgain(part) : part
      place = end
    }
    return result
  }

  /// Where a run of characters ends that look like UTF-8's bytes; `start` where there is none.
  private static func sequenceEnd(in text: [Unicode.Scalar], from start: Int) -> Int {
    var end = start
    while end < text.count {
      let count = firsts.first { first, count in
        end + count < text.count && first.contains(text[end])
          && text[(end + 1)...(end + count)].allSatisfy { following.contains($0) }
      }?.1
      guard let count else { break }
      end += count + 1
    }
    return end
  }
}
