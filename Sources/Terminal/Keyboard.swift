internal import Glibc

/// A terminal to type into: raw bytes in, drawings out, and news of its window.
struct Keyboard {
  enum Event: Equatable {
    case bytes([UInt8])
    case resized
    case resumed
    case suspensionAsked
    case silence
    case end
  }

  let input: Int32
  let output: Int32
  private let modes: TerminalModes

  /// The terminal on two descriptors; nil where either is none, or it understands no cursor
  /// movement.
  init?(input: Int32 = 0, output: Int32 = 1, in environment: Environment) {
    (self.input, self.output) = (input, output)
    modes = TerminalModes(input: input, output: output)
    guard isatty(input) == 1, isatty(output) == 1 else { return nil }
    guard environment.hasEscapes else { return nil }
  }

  /// Whether somebody is still there: a window that was closed is no terminal any more.
  var isConnected: Bool { isatty(input) == 1 }

  /// Raw mode, and signals of the window.
  func open() throws(TerminalError) {
    try modes.enterRaw()
    for signal in [SIGWINCH, SIGCONT, SIGTSTP] { Signals.listen(signal) }
  }

  /// The modes as they were.
  func close() {
    modes.leaveRaw()
    Signals.restore(SIGTSTP)
  }

  /// Stops the process as Control-Z does; returns when it is continued, in raw mode again.
  func suspend() throws(TerminalError) {
    close()
    // The whole group: what a shell started in a pipeline stops together.
    kill(0, SIGTSTP)
    try open()
  }

  /// Waits for something to happen; `silence` after `milliseconds`, never when that is nil.
  func wait(milliseconds: Int32?) -> Event {
    var watched = [
      pollfd(fd: input, events: Int16(POLLIN), revents: 0),
      pollfd(fd: Signals.keyboard.readEnd, events: Int16(POLLIN), revents: 0),
    ]
    let count = poll(&watched, 2, milliseconds ?? -1)
    if count == 0 { return .silence }
    if count < 0 { return errno == EINTR || errno == EAGAIN ? .resized : .end }
    if watched[1].revents & Int16(POLLIN) != 0 {
      let numbers = Streams.readSome(Signals.keyboard.readEnd, upTo: 64) ?? []
      if numbers.contains(UInt8(SIGTSTP)) { return .suspensionAsked }
      return numbers.contains(UInt8(SIGCONT)) ? .resumed : .resized
    }
    guard let bytes = Streams.readSome(input), !bytes.isEmpty else { return .end }
    return .bytes(bytes)
  }

  /// Draws.
  ///
  /// A terminal that went away is noticed when it is read from.
  func write(_ text: String) { _ = Streams.writeAll(Array(text.utf8), to: output) }

  /// Whether bytes wait to be read already.
  var hasMore: Bool {
    var watched = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
    return poll(&watched, 1, 0) > 0
  }
}
