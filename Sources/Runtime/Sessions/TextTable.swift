internal import Characters

/// Lines of text in columns: with nothing in a cell that a terminal obeys.
///
/// For a screen, the columns fit it: headings and sentences are broken between words, the middle of a
/// long name is left out, and where there is no room even so, the least important columns are left out
/// whole. Elsewhere a cell is one line, its middle left out where it is very long.
public struct TextTable {
  /// The lines; the last names the columns that had no room, if there are any.
  public let text: String

  /// The most columns of the screen that a cell takes, and the last of a line, where lines have no end.
  static let (cellLimit, lastLimit) = (60, 100)
  private static let gap = "  "

  /// A table of cells.
  ///
  /// - Parameters:
  ///   - columns: its headings.
  ///   - rows: as many cells a row as headings.
  ///   - rightAligned: by column; what stands right is a number, and never cut.
  ///   - importance: the numbers of the columns, the one that goes last first; in their order where it is
  ///     nil.
  ///   - width: the columns of the screen; nil where lines have no end.
  public init(
    _ columns: [String], _ rows: [[String]], rightAligned: [Bool] = [], importance: [Int]? = nil,
    width: Int? = Screen.columns
  ) {
    func isNumber(_ column: Int) -> Bool {
      rightAligned.indices.contains(column) && rightAligned[column]
    }
    var cells = ([columns] + rows).map { $0.map(\.visibleOnOneLine) }
    let layout: Layout
    if let width {
      layout = Layout(
        columns.indices.map { column in
          Column(cells.map { $0[column] }, isNumber: isNumber(column))
        }, importance: importance ?? Array(columns.indices), room: max(1, width))
    } else {
      cells = cells.map { row in
        row.enumerated().map { column, cell in
          cell.shortened(toColumns: column == row.count - 1 ? Self.lastLimit : Self.cellLimit)
        }
      }
      layout = Layout(
        widths: columns.indices.map { column in
          cells.map { $0[column].displayWidth }.max() ?? 0
        })
    }
    let kept = columns.indices.filter { layout.widths[$0] != nil }
    func lines(_ row: [String], isHeading: Bool = false) -> [String] {
      let pieces = kept.map { column in
        Self.lines(of: row[column], columns: layout.widths[column] ?? 0)
      }
      let height = pieces.map(\.count).max() ?? 1
      return (0..<height).map { number in
        let line = zip(kept, pieces).map { column, pieces in
          // Headings stand on the rule below them.
          let place = isHeading ? number - (height - pieces.count) : number
          let text = pieces.indices.contains(place) ? pieces[place] : ""
          let fill = String(
            repeating: " ", count: max(0, (layout.widths[column] ?? 0) - text.displayWidth))
          return isNumber(column) ? fill + text : text + fill
        }
        var text = line.joined(separator: Self.gap)
        while text.hasSuffix(" ") { text.removeLast() }
        return text
      }
    }
    let rule = kept.map { String(repeating: "─", count: layout.widths[$0] ?? 0) }
      .joined(separator: Self.gap)
    let omitted = layout.omitted.map { cells[0][$0] }.joined(separator: ", ")
    let rest =
      omitted.isEmpty
      ? []
      : ["no room for \(omitted); show(_, wide=True) has all".broken(toColumns: max(1, width ?? 1))]
    text =
      (lines(cells[0], isHeading: true) + [rule] + cells.dropFirst().flatMap { lines($0) } + rest)
      .joined(separator: "\n")
  }

  /// A cell in as many lines as it needs: broken between words; the middle of a word that is too long is
  /// left out.
  private static func lines(of cell: String, columns: Int) -> [String] {
    guard cell.displayWidth > columns else { return [cell] }
    return cell.broken(toColumns: columns).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { $0.drop { $0 == " " }.shortened(toColumns: columns) }
  }

  /// What a column of cells, its heading among them, asks for.
  private struct Column {
    let isNumber: Bool
    let isEmpty: Bool
    /// The columns of the screen that it takes with nothing broken or cut.
    let natural: Int
    /// Those of its longest word, in the heading and below it.
    let headingWord: Int
    let longestNumber: Int
    let hasSentences: Bool

    init(_ cells: [String], isNumber: Bool) {
      let rows = cells.dropFirst()
      self.isNumber = isNumber
      isEmpty = !rows.isEmpty && rows.allSatisfy(\.isEmpty)
      natural = cells.map(\.displayWidth).max() ?? 0
      headingWord = cells[0].split(separator: " ").map(\.displayWidth).max() ?? 0
      longestNumber = rows.map(\.displayWidth).max() ?? 0
      hasSentences = rows.contains { $0.displayWidth > 30 && $0.contains(" ") }
    }

    /// The fewest columns in which it can be read.
    func least(in room: Int, isFirst: Bool) -> Int {
      let isNarrow = room < 50
      if isNumber { return max(headingWord, longestNumber) }
      if isFirst { return min(natural, max(8, room * 9 / 20)) }
      if hasSentences { return min(natural, room < 30 ? 9 : isNarrow ? 20 : 24) }
      // What is short, as a shape or a number with a word, is not taken apart.
      return isNarrow ? min(natural, max(headingWord, 8)) : natural <= 16 ? natural : 12
    }
  }

  /// How wide each column is; nil for one that is left out.
  private struct Layout {
    var widths: [Int?]
    var omitted: [Int] = []

    init(widths: [Int]) { self.widths = widths }

    init(_ columns: [Column], importance: [Int], room: Int) {
      let natural = columns.map(\.natural)
      widths = natural
      func taken(_ widths: [Int?]) -> Int {
        let kept = widths.compactMap { $0 }
        return kept.reduce(0, +) + TextTable.gap.count * max(0, kept.count - 1)
      }
      guard taken(widths) > room else { return }
      widths = columns.indices.map {
        columns[$0].least(in: room, isFirst: $0 == importance.first)
      }
      for column in columns.indices where columns[column].isEmpty && taken(widths) > room {
        widths[column] = nil
      }
      for column in importance.dropFirst().reversed()
      where widths[column] != nil && taken(widths) > room {
        widths[column] = nil
        omitted.append(column)
      }
      omitted.sort()
      if let first = importance.first, taken(widths) > room { widths[first] = room }
      // What room is left goes to whatever is squeezed the most.
      while taken(widths) < room {
        let squeezed = columns.indices.filter { widths[$0] ?? natural[$0] < natural[$0] }
        let worst = squeezed.max {
          Double(natural[$0]) / Double(widths[$0] ?? 1)
            < Double(natural[$1]) / Double(widths[$1] ?? 1)
        }
        guard let worst else { break }
        widths[worst]? += 1
      }
    }
  }
}
