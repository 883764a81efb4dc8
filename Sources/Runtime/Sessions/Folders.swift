public import Foundation
internal import Synchronization

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
    if path == "~" || path.hasPrefix("~/") {
      return FileManager.default.homeDirectoryForCurrentUser
        .appending(path: String(path.dropFirst(2))).standardizedFileURL
    }
    if path.hasPrefix("/") { return URL(filePath: path).standardizedFileURL }
    return script.appending(path: path).standardizedFileURL
  }

  /// The file that a script may write under `path`; its folder is made where it is missing.
  ///
  /// A relative path is below the output folder, whose own name may lead it.
  /// - Throws: `RuntimeFailure` of kind `.permission` for a path that leads out of the folders
  ///   allowed, symbolic links resolved.
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
    // The existing part of the path decides where it leads; what is missing holds no links.
    let place = Self.resolved(folder)
    guard ([output] + allowed).contains(where: { Self.holds(Self.resolved($0), place) }) else {
      throw RuntimeFailure(
        .permission, "\(url.path) lies outside the output folder \(output.path)",
        hint: "give a path below it, or allow its folder with --allow-write")
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw RuntimeFailure(
        .permission, "the folder \(folder.path) cannot be made: \(error.localizedDescription)")
    }
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
