public import Language
public import Runtime

/// The proof that a lesson keeps its word: everything runs and every check holds, every answer and
/// solution is taken, every mistake that it knows is refused with its own reason, and no task is done
/// before it begins.
public struct Trial {
  /// What is wrong, each with its place in the lesson; none where nothing is.
  public private(set) var diagnostics: [Diagnostic] = []
  /// How many checks held, questions were answered and mistakes were refused.
  public private(set) var provenCount = 0
  /// Whether somebody stopped it.
  public private(set) var wasInterrupted = false

  /// Tries a lesson.
  public init(_ document: Document, in session: Session) {
    let outcome = document.run(in: session) { event in
      switch event {
      case .problem(let diagnostic):
        // What cannot be made fails when it is tried and again when it runs, and is said once.
        if !diagnostics.contains(where: { $0.drawn() == diagnostic.drawn() }) {
          diagnostics.append(diagnostic)
        }
      case .asking(let question):
        do throws(Teacher.Problem) {
          try check(question, document, session)
        } catch {
          diagnostics += error.diagnostics
        }
      default: break
      }
    }
    provenCount += outcome.passedCount
    wasInterrupted = outcome.wasInterrupted
  }

  private mutating func check(
    _ question: Question, _ document: Document, _ session: Session
  ) throws(Teacher.Problem) {
    let source = document.source
    let teacher = Teacher(document: document, session: session)
    func problem(_ message: String, _ range: SourceRange?) -> Diagnostic {
      Diagnostic(message, source: source, range: range ?? SourceRange(0, 0))
    }
    /// Whether a verdict is the refusal that the lesson promises.
    func expectRefusal(_ verdict: Teacher.Verdict, _ reason: String, _ range: SourceRange?) {
      if verdict == .right(question.why) || verdict != .wrong(verdict.words, reason: reason) {
        diagnostics.append(
          problem(
            "this is to be refused with its own reason, and is "
              + (verdict.isRight ? "taken" : "answered: \(verdict.words)"), range))
      } else {
        provenCount += 1
      }
    }
    switch question.kind {
    case .choice:
      for (index, option) in question.options.enumerated() {
        let verdict = try teacher.judge(Teacher.letter(index), to: question)
        if option.isRight { provenCount += 1 } else { expectRefusal(verdict, option.reason, nil) }
      }
    case .prediction, .patch:
      let answer = try teacher.answer(to: question).get()
      let typed = answer.split(separator: "·").first.map(String.init) ?? answer
      if case .right = try teacher.judge(typed, to: question) {
        provenCount += 1
      } else {
        diagnostics.append(problem("the right answer is not taken: \(answer)", question.answer))
      }
      for mistake in question.mistakes {
        expectRefusal(
          try teacher.judge(mistake.text, to: question), mistake.reason, mistake.range)
      }
    case .task:
      // A check that cannot run yet does not hold.
      let isDone: Bool
      do { isDone = try teacher.missing(of: question) == nil } catch { isDone = false }
      if isDone {
        diagnostics.append(
          problem("this task is done before it begins: all checks hold", question.checks.first))
      }
      for mistake in question.mistakes {
        let result = session.run(source, range: mistake.range)
        guard result.succeeded else {
          throw Teacher.Problem(
            diagnostics: result.diagnostics, wasInterrupted: result.wasInterrupted)
        }
        expectRefusal(
          try teacher.judge(mistake.text, to: question), mistake.reason, mistake.range)
      }
      // The solution runs next, over what the mistakes left, and has to do all the same.
      provenCount += 1
    }
  }
}

extension Teacher.Verdict {
  fileprivate var isRight: Bool { if case .right = self { true } else { false } }

  fileprivate var words: String {
    switch self {
    case .right(let words), .unclear(let words), .wrong(let words, _): words
    }
  }
}
