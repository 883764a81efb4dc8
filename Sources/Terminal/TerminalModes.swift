internal import Glibc
internal import Synchronization

/// Raw mode and the way back from it.
///
/// Raw mode lasts only while a person types; it is left before a command runs, before the process
/// is suspended, and, should the process be ended or trap while it lasts, from there.
struct TerminalModes {
  private let input: Int32
  private let output: Int32

  init(input: Int32, output: Int32) { (self.input, self.output) = (input, output) }

  /// Makes every key arrive as it is pressed, without echo, and asks for bracketed paste.
  func enterRaw() throws(TerminalError) {
    var modes = termios()
    guard tcgetattr(input, &modes) == 0 else { throw .cannotSetModes(reason: Streams.lastError) }
    Saved.keep(modes, descriptor: input, output: output)
    modes.c_iflag &= ~tcflag_t(BRKINT | ICRNL | INPCK | ISTRIP | IXON | INLCR | IGNCR)
    modes.c_lflag &= ~tcflag_t(ECHO | ICANON | IEXTEN | ISIG)
    modes.c_cflag |= tcflag_t(CS8)
    withUnsafeMutableBytes(of: &modes.c_cc) { characters in
      characters[Int(VMIN)] = 1
      characters[Int(VTIME)] = 0
    }
    // What was typed ahead stays.
    guard tcsetattr(input, TCSADRAIN, &modes) == 0 else {
      Saved.clear()
      throw .cannotSetModes(reason: Streams.lastError)
    }
    _ = Streams.writeAll(Array("\u{1B}[?2004h".utf8), to: output)
  }

  /// Back to the modes found by `enterRaw`.
  func leaveRaw() { Saved.restore() }

  /// Back to the modes found, from the thread that ends the process; nothing where raw mode is off.
  static func restoreFromAnyThread() { Saved.restore() }
}

/// The modes to go back to, at an address that signal handlers may read: made once and never freed.
private enum Saved {
  private struct Store: @unchecked Sendable {
    // Written only while `isSet` is false, read only while it is true.
    let modes = UnsafeMutablePointer<termios>.allocate(capacity: 1)
    let descriptors = UnsafeMutablePointer<Int32>.allocate(capacity: 2)
    let earlierActions = UnsafeMutablePointer<sigaction>.allocate(capacity: fatalSignals.count)
    let ending: [UInt8] = Array("\u{1B}[?2004l\u{1B}[?25h".utf8)
  }

  private static let store = Store()
  private static let isSet = Atomic<Bool>(false)
  private static let hasHandlers = Atomic<Bool>(false)
  private static let fatalSignals = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE]

  static func keep(_ modes: termios, descriptor: Int32, output: Int32) {
    guard !isSet.load(ordering: .acquiring) else { return }
    store.modes.initialize(to: modes)
    store.descriptors[0] = descriptor
    store.descriptors[1] = output
    isSet.store(true, ordering: .releasing)
    guard !hasHandlers.exchange(true, ordering: .relaxed) else { return }
    atexit { Saved.restore() }
    for (place, signal) in fatalSignals.enumerated() {
      store.earlierActions.advanced(by: place).initialize(to: sigaction())
      sigaction(signal, nil, store.earlierActions.advanced(by: place))
      // After the terminal is as it was, the fault happens again with its usual effect.
      Signals.install(signal, flags: SA_NODEFER) { number in
        Saved.restore()
        Saved.giveBack(number)
      }
    }
  }

  static func clear() { isSet.store(false, ordering: .releasing) }

  /// Only calls that POSIX allows in a handler: `tcsetattr` and `write`.
  static func restore() {
    guard isSet.exchange(false, ordering: .acquiringAndReleasing) else { return }
    store.ending.withUnsafeBufferPointer {
      _ = write(store.descriptors[1], $0.baseAddress, $0.count)
    }
    // Not TCSADRAIN, which would wait for a terminal that has stopped reading.
    tcsetattr(store.descriptors[0], TCSANOW, store.modes)
  }

  /// Gives a signal back to whoever had it before, and has it happen again.
  static func giveBack(_ signal: Int32) {
    for place in 0..<6 where fatalSignals[place] == signal {
      sigaction(signal, store.earlierActions.advanced(by: place), nil)
    }
    // A page that is gone is missed again when this returns, and then with its address.
    if signal != SIGBUS { raise(signal) }
  }
}
