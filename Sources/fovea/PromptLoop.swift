internal import Characters
internal import Commands
internal import Foundation
internal import Language
internal import Runtime
internal import Terminal

/// The conversation: ask, run, show, until the person leaves.
struct PromptLoop {
  let options: SessionOptions
  let progress = ProgressDisplay(environment: .process)
  let depth: ColorDepth

  init(options: SessionOptions) {
    self.options = options
    depth = ColorDepth(options.color, isTerminal: Output.standardOutput.isTerminal, in: .process)
  }

  func run() throws {
    let folder = SessionOptions.folder(FileManager.default.currentDirectoryPath)
    let session = try options.session(readingFrom: folder, progress: progress)
    let colours = ColorDepth(
      options.color, isTerminal: Output.standardOutput.isTerminal, in: .process)
    session[TerminalStyle.self] = TerminalPictures(try GraphicsChoice.chosen(options.graphics))
      .style(columns: SessionOptions.figureColumns, depth: colours)
    if let pager = Pager(in: .process) {
      session[Paging.self] = { [progress] text in
        progress.hide()
        Self.show(text, in: pager)
      }
    }
    try Interrupts.shared.begin(quittingAfter: 3, onInterrupt: { session.cancel() })
    let reader = makeReader(for: session)
    if !options.quiet {
      Display.write(banner.broken(toColumns: Output.standardOutput.size(in: .process).columns))
    }
    var hasHinted = false
    while true {
      let number = session.nextEntryNumber
      let read = try reader.read(Prompt("[\(number)]> "))
      options.fit(session)
      switch read {
      case .end:
        return
      case .interrupted(let wasEmpty):
        if wasEmpty, !hasHinted {
          note("Ctrl-D leaves; Ctrl-C stops a running command")
          hasHinted = true
        }
      case .text(let typed):
        // A block ends with an empty line, which is none of its text.
        let text = typed.withoutBlanksAtEnd.withoutCommonIndentation
        guard !text.isEmpty else { continue }
        remember(text, reader)
        if ["exit", "quit", "exit()", "quit()"].contains(text) { return }
        if ["chat", "chat()"].contains(text), session["chat"] == nil {
          do {
            let chat = ChatPrompt(session: session, progress: progress, options: options)
            if let result = try chat.run(try ChatLoop(session)) {
              session.remember(text, giving: result)
              note("_ is the conversation; chat(…, history=_) goes on with it")
            }
          } catch {
            progress.end()
            Program.complain(about: error)
          }
          continue
        }
        run(text, number: number, in: session)
      }
    }
  }

  // MARK: One entry

  private func run(_ text: String, number: Int, in session: Session) {
    var text = text
    if let full = session.expandedShorthand(text) {
      note(full)
      text = full
    }
    Interrupts.shared.clear()
    let result = session.run(Source(name: "[\(number)]", text: text))
    progress.end()
    Interrupts.shared.clear()
    if let shown = result.shown {
      session.page(shown)
      // What can be seen is shown; a `;` keeps it quiet.
      if let value = result.value, let art = try? session.picture(of: value) {
        Display.write(exactly: art + "\n")
      }
    }
    if result.wasInterrupted {
      note("interrupted after \(Self.seconds(result.duration)); the session goes on")
      return
    }
    Display.complain(
      result.diagnostics, depth: depth,
      columns: Output.standardOutput.size(in: .process).columns)
  }

  /// Hands text that the screen does not hold to a pager; writes what it holds.
  private static func show(_ text: String, in pager: Pager) {
    if !Interrupts.shared.leavingAlone({ pager.show(text) }) { Display.write(text + "\n") }
  }

  private static func seconds(_ duration: Duration) -> String {
    let tenths = Int((duration / .milliseconds(100)).rounded())
    return "\(tenths / 10).\(tenths % 10) s"
  }

  private func note(_ text: String) {
    Display.write(exactly: Style.faint.apply(to: text, depth) + "\n")
  }

  // MARK: Around it

  private var banner: String {
    let model = options.model.model.map { "model \($0.visible)" } ?? "model of small scenes"
    return "Fovea \(Program.version), \(model). help for help, Ctrl-D to leave.\n"
  }

  private func makeReader(for session: Session) -> LineReader {
    var file = HistoryFile.standard(in: .process)
    var history = History()
    do {
      if let file { history = try file.read() }
    } catch {
      // What cannot be read is not written to either.
      file = nil
      Program.complain(about: error)
    }
    return LineReader(
      rules: LineEditor.Rules(
        isIncomplete: Language.Program.isIncomplete, indentation: Self.indentation,
        complete: { text, cursor in
          PromptCompletion(session: session, text: text, cursor: cursor).completions
        }),
      history: history, file: file, depth: depth)
  }

  private func remember(_ text: String, _ reader: LineReader) {
    do {
      try reader.remember(text)
    } catch {
      Program.complain(about: error)
    }
  }

  /// Four blanks more after a colon, four less after what ends a block, else as the line before.
  static func indentation(after text: String) -> String {
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    var blanks = line.prefix { $0 == " " }.count
    let words = line.split(separator: " ")
    if line.reversed().first(where: { !$0.isWhitespace }) == ":" {
      blanks += 4
    } else if let word = words.first, ["return", "pass", "break", "continue"].contains(word) {
      blanks = max(0, blanks - 4)
    }
    return String(repeating: " ", count: blanks)
  }
}

extension String {
  /// Without blanks and line breaks at its end.
  fileprivate var withoutBlanksAtEnd: String {
    var text = self[...]
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  /// Without the blanks that all its lines begin with, as an example has them that is copied from help.
  fileprivate var withoutCommonIndentation: String {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    let common =
      lines.filter { $0.contains { !$0.isWhitespace } }
      .map { $0.prefix { $0 == " " }.count }.min() ?? 0
    guard common > 0 else { return self }
    return lines.map { $0.dropFirst(common) }.joined(separator: "\n")
  }
}
