internal import Characters
internal import Glibc

/// A program in which a person reads long text at leisure, such as `less`.
///
/// `FOVEA_PAGER`, else `PAGER`, else `less -FRX` where it is installed; `cat` or nothing in either
/// switches paging off. A text that the screen holds is written as any other, and so is all text where
/// input or output is no terminal.
public struct Pager: Sendable {
  /// What runs, for the shell.
  let command: String
  private let environment: Environment

  /// The pager that an environment asks for; nil for none, and where nobody could use one.
  public init?(in environment: Environment) {
    guard isatty(0) == 1, isatty(1) == 1, environment.hasEscapes else { return nil }
    self.init(named: environment["FOVEA_PAGER"] ?? environment["PAGER"], in: environment)
  }

  init?(named wish: String?, in environment: Environment) {
    let name = wish ?? (Self.isInstalled("less", in: environment) ? "less -FRX" : "")
    let isOff = name.allSatisfy(\.isWhitespace) || name == "cat"
    guard !isOff else { return nil }
    (command, self.environment) = (name, environment)
  }

  private static func isInstalled(_ program: String, in environment: Environment) -> Bool {
    (environment["PATH"] ?? "").split(separator: ":").contains {
      access("\($0)/\(program)", X_OK) == 0
    }
  }

  /// Shows a text that is longer than the screen, and waits until the person has read it.
  ///
  /// - Returns: false where the text fits the screen or no pager could be started: nothing is shown then.
  public func show(_ text: String) -> Bool {
    let screen = Output.standardOutput.size(in: environment)
    let text = text.visible
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let rows = lines.reduce(0) { sum, line in
      sum + max(1, (line.displayWidth + screen.columns - 1) / screen.columns)
    }
    guard rows >= screen.rows else { return false }
    // A table that is wider than the screen is read with the arrow keys, not broken anywhere.
    let isWide = lines.contains { $0.displayWidth > screen.columns }
    let command = command == "less -FRX" && isWide ? "less -FRXS" : command
    return run(command, Array((text + "\n").utf8))
  }

  private func run(_ command: String, _ bytes: [UInt8]) -> Bool {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return false }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    // What this process ignores, a pager need not.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    // As git does: a plain `less` in PAGER ends at once where all fits, and leaves what was read.
    if getenv("LESS") == nil { setenv("LESS", "FRX", 0) }
    let arguments = ["/bin/sh", "-c", command]
    var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child = pid_t()
    guard posix_spawn(&child, "/bin/sh", &actions, &attributes, &words, environ) == 0 else {
      close(ends[1])
      return false
    }
    // Who leaves early closes the pipe, which ends the writing and no more.
    let before = signal(SIGPIPE, SIG_IGN)
    _ = Streams.writeAll(bytes, to: ends[1])
    close(ends[1])
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    signal(SIGPIPE, before)
    // 127 is the shell's word for a program that is not there.
    return (status >> 8) & 0xFF != 127
  }
}
