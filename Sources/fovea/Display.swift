internal import Characters
internal import Files
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
      let lines = diagnostic.drawn(width: max(20, columns - 6)).visible.split(
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

/// The bar for whatever runs long.
final class ProgressDisplay: Sendable {
  private struct Shown: Sendable {
    let label: String
    let total: Int
    var bar: ProgressBar
  }

  private let shown = Mutex<Shown?>(nil)
  private let environment: Environment

  init(environment: Environment) { self.environment = environment }

  /// A state of a long command; one without a known total shows nothing.
  func show(_ state: Progress) {
    guard let total = state.total, total > 0 else { return }
    shown.withLock { shown in
      if shown?.label != state.label || shown?.total != total {
        shown?.bar.hide()
        let bar = ProgressBar(state.label, total: total, unit: "", environment: environment)
        shown = Shown(label: state.label, total: total, bar: bar)
      }
      shown?.bar.update(done: state.completed, words: state.detail)
    }
  }

  /// Takes the bar off the screen before other text.
  func hide() { shown.withLock { $0?.bar.hide() } }

  /// What ran has ended.
  func end() {
    shown.withLock { shown in
      shown?.bar.hide()
      shown = nil
    }
  }
}
