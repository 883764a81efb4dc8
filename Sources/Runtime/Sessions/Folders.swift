internal import Files
public import Foundation

/// Where scripts read and write.
///
/// A relative path is read next to the script. Files are written below the output folder and the
/// folders that were allowed, nowhere else.
public struct Folders: Sendable {
  /// What relative paths are read against.
  public let script: URL
  /// Where files are written.
  public let output: URL
  /// Further folders that files may be written below.
  public let allowed: [URL]

  /// The folders of a session; by default the current one, and `fovea-out` in it.
  public init(
    script: URL = URL(
      filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory),
    output: URL? = nil, allowed: [URL] = []
  ) {
    self.script = script
    self.output =
      output
      ?? URL(filePath: FileManager.default.currentDirectoryPath, directoryHint: .isDirectory)
      .appending(path: "fovea-out", directoryHint: .isDirectory)
    self.allowed = allowed
  }

  /// The file that a script means by `path`: `~` is the home folder, relative is next to the
  /// script.
  public func readable(_ path: String) -> URL {
    let path = path.withHomeFolder
    if path.hasPrefix("/") { return URL(filePath: path).standardizedFileURL }
    return script.appending(path: path).standardizedFileURL
  }

  /// The file that a script may write under `path`; its folder is made where it is missing.
  ///
  /// A relative path is below the output folder, whose own name may lead it.
  /// - Throws: `RuntimeFailure` of kind `.permission` for a path that leads out of the folders
  ///   allowed, symbolic links resolved, and where the output folder is itself a link, as one that
  ///   came with somebody else's files may be; `FileFailure` where a folder cannot be made.
  public func writable(_ path: String) throws -> URL {
    guard !path.isEmpty, !path.contains("\0"), !path.hasSuffix("/") else {
      throw RuntimeFailure(.permission, "\(Value.text(path).represented) is no name for a file")
    }
    var relative = path
    let own = output.lastPathComponent + "/"
    if path.hasPrefix(own) { relative = String(path.dropFirst(own.count)) }
    let url =
      path.hasPrefix("/") || path.hasPrefix("~")
      ? readable(path)
      : output.appending(path: relative).standardizedFileURL
    let folder = url.deletingLastPathComponent()
    guard url.path.hasPrefix("/") else {
      // Only where there is no current folder does a path stay relative.
      throw FileFailure(url.path, .noCurrentFolder, while: .write)
    }
    // The existing part of the path decides where it leads; what is missing holds no links.
    let place = Self.resolved(folder)
    // The output folder's own name is not resolved: it must be a folder, not a way to another.
    let parent = Self.resolved(output.standardizedFileURL.deletingLastPathComponent())
    let isInside = Self.holds(parent + [output.standardizedFileURL.lastPathComponent], place)
    guard isInside || allowed.contains(where: { Self.holds(Self.resolved($0), place) }) else {
      let plain = output.standardizedFileURL.path
      if let target = linkTarget(plain), Self.holds(Self.resolved(output), place) {
        throw RuntimeFailure(
          .permission,
          "the output folder \(plain) is a symbolic link to \(target), and files would be written there",
          hint: "remove the link, or name the folder itself with --out")
      }
      throw RuntimeFailure(
        .permission, "\(url.path) lies outside the output folder \(output.path)",
        hint: "give a path below it, or allow its folder with --allow-write")
    }
    try FolderTree.make(folder)
    return url
  }

  private static func holds(_ folder: [String], _ place: [String]) -> Bool {
    place.starts(with: folder)
  }

  private static func resolved(_ url: URL) -> [String] {
    var existing = url.standardizedFileURL
    var missing: [String] = []
    while existing.pathComponents.count > 1,
      !FileManager.default.fileExists(atPath: existing.path)
    {
      missing.insert(existing.lastPathComponent, at: 0)
      existing.deleteLastPathComponent()
    }
    return existing.resolvingSymlinksInPath().standardizedFileURL.pathComponents + missing
  }
}

extension Session {
  /// The file that a script means by `path`.
  public func readableURL(for path: String) -> URL { folders.readable(path) }

  /// The file that a script may write under `path`; its folder is made where it is missing.
  ///
  /// - Throws: `RuntimeFailure` of kind `.permission` for a path outside the folders allowed.
  public func writableURL(for path: String) throws -> URL { try folders.writable(path) }
}
