public import Language

/// What happens while a document runs, in order.
public enum Event: Sendable {
  /// Text to read, as Markdown.
  case prose(String)
  /// A cell is about to run.
  case code(String)
  /// A cell's last value.
  case shown(String)
  /// Something is about to be asked: what its answer makes is not there yet.
  case asking(Question)
  /// Something that is asked, and the answer that the program computed or the code that does it.
  case question(Question, answer: String)
  /// A value was checked.
  case check(text: String, passed: Bool, found: String)
  /// Something is wrong.
  case problem(Diagnostic)

  /// The event as a terminal prints it, without the line end.
  public var text: String {
    switch self {
    case .prose(let text): return trimmed(text)
    case .asking: return ""
    case .code(let text):
      return trimmed(text).split(separator: "\n", omittingEmptySubsequences: false).enumerated()
        .map { ($0.offset == 0 ? "> " : "  ") + $0.element }.joined(separator: "\n")
    case .shown(let text): return text
    case .question(let question, let answer): return Self.log(of: question, answer)
    case .check(let text, let passed, let found):
      return passed ? "✓ \(text)" : "✗ \(text): found \(found)"
    case .problem(let diagnostic): return diagnostic.drawn()
    }
  }

  private static func log(of question: Question, _ answer: String) -> String {
    var lines = ["? \(question.ask)"]
    lines += question.options.map {
      "  \($0.isRight ? "[x]" : "[ ]") \($0.text)" + ($0.reason.isEmpty ? "" : ": \($0.reason)")
    }
    lines += question.hints.map { "  hint: \($0)" }
    if question.kind != .choice {
      lines.append("  answer: " + answer.split(separator: "\n").joined(separator: "\n          "))
    }
    if !question.why.isEmpty { lines.append("  \(question.why)") }
    return lines.joined(separator: "\n")
  }

  private func trimmed(_ text: String) -> String {
    var rest = text[...]
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest.drop { $0.isNewline })
  }
}

/// How a document's run ended.
public struct Outcome: Sendable, Equatable {
  /// How many cells ran.
  public var cellCount = 0
  /// How many checks held.
  public var passedCount = 0
  /// How many checks did not hold.
  public var failedCount = 0
  /// Whether an error stopped it.
  public var wasStopped = false
  /// Whether somebody stopped it.
  public var wasInterrupted = false

  /// 0 where all went well, 1 where an error stopped it, 2 where a check did not hold, 130 where
  /// it was interrupted.
  public var exitCode: Int32 {
    wasInterrupted ? 130 : wasStopped ? 1 : failedCount > 0 ? 2 : 0
  }
}
