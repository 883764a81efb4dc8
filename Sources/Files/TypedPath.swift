public import FoundationEssentials
internal import Glibc

extension String {
  /// The path that a person means who types `~` or `~name` at its beginning; any other as it is.
  ///
  /// `~` is `$HOME`, and what the system knows of the person only where that is not set, as in shells
  /// and in Python.
  public var withHomeFolder: String {
    guard utf8.first == UInt8(ascii: "~") else { return self }
    let end = utf8.firstIndex(of: UInt8(ascii: "/")) ?? utf8.endIndex
    let name = self[utf8.index(after: utf8.startIndex)..<end]
    let known = name.isEmpty ? getpwuid(getuid()) : getpwnam(String(name))
    let home =
      name.isEmpty && getenv("HOME").map { $0.pointee != 0 } ?? false
      ? getenv("HOME").map { String(cString: $0) }
      : known.flatMap { $0.pointee.pw_dir }.map { String(cString: $0) }
    guard var home else { return self }
    while home.count > 1, home.hasSuffix("/") { home.removeLast() }
    return home == "/" && end < utf8.endIndex ? String(self[end...]) : home + self[end...]
  }
}

extension URL {
  /// What a person means who types `path`: `~` is the home folder, a relative path begins in the
  /// current folder.
  public init(typed path: String, isFolder: Bool = false) {
    self.init(
      filePath: path.withHomeFolder, directoryHint: isFolder ? .isDirectory : .inferFromPath)
  }
}
