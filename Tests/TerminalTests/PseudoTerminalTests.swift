import Foundation
import Glibc
import Testing

@testable import Terminal

/// A pseudo-terminal: what a person's side writes and sees, and the program's side.
private struct PseudoTerminal {
  let person: Int32
  let program: Int32

  init?(columns: UInt16 = 40, rows: UInt16 = 10) {
    var ends: (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&ends.0, &ends.1, nil, nil, &size) == 0 else { return nil }
    (person, program) = ends
  }

  /// Types as soon as the editor listens; before, Control-C and Control-D are the terminal's own.
  func typeWhenAsked(_ text: String) {
    Thread.detachNewThread {
      for _ in 0..<5000 where modes[3] & UInt32(ICANON) != 0 { usleep(1000) }
      _ = Streams.writeAll(Array(text.utf8), to: person)
    }
  }

  var modes: [UInt32] {
    var modes = termios()
    tcgetattr(program, &modes)
    return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
  }

  /// What the program wrote until now.
  func seen() -> String {
    var text: [UInt8] = []
    var watched = pollfd(fd: person, events: Int16(POLLIN), revents: 0)
    while poll(&watched, 1, 50) > 0, let piece = Streams.readSome(person), !piece.isEmpty {
      text += piece
    }
    return String(decoding: text, as: UTF8.self)
  }

  func close() {
    _ = Glibc.close(person)
    _ = Glibc.close(program)
  }
}

/// One at a time: a process has one set of modes to restore.
@Suite(.serialized) struct PseudoTerminalTests {
  private func reader(on terminal: PseudoTerminal, _ rules: LineEditor.Rules = .init())
    -> LineReader
  {
    let environment = Environment(["TERM": "xterm-256color"])
    return LineReader(
      rules: rules, history: History(["earlier"]), file: nil, depth: .none,
      environment: environment,
      keyboard: Keyboard(input: terminal.program, output: terminal.program, in: environment))
  }

  @Test func entriesAreReadAndTheModesComeBack() throws {
    let terminal = try #require(PseudoTerminal())
    defer { terminal.close() }
    let before = terminal.modes
    let reader = reader(on: terminal)
    #expect(reader.isInteractive)
    func read(_ prompt: String, typing text: String) throws -> LineReader.Entry {
      terminal.typeWhenAsked(text)
      return try reader.read(Prompt(prompt))
    }
    #expect(try read("[1] ", typing: "ab\u{1B}[Dx\r") == .text("axb"))
    #expect(terminal.modes == before)
    #expect(try read("[2] ", typing: "next\r") == .text("next"))
    try reader.remember("next")
    #expect(try read("[3] ", typing: Sent.up + "\r") == .text("next"))
    #expect(try read("[4] ", typing: "gone\u{3}") == .interrupted(wasEmpty: false))
    #expect(try read("[5] ", typing: "\u{3}") == .interrupted(wasEmpty: true))
    #expect(try read("[6] ", typing: "\u{4}") == .end)
    #expect(terminal.modes == before)
    let seen = terminal.seen()
    #expect(seen.contains("\u{1B}[?2004h") && seen.hasSuffix("\u{1B}[?2004l\u{1B}[?25h"))
    var screen = SmallScreen(columns: 40, rows: 10)
    screen.feed(seen)
    #expect(
      screen.lines == ["[1] axb", "[2] next", "[3] next", "[4] gone^C", "[5] ^C", "[6]"])
    #expect(screen.unknown.isEmpty)
  }

  @Test func aPasteOfLinesIsOneEntry() throws {
    let terminal = try #require(PseudoTerminal())
    defer { terminal.close() }
    let reader = reader(on: terminal)
    terminal.typeWhenAsked(Sent.paste("a = 1\rb = 2\r") + "\r")
    #expect(try reader.read(Prompt("> ")) == .text("a = 1\nb = 2"))
  }

  @Test func aTerminalThatGoesAwayEndsTheInput() throws {
    let terminal = try #require(PseudoTerminal())
    let reader = reader(on: terminal)
    _ = Glibc.close(terminal.person)
    #expect(try reader.read(Prompt("> ")) == .end)
    _ = Glibc.close(terminal.program)
  }

  @Test func aDumbTerminalAndAPipeGetNoEditor() throws {
    let terminal = try #require(PseudoTerminal())
    defer { terminal.close() }
    let dumb = Environment(["TERM": "dumb"])
    #expect(Keyboard(input: terminal.program, output: terminal.program, in: dumb) == nil)
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let rich = Environment(["TERM": "xterm"])
    #expect(Keyboard(input: ends[0], output: terminal.program, in: rich) == nil)
    for end in ends { _ = Glibc.close(end) }
  }

  @Test func anInterruptSetsTheFlag() throws {
    try Interrupts.shared.begin(quittingAfter: 100)
    Interrupts.shared.clear()
    let clock = ContinuousClock()
    let begun = clock.now
    kill(getpid(), SIGINT)
    while !Interrupts.shared.isRequested, clock.now - begun < .seconds(5) { usleep(500) }
    #expect(Interrupts.shared.isRequested)
    Interrupts.shared.clear()
    #expect(!Interrupts.shared.isRequested)
  }

  @Test func aFullDiskIsAnErrorWithTheStreamsName() throws {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let stream = Output(full, "standard output")
    #expect(throws: TerminalError.self) { try stream.write("text") }
    do {
      try stream.write("text")
    } catch {
      #expect(error.exitCode == 74)
      #expect(error.description == "standard output: cannot be written: No space left on device")
    }
  }
}
