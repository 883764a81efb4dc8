internal import Glibc
internal import Synchronization

/// Control-C while a command runs, and requests to end the program.
///
/// `SIGINT` sets a flag that whatever runs asks for; it is answered by clearing it. `SIGTERM` and
/// `SIGHUP` restore the terminal, run the clean-up given, and end the process with 128 plus the
/// signal's number.
public final class Interrupts: Sendable {
  /// The process's one watcher; it does nothing before ``begin(quittingAfter:cleanUp:)``.
  public static let shared = Interrupts()

  private let unanswered = Atomic<Int>(0)
  private let isWatching = Atomic<Bool>(false)
  fileprivate let isEnding = Atomic<Bool>(false)
  fileprivate let isLeftAlone = Atomic<Bool>(false)

  private init() {}

  /// Whether a person asked for what runs to stop.
  public var isRequested: Bool { unanswered.load(ordering: .relaxed) > 0 }

  /// The request is answered, or a new command begins.
  public func clear() { unanswered.store(0, ordering: .relaxed) }

  /// Does something while Control-C is another program's, such as a pager's in the same terminal.
  public func leavingAlone<R>(_ body: () throws -> R) rethrows -> R {
    isLeftAlone.store(true, ordering: .relaxed)
    defer { isLeftAlone.store(false, ordering: .relaxed) }
    return try body()
  }

  /// Asks what runs to stop, as Control-C does.
  public func request() { unanswered.add(1, ordering: .relaxed) }

  /// Returns unless a signal is ending the process, and then never.
  ///
  /// To be called before a failure becomes the process's status: the clean-up may have taken away
  /// what was being written.
  public func waitForEnding() {
    while isEnding.load(ordering: .sequentiallyConsistent) { sleep(1) }
  }

  /// Lets a write beyond the limit on the size of files fail, instead of ending the process.
  public static func ignoreFileSizeSignal() { signal(SIGXFSZ, SIG_IGN) }

  /// Gives the terminal back as it was found, from a handler that ends the process.
  public static func restoreTerminal() { TerminalModes.restoreFromAnyThread() }

  /// Begins to watch; later calls do nothing.
  ///
  /// - Parameters:
  ///   - count: With how many unanswered interrupts the process ends, with status 130: 2 for a
  ///     script, 3 at a prompt, where the one before prints a warning.
  ///   - onInterrupt: Runs on the watching thread at each interrupt.
  ///   - cleanUp: Runs on the watching thread before the process ends by a signal.
  /// - Throws: `cannotWatchSignals` where no thread can be made.
  public func begin(
    quittingAfter count: Int, onInterrupt: @escaping @Sendable () -> Void = {},
    cleanUp: @escaping @Sendable () -> Void = {}
  ) throws(TerminalError) {
    guard !isWatching.exchange(true, ordering: .relaxed) else { return }
    let watcher = Watcher(
      interrupts: self, limit: max(1, count), onInterrupt: onInterrupt, cleanUp: cleanUp)
    for signal in [SIGINT, SIGTERM, SIGHUP] { Signals.watch(signal) }
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Watcher>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(watcher).toOpaque())
    guard failure == 0 else {
      throw .cannotWatchSignals(reason: String(cString: strerror(failure)))
    }
    pthread_detach(thread)
  }

  fileprivate func countOne() -> Int { unanswered.add(1, ordering: .relaxed).newValue }
}

/// What the watching thread does.
private final class Watcher: Sendable {
  let interrupts: Interrupts
  let limit: Int
  let onInterrupt: @Sendable () -> Void
  let cleanUp: @Sendable () -> Void

  init(
    interrupts: Interrupts, limit: Int, onInterrupt: @escaping @Sendable () -> Void,
    cleanUp: @escaping @Sendable () -> Void
  ) {
    (self.interrupts, self.limit) = (interrupts, limit)
    (self.onInterrupt, self.cleanUp) = (onInterrupt, cleanUp)
  }

  func run() {
    while let numbers = Streams.readSome(Signals.watched.readEnd, upTo: 1),
      let number = numbers.first
    {
      let signal = Int32(number)
      guard signal == SIGINT else { return end(by: signal) }
      if interrupts.isLeftAlone.load(ordering: .relaxed) { continue }
      let count = interrupts.countOne()
      onInterrupt()
      if count >= limit { return end(by: signal) }
      if count == limit - 1, limit > 2 {
        let notice = "\nstill stopping; Ctrl-C once more ends Fovea\n"
        _ = Streams.writeAll(Array(notice.utf8), to: 2)
      }
    }
  }

  private func end(by signal: Int32) {
    interrupts.isEnding.store(true, ordering: .sequentiallyConsistent)
    TerminalModes.restoreFromAnyThread()
    cleanUp()
    _exit(128 + signal)
  }
}
