extension Diagnostic {
  /// The diagnostic as people read it.
  ///
  /// Place and message, the source line, carets under what is meant, then hint and notes; without
  /// a line break at its end.
  ///
  /// - Parameter width: how many columns a source line may take; longer ones are cut around the
  ///   carets.
  public func drawn(width: Int = 100) -> String {
    var lines = ["\(place): \(severity.rawValue): \(Printable.line(message))"]
    lines += SourceExcerpt(source: source, range: range, width: width).lines
    for note in [hint].compactMap({ $0 }) + notes {
      lines += note.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "    " + Printable.line(String($0)) }
    }
    for other in related {
      let (line, column) = other.source.position(of: other.range.start)
      lines.append("\(other.source.name):\(line):\(column): note: \(Printable.line(other.message))")
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

/// How text takes up columns in a terminal.
public enum Printable {
  /// How many columns `text` takes: 2 for wide characters, 0 for combining ones.
  public static func width(_ text: String) -> Int {
    text.reduce(0) { $0 + width($1) }
  }

  /// How many columns a character takes.
  public static func width(_ character: Character) -> Int {
    character.unicodeScalars.reduce(0) { max($0, width($1)) }
  }

  /// `text` with every control character made visible, so that it cannot steer a terminal.
  static func line(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { visible($0) }))
  }

  static func cell(_ character: Character, column: Int) -> (text: String, width: Int) {
    if character == "\t" {
      let count = 4 - column % 4
      return (String(repeating: " ", count: count), count)
    }
    let text = line(String(character))
    return (text, width(text))
  }

  static func withoutTrailingSpaces(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }

  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value) ?? "\u{FFFD}"
    case 0x7F: "\u{2421}"
    // C1 controls, and marks that reorder what is shown.
    case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
    default: scalar
    }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    // The wide blocks of Unicode's East Asian Width table, and pictographs.
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default:
      return scalar.properties.isEmojiPresentation ? 2 : 1
    }
  }
}
