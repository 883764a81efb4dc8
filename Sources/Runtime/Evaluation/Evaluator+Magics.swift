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
      try measure { _ = try measured(statement, scope) }
    case "who", "whos": session.page(session.who)
    case "reset": session.reset()
    case "history":
      let lines = session.history.dropLast().enumerated().map { index, text in
        "[\(index + 1)] " + (text.hasSuffix("\n") ? String(text.dropLast()) : text)
      }
      if !lines.isEmpty { session.page(lines.joined(separator: "\n")) }
    default: throw failure(.name, "there is no %\(name)", at: range)
    }
    return nil
  }

  /// Runs what stands below `%%time` or `%%timeit`; gives its last expression.
  func cell(_ name: String, _ body: [Statement]) throws -> Shown? {
    if name == "timeit" {
      try measure { _ = try run(body) }
      return nil
    }
    let clock = ContinuousClock()
    let start = clock.now
    let last = try run(body)
    session.print("took \(Self.duration(Self.seconds(clock.now - start)))\n")
    return last
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
  private func measure(_ body: () throws -> Void) throws {
    let clock = ContinuousClock()
    var times: [Double] = []
    var total = 0.0
    while times.count < 3 || (total < 1 && times.count < 1000) {
      try session.checkCancellation()
      let start = clock.now
      try body()
      let seconds = Self.seconds(clock.now - start)
      times.append(seconds)
      total += seconds
      if total > 30 { break }
    }
    times.sort()
    session.print(
      "best \(Self.duration(times[0])), median \(Self.duration(times[times.count / 2])) "
        + "of \(times.count) runs\n")
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

extension Session {
  /// Every variable with its type, its shape or how many elements it has, and what it is.
  fileprivate var who: String {
    let variables = variables
    if variables.isEmpty { return "no variables" }
    let rows = variables.map { name, value in [name, value.typeName, value.extent, value.short] }
    return TextTable(
      ["variable", "type", "shape", "what it is"], rows, importance: [0, 2, 3, 1],
      width: self[Screen.self]
    ).text
  }
}

extension Value {
  /// The shape of a tensor, or how many elements there are.
  fileprivate var extent: String {
    if let shape { return "[\(shape.map(String.init).joined(separator: ", "))]" }
    switch self {
    case .list(let list): return "\(list.count)"
    case .tuple(let values): return "\(values.count)"
    case .dictionary(let mapping): return "\(mapping.count)"
    case .range(let range): return "\(range.count)"
    case .object(let object): return object.elementCount.map { "\($0)" } ?? ""
    default: return ""
    }
  }

  /// What it is, in less than a line.
  fileprivate var short: String {
    switch self {
    case .tensor(_, let origin): return origin?.title ?? ""
    case .object(let object as DiscreteTensor): return object.kind.rawValue
    case .object(let object): return object.brief
    default:
      let text = inMessage
      return text.count > 60 ? text.prefix(59) + "…" : text
    }
  }
}
