internal import Characters
internal import Glibc

/// Standard output or error: whole writes, with errors that are noticed.
///
/// The one door to a terminal for all but the editor. Labels, file names, generated words and
/// messages come from anywhere: in `write(_:)` nothing steers the terminal, whoever calls it. What
/// Fovea itself draws with colours and cursor movements says so: `write(exactly:)`.
public struct Output: Sendable {
  /// Results.
  ///
  /// A pipe or file gets them to the byte, as other programs expect; a terminal gets them visible.
  public static let standardOutput = Output(1, "standard output", keepsBytesForPrograms: true)
  /// Everything else: errors, progress.
  ///
  /// Visible wherever it goes: logs are looked at in a terminal some day.
  public static let standardError = Output(2, "standard error", keepsBytesForPrograms: false)

  let descriptor: Int32
  let name: String
  private let keepsBytesForPrograms: Bool

  init(_ descriptor: Int32, _ name: String, keepsBytesForPrograms: Bool = false) {
    (self.descriptor, self.name) = (descriptor, name)
    self.keepsBytesForPrograms = keepsBytesForPrograms
  }

  /// Whether a person's terminal is at the other end.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes all of `text`, at once, with nothing in it that a terminal obeys: see
  /// ``Characters/Swift/StringProtocol/visible``.
  public func write(_ text: String) throws(TerminalError) {
    try write(exactly: keepsBytesForPrograms && !isTerminal ? text : text.visible)
  }

  /// Writes text that is meant to steer the terminal: Fovea's own colours and cursor movements,
  /// and what a script prints with `raw=True`.
  public func write(exactly text: String) throws(TerminalError) {
    try write(bytes: Array(text.utf8))
  }

  /// Writes all bytes, at once.
  public func write(bytes: [UInt8]) throws(TerminalError) {
    guard Streams.writeAll(bytes, to: descriptor) else {
      let code = errno
      throw .cannotWrite(
        stream: name, reason: String(cString: strerror(code)), isClosedPipe: code == EPIPE)
    }
  }

  /// Columns and rows of the terminal; `COLUMNS` wins where it is a number, and 80 by 24 where
  /// there is no terminal.
  public func size(in environment: Environment) -> (columns: Int, rows: Int) {
    var found = winsize()
    let known = ioctl(descriptor, UInt(TIOCGWINSZ), &found) == 0
    let columns = known && found.ws_col > 0 ? Int(found.ws_col) : 80
    let rows = known && found.ws_row > 0 ? Int(found.ws_row) : 24
    let wished = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    return (min(wished ?? columns, 10_000), rows)
  }
}

/// Standard input.
public enum Input {
  /// Whether a person's terminal is at the other end of standard input.
  public static var isTerminal: Bool { isatty(0) == 1 }
}

/// The descriptors that every process should be started with.
public enum StandardDescriptors {
  /// Fills those of standard input, output and error that whoever started this process has closed.
  ///
  /// Else the next files and pipes that are opened would get their numbers, and be taken for them.
  /// What fills them refuses to be used: reading or writing is the failure that it was.
  public static func fill() {
    for (number, flags) in [(Int32(0), O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)]
    where fcntl(number, F_GETFD) < 0 && errno == EBADF {
      // The lowest that is free, which is this one.
      let opened = open("/dev/null", flags)
      if opened >= 0, opened != number {
        dup2(opened, number)
        close(opened)
      }
    }
  }
}

/// Reading and writing whole, whatever the kernel cuts it into.
enum Streams {
  /// The C library's words for the last error.
  static var lastError: String { String(cString: strerror(errno)) }

  /// Writes all bytes; false with `errno` set when it cannot.
  static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let written = write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          guard errno == EAGAIN else { return false }
          var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&wait, 1, 1000)
          continue
        }
        rest = rest.dropFirst(written)
      }
      return true
    }
  }

  /// Reads to the end; nil with `errno` set when it cannot.
  static func readAll(_ descriptor: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    while let piece = readSome(descriptor) {
      if piece.isEmpty { return bytes }
      bytes += piece
    }
    return nil
  }

  /// Reads what is there, waiting for at least one byte; empty at the end, nil with `errno` set.
  static func readSome(_ descriptor: Int32, upTo count: Int = 65_536) -> [UInt8]? {
    var length = -1
    let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      repeat {
        length = read(descriptor, buffer.baseAddress, count)
      } while length < 0
        && errno == EINTR
      used = max(0, length)
    }
    return length < 0 ? nil : piece
  }
}
