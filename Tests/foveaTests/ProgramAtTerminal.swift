import Foundation
import Glibc
import Testing

/// The program with a pseudo-terminal for output, or for input too, and all that it wrote there.
struct ProgramAtTerminal {
  var status: Int32
  /// Everything that reached the terminal, in both streams.
  var seen: String
  /// Seconds from its first to its last word, and the longest of them without any.
  var (duration, longestSilence) = (0.0, 0.0)

  /// - Parameters:
  ///   - typed: what a person types at the prompt; nil for a program without a keyboard. Where it has a
  ///     NUL, the window is made narrow.
  ///   - narrow: how many columns it has then.
  init(
    _ arguments: [String], typing typed: String? = nil, in folder: URL? = nil,
    terminal kind: String = "xterm", columns: UInt16 = 200, narrow: UInt16 = 20,
    environment: [String: String] = [:]
  ) throws {
    // What is typed while a line runs waits in the terminal, and this much fits.
    try #require((typed?.utf8.count ?? 0) < 4096)
    var ends: (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    try #require(openpty(&ends.0, &ends.1, nil, nil, &size) == 0)
    let (person, program) = ends
    if kind != "dumb" { try Self.keepKeys(program) }
    // Programs of other tests must not hold this terminal open.
    for end in [person, program] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let terminal = FileHandle(fileDescriptor: program, closeOnDealloc: false)
    let process = Process()
    process.executableURL = try ProgramTests.program()
    process.arguments = arguments
    process.environment = [
      "HOME": "/nonexistent", "FOVEA_HISTORY": "", "FOVEA_PAGER": "", "PATH": "/usr/bin:/bin",
      "TERM": kind,
    ].merging(environment) { $1 }
    process.currentDirectoryURL = folder ?? URL.temporaryDirectory
    process.standardInput = typed == nil ? FileHandle.nullDevice : terminal
    (process.standardOutput, process.standardError) = (terminal, terminal)
    try process.run()
    close(program)
    let typing = DispatchGroup()
    if let typed {
      // Beside the reading: a terminal takes a few lines at a time.
      typing.enter()
      Thread.detachNewThread {
        defer { typing.leave() }
        // What is typed before the editor listens would be cut into lines by the terminal.
        while kind != "dumb", process.isRunning, Self.readsLines(person) { usleep(10_000) }
        var bytes = Array(typed.utf8)[...]
        while !bytes.isEmpty {
          if bytes.first == 0 {
            var size = winsize(ws_row: 50, ws_col: narrow, ws_xpixel: 0, ws_ypixel: 0)
            _ = ioctl(person, UInt(TIOCSWINSZ), &size)
            bytes = bytes.dropFirst()
            continue
          }
          let count = bytes.prefix { $0 != 0 }.withUnsafeBytes {
            write(person, $0.baseAddress, $0.count)
          }
          guard count > 0 else { return }
          bytes = bytes.dropFirst(count)
        }
      }
    }
    // A program that waits for ever fails its test, and no more.
    let identifier = process.processIdentifier
    let watch = DispatchWorkItem { kill(identifier, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + 240, execute: watch)
    // Read until nobody holds the other end; a pseudo-terminal says so with an error.
    var found: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    let clock = ContinuousClock()
    var last: ContinuousClock.Instant?
    while true {
      let count = piece.withUnsafeMutableBytes { read(person, $0.baseAddress, $0.count) }
      if count > 0 {
        let now = clock.now
        let silence = last.map { (now - $0) / .seconds(1) } ?? 0
        (duration, longestSilence) = (duration + silence, max(longestSilence, silence))
        last = now
        found += piece[..<count]
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    process.waitUntilExit()
    watch.cancel()
    // Else the rest would be typed into whatever file gets the terminal's number next.
    typing.wait()
    close(person)
    (status, seen) = (process.terminationStatus, String(decoding: found, as: UTF8.self))
  }

  /// Lets every key reach the editor, even one that comes while a line runs.
  ///
  /// There Ctrl-C would throw away all that was typed before it, the end of a paste too, and Ctrl-D
  /// would become a NUL. When keys come depends on the load of the machine.
  private static func keepKeys(_ terminal: Int32) throws {
    var modes = termios()
    try #require(tcgetattr(terminal, &modes) == 0)
    modes.c_lflag &= ~UInt32(ISIG | IEXTEN)
    modes.c_iflag &= ~UInt32(IXON)
    withUnsafeMutableBytes(of: &modes.c_cc) { keys in
      for key in [VEOF, VEOL, VERASE, VKILL] { keys[Int(key)] = 0 }
    }
    try #require(tcsetattr(terminal, TCSANOW, &modes) == 0)
  }

  /// Whether the terminal still gathers whole lines, as it does before an editor takes over.
  private static func readsLines(_ terminal: Int32) -> Bool {
    var modes = termios()
    return tcgetattr(terminal, &modes) == 0 && modes.c_lflag & UInt32(ICANON) != 0
  }

  /// What of it a terminal obeys, or a reader could not see, beyond lines and Fovea's own looks.
  ///
  /// - Parameter isEdited: whether the prompt's editor drew as well.
  func hostileScalars(isEdited: Bool = false) -> [String] {
    var text = seen.replacing("\r\n", with: "\n").replacing(/\u{1B}\[[0-9;]*m/, with: "")
    if isEdited {
      text.replace(/\u{1B}\[(\?25[lh]|\?2004[lh]|[0-9]*[ABCJK])/, with: "")
    }
    return text.unicodeScalars.filter { scalar in
      scalar != "\n" && scalar != "\t" && !(isEdited && scalar == "\r")
        && (scalar.properties.generalCategory == .control
          || scalar.properties.isDefaultIgnorableCodePoint)
    }.map { String($0.value, radix: 16) }
  }
}
