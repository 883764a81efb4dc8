public import FoundationEssentials
internal import Glibc

/// A folder that is being filled and takes its name only when it is complete.
///
/// What stood under that name stays until then. Dropped before its end, it leaves nothing behind.
public struct FolderReplacement: ~Copyable {
  /// The folder to write into.
  public let url: URL
  /// The name it will have, as it was given.
  public let path: String
  private let temporary: String

  /// Starts a folder that will be called `target`; `finish` must follow.
  ///
  /// - Parameter replaceable: whether a folder with these names in it may be replaced; hidden names
  ///   count, an empty folder is not asked about.
  /// - Throws: a failure to create the folder; `.occupied` where a folder may not be replaced.
  public init(
    _ target: URL, replaceable: (_ names: [String]) -> Bool = { _ in false }
  ) throws(FileFailure) {
    (path, temporary) = try Self.begun(target, replaceable)
    url = URL(filePath: temporary, directoryHint: .isDirectory)
  }

  private static func begun(
    _ target: URL, _ replaceable: ([String]) -> Bool
  ) throws(FileFailure) -> (path: String, temporary: String) {
    var path = target.path(percentEncoded: false)
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard !path.isEmpty, path != "/", !path.utf8.contains(0) else {
      throw FileFailure(path, .folder, while: .write)
    }
    if let link = linkTarget(path) {
      throw FileFailure(path, .symbolicLink(to: link), while: .write)
    }
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw FileFailure(path, .notFolder, while: .write)
      }
      let names = namesInFolder(path)
      guard names.isEmpty || replaceable(names) else {
        throw FileFailure(path, .occupied, while: .write)
      }
    }
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let parent = String(decoding: path.utf8.dropLast(name.utf8.count), as: UTF8.self)
    let short = String(decoding: name.utf8.prefix(200), as: UTF8.self)
    removeTemporaries(of: path) { process in
      process != getpid() && kill(process, 0) != 0 && errno == ESRCH
    }
    let random = String(UInt32.random(in: 0 ... .max), radix: 16)
    let temporary = "\(parent).\(short).\(getpid()).\(random).tmp"
    guard mkdir(temporary, 0o777) == 0 else {
      throw FileFailure(path, errno: errno, while: .write)
    }
    return (path, temporary)
  }

  deinit { removeFolder(temporary) }

  /// Writes one small file of the folder.
  ///
  /// - Throws: a failure that names the file as it will be called.
  public func write(_ bytes: [UInt8], as name: String) throws(FileFailure) {
    do { try WholeFile.write(bytes, to: url.appending(path: name)) } catch {
      throw FileFailure("\(path)/\(name)", error.kind, while: .write)
    }
  }

  /// Removes what this process has begun and not finished for `target`, when it is about to end by a
  /// signal.
  public static func removeUnfinished(_ target: URL) {
    // Other threads may still be writing: a file that came meanwhile goes with the next round.
    for _ in 0..<200 {
      if removeTemporaries(of: target.path(percentEncoded: false), whose: { $0 == getpid() }) {
        return
      }
      usleep(1000)
    }
  }

  /// Gives the folder its name; what had that name is removed.
  public consuming func finish() throws(FileFailure) {
    synchronise(temporary)
    if rename(temporary, path) != 0 {
      // A folder that is not empty is in the way: it steps aside, and back if the new one cannot
      // have its place, or if the process ends between the two.
      let old = "\(temporary).old"
      guard rename(path, old) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
      guard rename(temporary, path) == 0 else {
        let code = errno
        rename(old, path)
        throw FileFailure(path, errno: code, while: .write)
      }
      removeFolder(old)
    }
    let end = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    synchronise(end.map { String(path[...$0]) } ?? ".")
  }
}

/// Removes the temporary folders beside `path` of processes that `isOver` says are.
///
/// - Returns: whether none is left.
@discardableResult
private func removeTemporaries(of path: String, whose isOver: (pid_t) -> Bool) -> Bool {
  var isClean = true
  let name = path.split(separator: "/").last.map(String.init) ?? path
  let end = path.utf8.count - name.utf8.count - (path.hasSuffix("/") ? 1 : 0)
  let parent = String(decoding: path.utf8.prefix(max(0, end)), as: UTF8.self)
  let prefix = ".\(String(decoding: name.utf8.prefix(200), as: UTF8.self))."
  for found in namesInFolder(parent.isEmpty ? "." : parent)
  where found.hasPrefix(prefix) && (found.hasSuffix(".tmp") || found.hasSuffix(".tmp.old")) {
    let parts = found.dropFirst(prefix.count).split(separator: ".")
    guard parts.count >= 3, let process = pid_t(parts[0]), process > 0,
      UInt32(parts[1], radix: 16) != nil, isOver(process)
    else { continue }
    // What stepped aside comes back, unless the new one has its place.
    var status = stat()
    if parts.count == 4, lstat(path, &status) != 0, rename(parent + found, path) == 0 { continue }
    if !removeFolder(parent + found) { isClean = false }
  }
  return isClean
}

/// The names of everything in a folder but itself and its parent.
private func namesInFolder(_ path: String) -> [String] {
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

/// Removes a folder and the files in it, one level deep: nothing here writes deeper.
///
/// - Returns: whether it is gone.
@discardableResult
private func removeFolder(_ path: String) -> Bool {
  for name in namesInFolder(path) { unlink("\(path)/\(name)") }
  return rmdir(path) == 0 || errno == ENOENT
}

/// Brings a folder's names to the disk; a failure leaves whole files.
private func synchronise(_ path: String) {
  let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  if opened >= 0 {
    fsync(opened)
    close(opened)
  }
}
