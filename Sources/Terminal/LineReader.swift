/// Reads entries from a person: with the editor at a terminal, plainly anywhere else.
public final class LineReader {
  /// What a person gave.
  public enum Entry: Sendable, Equatable {
    /// A complete entry, of one line or more.
    case text(String)
    /// Control-C; true when there was nothing to give up.
    case interrupted(wasEmpty: Bool)
    /// Control-D, or the end of the input.
    case end
  }

  /// What was entered before, in this session and earlier ones.
  public var history: History { editor.history }

  private var editor: LineEditor
  private let rules: LineEditor.Rules
  private let file: HistoryFile?
  private let environment: Environment
  private let keyboard: Keyboard?
  private let depth: ColorDepth
  private var decoder = KeyDecoder()
  private var painter = Painter()
  private var waiting: [Key] = []

  /// Whether the editor is at work, rather than plain reading.
  public var isInteractive: Bool { keyboard != nil }

  /// A reader for this process's standard input.
  ///
  /// - Parameters:
  ///   - rules: What the language says about incomplete entries, indentation and completion.
  ///   - history: What was entered before; read it with ``HistoryFile/read(limit:)``.
  ///   - file: Where new entries are kept, if anywhere.
  ///   - depth: The colours of prompt and menu.
  ///   - environment: Where `TERM` and `COLUMNS` are looked up.
  public convenience init(
    rules: LineEditor.Rules, history: History = History(), file: HistoryFile? = nil,
    depth: ColorDepth, environment: Environment = .process
  ) {
    self.init(
      rules: rules, history: history, file: file, depth: depth, environment: environment,
      keyboard: Keyboard(in: environment))
  }

  init(
    rules: LineEditor.Rules, history: History, file: HistoryFile?, depth: ColorDepth,
    environment: Environment, keyboard: Keyboard?
  ) {
    editor = LineEditor(rules: rules, history: history)
    (self.rules, self.file, self.depth, self.environment) = (rules, file, depth, environment)
    self.keyboard = keyboard
  }

  /// Asks for one entry.
  ///
  /// - Throws: `cannotSetModes` where the terminal refuses, `cannotWrite` where a plain prompt
  ///   cannot be shown.
  public func read(_ prompt: Prompt) throws(TerminalError) -> Entry {
    guard let keyboard else { return try readPlainly(prompt) }
    guard keyboard.isConnected else { return .end }
    editor.startEntry()
    try keyboard.open()
    defer { keyboard.close() }
    // When what ran before left its last line open, begin below it; else stay here.
    keyboard.write(String(repeating: " ", count: max(0, size.columns - 1)) + "\r\u{1B}[J")
    while true {
      if waiting.isEmpty { draw(prompt, on: keyboard) }
      let outcome = try nextOutcome(keyboard)
      switch outcome {
      case nil: continue
      case .end?:
        leave(prompt, keyboard)
        return .end
      case .interrupt(let text)?:
        leave(prompt, keyboard, mark: "^C")
        return .interrupted(wasEmpty: text.isEmpty)
      case .submit(let text)?:
        leave(prompt, keyboard)
        return .text(text)
      case .refused?: keyboard.write("\u{07}")
      case .clearScreen?:
        painter.forget()
        keyboard.write("\u{1B}[H\u{1B}[2J")
      case .suspend?:
        leave(prompt, keyboard)
        try keyboard.suspend()
      case .edited?: break
      }
    }
  }

  /// Remembers an entry, here and in the file.
  ///
  /// - Throws: `historyFile` where the file cannot be written; the entry is remembered here anyway.
  public func remember(_ entry: String) throws(TerminalError) {
    guard editor.history.add(entry), let file else { return }
    try file.append(entry)
  }

  // MARK: Inside

  private var size: (columns: Int, rows: Int) {
    Output(keyboard?.output ?? 1, "terminal").size(in: environment)
  }

  private func draw(_ prompt: Prompt, on keyboard: Keyboard) {
    let (columns, rows) = size
    let frame = editor.frame(prompt: prompt, columns: columns, height: rows, depth: depth)
    keyboard.write(painter.paint(frame, columns: columns))
  }

  /// Shows the entry once more, whole and without menu, and goes below it.
  private func leave(_ prompt: Prompt, _ keyboard: Keyboard, mark: String = "") {
    editor.mode = .editing
    editor.content.moveToEnd()
    draw(prompt, on: keyboard)
    keyboard.write(mark + painter.leave())
  }

  /// The outcome of the next key; nil when the window changed instead.
  private func nextOutcome(_ keyboard: Keyboard) throws(TerminalError) -> LineEditor.Outcome? {
    while waiting.isEmpty {
      // An Escape alone is a key when nothing follows it.
      switch keyboard.wait(milliseconds: decoder.isUndecided ? 30 : nil) {
      case .bytes(let bytes): waiting = decoder.decode(bytes)
      case .silence: waiting = decoder.flush()
      case .resized: return nil
      case .resumed:
        try keyboard.open()
        return nil
      case .suspensionAsked: return .suspend
      case .end: return .end
      }
    }
    return editor.handle(waiting.removeFirst())
  }

  private func readPlainly(_ prompt: Prompt) throws(TerminalError) -> Entry {
    var text = ""
    while true {
      // Not standard output, which belongs to results when it is no terminal.
      let shown = text.isEmpty ? prompt.first : prompt.next
      let stream: Output =
        Output.standardOutput.isTerminal ? .standardOutput : .standardError
      try stream.write(shown)
      guard let line = readLine(strippingNewline: true) else {
        return text.isEmpty ? .end : .text(text)
      }
      text += (text.isEmpty ? "" : "\n") + line
      if !rules.isIncomplete(text) { return .text(text) }
    }
  }
}
