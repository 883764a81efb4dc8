internal import Budget
internal import Characters
internal import Files
internal import Glibc
internal import Language
internal import Runtime
internal import Synchronization
internal import Terminal

/// Results on standard output, everything else on standard error.
enum Display {
  /// Writes a result; at a terminal, what is in it is shown and never obeyed.
  ///
  /// Where that cannot be done there is nobody to work for: says so and ends.
  static func write(_ text: String) {
    orLeave { () throws(TerminalError) in
      try Output.standardOutput.write(text)
    }
  }

  /// Writes what Fovea itself draws in a terminal, and what a script prints with `raw=True`.
  static func write(exactly text: String) {
    orLeave { () throws(TerminalError) in
      try Output.standardOutput.write(exactly: text)
    }
  }

  private static func orLeave(_ write: () throws(TerminalError) -> Void) {
    do {
      try write()
    } catch {
      Program.complain(about: error)
      Program.leave(error.exitCode)
    }
  }

  /// Says something beside a result, in a line.
  @Sendable static func note(_ text: String) {
    try? Output.standardError.write("note: \(text)\n")
  }

  /// Says where a model's numbers broke, and gives what ends the process as wrong data do.
  static func badNumbers(_ words: String) -> Ending {
    note(words)
    return Ending(status: ExitCode.badData)
  }

  /// Draws what is wrong with a text, each with its place and source line.
  static func complain(_ diagnostics: [Diagnostic], depth: ColorDepth, columns: Int) {
    for diagnostic in diagnostics {
      // Only a terminal has an end of lines.
      let drawn =
        Output.standardError.isTerminal
        ? diagnostic.drawn(columns: columns) : diagnostic.drawn(width: max(20, columns - 6))
      let lines = drawn.visible.split(
        separator: "\n", omittingEmptySubsequences: false)
      let word = diagnostic.severity.rawValue
      let style: Style = diagnostic.severity == .error ? .error : .warning
      let colored = lines.enumerated().map { place, line -> String in
        if place == 0 {
          // The first of these words is the severity: the place before it is a name and numbers.
          guard let range = line.firstRange(of: ": \(word): ") else { return String(line) }
          return line[..<range.lowerBound] + ": " + style.apply(to: "\(word):", depth) + " "
            + line[range.upperBound...]
        }
        let isCarets = line.contains("^") && line.allSatisfy { $0 == "^" || $0 == " " }
        return isCarets ? style.apply(to: String(line), depth) : String(line)
      }
      try? Output.standardError.write(exactly: colored.joined(separator: "\n") + "\n")
    }
  }
}

/// The bar for whatever runs long, which moves at least four times a second at a terminal.
///
/// Where a line of results is begun and not ended, as while an answer comes word by word, no bar may be drawn over
/// it: a sign of life then stands behind the words.
final class ProgressDisplay: Sendable {
  private struct Shown: Sendable {
    let label: String
    let total: Int
    var bar: ProgressBar
    var completed = 0

    var key: String { "\(label) \(total)" }
  }

  private struct State: Sendable {
    var shown: Shown?
    /// When what runs began, in seconds of this display's clock.
    var begun: Double?
    /// Bars that another has taken the place of, for when their turn comes again.
    var others: [String: ProgressBar] = [:]
    /// The columns that the begun line of results takes; 0 where none is begun.
    var column = 0
    /// The columns of what stands behind the words.
    var tail = 0
    var hasTicker = false
  }

  private let state = Mutex(State())
  private let environment: Environment
  private let clock = ContinuousClock()
  private let start = ContinuousClock().now

  init(environment: Environment) { self.environment = environment }

  private var seconds: Double { (clock.now - start) / .seconds(1) }

  /// A state of a long command.
  func show(_ progress: Progress) {
    let total = max(0, progress.total ?? 0)
    let begins = state.withLock { state in
      if state.shown?.label != progress.label || state.shown?.total != total {
        state.shown?.bar.hide()
        if let shown = state.shown { state.others[shown.key] = shown.bar }
        let begun = state.begun ?? seconds
        state.begun = begun
        // What goes on is timed from where it began: what is left of it could not be told else.
        var bar =
          progress.completed > 0 ? state.others["\(progress.label) \(total)"] : nil
        bar = bar ?? ProgressBar(progress.label, total: total, unit: "", environment: environment)
        if seconds - begun >= 0.3 { bar?.showAtOnce() }
        guard let bar else { return false }
        state.shown = Shown(label: progress.label, total: total, bar: bar)
      }
      state.shown?.completed = progress.completed
      if state.column == 0 {
        state.shown?.bar.update(done: progress.completed, words: progress.detail)
      }
      defer { state.hasTicker = true }
      return !state.hasTicker && Output.standardError.isTerminal && environment.hasEscapes
    }
    if begins { tick() }
  }

  /// Draws again and again, beside whatever runs.
  private func tick() {
    try? DeepThread.start(stackSize: 1 << 20) { [weak self] in
      while let self {
        self.state.withLock { state in
          if state.column == 0 { state.shown?.bar.tick() } else { self.drawTail(&state) }
        }
        usleep(250_000)
      }
    }
  }

  private func drawTail(_ state: inout State) {
    guard let shown = state.shown, Output.standardOutput.isTerminal else { return }
    eraseTail(&state)
    let sign = ProgressBar.spinner(at: seconds)
    let rate = Int((shown.bar.rate(done: shown.completed) * 10).rounded())
    let left = shown.bar.left(done: shown.completed).map { ", at most \($0) left" } ?? ""
    let text = " \(sign) \(rate / 10).\(rate % 10)/s\(left)"
    let columns = Output.standardOutput.size(in: environment).columns
    // Behind the last column a terminal would begin a line that cannot be taken back.
    guard state.column % columns + text.displayWidth < columns else { return }
    state.tail = text.displayWidth
    Display.write(exactly: text + String(repeating: "\u{8}", count: state.tail))
  }

  private func eraseTail(_ state: inout State) {
    guard state.tail > 0 else { return }
    Display.write(
      exactly: String(repeating: " ", count: state.tail)
        + String(repeating: "\u{8}", count: state.tail))
    state.tail = 0
  }

  /// Takes the bar off the screen, writes a result, and keeps off a line that it begins.
  func write(_ text: String, by write: (String) -> Void = { Display.write($0) }) {
    state.withLock { state in
      state.shown?.bar.hide()
      eraseTail(&state)
      write(text)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let width = (lines.last ?? "").visible.displayWidth
      guard Output.standardOutput.isTerminal else { return }
      state.column = lines.count > 1 ? width : state.column + width
    }
  }

  /// Takes the bar off the screen before other text.
  func hide() {
    state.withLock { state in
      state.shown?.bar.hide()
      eraseTail(&state)
    }
  }

  /// What ran has ended.
  func end() {
    state.withLock { state in
      state.shown?.bar.hide()
      eraseTail(&state)
      (state.shown, state.begun, state.column, state.others) = (nil, nil, 0, [:])
    }
  }
}
