import Characters

@testable import Terminal

/// A terminal's screen: enough of ECMA-48 to check what the painter draws, and no more.
///
/// Anything it does not know is recorded in `unknown`.
struct SmallScreen {
  let columns: Int
  let rows: Int
  private(set) var cells: [[String]]
  private(set) var row = 0
  private(set) var column = 0
  private(set) var unknown: [String] = []
  private var wrapIsPending = false

  init(columns: Int, rows: Int) {
    (self.columns, self.rows) = (columns, rows)
    cells = Array(repeating: Array(repeating: " ", count: columns), count: rows)
  }

  /// The lines, without blanks at their ends, up to the last that shows something.
  var lines: [String] {
    var lines = cells.map { row in
      var line = row.joined()
      while line.last == " " { line.removeLast() }
      return line
    }
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  mutating func feed(_ text: String) {
    var rest = Array(text)[...]
    while let character = rest.popFirst() {
      switch character {
      case "\u{1B}": sequence(&rest)
      case "\r": (column, wrapIsPending) = (0, false)
      case "\n": lineFeed()
      case "\r\n":
        column = 0
        lineFeed()
      case "\u{07}": break
      default:
        if (character.unicodeScalars.first?.value ?? 0) < 0x20 { unknown.append("\(character)") }
        put(character)
      }
    }
  }

  private mutating func put(_ character: Character) {
    let width = character.displayWidth
    if wrapIsPending || column + width > columns {
      column = 0
      lineFeed()
    }
    cells[row][column] = String(character)
    if width == 2 { cells[row][column + 1] = "" }
    column += width
    if column >= columns { (column, wrapIsPending) = (columns - 1, true) }
  }

  private mutating func lineFeed() {
    wrapIsPending = false
    if row + 1 < rows {
      row += 1
    } else {
      cells.removeFirst()
      cells.append(Array(repeating: " ", count: columns))
    }
  }

  private mutating func sequence(_ rest: inout ArraySlice<Character>) {
    guard rest.popFirst() == "[" else { return unknown.append("ESC") }
    var parameters = ""
    while let next = rest.first, !next.isLetter { parameters.append(next); rest.removeFirst() }
    let final = rest.popFirst() ?? "?"
    let count = Int(parameters) ?? 1
    wrapIsPending = wrapIsPending && final == "m"
    switch (final, parameters) {
    case ("A", _): row = max(0, row - count)
    case ("B", _): row = min(rows - 1, row + count)
    case ("C", _): column = min(columns - 1, column + count)
    case ("K", ""): for place in column..<columns { cells[row][place] = " " }
    case ("J", ""):
      for place in column..<columns { cells[row][place] = " " }
      for below in (row + 1)..<max(rows, row + 1) {
        cells[below] = Array(repeating: " ", count: columns)
      }
    case ("m", _), ("h", _), ("l", _): break
    default: unknown.append("ESC[\(parameters)\(final)")
    }
  }
}
