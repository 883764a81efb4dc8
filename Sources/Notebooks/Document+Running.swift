internal import Language
public import Runtime

extension Document {
  /// Runs every cell from top to bottom in one session, and reports what happens.
  ///
  /// An error in a cell stops the run; a check that does not hold does not. What `print` writes
  /// goes to the session's own output, between the events.
  public func run(in session: Session, report: (Event) -> Void) -> Outcome {
    var outcome = Outcome()
    // Every cell's form is checked before the first one runs.
    let complaints = complaints
    for diagnostic in complaints { report(.problem(diagnostic)) }
    if complaints.contains(where: { $0.severity == .error }) {
      outcome.wasStopped = true
      return outcome
    }
    var values: [String: Value] = [:]
    for part in parts {
      switch part.kind {
      case .prose:
        let text = MadeNumber.told(prose(of: part), in: session)
        if !text.isEmpty { report(.prose(text)) }
        checkNumbers(of: part, in: session, &outcome, report)
      case .code:
        if isLesson { report(.code(source.text(of: part.range))) }
        let result = session.run(source, range: part.range)
        outcome.cellCount += 1
        if let shown = result.shown { report(.shown(shown)) }
        for diagnostic in result.diagnostics { report(.problem(diagnostic)) }
        if let name = part.name { values[name] = result.value }
        if !result.succeeded {
          // An assertion is a check in the lesson's own code: it stops the run and counts as one.
          if result.failure?.kind == .assertion {
            outcome.failedCount += 1
            return outcome
          }
          outcome.wasStopped = true
          outcome.wasInterrupted = result.wasInterrupted
          return outcome
        }
      case .question:
        guard let question = question(of: part) else { continue }
        report(.asking(question))
        let teacher = Teacher(document: self, session: session)
        switch teacher.answer(to: question) {
        case .failure(let problem):
          for diagnostic in problem.diagnostics { report(.problem(diagnostic)) }
          outcome.wasStopped = true
          outcome.wasInterrupted = problem.wasInterrupted
          return outcome
        case .success(let answer):
          report(.question(question.told(in: session), answer: answer))
          checkNumbers(of: part, in: session, &outcome, report)
          for other in parts where other.kind == .answer && other.subject == question.name {
            checkNumbers(of: other, in: session, &outcome, report)
          }
        }
      case .answer, .solution: break
      case .expectation:
        var reader = CheckReader(document: self, part: part, session: session, values: values)
        reader.run(&outcome, report)
        if outcome.wasStopped { return outcome }
      }
    }
    return outcome
  }

  /// Holds the numbers that stand in a text to what they are.
  private func checkNumbers(
    of part: Part, in session: Session, _ outcome: inout Outcome, _ report: (Event) -> Void
  ) {
    let text = source.text(of: part.range)
    for number in MadeNumber.all(in: text) {
      let made = number.made(in: session)
      guard made != String(number.written) else {
        outcome.passedCount += 1
        continue
      }
      outcome.failedCount += 1
      let start =
        part.range.start
        + text.utf8.distance(
          from: text.startIndex, to: number.written.startIndex)
      report(
        .problem(
          Diagnostic(
            made.map { "this number is \($0)" } ?? "this number cannot be made", source: source,
            range: SourceRange(start, start + number.written.utf8.count),
            hint: "it is \(number.expression)")))
    }
  }
}
