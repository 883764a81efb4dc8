internal import Language

/// A line of a cell that is no code: `key: text`, with the text's place.
struct CellLine {
  /// The word before the colon, where it is one of those known there; else empty.
  let key: String
  /// What stands behind it, or the whole line.
  let text: String
  /// Where that is.
  let range: SourceRange
}

extension Document {
  /// The lines of a part that say something, taken apart at the `known` words before a colon.
  func lines(of part: Part, _ known: [String]) -> [CellLine] {
    var lines: [CellLine] = []
    let first = source.position(of: part.range.start).line
    let last = source.position(of: max(part.range.start, part.range.end - 1)).line
    for number in first...max(first, last) {
      let range = source.range(ofLine: number)
      let text = source.text(of: range)
      guard text.contains(where: { !$0.isWhitespace }) else { continue }
      let key = text.prefix { $0 != ":" }
      let isKnown = key.count < text.count && known.contains(String(key).trimmingSpaces)
      let skipped = isKnown ? key.utf8.count + 1 : 0
      var start = range.start + skipped
      while start < range.end, source.bytes[start] == 0x20 { start += 1 }
      let rest = SourceRange(start, range.end)
      lines.append(
        CellLine(
          key: isKnown ? String(key).trimmingSpaces : "", text: source.text(of: rest), range: rest))
    }
    return lines
  }

  /// The line on which the fence of a part begins.
  func opening(of part: Part) -> SourceRange {
    source.range(ofLine: max(1, source.position(of: part.range.start).line - 1))
  }
}

extension String {
  var trimmingSpaces: String {
    var rest = self[...].drop { $0.isWhitespace }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }

  func splitOnce(_ separator: String) -> (String, String) {
    guard let place = firstRange(of: separator) else { return (self, "") }
    return (String(self[..<place.lowerBound]), String(self[place.upperBound...]))
  }
}
