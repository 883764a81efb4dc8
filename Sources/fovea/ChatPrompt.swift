internal import Characters
internal import Commands
internal import Foundation
internal import Runtime
internal import Terminal

/// A conversation line by line, under a prompt mark of its own.
struct ChatPrompt {
  let session: Session
  let progress: ProgressDisplay
  let options: SessionOptions

  private static let help = """
    A line is a question; the answer comes word by word, and Ctrl-C stops it and keeps what there is.
    /image FILE    a picture for the next question, as often as you like
    /history       what was said
    /back          takes a picture back that waits for a question, else the last question and its answer
    /save FILE     writes the conversation; with one more question behind it, chat --messages answers
    /help          this
    Ctrl-D leaves.

    """

  /// Asks until the person leaves.
  ///
  /// - Returns: the last answer with what was said; nil where nothing was.
  @discardableResult func run(_ loop: ChatLoop) throws -> Value? {
    let depth = ColorDepth(
      options.color, isTerminal: Output.standardOutput.isTerminal, in: .process)
    var loop = loop
    progress.end()
    if !options.quiet {
      Display.write("\(loop.modelName) listens. /help for help, Ctrl-D to leave.\n")
      if let advice = loop.advice { Display.note(advice) }
    }
    let reader = LineReader(
      rules: LineEditor.Rules(
        isIncomplete: { _ in false }, indentation: { _ in "" }, complete: completions),
      history: History(), file: nil, depth: depth)
    // Questions from a pipe are not asked for.
    let mark = Input.isTerminal ? Prompt("you> ", next: "     ") : Prompt("", next: "")
    while true {
      switch try reader.read(mark) {
      case .end: return loop.result
      case .interrupted(let wasEmpty):
        if wasEmpty { say("Ctrl-D leaves") }
      case .text(let typed):
        let line = typed.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !line.isEmpty else { continue }
        try? reader.remember(line)
        Interrupts.shared.clear()
        do { try take(line, &loop) } catch {
          progress.end()
          Program.complain(about: error)
        }
        Interrupts.shared.clear()
      }
    }
  }

  /// The commands, and the files behind those that take one.
  private func completions(_ text: String, _ cursor: String.Index) -> Completions? {
    let typed = text[..<cursor]
    guard typed.hasPrefix("/") else { return nil }
    guard let blank = typed.firstIndex(of: " ") else {
      let fitting = ["/image ", "/history", "/back", "/save ", "/help"].filter {
        $0.hasPrefix(typed)
      }
      return fitting.isEmpty
        ? nil
        : Completions(replacing: text.startIndex..<cursor, with: fitting.map { Candidate($0) })
    }
    guard ["/image", "/save"].contains(typed[..<blank]) else { return nil }
    let begun = text.index(after: blank)
    let path = String(text[begun..<cursor])
    let fitting = PromptCompletion.fileNames(from: path, in: session).filter {
      $0.replacement.hasPrefix(path)
    }
    return fitting.isEmpty ? nil : Completions(replacing: begun..<cursor, with: fitting)
  }

  private func take(_ line: String, _ loop: inout ChatLoop) throws {
    guard line.hasPrefix("/") else { return try ask(line, &loop) }
    let parts = line.split(separator: " ", maxSplits: 1)
    let rest = parts.count > 1 ? String(parts[1]) : ""
    switch parts[0] {
    case "/help": Display.write(Self.help)
    case "/image" where !rest.isEmpty: say(try loop.attach(rest))
    case "/history": say(loop.history ?? "nothing was said yet")
    case "/back":
      say(loop.back().map { "taken back: \($0)" } ?? "nothing was said yet")
    case "/save" where !rest.isEmpty: say("wrote \(try loop.save(to: rest))")
    case "/image", "/save": say("\(parts[0]) needs a file's name behind it")
    default: say("\(parts[0].visible) is not known here; /help lists what is")
    }
  }

  private func ask(_ line: String, _ loop: inout ChatLoop) throws {
    let reply = try loop.ask(line) { words in progress.write(words) }
    progress.end()
    Display.write("\n")
    if reply.wasStopped {
      say("stopped after \(reply.tokenCount.counted(as: "token")); what was written is kept")
    }
  }

  private func say(_ text: String) { Display.write(text + "\n") }
}
