internal import ArgumentParser
internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Language
internal import Notebooks
internal import Runtime
internal import Terminal

/// `fovea lesson`: a tutor.
struct LessonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lesson",
    abstract: "Take a lesson step by step; without one, list them with how far you are.",
    discussion: """
      fovea lesson               the lessons, and how far you are in each
      fovea lesson 3             the third, from where you left it
      fovea lesson my.md         one of your own
      fovea lesson reset 3       begin it anew; without a number, all
      fovea lesson test my.md    tries every step, answer and mistake; without a file, all

        --texts zh               the language of the texts; else that of the environment
        --model DIR              the same lesson on another model
        --graphics HOW           how pictures are drawn; fovea lesson take --help has all options

      At every step: a line is an answer or code; hint, show, skip, back, again, play, quit do what \
      they say. What you did is kept after every step.
      """,
    subcommands: [Take.self, Reset.self, Test.self], defaultSubcommand: Take.self)

  /// What finding lessons takes.
  struct ShelfOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "The language of the texts, en or zh; else that of the environment.", valueName: "language")
    )
    var texts: String?

    func shelf() throws -> LessonShelf { try LessonShelf(language: texts) }

    /// - Parameter model: of the options beside these. Its `--language` names a language model, and no
    ///   model has the name of a language that lessons are written in: then the texts are meant, and
    ///   it is taken from there.
    func shelf(_ model: inout ModelOptions) throws -> LessonShelf {
      guard let language = model.language.flatMap(LessonShelf.written) else { return try shelf() }
      model.language = nil
      return try LessonShelf(language: texts ?? language)
    }

    func progress() throws -> LessonProgress {
      guard let progress = LessonProgress(of: ProcessInfo.processInfo.environment) else {
        throw SettingFailure(
          words: "neither HOME nor XDG_DATA_HOME names a folder to keep progress in")
      }
      return progress
    }
  }

  /// `fovea lesson [NAME]`.
  struct Take: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "take", abstract: "Take a lesson, or list them.", shouldDisplay: false)
    @ArgumentParser.Argument(help: ArgumentHelp("A number, or a file.", valueName: "lesson"))
    var name: String?
    @OptionGroup var shelf: ShelfOptions
    @OptionGroup var options: SessionOptions

    func run() throws {
      var options = options
      let (shelf, progress) = (try shelf.shelf(&options.model), try shelf.progress())
      guard let name else { return try list(shelf, progress) }
      let file = try shelf.file(name)
      let document = try LessonCommand.document(file)
      try LessonPrompt(
        document: document, file: file, progress: progress,
        language: file.lastPathComponent.hasSuffix(".zh.md") ? "zh" : "en",
        // Those on the shelf are tried before they are put there; on another model numbers are others.
        isUntried: Int(name) == nil && options.model.model == nil, options: options
      ).run()
    }

    private func list(_ shelf: LessonShelf, _ progress: LessonProgress) throws {
      let say = TutorWords(shelf.language)
      for entry in shelf.entries {
        let document = try Document(file: shelf.translated(entry.file))
        let tutor = Tutor(
          document, in: Session(), marks: try progress.marks(of: LessonCommand.id(document)))
        let done = tutor.steps.count { tutor.marks[$0.key] != nil }
        let words =
          done == 0
          ? ""
          : done == tutor.steps.count
            ? "  " + say("done") : "  " + say("step %1 of %2", "\(done)", "\(tutor.steps.count)")
        let title = document.property("title") ?? entry.file.lastPathComponent
        Display.write(
          "\(String(repeating: " ", count: entry.number < 10 ? 1 : 0))\(entry.number)  \(title)\(words)\n"
        )
      }
      Display.write("\n" + say("fovea lesson 1 begins the first") + "\n")
    }
  }

  /// `fovea lesson reset [NAME]`.
  struct Reset: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forget how far you are in a lesson, or in all.")
    @ArgumentParser.Argument(help: ArgumentHelp("A number, or a file.", valueName: "lesson"))
    var name: String?
    @OptionGroup var shelf: ShelfOptions

    func run() throws {
      let (shelf, progress) = (try shelf.shelf(), try shelf.progress())
      let files = try name.map { [try shelf.file($0)] } ?? shelf.entries.map(\.file)
      for file in files { try progress.forget(LessonCommand.id(try Document(file: file))) }
      let say = TutorWords(shelf.language)
      Display.write(
        (name != nil ? say("forgotten") : say("forgotten: all %1 lessons", "\(files.count)")) + "\n"
      )
    }
  }

  /// `fovea lesson test [FILE…]`.
  struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Try every step, answer, solution and mistake of lessons.")
    @ArgumentParser.Argument(help: ArgumentHelp("Numbers or files.", valueName: "lessons"))
    var names: [String] = []
    @OptionGroup var shelf: ShelfOptions
    @OptionGroup var options: SessionOptions

    func run() throws {
      var options = options
      let shelf = try shelf.shelf(&options.model)
      let files =
        names.isEmpty ? shelf.entries.map { shelf.translated($0.file) } : try names.map(shelf.file)
      var failed = false
      for file in files {
        let document = try Document(file: file)
        let progress = ProgressDisplay(environment: .process)
        let session = try options.session(
          readingFrom: file.deletingLastPathComponent(), progress: progress, isMuted: { true })
        try Interrupts.shared.begin(quittingAfter: 2, onInterrupt: { session.cancel() })
        let trial = Trial(document, in: session)
        let diagnostics = trial.diagnostics + LessonCommand.emptiness(of: document)
        progress.end()
        Display.complain(
          diagnostics,
          depth: ColorDepth(
            options.color, isTerminal: Output.standardError.isTerminal, in: .process),
          columns: Output.standardError.size(in: .process).columns)
        if trial.wasInterrupted { throw Ending(status: ExitStatus.interrupted) }
        let isRight = !diagnostics.contains { $0.severity == .error }
        failed = failed || !isRight
        Display.write(
          "\(isRight ? "✓" : "✗") \(file.lastPathComponent): \(document.questions.count) questions, "
            + "\(trial.provenCount) proofs\n")
      }
      if failed { throw Ending(status: ExitStatus.checkFailed) }
    }
  }

  /// A lesson whose form is right: nobody who learns meets one that is not.
  static func document(_ file: URL) throws -> Document {
    let document = try Document(file: file)
    let complaints =
      document.complaints.filter { $0.severity == .error } + emptiness(of: document)
    guard complaints.isEmpty else {
      Display.complain(
        complaints, depth: .none, columns: Output.standardError.size(in: .process).columns)
      throw Ending(status: ExitCode.badData)
    }
    return document
  }

  /// What is to be said of a file that holds no step; nothing where it has one.
  static func emptiness(of document: Document) -> [Diagnostic] {
    let isEmpty = !document.parts.contains { part in
      switch part.kind {
      case .code, .question: true
      case .prose, .answer, .solution, .expectation: false
      }
    }
    guard isEmpty else { return [] }
    return [
      Diagnostic(
        "this lesson has no step", source: document.source, range: SourceRange(0, 0),
        hint: "a step is a fence of ```fovea, ```predict, ```quiz, ```point or ```task")
    ]
  }

  /// What progress in a lesson is kept under.
  static func id(_ document: Document) -> String {
    document.property("lesson")
      ?? URL(filePath: document.source.name).deletingPathExtension().lastPathComponent
  }
}
