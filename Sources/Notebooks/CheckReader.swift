internal import Language
internal import Runtime

/// Checks what `expect` cells say, line by line.
struct CheckReader {
  let document: Document
  let part: Document.Part
  let session: Session
  let values: [String: Value]

  private var source: Source { document.source }

  init(document: Document, part: Document.Part, session: Session, values: [String: Value]) {
    (self.document, self.part, self.session, self.values) = (document, part, session, values)
  }

  mutating func run(_ outcome: inout Outcome, _ report: (Event) -> Void) {
    for line in document.lines(of: part, ["shape", "value", "type", "true"]) {
      check(line, &outcome, report)
    }
  }

  private func problem(_ message: String, _ range: SourceRange, hint: String? = nil) -> Event {
    .problem(Diagnostic(message, source: source, range: range, hint: hint))
  }

  /// The value of an expression in the lesson; nil where it failed, which is reported.
  private func value(
    _ range: SourceRange, _ outcome: inout Outcome, _ report: (Event) -> Void
  ) -> Value? {
    let result = session.unseen { session.run(source, range: range) }
    guard result.succeeded else {
      for diagnostic in result.diagnostics { report(.problem(diagnostic)) }
      outcome.wasStopped = true
      outcome.wasInterrupted = result.wasInterrupted
      return nil
    }
    return result.value ?? Value.none
  }

  private func check(_ line: CellLine, _ outcome: inout Outcome, _ report: (Event) -> Void) {
    func record(_ passed: Bool, _ found: String) {
      if passed { outcome.passedCount += 1 } else { outcome.failedCount += 1 }
      let text = line.key.isEmpty || line.key == "true" ? line.text : "\(line.key): \(line.text)"
      report(.check(text: text, passed: passed, found: found))
      if !passed { report(problem("this does not hold: found \(found)", line.range)) }
    }
    switch line.key {
    case "shape", "type":
      guard let subject = part.subject.flatMap({ values[$0] }) ?? session.lastResult else {
        report(
          problem(
            "there is no value to look at", line.range,
            hint: "name the cell: {for=#name}, and end it with an expression"))
        outcome.wasStopped = true
        return
      }
      if line.key == "type" { return record(subject.typeName == line.text, subject.typeName) }
      guard let expected = value(line.range, &outcome, report) else { return }
      let found = subject.shape.map { "\($0)" } ?? "no shape: \(subject.inMessage)"
      record(expected.represented == found, found)
    default:
      if let place = line.text.firstRange(of: "≈") {
        if let (passed, found) = approximate(line, place, &outcome, report) {
          record(passed, found)
        }
        return
      }
      guard let found = value(line.range, &outcome, report) else { return }
      if case .bool(let truth) = found { return record(truth, found.represented) }
      report(
        problem(
          "a check is true or false, not \(found.inMessage)", line.range,
          hint: "compare with ==, or with ≈ and a tolerance"))
      outcome.wasStopped = true
    }
  }

  /// `expression ≈ number ± tolerance`; without one, a millionth of the number.
  private func approximate(
    _ line: CellLine, _ place: Range<String.Index>, _ outcome: inout Outcome,
    _ report: (Event) -> Void
  ) -> (passed: Bool, found: String)? {
    let left = line.text[..<place.lowerBound]
    let rest = line.text[place.upperBound...]
    let parts = rest.split(separator: "±", maxSplits: 1).map {
      Double(String($0).trimmingSpaces)
    }
    guard let expected = parts.first ?? nil, parts.count < 2 || parts[1] != nil else {
      report(
        problem("after ≈ comes a number, and perhaps ± and a tolerance", line.range))
      outcome.wasStopped = true
      return nil
    }
    let tolerance = (parts.count > 1 ? parts[1] : nil) ?? abs(expected) * 1e-6
    let start = line.range.start
    let range = SourceRange(start, start + left.utf8.count)
    guard let found = value(range, &outcome, report) else { return nil }
    guard let number = found.onlyNumber else { return (false, found.inMessage) }
    return (abs(number - expected) <= tolerance, found.represented)
  }
}
