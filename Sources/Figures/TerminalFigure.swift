internal import Characters
internal import Images

extension Figure {
  /// The figure in a terminal's characters: what is drawn as blocks, what is written as letters.
  ///
  /// - Parameters:
  ///   - columns: how many characters a line may have.
  ///   - style: how pixels become characters.
  /// - Returns: lines, each ended by a newline.
  /// - Throws: `FigureError` where there is no memory for the pixels.
  public func terminalText(columns: Int, style: TerminalPicture.Style) throws(FigureError) -> String
  {
    // Captions have letters of eight points, of which most are narrower than this.
    let used = max(8, min(columns, Int((width / 4.6).rounded(.up))))
    let cell = width / Double(used)  // points a column; a line is twice as high
    // A terminal's letters are wider than the page's: what stands beneath is broken anew.
    let lines = captionLines
    let body = marks.dropLast(lines.count)
    let drawn = Figure(
      title: title, width: width,
      height: lines.first.map { $0.place.y - Text.reach(size: $0.size).above } ?? height,
      marks: body.filter { if case .text = $0 { false } else { true } }, altText: altText,
      caption: caption)
    let image = try drawn.image(scale: 4 / cell)
    var grid = TerminalPicture.Cells(image, columns: used, style: style)
    // Large letters first: where two meet, the title stays.
    let texts = body.compactMap { if case .text(let text) = $0 { text } else { nil } }
      .sorted { ($0.isBold ? 1 : 0, $0.size) > ($1.isBold ? 1 : 0, $1.size) }
    for text in texts { grid.write(text, cell: cell) }
    return grid.text + (lines.isEmpty ? "" : Self.broken(caption, columns: columns))
  }

  /// The last marks, as far as they are the lines of the caption; none where they are something else.
  private var captionLines: [Text] {
    var lines: [Text] = []
    var rest = caption[...]
    for mark in marks.reversed() {
      guard !rest.isEmpty, case .text(let text) = mark, rest.hasSuffix(text.characters) else {
        break
      }
      lines.append(text)
      rest = rest.dropLast(text.characters.count)
      while rest.last == " " { rest.removeLast() }
    }
    return rest.isEmpty ? lines.reversed() : []
  }

  /// A text in lines of whole words.
  private static func broken(_ text: String, columns: Int) -> String {
    var lines = [""]
    var used = 0
    for word in text.split(separator: " ") {
      let wide = String(word).displayWidth
      if used > 0, used + 1 + wide > columns {
        lines.append("")
        used = 0
      }
      lines[lines.count - 1] += (used > 0 ? " " : "") + word
      used += (used > 0 ? 1 : 0) + wide
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension TerminalPicture {
  /// Characters in a grid, each with its colours.
  struct Cells {
    private struct Cell {
      var upper: Colour
      var lower: Colour
      var letter: Character?
      /// Whether a wide letter before it stands on it too.
      var isCovered = false
    }

    private let columns: Int
    private let style: Style
    private var rows: [[Cell]]

    init(_ image: Image, columns: Int, style: Style) {
      (self.columns, self.style) = (columns, style)
      let height = max(
        2, Int((Double(image.height) * Double(columns) / Double(image.width)).rounded()))
      let pixels = TerminalPicture.averaged(image, width: columns, height: height + height % 2)
      rows = stride(from: 0, to: pixels.count / columns, by: 2).map { row in
        (0..<columns).map { column in
          Cell(
            upper: pixels[row * columns + column],
            lower: pixels[min(pixels.count / columns - 1, row + 1) * columns + column])
        }
      }
    }

    /// Writes a line of text where it stands on the page, cut at the edge; not where letters are.
    mutating func write(_ text: Text, cell: Double) {
      let letters = Array(text.characters)
      let width = text.characters.displayWidth
      let line = (text.place.y - Text.dropFromMiddle(size: text.size)) / (2 * cell)
      let isTurned = abs(text.angle.truncatingRemainder(dividingBy: 180)) > 60
      var column = text.place.x / cell
      if !isTurned {
        column -=
          text.anchor == .middle ? Double(width) / 2 : text.anchor == .end ? Double(width) : 0
      }
      var place = (row: Int(line.rounded(.down)), column: Int(column.rounded()))
      if isTurned {
        // Letter below letter, read downwards, about the same place.
        let count = letters.count
        place.row -= text.anchor == .middle ? count / 2 : text.anchor == .end ? count : 0
      } else if place.column < 0 {
        place.column = 0
      }
      // All or nothing, but for what reaches beyond the edge.
      var free = place
      for letter in letters {
        if rows.indices.contains(free.row), rows[free.row].indices.contains(free.column),
          rows[free.row][free.column].letter != nil || rows[free.row][free.column].isCovered
        {
          return
        }
        if isTurned { free.row += 1 } else { free.column += max(1, letter.displayWidth) }
      }
      for letter in letters {
        let wide = max(1, letter.displayWidth)
        guard rows.indices.contains(place.row), place.column >= 0, place.column + wide <= columns
        else {
          if isTurned { place.row += 1 } else { place.column += wide }
          continue
        }
        rows[place.row][place.column].letter = letter
        for next in 1..<max(2, wide) where wide > 1 {
          rows[place.row][place.column + next].isCovered = true
        }
        if isTurned { place.row += 1 } else { place.column += wide }
      }
    }

    /// The grid as lines.
    var text: String {
      rows.map { row in
        var line = ""
        var last = ""
        for cell in row where !cell.isCovered {
          guard style != .shades else {
            let dark = 1 - (cell.upper.lightness + cell.lower.lightness) / 200
            line.append(cell.letter ?? Array(" .:-=+*#%@")[min(9, max(0, Int(dark * 10)))])
            continue
          }
          let code: String
          let isEven = cell.upper == cell.lower
          if cell.letter != nil || isEven {
            // Ink on light ground, paper on dark.
            let light = (cell.upper.lightness + cell.lower.lightness) / 2
            let ink = light > 50 ? Colour(20, 20, 20) : Colour(245, 245, 245)
            code =
              TerminalPicture.foreground(ink, style) + ";"
              + TerminalPicture.background(cell.upper, style)
          } else {
            code =
              TerminalPicture.foreground(cell.upper, style) + ";"
              + TerminalPicture.background(cell.lower, style)
          }
          if code != last { line += "\u{1b}[\(code)m" }
          last = code
          line.append(cell.letter ?? (isEven ? " " : "▀"))
        }
        return line + (style == .shades ? "\n" : "\u{1b}[0m\n")
      }.joined()
    }
  }
}
