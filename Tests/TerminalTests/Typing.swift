@testable import Terminal

/// An editor that keys are sent to as the bytes of a terminal.
struct Typing {
  var editor: LineEditor
  var decoder = KeyDecoder()
  var outcomes: [LineEditor.Outcome] = []

  init(
    history: [String] = [], isIncomplete: @escaping (String) -> Bool = { _ in false },
    complete: @escaping Completer = { _, _ in nil }
  ) {
    editor = LineEditor(
      rules: LineEditor.Rules(isIncomplete: isIncomplete, complete: complete),
      history: History(history))
  }

  /// Sends bytes; returns the text with `|` at the cursor.
  @discardableResult mutating func send(_ bytes: String) -> String {
    for key in decoder.decode(Array(bytes.utf8)) + decoder.flush() {
      outcomes.append(editor.handle(key))
    }
    return shown
  }

  var shown: String { editor.content.before + "|" + editor.content.after }

  /// What the entries were that Enter completed.
  var submitted: [String] {
    outcomes.compactMap { if case .submit(let text) = $0 { text } else { nil } }
  }
}

/// Names of keys, as xterm sends them.
enum Sent {
  static let up = "\u{1B}[A"
  static let down = "\u{1B}[B"
  static let right = "\u{1B}[C"
  static let left = "\u{1B}[D"
  static let home = "\u{1B}[H"
  static let end = "\u{1B}[F"
  static let delete = "\u{1B}[3~"
  static let shiftTab = "\u{1B}[Z"
  static let escape = "\u{1B}"
  static let enter = "\r"
  static func control(_ letter: Character) -> String {
    String(UnicodeScalar((letter.asciiValue ?? 0) & 0x1F))
  }
  static func alt(_ letter: Character) -> String { "\u{1B}\(letter)" }
  static func paste(_ text: String) -> String { "\u{1B}[200~\(text)\u{1B}[201~" }
}
