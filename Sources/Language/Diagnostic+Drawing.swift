internal import Characters

extension Diagnostic {
  /// The diagnostic as people read it.
  ///
  /// Place and message, the source line, carets under what is meant, then hint and notes; without
  /// a line break at its end.
  ///
  /// - Parameter width: how many columns a source line may take; longer ones are cut around the
  ///   carets.
  public func drawn(width: Int = 100) -> String { drawn(width: width, sentences: .max) }

  /// The same for a terminal of so many columns: sentences are broken between words.
  public func drawn(columns: Int) -> String {
    drawn(width: max(12, columns - 6), sentences: max(12, columns))
  }

  private func drawn(width: Int, sentences: Int) -> String {
    func broken(_ text: String) -> [String] {
      text.broken(toColumns: sentences).split(
        separator: "\n", omittingEmptySubsequences: false
      ).map(String.init)
    }
    var lines = broken(
      "\(Printable.line(place)): \(severity.rawValue): \(Printable.line(message))")
    lines += SourceExcerpt(source: source, range: range, width: width).lines
    for note in [hint].compactMap({ $0 }) + notes {
      lines += note.split(separator: "\n", omittingEmptySubsequences: false)
        .flatMap { broken("    " + Printable.line(String($0))) }
    }
    for other in related {
      let (line, column) = other.source.position(of: other.range.start)
      let place = Printable.line("\(other.source.name):\(line):\(column)")
      lines += broken("\(place): note: \(Printable.line(other.message))")
      lines += SourceExcerpt(source: other.source, range: other.range, width: width).lines
    }
    return lines.joined(separator: "\n")
  }
}

/// One source line with carets under a part of it.
struct SourceExcerpt {
  let lines: [String]

  init(source: Source, range: SourceRange, width: Int) {
    let (line, _) = source.position(of: range.start)
    let whole = source.range(ofLine: line)
    // Of a line of megabytes only what is near can be shown.
    let lineRange = source.window(
      of: whole, around: range.start, reach: max(0, width) * 8 + 1024)
    let text = source.text(of: lineRange)
    var cells: [(text: String, width: Int)] = []
    var (first, last) = (-1, -1)
    var offset = lineRange.start
    var column = 0
    for character in text {
      if first < 0, offset + character.utf8.count > range.start { first = cells.count }
      if offset < range.end { last = cells.count }
      let cell = Printable.cell(character, column: column)
      cells.append(cell)
      column += cell.width
      offset += character.utf8.count
    }
    // A place at the end of the line, or an empty range, still gets one caret.
    if first < 0 {
      first = cells.count
      cells.append(("", 1))
    }
    last = max(last, first)
    let blank = cells.prefix { $0.text.allSatisfy { $0 == " " } && !$0.text.isEmpty }.count
    var start = min(blank, first)
    var end = cells.count
    func columns(_ part: Range<Int>) -> Int { cells[part].reduce(0) { $0 + $1.width } }
    // A running total: a line may have a million columns.
    var total = columns(start..<end)
    func cutRight(to limit: Int) {
      while total > width, end > limit {
        end -= 1
        total -= cells[end].width
      }
    }
    cutRight(to: last + 1)
    while total > width, start < first {
      total -= cells[start].width
      start += 1
    }
    cutRight(to: first + 1)
    last = min(last, end - 1)
    let isCutLeft = start > blank || lineRange.start > whole.start
    let isCutRight = end < cells.count || lineRange.end < whole.end
    let shown = cells[start..<end].map(\.text).joined()
    let spaces = columns(start..<first) + (isCutLeft ? 1 : 0)
    let carets = max(1, columns(first..<(last + 1)))
    let drawn = "    " + (isCutLeft ? "…" : "") + shown + (isCutRight ? "…" : "")
    lines = [
      Printable.withoutTrailingSpaces(drawn),
      "    " + String(repeating: " ", count: spaces) + String(repeating: "^", count: carets),
    ]
  }
}

/// Text of a diagnostic as it is printed.
enum Printable {
  /// One line in which nothing steers a terminal or is unseen.
  static func line(_ text: String) -> String { text.visibleThroughout }

  /// What stands for a character of a source line, and its columns.
  static func cell(_ character: Character, column: Int) -> (text: String, width: Int) {
    if character == "\t" {
      let count = 4 - column % 4
      return (String(repeating: " ", count: count), count)
    }
    let text = character.visible
    return (text, text.displayWidth)
  }

  static func withoutTrailingSpaces(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }
}
