internal import Glibc

/// The name of a file or folder that is being written beside its target, `.NAME.PROCESS.MARK.tmp`,
/// and what becomes of those whose process ended before it could give them their name.
struct TemporaryName {
  /// The target's folder, up to and with its last slash; empty for the current one.
  let folder: String
  /// The target's own name.
  let name: String

  /// Names what stands beside `target`.
  init(beside target: String) {
    let end = target.utf8.lastIndex(of: UInt8(ascii: "/"))
    folder = end.map { String(target[...$0]) } ?? ""
    name = end.map { String(target[target.utf8.index(after: $0)...]) } ?? target
  }

  /// A path that nothing has, as far as chance can tell.
  func path() -> String {
    let random = String(UInt32.random(in: 0 ... .max), radix: 16)
    let padding = String(repeating: "0", count: 8 - random.count)
    return "\(folder)\(prefix)\(getpid()).\(Self.machine)\(padding)\(random).tmp"
  }

  /// A file name has at most 255 bytes; the target's may have all of them.
  private var prefix: String {
    // Cut between characters, so that the name is text.
    var short = name[...]
    while short.utf8.count > 200 { short.removeLast() }
    return ".\(short)."
  }

  /// This run of this machine, in eight digits: the numbers of processes mean nothing elsewhere.
  static let machine: String = {
    let file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "00000000" }
    defer { close(file) }
    let bytes = (try? readBytes(file, at: 0, count: 8, path: "")) ?? []
    return bytes.count == 8 ? String(decoding: bytes, as: UTF8.self) : "00000000"
  }()

  /// A temporary file or folder that was found.
  struct Found {
    let path: String
    let process: pid_t
    /// Whether the number of the process is one of this machine's.
    let isOfThisMachine: Bool
    /// Whether it is what stood under the target's name and stepped aside.
    let steppedAside: Bool

    /// Whether its process is over and nobody writes it any more.
    ///
    /// Where it may be of another machine that shares the folder, ten minutes without a write must
    /// have passed. Whoever writes holds a lock, which also shows processes that have no number here,
    /// as those of other containers.
    var isLeftOver: Bool {
      guard process != getpid(), kill(process, 0) != 0, errno == ESRCH else { return false }
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
      if descriptor >= 0 {
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
      }
      if isOfThisMachine { return true }
      var status = stat()
      return lstat(path, &status) == 0 && time(nil) - status.st_mtim.tv_sec > 600
    }
  }

  /// The temporary files and folders of the target that are there, of any process.
  func found() -> [Found] {
    namesInFolder(folder.isEmpty ? "." : folder).compactMap { found in
      guard found.hasPrefix(prefix) else { return nil }
      let parts = found.dropFirst(prefix.count).split(separator: ".")
      let isAside = parts.count == 4 && parts[3] == "old"
      guard parts.count == 3 || isAside, parts[2] == "tmp", let process = pid_t(parts[0]),
        process > 0, UInt64(parts[1], radix: 16) != nil
      else { return nil }
      return Found(
        path: folder + found, process: process,
        isOfThisMachine: parts[1].count == 16 && parts[1].hasPrefix(Self.machine),
        steppedAside: isAside)
    }
  }
}

/// The names of everything in a folder but itself and its parent, sorted.
package func namesInFolder(_ path: String) -> [String] {
  guard let listing = opendir(path) else { return [] }
  defer { closedir(listing) }
  var names: [String] = []
  while let entry = readdir(listing) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Brings a folder's names to the disk; a failure leaves whole files.
func synchroniseFolder(_ path: String) {
  let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if opened >= 0 {
    fsync(opened)
    close(opened)
  }
}
