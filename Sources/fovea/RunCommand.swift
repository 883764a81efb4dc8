internal import ArgumentParser
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
    let bytes = try Input.readAll()
    try batch.run(text: Batch.text(bytes, from: "standard input"), name: "standard input")
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
    let url = URL(filePath: file)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw MissingInput(path: file, what: "the script")
    }
    guard !isFolder.boolValue else {
      throw BadText(name: file, reason: "is a folder, not a script")
    }
    let data = try Data(contentsOf: url)
    let text = try Self.text(Array(data), from: file)
    let folder = url.deletingLastPathComponent()
    let source = Source(name: file, text: text)
    guard ["md", "markdown"].contains(url.pathExtension.lowercased()) else {
      return try run(source, folder: folder)
    }
    let lesson = Document(source, isLesson: true)
    guard lesson.parts.contains(where: { $0.kind == .code }) else {
      throw BadText(name: file, reason: "has no cell: a cell begins with a line ```fovea")
    }
    try run(lesson, folder: folder)
  }

  /// Runs a text; what it reads is found in the current folder.
  func run(text: String, name: String) throws {
    let source = Source(name: name, text: text)
    let folder = SessionOptions.folder(FileManager.default.currentDirectoryPath)
    try run(source, folder: folder)
  }

  private func run(_ source: Source, folder: URL) throws {
    let session = try begin(readingFrom: folder)
    let result = session.run(source)
    progress.end()
    if let shown = result.shown { Display.write(shown + "\n") }
    complain(result.diagnostics)
    let status = ExitStatus.of(result, isLesson: false)
    guard status == 0 else { throw Ending(status: status) }
  }

  private func run(_ lesson: Document, folder: URL) throws {
    let session = try begin(readingFrom: folder)
    let outcome = lesson.run(in: session) { event in
      progress.end()
      if case .problem(let diagnostic) = event { return complain([diagnostic]) }
      Display.write(event.text + "\n\n")
    }
    if outcome.passedCount + outcome.failedCount > 0, !options.quiet {
      Display.write("\(outcome.passedCount) checks hold, \(outcome.failedCount) do not\n")
    }
    guard outcome.exitCode == 0 else { throw Ending(status: outcome.exitCode) }
  }

  private func begin(readingFrom folder: URL) throws -> Session {
    let session = try options.session(readingFrom: folder, progress: progress)
    if Output.standardOutput.isTerminal {
      session[HelpColumns.self] = Output.standardOutput.size(in: .process).columns
    }
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

  /// Bytes as text.
  ///
  /// - Throws: `BadText` where they are no UTF-8.
  static func text(_ bytes: [UInt8], from name: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw BadText(name: name, reason: "is no text in UTF-8")
    }
    return text
  }
}

/// A script that cannot be read as one.
struct BadText: HasExitCode, CustomStringConvertible {
  let name: String
  let reason: String

  var exitCode: Int32 { Files.ExitCode.badData }
  var description: String { "\(name.withVisibleControls) \(reason)" }
}
