public import FoundationEssentials
internal import Glibc

/// Folders made and left, with failures in this room's words.
public enum FolderTree {
  /// Makes the folder and those on the way to it that are missing.
  public static func make(_ folder: URL) throws(FileFailure) {
    let path = folder.path(percentEncoded: false)
    guard !path.isEmpty, !path.utf8.contains(0) else {
      throw FileFailure(path, .missingFolder, while: .write)
    }
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/\(part)"
      guard mkdir(made, 0o777) != 0 else { continue }
      let code = errno
      var status = stat()
      // On the way there may be folders that only their names are known of.
      guard stat(made, &status) == 0 else {
        if code == EEXIST, let target = linkTarget(made) {
          throw FileFailure(made, .symbolicLink(to: target), while: .write)
        }
        throw FileFailure(made, errno: code, while: .write)
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw FileFailure(made, .notFolder, while: .write)
      }
    }
  }

  /// Refuses a folder to write below that is a link, or whose relative path leads through one.
  ///
  /// That may have come with somebody else's files. On an absolute path, links before the last name
  /// are the person's own.
  /// - Parameter path: as it was typed.
  public static func refuseLinks(on path: String) throws(FileFailure) {
    let isAbsolute = path.hasPrefix("/") || path.hasPrefix("~")
    var looked = ""
    var bare = path[...]
    while bare.utf8.count > 1, bare.hasSuffix("/") { bare.removeLast() }
    for part in isAbsolute ? [bare] : bare.split(separator: "/") {
      looked += looked.isEmpty ? String(part) : "/\(part)"
      if let target = linkTarget(looked.withHomeFolder) {
        throw FileFailure(looked, .symbolicLink(to: target), while: .write)
      }
    }
  }
}

/// A folder for what a computation needs on the disk for a moment; removed with what is in it.
package final class ScratchFolder: Sendable {
  /// Where it is.
  package let url: URL

  /// Makes one in `$TMPDIR`, or in `/tmp`.
  package init() throws(FileFailure) {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let names = TemporaryName(beside: (parent.isEmpty ? "/tmp" : parent) + "/fovea")
    let path = names.path()
    guard mkdir(path, 0o700) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
    url = URL(filePath: path, directoryHint: .isDirectory)
  }

  deinit { removeFolder(url.path(percentEncoded: false)) }
}
