internal import Characters

/// Draws frames over each other: turns the frame to show, given the one on screen, into bytes.
struct Painter {
  private var shown: Frame?

  /// Draws a frame where the one before was; `columns` is the terminal's width now, which may
  /// differ from the width that the frame before was made for.
  mutating func paint(_ frame: Frame, columns: Int) -> String {
    var output = "\u{1B}[?25l" + toTop(columns: columns)
    for (place, row) in frame.rows.enumerated() {
      if place > 0 { output += "\r\n" }
      output += row.text
      // Erasing after a full row would erase its last cell.
      if row.width < columns { output += "\u{1B}[K" }
    }
    // Clear below without leaving the last row: its end may be a full row as well.
    if frame.rows.last.map({ $0.width < columns }) ?? true { output += "\u{1B}[J" }
    let up = frame.rows.count - 1 - frame.cursorRow
    if up > 0 { output += "\u{1B}[\(up)A" }
    output += "\r"
    if frame.cursorColumn > 0 { output += "\u{1B}[\(frame.cursorColumn)C" }
    output += "\u{1B}[?25h"
    shown = frame
    return output
  }

  /// Goes below the frame on screen, which stays; the next frame is drawn afresh.
  mutating func leave() -> String {
    guard let shown else { return "" }
    self.shown = nil
    let down = shown.rows.count - 1 - shown.cursorRow
    return (down > 0 ? "\u{1B}[\(down)B" : "") + "\r\n"
  }

  /// The screen was cleared by somebody else.
  mutating func forget() { shown = nil }

  /// To the beginning of what is on screen; terminals break rows again when they become narrower.
  private func toTop(columns: Int) -> String {
    guard let shown, columns > 0 else { return "\r" }
    var up = shown.cursorColumn / columns
    for row in shown.rows.prefix(shown.cursorRow) {
      up += max(1, (row.width + columns - 1) / columns)
    }
    return "\r" + (up > 0 ? "\u{1B}[\(up)A" : "")
  }
}

extension LineEditor {
  /// The frame for what the editor holds.
  func frame(prompt: Prompt, columns: Int, height: Int, depth: ColorDepth) -> Frame {
    var below: [Frame.Row] = []
    switch mode {
    case .editing: break
    case .searching(let search):
      let state = search.hasFailed ? "no match in history: " : "history: "
      let text = (state + search.query.visible).truncated(toColumns: columns - 1)
      below = [Frame.Row(text: Style.faint.apply(to: text, depth), width: text.displayWidth)]
    case .completing(let menu):
      below = menu.rows(columns: columns, limit: max(1, min(10, height - 2)), depth: depth)
    }
    return Frame(
      prompt: prompt, content: content, below: below, columns: columns, height: height,
      depth: depth)
  }
}

extension CompletionMenu {
  /// One candidate a row, around the chosen one; the last row counts what is not shown.
  func rows(columns: Int, limit: Int, depth: ColorDepth) -> [Frame.Row] {
    let room = candidates.count > limit ? max(1, limit - 1) : limit
    let first = max(0, min((selected ?? 0) - room / 2, candidates.count - room))
    let shown = candidates[first..<min(first + room, candidates.count)]
    let labels = shown.map { $0.label.visible.truncated(toColumns: max(4, columns - 4)) }
    let widest = min(labels.map(\.displayWidth).max() ?? 0, max(8, columns / 2))
    var rows: [Frame.Row] = []
    for (place, (candidate, label)) in zip(shown, labels).enumerated() {
      let isChosen = first + place == selected
      let padding = String(repeating: " ", count: max(0, widest - label.displayWidth))
      let left = (isChosen ? "> " : "  ") + label + padding
      let detail = candidate.detail.isEmpty ? "" : "  " + candidate.detail.visible
      let cut = detail.truncated(toColumns: max(0, columns - 1 - left.displayWidth))
      let text =
        isChosen
        ? Style.chosen.apply(to: left + cut, depth) : left + Style.faint.apply(to: cut, depth)
      rows.append(Frame.Row(text: text, width: left.displayWidth + cut.displayWidth))
    }
    if shown.count < candidates.count {
      let text = "  … \(candidates.count - shown.count) more".truncated(toColumns: columns - 1)
      rows.append(Frame.Row(text: Style.faint.apply(to: text, depth), width: text.displayWidth))
    }
    return rows
  }
}
