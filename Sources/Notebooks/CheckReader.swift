internal import Language
internal import Runtime

/// Reads and answers `predict`, `expect` and `quiz` cells, line by line.
struct CheckReader {
  let document: Document
  let part: Document.Part
  let session: Session
  let values: [String: Value]

  private var source: Source { document.source }

  init(document: Document, part: Document.Part, session: Session, values: [String: Value]) {
    (self.document, self.part, self.session, self.values) = (document, part, session, values)
  }

  /// `key: text` with the text's place.
  private struct Line {
    let key: String
    let text: String
    let range: SourceRange
  }

  mutating func run(_ outcome: inout Outcome, _ report: (Event) -> Void) {
    switch part.kind {
    case .prediction: predict(&outcome, report)
    case .expectation: for line in lines() { check(line, &outcome, report) }
    case .quiz: quiz(&outcome, report)
    case .prose, .code: break
    }
  }

  private func lines(_ known: [String] = ["shape", "value", "type", "true"]) -> [Line] {
    var lines: [Line] = []
    let first = source.position(of: part.range.start).line
    let last = source.position(of: max(part.range.start, part.range.end - 1)).line
    for number in first...max(first, last) {
      let range = source.range(ofLine: number)
      let text = source.text(of: range)
      guard text.contains(where: { !$0.isWhitespace }) else { continue }
      let key = text.prefix { $0 != ":" }
      let isKnown = key.count < text.count && known.contains(String(key).trimmingSpaces)
      let skipped = isKnown ? key.utf8.count + 1 : 0
      var start = range.start + skipped
      while start < range.end, source.bytes[start] == 0x20 { start += 1 }
      let rest = SourceRange(start, range.end)
      lines.append(
        Line(
          key: isKnown ? String(key).trimmingSpaces : "", text: source.text(of: rest), range: rest))
    }
    return lines
  }

  private func problem(_ message: String, _ range: SourceRange, hint: String? = nil) -> Event {
    .problem(Diagnostic(message, source: source, range: range, hint: hint))
  }

  /// The value of an expression in the lesson; nil where it failed, which is reported.
  private func value(
    _ range: SourceRange, _ outcome: inout Outcome, _ report: (Event) -> Void
  ) -> Value? {
    let before = session.lastResult
    let result = session.run(source, range: range)
    session.restoreLastResult(before)
    guard result.succeeded else {
      for diagnostic in result.diagnostics { report(.problem(diagnostic)) }
      outcome.wasStopped = true
      outcome.wasInterrupted = result.wasInterrupted
      return nil
    }
    return result.value ?? Value.none
  }

  // MARK: Predictions

  private func predict(_ outcome: inout Outcome, _ report: (Event) -> Void) {
    let lines = lines(["ask", "answer", "hint"])
    guard let question = lines.first(where: { $0.key == "ask" }),
      let answer = lines.first(where: { $0.key == "answer" })
    else {
      report(
        problem(
          "a prediction needs a line 'ask: …' and a line 'answer: …'",
          source.range(ofLine: source.position(of: part.range.start).line)))
      outcome.wasStopped = true
      return
    }
    guard let value = value(answer.range, &outcome, report) else { return }
    report(
      .prediction(
        question: question.text, hints: lines.filter { $0.key == "hint" }.map(\.text),
        answer: value.represented))
  }

  // MARK: Expectations

  private func check(_ line: Line, _ outcome: inout Outcome, _ report: (Event) -> Void) {
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
    _ line: Line, _ place: Range<String.Index>, _ outcome: inout Outcome,
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

  // MARK: Quizzes

  /// `q: question`, then `- [x] answer :: why` for right ones and `- [ ]` for wrong ones.
  private func quiz(_ outcome: inout Outcome, _ report: (Event) -> Void) {
    var question = ""
    var options: [QuizOption] = []
    for line in lines(["q"]) {
      if line.key == "q" {
        question = line.text
        continue
      }
      let isRight = line.text.hasPrefix("- [x]")
      guard isRight || line.text.hasPrefix("- [ ]") else {
        report(problem("an answer begins with '- [x]' or '- [ ]'", line.range))
        outcome.wasStopped = true
        return
      }
      let parts = String(line.text.dropFirst(5)).splitOnce("::")
      options.append(
        QuizOption(
          text: parts.0.trimmingSpaces, isRight: isRight, reason: parts.1.trimmingSpaces))
    }
    guard !question.isEmpty, options.contains(where: \.isRight) else {
      report(
        problem(
          "a quiz needs a line 'q: …' and at least one right answer",
          source.range(ofLine: source.position(of: part.range.start).line)))
      outcome.wasStopped = true
      return
    }
    report(.quiz(question: question, options: options))
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var rest = self[...].drop { $0.isWhitespace }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
  }

  fileprivate func splitOnce(_ separator: String) -> (String, String) {
    guard let place = firstRange(of: separator) else { return (self, "") }
    return (String(self[..<place.lowerBound]), String(self[place.upperBound...]))
  }
}
