internal import ArgumentParser
internal import Commands
internal import Files
internal import Foundation
internal import Language
internal import Notebooks
internal import Runtime
internal import Terminal

/// What happens without a subcommand: the prompt, a file, a text, or standard input.
struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Open the prompt, or run a file or text.",
    usage: "fovea [-c <text>] [<file>] [options]",
    shouldDisplay: false)

  @Option(name: .short, help: ArgumentHelp("Run this text and end.", valueName: "text"))
  var command: String?

  @ArgumentParser.Argument(
    help: ArgumentHelp("A script, a lesson (.md), or - for standard input.", valueName: "file"))
  var file: String?

  @OptionGroup var options: SessionOptions

  func validate() throws {
    if command != nil, file != nil {
      throw ValidationError("Give a file or -c with a text, not both.")
    }
  }

  func run() throws {
    let batch = Batch(options: options)
    if let command { return try batch.run(text: command, name: "-c") }
    if let file, file != "-" { return try batch.run(file: file) }
    if file == nil, Input.isTerminal { return try PromptLoop(options: options).run() }
    let name = "standard input"
    let bytes = try WholeFile.readToEnd(0, path: name, limit: Batch.longest)
    try batch.run(text: Batch.text(bytes, from: name), name: name)
  }
}

/// `fovea run FILE`.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a script, or a lesson's cells, from top to bottom.")

  @ArgumentParser.Argument(help: ArgumentHelp("A script, or a lesson (.md).", valueName: "file"))
  var file: String

  @OptionGroup var options: SessionOptions

  func run() throws { try Batch(options: options).run(file: file) }
}

/// Runs text without a person: to its end or its first error, with a status that scripts can use.
struct Batch {
  let options: SessionOptions
  let progress = ProgressDisplay(environment: .process)

  /// Runs a script or lesson; what it reads is found beside it.
  func run(file: String) throws {
    let url = URL(typed: file)
    try BadText.refuseNotebook(url, name: file)
    let bytes: [UInt8]
    do throws(FileFailure) {
      bytes = try WholeFile.readToEnd(url, limit: Self.longest)
    } catch {
      switch error.kind {
      case .missing: throw MissingInput(path: file, what: "the script")
      case .folder: throw BadText(name: file, reason: "is a folder, not a script")
      default: throw error
      }
    }
    let text = try Self.text(bytes, from: file)
    let folder = url.deletingLastPathComponent()
    let source = Source(name: file, text: text)
    let isLesson = ["md", "markdown"].contains(url.pathExtension.lowercased())
    guard isLesson else { return try run(source, folder: folder) }
    let lesson = Document(source, isLesson: true)
    guard lesson.parts.contains(where: { $0.kind == .code }) else {
      throw BadText(name: file, reason: "has no cell: a cell begins with a line ```fovea")
    }
    try run(lesson, folder: folder)
  }

  /// Runs a text; what it reads is found in the current folder.
  func run(text: String, name: String) throws {
    let source = Source(name: name, text: text)
    try run(source, folder: SessionOptions.folder(FileManager.default.currentDirectoryPath))
  }

  private func run(_ source: Source, folder: URL) throws {
    let session = try begin(readingFrom: folder)
    // Lines of `# %%` divide a script into cells, each of which shows its last value.
    let cells = Document(source, isLesson: false).parts.map(\.range)
    let complaints =
      cells.count > 1
      ? cells.flatMap { Language.Program(parsing: source, range: $0).diagnostics } : []
    // Every cell's form is checked before the first one runs.
    if complaints.contains(where: { $0.severity == .error }) {
      complain(complaints)
      throw Ending(status: ExitCode.badData)
    }
    for cell in cells.isEmpty ? [source.range] : cells {
      let result = session.run(source, range: cell)
      progress.end()
      if let shown = result.shown { Display.write(shown + "\n") }
      complain(result.diagnostics)
      let status = ExitStatus.of(result, isLesson: false)
      guard status == 0 else { throw Ending(status: status) }
    }
    if session[BrokenResults.self] { throw Ending(status: ExitCode.badData) }
  }

  private func run(_ lesson: Document, folder: URL) throws {
    let session = try begin(readingFrom: folder)
    let outcome = lesson.run(in: session) { event in
      progress.end()
      if case .problem(let diagnostic) = event { return complain([diagnostic]) }
      let text = event.text
      if !text.isEmpty { Display.write(text + "\n\n") }
    }
    if outcome.passedCount + outcome.failedCount > 0, !options.quiet {
      Display.write("\(outcome.passedCount) checks hold, \(outcome.failedCount) do not\n")
    }
    guard outcome.exitCode == 0 else { throw Ending(status: outcome.exitCode) }
  }

  private func begin(readingFrom folder: URL) throws -> Session {
    let session = try options.session(readingFrom: folder, progress: progress)
    try Interrupts.shared.begin(quittingAfter: 2, onInterrupt: { session.cancel() })
    return session
  }

  private func complain(_ diagnostics: [Diagnostic]) {
    Display.complain(
      diagnostics,
      depth: ColorDepth(
        options.color, isTerminal: Output.standardError.isTerminal, in: .process),
      columns: Output.standardError.size(in: .process).columns)
  }

  /// The most bytes of a script or lesson.
  static let longest = 16 << 20

  /// Bytes as text, without a byte order mark before it.
  ///
  /// - Throws: `FileFailure` where they are no UTF-8.
  static func text(_ bytes: [UInt8], from name: String) throws -> String {
    try WholeFile.text(of: bytes, path: name)
  }
}

/// A script that cannot be read as one.
struct BadText: HasExitCode, CustomStringConvertible {
  let name: String
  let reason: String

  var exitCode: Int32 { Files.ExitCode.badData }
  var description: String { "\(name.withVisibleControls) \(reason)" }

  /// Refuses a Jupyter notebook by its name: it would be read as a script that makes no sense.
  static func refuseNotebook(_ url: URL, name: String) throws {
    guard url.pathExtension.lowercased() == "ipynb" else { return }
    throw BadText(
      name: name,
      reason: "is a Jupyter notebook, and Fovea does not run those; as a script with lines of "
        + "# %% between its cells it does: jupytext --to py:percent")
  }
}
