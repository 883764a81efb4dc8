internal import Glibc

/// History on disk, readable by its owner alone.
///
/// One entry a line, with line breaks and backslashes escaped. Several sessions may append at once; each entry arrives whole.
public struct HistoryFile: Sendable, Equatable {
  /// Where the file is.
  public let path: String

  /// The file at a path; nothing is read or made yet.
  public init(path: String) { self.path = path }

  /// The file in the person's state folder.
  ///
  /// `FOVEA_HISTORY` if set (empty and `/dev/null` mean none), else
  /// `$XDG_STATE_HOME/fovea/history`, else `~/.local/state/fovea/history`. Relative folders are
  /// ignored, as the XDG base directory specification says.
  public static func standard(in environment: Environment) -> HistoryFile? {
    if let named = environment["FOVEA_HISTORY"] {
      return ["", "/dev/null"].contains(named) ? nil : HistoryFile(path: named)
    }
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      return HistoryFile(path: state + "/fovea/history")
    }
    guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
    return HistoryFile(path: home + "/.local/state/fovea/history")
  }

  /// Reads the last `limit` entries; none when there is no file yet.
  ///
  /// A file that has grown to more
  /// than twice the limit is written anew.
  public func read(limit: Int = 10_000) throws(TerminalError) -> History {
    // A pipe is not waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      if errno == ENOENT { return History(limit: limit) }
      throw failure("read")
    }
    defer { close(descriptor) }
    let facts = try facts(of: descriptor, for: "read")
    // A history that nothing but this program wrote stays far below this.
    guard facts.st_size <= 64 << 20 else { throw failure("read", "it is larger than 64 MiB") }
    guard let bytes = Streams.readAll(descriptor) else { throw failure("read") }
    let lines = bytes.split(separator: 0x0A)
    let history = History(lines.map(Self.entry(from:)), limit: limit)
    if lines.count > 2 * limit { try rewrite(history) }
    return history
  }

  /// Adds an entry, making the file (0600) and its folders (0700) where they are missing.
  public func append(_ entry: String) throws(TerminalError) {
    try makeFolders()
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o600)
    guard descriptor >= 0 else {
      throw failure("written", errno == ENXIO ? Self.noFile : nil)
    }
    defer { close(descriptor) }
    _ = try facts(of: descriptor, for: "written")
    flock(descriptor, LOCK_EX)
    guard Streams.writeAll(Self.line(for: entry), to: descriptor) else { throw failure("written") }
  }

  private static let noFile = "it is not a file"

  /// What is known of an open file, which must be one.
  private func facts(of descriptor: Int32, for tried: String) throws(TerminalError) -> stat {
    var facts = stat()
    guard fstat(descriptor, &facts) == 0 else { throw failure(tried) }
    guard facts.st_mode & S_IFMT == S_IFREG else { throw failure(tried, Self.noFile) }
    return facts
  }

  private func rewrite(_ history: History) throws(TerminalError) {
    let temporary = path + ".\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("written") }
    defer { close(descriptor) }
    let bytes = history.entries.flatMap(Self.line(for:))
    guard Streams.writeAll(bytes, to: descriptor), fsync(descriptor) == 0,
      rename(temporary, path) == 0
    else {
      let reason = failure("written")
      unlink(temporary)
      throw reason
    }
  }

  private func makeFolders() throws(TerminalError) {
    guard let last = path.lastIndex(of: "/"), last > path.startIndex else { return }
    let folder = path[..<last]
    if access(String(folder), F_OK) == 0 { return }
    var made = ""
    for part in folder.split(separator: "/") {
      made += (made.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
      if mkdir(made, 0o700) != 0, errno != EEXIST { throw failure("written") }
    }
  }

  private func failure(_ tried: String, _ reason: String? = nil) -> TerminalError {
    .historyFile(path: path, tried: tried, reason: reason ?? Streams.lastError)
  }

  static func line(for entry: String) -> [UInt8] {
    var line: [UInt8] = []
    for byte in entry.utf8 {
      switch byte {
      case 0x0A: line += [0x5C, 0x6E]
      case 0x5C: line += [0x5C, 0x5C]
      default: line.append(byte)
      }
    }
    return line + [0x0A]
  }

  static func entry(from line: some Sequence<UInt8>) -> String {
    var bytes: [UInt8] = []
    var escaped = false
    for byte in line {
      if escaped {
        bytes += byte == 0x6E ? [0x0A] : byte == 0x5C ? [0x5C] : [0x5C, byte]
        escaped = false
      } else if byte == 0x5C {
        escaped = true
      } else {
        bytes.append(byte)
      }
    }
    if escaped { bytes.append(0x5C) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
