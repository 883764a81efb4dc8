internal import Files
internal import Glibc
internal import Terminal

/// A mapped file that lost a page which is being looked at.
///
/// Another program shortened it, or its disk failed. No step of a computation can do without, so the
/// process ends, in good order.
enum LostPages {
  /// What had the signal before: the report of a bug, for faults that are no file's.
  ///
  /// Written once, before the handler is there.
  nonisolated(unsafe) private static let earlier: UnsafeMutablePointer<sigaction> = {
    let action = UnsafeMutablePointer<sigaction>.allocate(capacity: 1)
    action.initialize(to: sigaction())
    return action
  }()

  /// From here on such a file is named, and the exit status is that of bad data.
  static func watch() {
    MappedRanges.prepare()
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { signal, info, _ in
      let address = info?.pointee._sifields._sigfault.si_addr
      LostPages.end(UInt(bitPattern: address), signal)
    }
    action.sa_flags = SA_SIGINFO | Int32(SA_ONSTACK)
    sigaction(SIGBUS, &action, earlier)
  }

  /// Calls only what POSIX allows in a handler.
  private static func end(_ address: UInt, _ signal: Int32) {
    guard let path = MappedRanges.path(at: address) else {
      // It happens again when this returns.
      sigaction(signal, earlier, nil)
      return
    }
    Interrupts.restoreTerminal()
    // On a screen something may stand on this line already.
    var modes = termios()
    if tcgetattr(2, &modes) == 0 { say("\n") }
    say("fovea: error: ")
    _ = write(2, path, strlen(path))
    say(": lost bytes while it was read: another program shortened it, or its disk failed; ")
    say("fetch the file again\n")
    _exit(ExitCode.badData)
  }

  private static func say(_ words: StaticString) {
    _ = write(2, words.utf8Start, words.utf8CodeUnitCount)
  }
}
