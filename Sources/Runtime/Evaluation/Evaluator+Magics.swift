internal import Foundation
internal import Language
internal import Tensors

extension Evaluator {
  /// Runs a `%` line; gives the value of what it measured.
  func magic(
    _ name: String, _ statement: Statement?, _ range: SourceRange, _ scope: Scope
  ) throws -> Value? {
    switch name {
    case "time":
      guard let statement else { return nil }
      let (value, seconds) = try measured(statement, scope)
      session.print("took \(Self.duration(seconds))\n")
      return value
    case "timeit":
      guard let statement else { return nil }
      try measure(statement, scope)
    case "who": session.print(who + "\n")
    case "reset": session.reset()
    case "history":
      for (index, text) in session.history.dropLast().enumerated() {
        session.print("[\(index + 1)] \(text)" + (text.hasSuffix("\n") ? "" : "\n"))
      }
    default: throw failure(.name, "there is no %\(name)", at: range)
    }
    return nil
  }

  /// Runs a statement; its value is that of an expression.
  private func measured(_ statement: Statement, _ scope: Scope) throws -> (Value?, Double) {
    let clock = ContinuousClock()
    let start = clock.now
    var value: Value?
    if case .expression(let expression, _) = statement.kind {
      value = try evaluate(expression, scope)
    } else {
      _ = try execute(statement, scope)
    }
    return (value, Self.seconds(clock.now - start))
  }

  /// Repeats for about a second, at least three times, and prints the best and the middle.
  private func measure(_ statement: Statement, _ scope: Scope) throws {
    var times: [Double] = []
    var total = 0.0
    while times.count < 3 || (total < 1 && times.count < 1000) {
      try session.checkCancellation()
      let (_, seconds) = try measured(statement, scope)
      times.append(seconds)
      total += seconds
      if total > 30 { break }
    }
    times.sort()
    session.print(
      "best \(Self.duration(times[0])), median \(Self.duration(times[times.count / 2])) "
        + "of \(times.count) runs\n")
  }

  private var who: String {
    let variables = session.variables
    if variables.isEmpty { return "no variables" }
    let width = variables.map(\.name.count).max() ?? 0
    return variables.map { name, value in
      let space = String(repeating: " ", count: width - name.count)
      return "\(name)\(space)  \(value.typeName)  " + Self.short(value)
    }.joined(separator: "\n")
  }

  private static func short(_ value: Value) -> String {
    if case .tensor(let tensor, _) = value { return "\(tensor.shape)" }
    let text = value.inMessage
    return text.count > 60 ? text.prefix(59) + "…" : text
  }

  private static func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
  }

  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: String(format: "%.1f µs", seconds * 1e6)
    case ..<1: String(format: "%.1f ms", seconds * 1e3)
    default: String(format: "%.2f s", seconds)
    }
  }
}
