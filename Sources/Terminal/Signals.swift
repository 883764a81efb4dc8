internal import Glibc
internal import Synchronization

/// The one door to POSIX signals.
///
/// A handler does nothing but write the signal's number into a pipe; threads that read the pipes
/// do the work. Signals are not waited for with `sigwait`, because threads that libraries start
/// before `main` would still take them.
enum Signals {
  /// Read by the watcher thread of ``Interrupts``.
  static let watched = SignalPipe()
  /// Read by whoever reads the keyboard.
  static let keyboard = SignalPipe()

  /// Sends a signal's number into `watched` when it comes.
  static func watch(_ signal: Int32) {
    _ = watched.writeEnd  // Made before a handler can want it.
    install(signal) { number in Signals.watched.send(number) }
  }

  /// Sends a signal's number into `keyboard` when it comes.
  static func listen(_ signal: Int32) {
    _ = keyboard.writeEnd
    install(signal) { number in Signals.keyboard.send(number) }
  }

  /// Gives a signal its default effect.
  static func restore(_ signal: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = SIG_DFL
    sigaction(signal, &action, nil)
  }

  static func install(
    _ signal: Int32, flags: Int32 = SA_RESTART, _ handler: @convention(c) (Int32) -> Void
  ) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = flags
    sigaction(signal, &action, nil)
    // Whoever started this process may have had the signal blocked, and that is inherited.
    var unblocked = sigset_t()
    sigemptyset(&unblocked)
    sigaddset(&unblocked, signal)
    pthread_sigmask(SIG_UNBLOCK, &unblocked, nil)
  }
}

/// A pipe that signal handlers write to.
struct SignalPipe: Sendable {
  let readEnd: Int32
  let writeEnd: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    // Writing must never block a handler; a full pipe already says enough.
    if pipe(&ends) == 0 {
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  /// Async-signal-safe: one `write`, and `errno` as it was.
  func send(_ signal: Int32) {
    let kept = errno
    var byte = UInt8(truncatingIfNeeded: signal)
    _ = write(writeEnd, &byte, 1)
    errno = kept
  }
}
