internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Language
internal import Notebooks
internal import Runtime
internal import Synchronization
internal import Terminal

/// A lesson with a person: reads out, asks, waits, runs, shows, explains.
struct LessonPrompt {
  private let tutor: Tutor
  private let lesson: String
  private let progress: LessonProgress
  private let session: Session
  private let display = ProgressDisplay(environment: .process)
  private let gate: OutputGate
  private let expectation: Expectation
  /// Whether the lesson is to be tried before anybody takes it.
  private let isUntried: Bool
  private let options: SessionOptions
  private let depth: ColorDepth
  private let reader: LineReader
  private let name: String
  private let words: TutorWords

  /// Lets what a session writes through, or not.
  private final class OutputGate: Sendable {
    let isClosed = Mutex(false)
  }

  /// Whether what is asked for is code, which may take several lines.
  private final class Expectation: Sendable {
    let isCode = Mutex(true)
  }

  init(
    document: Document, file: URL, progress: LessonProgress, language: String,
    isUntried: Bool, options: SessionOptions
  ) throws {
    let (gate, expectation) = (OutputGate(), Expectation())
    (self.expectation, self.isUntried, self.options) = (expectation, isUntried, options)
    session = try options.session(
      readingFrom: file.deletingLastPathComponent(), progress: display,
      isMuted: { gate.isClosed.withLock { $0 } })
    self.gate = gate
    lesson = LessonCommand.id(document)
    self.progress = progress
    name = Int(file.lastPathComponent.prefix { $0.isNumber }).map(String.init) ?? file.relativePath
    depth = ColorDepth(options.color, isTerminal: Output.standardOutput.isTerminal, in: .process)
    words = TutorWords(language)
    tutor = Tutor(document, in: session, marks: try progress.marks(of: lesson), words: words)
    if Output.standardOutput.isTerminal {
      session[TerminalStyle.self] = TerminalPictures(try GraphicsChoice.chosen(options.graphics))
        .style(columns: SessionOptions.figureColumns, depth: depth)
    }
    let session = session
    reader = LineReader(
      rules: LineEditor.Rules(
        isIncomplete: { text in
          expectation.isCode.withLock { $0 } && Language.Program.isIncomplete(text)
            && Self.lastWish(in: text) == nil
        },
        indentation: PromptLoop.indentation,
        complete: { text, cursor in
          PromptCompletion(session: session, text: text, cursor: cursor).completions
        }),
      depth: depth)
    try Interrupts.shared.begin(quittingAfter: 3, onInterrupt: { session.cancel() })
  }

  /// How wide the window is, at this moment.
  private var columns: Int { Output.standardOutput.size(in: .process).columns }

  private var text: LessonText { LessonText(columns: min(columns, 100), depth: depth) }

  /// What a person can say at any step.
  private enum Wish: String, CaseIterable {
    case hint, show, skip, back, again, play, quit, help
  }

  /// How a step ended.
  private enum Next { case on, same, quit }

  func run() throws {
    let document = tutor.document
    guard try tutor.step == nil || tried() else { return }
    // A lesson begins with its own heading.
    if tutor.place > 0 { say(Style.strong.apply(to: document.property("title") ?? lesson, depth)) }
    if tutor.place >= tutor.steps.count {
      return say(words("done; fovea lesson reset %1 begins it anew", name))
    }
    say(
      faint(
        (tutor.place > 0
          ? words("goes on at step %1 of %2", "\(tutor.place + 1)", "\(tutor.steps.count)") + "; "
          : "")
          + words("help tells what can be said")))
    // Another language has other words in every question.
    let isSameLanguage = progress.language(of: lesson).map { $0 == words.language } ?? true
    if isSameLanguage, tutor.changedCount > 0 {
      say(
        faint(
          words(
            "steps that have changed since you took them come again: %1", "\(tutor.changedCount)")))
    }
    guard try prepared() else { return }
    while let step = tutor.step {
      if !step.prose.isEmpty { say("\n" + text.rendered(tutor.prose)) }
      let next: Next =
        switch step.deed {
        case .code: try code()
        case .question(let question): try ask(tutor.question ?? question)
        case .end: try finish(.done)
        }
      switch next {
      case .on: continue
      case .same: guard try prepared() else { return }
      case .quit:
        return say(faint(words("kept; fovea lesson %1 goes on here", name)))
      }
    }
    say("\n✓ " + words("that was all of it"))
  }

  // MARK: Steps

  /// Tries a lesson that nobody has vouched for: who learns meets none that breaks its word.
  ///
  /// - Returns: false where somebody stopped it.
  /// - Throws: where something is wrong with it.
  private func tried() throws -> Bool {
    guard isUntried else { return true }
    gate.isClosed.withLock { $0 = true }
    defer { gate.isClosed.withLock { $0 = false } }
    Interrupts.shared.clear()
    let trial = Trial(tutor.document, in: session)
    display.end()
    if trial.wasInterrupted { return false }
    let errors = trial.diagnostics.filter { $0.severity == .error }
    guard errors.isEmpty else {
      complain(errors)
      throw Ending(status: ExitCode.badData)
    }
    return true
  }

  /// Makes again what came before, unseen; false where that cannot be.
  private func prepared() throws -> Bool {
    do throws(Teacher.Problem) {
      gate.isClosed.withLock { $0 = true }
      defer { gate.isClosed.withLock { $0 = false } }
      Interrupts.shared.clear()
      try tutor.prepare()
      display.end()
      return true
    } catch {
      display.end()
      complain(error.diagnostics)
      return false
    }
  }

  private func finish(_ mark: Tutor.Mark) throws -> Next {
    tutor.leave(mark)
    try progress.keep(tutor.marks, of: lesson, language: words.language)
    return .on
  }

  /// Shows code, waits, runs it, shows what came out.
  private func code() throws -> Next {
    say(
      "\n"
        + (tutor.code ?? "").visible.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "  " + Style.prompt.apply(to: String($0), depth) }.joined(separator: "\n"))
    while true {
      switch try read(words("Enter runs it> ")) {
      case .line(""):
        guard let result = tutor.run() else { return .on }
        display.end()
        show(result)
        if result.wasInterrupted { continue }
        guard result.succeeded else { return .quit }
        return try finish(.done)
      case .line(let line): perform(line)
      case .wish(.hint), .wish(.show): say(faint(words("nothing is asked here; Enter runs it")))
      case .wish(let wish): if let next = try common(wish) { return next }
      case .quit: return .quit
      }
    }
  }

  private func ask(_ question: Question) throws -> Next {
    if let line = tutor.pictureLine { perform(line) }
    say("\n" + text.filled(question.ask, mark: "? "))
    for (index, option) in question.options.enumerated() {
      say(text.filled(option.text, indent: "     ", mark: "  \(Teacher.letter(index)) "))
    }
    let isTask = question.kind == .task
    let prompt = words(isTask ? "your code> " : "your answer> ")
    expectation.isCode.withLock { $0 = isTask }
    defer { expectation.isCode.withLock { $0 = true } }
    while true {
      switch try read(prompt) {
      case .line(""): say(faint(words("hint helps, show tells, skip goes on")))
      case .line(let line):
        if isTask, !perform(line) { continue }
        switch try judged(line) {
        case nil: continue
        case .right(let why):
          say(text.filled("✓ " + words("right") + (why.isEmpty ? "" : ": " + why)))
          return try finish(.done)
        case .unclear(let said): say(text.filled(said))
        case .wrong(let said, let reason):
          say(text.filled("✗ " + said + (reason.isEmpty ? "" : ": " + reason)))
          hint(orElse: words("show tells the answer; skip goes on"))
        }
      case .wish(.hint): hint(orElse: words("there is no further hint; show tells the answer"))
      case .wish(.show):
        guard let shown = try shown() else { continue }
        say("  " + shown.answer.visible.split(separator: "\n").joined(separator: "\n  "))
        if !shown.why.isEmpty { say(text.filled(shown.why)) }
        return try finish(.shown)
      case .wish(let wish): if let next = try common(wish) { return next }
      case .quit: return .quit
      }
    }
  }

  private func hint(orElse other: String) {
    say(faint(tutor.hint().map { words("hint") + ": " + $0 } ?? other))
  }

  private func judged(_ line: String) throws -> Teacher.Verdict? {
    do throws(Teacher.Problem) {
      defer { display.end() }
      return try tutor.judge(line)
    } catch {
      complain(error.diagnostics)
      return nil
    }
  }

  private func shown() throws -> (answer: String, why: String)? {
    do throws(Teacher.Problem) {
      defer { display.end() }
      return try tutor.show()
    } catch {
      complain(error.diagnostics)
      return nil
    }
  }

  /// What can be said at every step; nil where it goes on waiting.
  private func common(_ wish: Wish) throws -> Next? {
    switch wish {
    case .skip:
      _ = try finish(.skipped)
      return .same
    case .back:
      guard tutor.back() else {
        say(faint(words("this is the first step")))
        return nil
      }
      return .same
    case .again: return .same
    case .play:
      expectation.isCode.withLock { $0 = true }
      try play()
      return .same
    case .quit: return .quit
    case .help, .hint, .show:
      say(text.filled(words("Enter runs the code that is shown; a line is an answer, or code")))
      for (wish, meaning) in [
        ("hint", "a hint"), ("show", "the answer"), ("skip", "the next step"),
        ("back", "the step before"), ("again", "this step anew"),
        ("play", "a free prompt with what there is; Ctrl-D comes back"),
        ("quit", "leave; what you did is kept"),
      ] {
        let mark = wish.padding(toLength: 7, withPad: " ", startingAt: 0)
        say(text.filled(words(meaning), indent: "       ", mark: mark))
      }
      return nil
    }
  }

  /// A free prompt with the lesson's variables.
  private func play() throws {
    say(faint(words("try what you like; Ctrl-D comes back to the lesson")))
    while true {
      switch try reader.read(Prompt("play> ")) {
      case .end: return say("")
      case .interrupted: continue
      case .text(let line):
        if line.trimmingCharacters(in: .whitespaces).isEmpty { continue }
        try? reader.remember(line)
        perform(line)
      }
    }
  }

  /// What the last line of a text asks for, also in the middle of code that was begun; nil where it asks
  /// for nothing.
  private static func lastWish(in text: String) -> Wish? {
    let last = text.split(separator: "\n").last ?? ""
    guard last == text || Language.Program.isIncomplete(text) else {
      return nil
    }
    return Wish(rawValue: last.trimmingCharacters(in: .whitespaces).lowercased())
  }

  // MARK: Reading and saying

  private enum Entry {
    case line(String)
    case wish(Wish)
    case quit
  }

  private func read(_ prompt: String) throws -> Entry {
    while true {
      switch try reader.read(Prompt(prompt)) {
      case .end: return .quit
      case .interrupted(let wasEmpty):
        if wasEmpty { say(faint(words("quit leaves; what you did is kept"))) }
      case .text(let typed):
        options.fit(session)
        let line = typed.trimmingCharacters(in: .whitespacesAndNewlines)
        if !line.isEmpty { try? reader.remember(line) }
        if let wish = Self.lastWish(in: typed), session[wish.rawValue] == nil {
          return .wish(wish)
        }
        return .line(line)
      }
    }
  }

  /// Runs a line of the person's; false where it failed.
  @discardableResult
  private func perform(_ line: String) -> Bool {
    Interrupts.shared.clear()
    let text = session.expandedShorthand(line) ?? line
    let result = session.run(Source(name: "your line", text: text))
    display.end()
    Interrupts.shared.clear()
    show(result)
    return result.succeeded
  }

  private func show(_ result: CellResult) {
    if let shown = result.shown { say(shown) }
    if result.wasInterrupted { return say(faint(words("interrupted"))) }
    complain(result.diagnostics)
    draw(result.value)
  }

  /// Draws a picture or a figure, also one that was just written to a file.
  private func draw(_ value: Value?) {
    guard session[TerminalStyle.self] != nil, var value else { return }
    if case .text(let path) = value, let saved = session.saved(at: path.string) {
      say(faint(path.string))
      value = saved
    }
    if let art = try? session.picture(of: value) { say(art) }
    display.end()
  }

  private func say(_ text: String) {
    display.hide()
    Display.write(exactly: text + "\n")
  }

  private func faint(_ text: String) -> String {
    let isBroken = Output.standardOutput.isTerminal
    return Style.faint.apply(to: isBroken ? text.broken(toColumns: columns) : text, depth)
  }

  private func complain(_ diagnostics: [Diagnostic]) {
    Display.complain(diagnostics, depth: depth, columns: columns)
  }
}
