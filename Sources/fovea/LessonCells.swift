internal import Language

/// The cells of a lesson: fenced blocks whose first word is `fovea`.
enum LessonCells {
  /// The places of the cells' text, in order, so that errors point into the lesson itself.
  static func ranges(in source: Source) -> [SourceRange] {
    var cells: [SourceRange] = []
    var fence: (marks: Substring, begun: Int, isCell: Bool)?
    for line in 1...source.lineStarts.count {
      let range = source.range(ofLine: line)
      let text = source.text(of: range)[...]
      let trimmed = text.drop { $0 == " " }
      if let open = fence {
        // As long a fence as the one that opened it, or longer, and nothing after it.
        let marks = trimmed.prefix { $0 == open.marks.first }
        let rest = trimmed.dropFirst(marks.count)
        guard marks.count >= open.marks.count, rest.allSatisfy(\.isWhitespace) else { continue }
        if open.isCell { cells.append(SourceRange(open.begun, range.start)) }
        fence = nil
      } else {
        let marks = trimmed.prefix { $0 == "`" }
        guard marks.count >= 3 else { continue }
        let word = trimmed.dropFirst(marks.count).prefix { $0.isLetter }
        let begun = line < source.lineStarts.count ? source.lineStarts[line] : range.end
        fence = (marks, begun, word == "fovea")
      }
    }
    // A fence that is never closed reaches to the end, as in CommonMark.
    if let open = fence, open.isCell {
      cells.append(SourceRange(open.begun, source.bytes.count))
    }
    return cells
  }
}
