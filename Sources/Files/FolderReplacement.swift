internal import CFiles
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
  /// Held open and locked while the folder is filled, so that others see that somebody is at it.
  private let descriptor: Int32

  /// Starts a folder that will be called `target`; `finish` must follow.
  ///
  /// - Parameter replaceable: whether a folder with these names in it may be replaced; hidden names
  ///   count, an empty folder is not asked about.
  /// - Throws: a failure to create the folder; `.occupied` where a folder may not be replaced.
  public init(
    _ target: URL, replaceable: (_ names: [String]) -> Bool = { _ in false }
  ) throws(FileFailure) {
    (path, temporary) = try Self.begun(target, replaceable)
    descriptor = open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    flock(descriptor, LOCK_EX | LOCK_NB)
    url = URL(filePath: temporary, directoryHint: .isDirectory)
  }

  private static func begun(
    _ target: URL, _ replaceable: ([String]) -> Bool
  ) throws(FileFailure) -> (path: String, temporary: String) {
    let path = Self.path(of: target)
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw FileFailure(path, .missingFolder, while: .write)
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
      guard path != "/", names.isEmpty || replaceable(names) else {
        throw FileFailure(path, .occupied, while: .write)
      }
      var here = stat()
      if stat(".", &here) == 0, here.st_ino == status.st_ino, here.st_dev == status.st_dev {
        throw FileFailure(path, .currentFolder, while: .write)
      }
    } else if errno != ENOENT {
      throw FileFailure(path, errno: errno, while: .write)
    }
    removeTemporaries(of: path, where: \.isLeftOver)
    let temporary = TemporaryName(beside: path).path()
    guard mkdir(temporary, 0o777) == 0 else {
      throw FileFailure(path, errno: errno, while: .write)
    }
    return (path, temporary)
  }

  /// The target's path with a name at its end: neither a slash nor `.`, where it has one.
  private static func path(of target: URL) -> String {
    var path = target.path(percentEncoded: false)
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    guard [".", ".."].contains(TemporaryName(beside: path).name),
      let resolved = realpath(path, nil)
    else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  deinit {
    removeFolder(temporary)
    close(descriptor)
  }

  /// Writes one small file of the folder.
  ///
  /// - Throws: a failure that names the file as it will be called.
  public func write(_ bytes: [UInt8], as name: String) throws(FileFailure) {
    do {
      var file = try Replacement("\(temporary)/\(name)", isInNewFolder: true)
      try file.write(bytes)
      try file.finish()
    } catch { throw renamed(error, name) }
  }

  /// Writes one file of the folder piece by piece.
  ///
  /// - Throws: what `body` throws; a failure that names the file as it will be called.
  public func write(as name: String, _ body: (inout Replacement) throws -> Void) throws {
    do {
      var file = try Replacement("\(temporary)/\(name)", isInNewFolder: true)
      try body(&file)
      try file.finish()
    } catch let failure as FileFailure where failure.path == "\(temporary)/\(name)" {
      throw renamed(failure, name)
    }
  }

  private func renamed(_ failure: FileFailure, _ name: String) -> FileFailure {
    FileFailure("\(path)/\(name)", failure.kind, while: failure.action)
  }

  /// Removes what this process has begun and not finished for `target`, when it is about to end by a
  /// signal.
  public static func removeUnfinished(_ target: URL) {
    // Other threads may still be writing: a file that came meanwhile goes with the next round.
    let path = Self.path(of: target)
    for _ in 0..<200 {
      if removeTemporaries(of: path, where: { $0.process == getpid() }) { return }
      usleep(1000)
    }
  }

  /// Gives the folder its name; what had that name is removed.
  ///
  /// The two change places in one step, so that one of them has the name at any moment.
  public consuming func finish() throws(FileFailure) {
    synchroniseFolder(temporary)
    if rename(temporary, path) != 0 {
      // A folder that is not empty is in the way.
      guard errno == ENOTEMPTY || errno == EEXIST else {
        throw FileFailure(path, errno: errno, while: .write)
      }
      if fovea_exchange_names(temporary, path) == 0 {
        removeFolder(temporary)
      } else {
        try stepAside()
      }
    }
    let folder = TemporaryName(beside: path).folder
    synchroniseFolder(folder.isEmpty ? "." : folder)
  }

  /// For file systems that cannot exchange: the folder in the way steps aside, and back if the new one
  /// cannot have its place, or if the process ends between the two.
  private func stepAside() throws(FileFailure) {
    let old = "\(temporary).old"
    guard rename(path, old) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
    guard rename(temporary, path) == 0 else {
      let code = errno
      rename(old, path)
      throw FileFailure(path, errno: code, while: .write)
    }
    removeFolder(old)
  }
}

/// Removes the temporary folders of the target `path` that `isOver` says are nobody's.
///
/// - Returns: whether none is left.
@discardableResult
private func removeTemporaries(
  of path: String, where isOver: (TemporaryName.Found) -> Bool
) -> Bool {
  var isClean = true
  for found in TemporaryName(beside: path).found() where isOver(found) {
    // What stepped aside comes back, unless the new one has its place.
    var status = stat()
    if found.steppedAside, lstat(path, &status) != 0, rename(found.path, path) == 0 { continue }
    if !removeFolder(found.path) { isClean = false }
  }
  return isClean
}

/// Removes a folder and the files in it, one level deep: nothing here writes deeper.
///
/// - Returns: whether it is gone.
@discardableResult
func removeFolder(_ path: String) -> Bool {
  for name in namesInFolder(path) { unlink("\(path)/\(name)") }
  return rmdir(path) == 0 || errno == ENOENT
}
