internal import Budget
internal import CFiles
internal import Glibc

/// A file that is being written and takes its name only when it is complete.
///
/// `WholeFile.write(to:)` hands one out. Dropped before its end, it leaves nothing behind; where the
/// file system can have files without a name, neither does the end of the process.
public struct Replacement: ~Copyable {
  private let path: String
  private let place: Place
  private let descriptor: Int32
  private var pending: [UInt8] = []
  private static let bufferSize = 1 << 18

  /// Where the bytes go until the end.
  private enum Place {
    /// Into a file without a name.
    case nameless
    /// Into a file beside the target.
    case named(String)
    /// Out, through one of the process's streams.
    case stream
  }

  /// Starts a file that will be called `path`; `finish` must follow.
  ///
  /// - Parameter isInNewFolder: whether nobody else has ever written there, so that nothing can be
  ///   left over.
  package init(_ path: String, isInNewFolder: Bool = false) throws(FileFailure) {
    self.path = path
    (place, descriptor) = try Self.open(path, isInNewFolder)
  }

  private static func open(
    _ path: String, _ isInNewFolder: Bool
  ) throws(FileFailure) -> (place: Place, descriptor: Int32) {
    guard !path.isEmpty, !path.utf8.contains(0), !path.hasSuffix("/") else {
      throw FileFailure(path, .folder, while: .write)
    }
    if let stream = try StandardStream.descriptor(path) { return (.stream, stream) }
    var mode: mode_t?
    var status = stat()
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw FileFailure(path, .folder, while: .write)
      case S_IFREG: mode = status.st_mode & 0o7777
      default:
        throw FileFailure(
          path, .notRegular(SpecialFile(mode: status.st_mode) ?? .device), while: .write)
      }
    }
    if let target = linkTarget(path) {
      throw FileFailure(path, .symbolicLink(to: target), while: .write)
    }
    let names = TemporaryName(beside: path)
    if !isInNewFolder {
      for found in names.found() where found.isLeftOver { unlink(found.path) }
    }
    let opened: (place: Place, descriptor: Int32)
    if let nameless = nameless(in: names.folder) {
      opened = nameless
    } else {
      opened = try named(names, for: path)
    }
    if let mode { fchmod(opened.descriptor, mode) }
    return opened
  }

  /// A file without a name, which is gone with its process; nil where there is no such thing.
  private static func nameless(in folder: String) -> (place: Place, descriptor: Int32)? {
    let opened = fovea_open_nameless(folder.isEmpty ? "." : folder)
    guard opened >= 0 else { return nil }
    // Its name will be given by way of /proc.
    guard access("/proc/self/fd/\(opened)", F_OK) == 0 else {
      close(opened)
      return nil
    }
    return (.nameless, opened)
  }

  private static func named(
    _ names: TemporaryName, for path: String
  ) throws(FileFailure) -> (place: Place, descriptor: Int32) {
    for _ in 0..<16 {
      let candidate = names.path()
      let opened = Glibc.open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if opened >= 0 {
        flock(opened, LOCK_EX | LOCK_NB)
        return (.named(candidate), opened)
      }
      if errno != EEXIST { break }
    }
    throw FileFailure(path, errno: errno, while: .write)
  }

  deinit {
    close(descriptor)
    if case .named(let temporary) = place { unlink(temporary) }
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
    if case .stream = place { return }
    // What was asked to stop may be unfinished.
    if Stop.isRequested { throw FileFailure(path, .stopped, while: .write) }
    guard fsync(descriptor) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
    switch place {
    case .stream: return
    case .named(let temporary):
      guard rename(temporary, path) == 0 else {
        throw FileFailure(path, errno: errno, while: .write)
      }
    case .nameless: try giveName()
    }
    // The new name is on the disk only when its folder is. A failure here leaves a whole file.
    let folder = TemporaryName(beside: path).folder
    synchroniseFolder(folder.isEmpty ? "." : folder)
  }

  /// Gives a file without a name its own; what has that name is replaced.
  private func giveName() throws(FileFailure) {
    let open = "/proc/self/fd/\(descriptor)"
    if linkat(AT_FDCWD, open, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 { return }
    // A link replaces nothing; a renaming does, and needs a name to begin with.
    let temporary = TemporaryName(beside: path).path()
    if errno != EEXIST || linkat(AT_FDCWD, open, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) != 0 {
      // Some systems do not let files have a second name, or this be their first.
      try copy(to: temporary)
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw FileFailure(path, errno: code, while: .write)
    }
  }

  /// Writes what was written once more, into a new file; leaves none where that fails.
  private func copy(to temporary: String) throws(FileFailure) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw FileFailure(path, errno: errno, while: .write)
    }
    let target = Glibc.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, status.st_mode)
    guard target >= 0 else { throw FileFailure(path, errno: errno, while: .write) }
    defer { close(target) }
    do throws(FileFailure) {
      var place = 0
      while place < Int(status.st_size) {
        let count = min(1 << 20, Int(status.st_size) - place)
        let bytes = try readBytes(descriptor, at: place, count: count, path: path)
        try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
          try put(UnsafeRawBufferPointer(bytes), to: target)
        }
        place += count
      }
      fchmod(target, status.st_mode & 0o7777)
      guard fsync(target) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  private mutating func flush() throws(FileFailure) {
    let bytes = pending
    pending.removeAll(keepingCapacity: true)
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
      try put(UnsafeRawBufferPointer(bytes))
    }
  }

  private func put(
    _ bytes: UnsafeRawBufferPointer, to other: Int32? = nil
  ) throws(FileFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      if Stop.isRequested { throw FileFailure(path, .stopped, while: .write) }
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(4 << 20))
      try WholeWrites.write(part, to: other ?? descriptor, name: path)
      // What waits for the disk is kept short, or the end could not be stopped.
      if case .stream = place {} else if part.count == 4 << 20 { fdatasync(other ?? descriptor) }
      rest = rest.dropFirst(part.count)
    }
  }
}
