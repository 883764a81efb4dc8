internal import Characters

/// What stands left of an entry's lines.
public struct Prompt: Sendable, Equatable {
  /// Before the first line.
  public let first: String
  /// Before the lines after it.
  public let next: String

  /// A prompt; later lines get dots or blanks of the same width unless told otherwise.
  public init(_ first: String, next: String? = nil) {
    self.first = first
    let width = first.displayWidth
    self.next = next ?? (width >= 4 ? String(repeating: " ", count: width - 4) + "... " : first)
  }
}

/// The rows that the editor shows, laid out for a terminal of a certain size, and its cursor.
///
/// Rows are broken here and not by the terminal, so that the cursor's place is known.
struct Frame: Equatable {
  struct Row: Equatable {
    var text: String
    var width: Int
  }

  var rows: [Row] = []
  var cursorRow = 0
  var cursorColumn = 0

  /// Lays out an entry with what is below it.
  ///
  /// When there is more than fits, the part around the
  /// cursor is shown.
  init(
    prompt: Prompt, content: EditedText, below: [Row] = [], columns: Int, height: Int,
    depth: ColorDepth = .none
  ) {
    let columns = max(columns, 4)
    let prefixes = [prompt.first, prompt.next].map { $0.truncated(toColumns: columns - 3) }
    let text = content.text
    let places = Self.breakRows(
      text, cursor: content.before.utf8.count, prefixWidths: prefixes.map(\.displayWidth),
      columns: columns)
    let room = max(1, height - min(below.count, max(0, height - 1)))
    let first = max(0, min(places.cursorRow - room / 2, places.rows.count - room))
    let shown = places.rows[first..<min(first + room, places.rows.count)]
    for place in shown {
      var row = Row(text: "", width: 0)
      if place.startsLine {
        let prefix = prefixes[place.start == text.startIndex ? 0 : 1]
        row = Row(text: Style.prompt.apply(to: prefix, depth), width: prefix.displayWidth)
      }
      for character in text[place.start..<place.end] {
        let cell = Cell(character, at: row.width, columns: columns)
        row.text += cell.text
        row.width += cell.width
      }
      rows.append(row)
    }
    rows += below.prefix(max(0, height - rows.count))
    (cursorRow, cursorColumn) = (places.cursorRow - first, places.cursorColumn)
  }

  private struct Places {
    var rows: [(start: String.Index, end: String.Index, startsLine: Bool)] = []
    var cursorRow = 0
    var cursorColumn = 0
  }

  /// Where rows begin and end, and where the cursor is; `cursor` in UTF-8 bytes.
  private static func breakRows(
    _ text: String, cursor: Int, prefixWidths: [Int], columns: Int
  ) -> Places {
    var places = Places()
    var start = text.startIndex
    var startsLine = true
    var column = prefixWidths[0]
    var offset = 0
    var index = text.startIndex
    func endRow(at end: String.Index) { places.rows.append((start, end, startsLine)) }
    while index < text.endIndex {
      let character = text[index]
      let next = text.index(after: index)
      if character == "\n" {
        if offset == cursor {
          (places.cursorRow, places.cursorColumn) = (places.rows.count, column)
        }
        endRow(at: index)
        (start, startsLine, column) = (next, true, prefixWidths[1])
      } else {
        let width = Cell(character, at: column, columns: columns).width
        if column + width > columns, width <= columns {
          endRow(at: index)
          (start, startsLine, column) = (index, false, 0)
        }
        if offset == cursor {
          (places.cursorRow, places.cursorColumn) = (places.rows.count, column)
        }
        column += width
      }
      offset += text.utf8.distance(from: index, to: next)
      index = next
    }
    endRow(at: text.endIndex)
    if offset == cursor {
      (places.cursorRow, places.cursorColumn) = (places.rows.count - 1, column)
    }
    // A cursor behind a full row stands at the beginning of the next, as typing would put it.
    if places.cursorColumn >= columns {
      places.cursorRow += 1
      places.cursorColumn = 0
      if places.cursorRow == places.rows.count {
        places.rows.append((text.endIndex, text.endIndex, false))
      }
    }
    return places
  }
}

/// What a character becomes on screen.
private struct Cell {
  let text: String
  let width: Int

  init(_ character: Character, at column: Int, columns: Int) {
    if let ascii = character.asciiValue, ascii >= 0x20, ascii < 0x7F {
      (text, width) = (String(character), 1)
    } else if character == "\t" {
      width = max(1, min(4 - column % 4, columns - column))
      text = String(repeating: " ", count: width)
    } else {
      // Spelled-out marks piled on one letter can be longer than a row.
      text = character.visible.truncated(toColumns: columns)
      width = text.displayWidth
    }
  }
}
