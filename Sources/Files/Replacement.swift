internal import Budget
internal import Glibc

/// A file that is being written and takes its name only when it is complete.
///
/// `WholeFile.write(to:)` hands one out. Dropped before its end, it leaves nothing behind.
public struct Replacement: ~Copyable {
  private let path: String
  /// Nil when the target is a device or a pipe, which is written to directly.
  private let temporary: String?
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private static let bufferSize = 1 << 18

  /// Starts a file that will be called `path`; `finish` must follow.
  package init(_ path: String) throws(FileFailure) {
    let opened = try Self.open(path)
    (self.path, temporary, descriptor) = (path, opened.temporary, opened.descriptor)
  }

  private static func open(
    _ path: String
  ) throws(FileFailure) -> (temporary: String?, descriptor: Int32) {
    guard !path.isEmpty, !path.utf8.contains(0), !path.hasSuffix("/") else {
      throw FileFailure(path, .folder, while: .write)
    }
    var mode: mode_t?
    var status = stat()
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw FileFailure(path, .folder, while: .write)
      case S_IFREG: mode = status.st_mode & 0o7777
      default:
        let device = Glibc.open(path, O_WRONLY | O_CLOEXEC)
        guard device >= 0 else { throw FileFailure(path, errno: errno, while: .write) }
        return (nil, device)
      }
    }
    if let target = linkTarget(path) {
      throw FileFailure(path, .symbolicLink(to: target), while: .write)
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let folder = String(decoding: path.utf8.dropLast(name.utf8.count), as: UTF8.self)
    // A file name has at most 255 bytes; the target's may have all of them.
    let short = String(decoding: name.utf8.prefix(200), as: UTF8.self)
    removeLeftovers(of: short, in: folder.isEmpty ? "." : folder)
    for _ in 0..<16 {
      let random = String(UInt32.random(in: 0 ... .max), radix: 16)
      let candidate = "\(folder).\(short).\(getpid()).\(random).tmp"
      let opened = Glibc.open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if opened >= 0 {
        if let mode { fchmod(opened, mode) }
        return (candidate, opened)
      }
      if errno != EEXIST { break }
    }
    throw FileFailure(path, errno: errno, while: .write)
  }

  deinit {
    close(descriptor)
    if let temporary { unlink(temporary) }
  }

  /// Appends `bytes`.
  public mutating func write(_ bytes: [UInt8]) throws(FileFailure) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Appends `text` as UTF-8.
  public mutating func write(_ text: String) throws(FileFailure) {
    try write(Array(text.utf8))
  }

  /// Appends bytes.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
    if bytes.count >= Self.bufferSize {
      try flush()
      try put(bytes)
    } else {
      pending.append(contentsOf: bytes)
      if pending.count >= Self.bufferSize { try flush() }
    }
  }

  /// Brings everything to the disk and gives the file its name.
  package consuming func finish() throws(FileFailure) {
    try flush()
    guard let temporary else { return }
    // What was asked to stop may be unfinished.
    if Stop.isRequested { throw FileFailure(path, .stopped, while: .write) }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw FileFailure(path, errno: errno, while: .write)
    }
    // The new name is on the disk only when its folder is. A failure here leaves a whole file.
    let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = end.map { String(path[..<$0]) + "/" } ?? "."
    let opened = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if opened >= 0 {
      fsync(opened)
      close(opened)
    }
  }

  private mutating func flush() throws(FileFailure) {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
      try put(UnsafeRawBufferPointer(bytes))
    }
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if Stop.isRequested { throw FileFailure(path, .stopped, while: .write) }
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(4 << 20))
      try WholeWrites.write(part, to: descriptor, name: path)
      // What waits for the disk is kept short, or the end could not be stopped.
      if temporary != nil, part.count == 4 << 20 { fdatasync(descriptor) }
      rest = rest.dropFirst(part.count)
    }
  }
}

/// Removes temporary files of `name` whose process died before it could.
///
/// A file counts as left over when no process has its number and nothing was written to it for ten
/// minutes: the writer may be on another computer that shares the folder.
private func removeLeftovers(of name: String, in folder: String) {
  guard let listing = opendir(folder) else { return }
  defer { closedir(listing) }
  while let entry = readdir(listing) {
    let found = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    guard found.hasPrefix(".\(name)."), found.hasSuffix(".tmp") else { continue }
    let parts = found.dropFirst(name.count + 2).split(separator: ".")
    guard parts.count == 3, let process = pid_t(parts[0]), process > 0,
      UInt32(parts[1], radix: 16) != nil, kill(process, 0) != 0, errno == ESRCH
    else { continue }
    let path = "\(folder)/\(found)"
    var status = stat()
    if lstat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 600 { unlink(path) }
  }
}
