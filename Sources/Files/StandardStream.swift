internal import Glibc

/// The devices that are written to under their own names: those that are this process's output, and
/// the one that keeps nothing.
enum StandardStream {
  /// A descriptor of its own for `/dev/stdout`, `/dev/stderr`, `/dev/fd/N` and `/dev/null`; nil for any
  /// other path.
  ///
  /// The stream itself is taken, not what it is connected to opened again: a file that it writes to
  /// goes on where it is, and a socket can be written to at all.
  static func descriptor(_ path: String) throws(FileFailure) -> Int32? {
    let found: Int32
    if path == "/dev/null" {
      found = open(path, O_WRONLY | O_CLOEXEC)
    } else if let number = number(path) {
      found = fcntl(number, F_DUPFD_CLOEXEC, 3)
    } else {
      return nil
    }
    guard found >= 0 else { throw FileFailure(path, errno: errno, while: .write) }
    return found
  }

  private static func number(_ path: String) -> Int32? {
    switch path {
    case "/dev/stdout": return 1
    case "/dev/stderr": return 2
    default:
      let folder = ["/dev/fd/", "/proc/self/fd/"].first { path.hasPrefix($0) }
      return folder.flatMap { Int32(path.dropFirst($0.count)) }.flatMap { $0 >= 0 ? $0 : nil }
    }
  }
}
