internal import Budget
internal import Characters
internal import Glibc

/// What has a file's name and is none.
public enum SpecialFile: String, Sendable {
  /// What programs talk through.
  case socket = "a socket"
  /// What hands bytes on.
  case pipe = "a pipe"
  /// A terminal, a disk, `/dev/zero`.
  case device = "a device"

  /// By the mode that the system tells; nil for a regular file or a folder.
  init?(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFSOCK: self = .socket
    case S_IFIFO: self = .pipe
    case S_IFCHR, S_IFBLK: self = .device
    default: return nil
    }
  }

  init?(at path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(mode: status.st_mode)
  }
}

/// Why a file could not be read or written.
public struct FileFailure: HasExitCode, Equatable, CustomStringConvertible {
  /// What went wrong.
  public enum Kind: Sendable, Equatable {
    /// Nothing has that path.
    case missing
    /// Nothing has that path, where a folder was expected.
    case noFolder
    /// A part of the path before the last is missing or is no folder.
    case missingFolder
    /// A folder, where a file was expected.
    case folder
    /// A device, pipe or socket, where a regular file was expected.
    case notRegular(SpecialFile)
    /// A file, where a folder should be read or written.
    case notFolder
    /// A folder that holds something else than what is written there.
    case occupied
    /// The folder that the process is in, which cannot be replaced under its feet.
    case currentFolder
    /// A symbolic link, where writing would replace what it points to.
    case symbolicLink(to: String)
    /// A symbolic link to something that is not there, as in a cache that was cleaned.
    case brokenLink(to: String)
    /// Links that lead back to themselves.
    case linkLoop
    /// More bytes than are read into memory.
    case tooLarge(bytes: Int, limit: Int)
    /// More bytes than are read into memory, of something that has no length beforehand.
    case tooLong(limit: Int)
    /// More bytes than the process may map.
    case noAddressSpace(bytes: Int)
    /// Fewer bytes than it had when it was opened.
    case shortened(expected: Int, found: Int)
    /// Somebody asked what reads or writes it to stop; what was there before is unchanged.
    case stopped
    /// No room left on the disk, in the quota or in the file-size limit.
    case diskFull
    /// The system's permissions forbid it.
    case permission
    /// The file system is mounted for reading only.
    case readOnly
    /// The pointer that git leaves where it did not fetch the file.
    case gitPointer
    /// The contents are not JSON.
    case notJSON(JSON.Failure)
    /// The contents are not UTF-8 text; the offset is that of the first byte that is wrong.
    case notText(offset: Int)
    /// The folder that the process is in is not there any more.
    case noCurrentFolder
    /// Anything else, in the system's words.
    case system(String)
  }

  /// What was being done.
  public enum Action: String, Sendable {
    /// Opening or reading.
    case read
    /// Creating, writing or replacing.
    case write
  }

  /// The path as it was given.
  public let path: String
  /// What went wrong.
  public let kind: Kind
  /// What was being done.
  public let action: Action

  /// States a failure.
  public init(_ path: String, _ kind: Kind, while action: Action = .read) {
    (self.path, self.kind, self.action) = (path, kind, action)
  }

  /// Translates the system's error number.
  package init(_ path: String, errno code: Int32, while action: Action) {
    // A socket cannot be opened, nor can the terminal's device where there is no terminal.
    if code == ENXIO, let found = SpecialFile(at: path) {
      self.init(path, .notRegular(found), while: action)
      return
    }
    let kind: Kind =
      switch code {
      case ENOENT:
        Self.isCurrentFolderGone(for: path)
          ? .noCurrentFolder : action == .read ? .missing : .missingFolder
      // Either the path itself is a file, or something on the way to it.
      case ENOTDIR: action == .read && Self.isFile(path) ? .notFolder : .missingFolder
      case EISDIR: .folder
      case ELOOP: .linkLoop
      case ENOSPC, EDQUOT, EFBIG: .diskFull
      case EACCES, EPERM: .permission
      case EROFS: .readOnly
      default: .system(String(cString: strerror(code)))
      }
    self.init(path, kind, while: action)
  }

  /// Whether `path` begins in the current folder, and that was removed.
  private static func isCurrentFolderGone(for path: String) -> Bool {
    guard !path.hasPrefix("/") else { return false }
    var here = [CChar](repeating: 0, count: Int(PATH_MAX))
    return getcwd(&here, here.count) == nil && errno == ENOENT
  }

  /// Whether `path`, or what is before slashes at its end, is there and no folder.
  private static func isFile(_ path: String) -> Bool {
    var bare = path[...]
    while bare.hasSuffix("/") { bare.removeLast() }
    var status = stat()
    return stat(String(bare), &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
  }

  /// The sentence shown to people.
  public var description: String {
    let name = path.withVisibleControls
    switch kind {
    case .missing: return "\(name): no such file; check the path"
    case .noFolder: return "\(name): no such folder; check the path"
    case .missingFolder:
      return action == .read
        ? "\(name): no such file, a folder on the way to it is missing"
        : "\(name): cannot write there, its folder does not exist; create it first"
    case .folder: return "\(name): is a folder, a file was expected"
    case .notRegular(let found):
      return action == .read
        ? "\(name): is \(found.rawValue), a regular file was expected"
        : "\(name): is \(found.rawValue); name a file"
    case .notFolder:
      return action == .read
        ? "\(name): is a file, a folder was expected"
        : "\(name): is a file, a folder should be written there"
    case .occupied:
      return "\(name): holds other files, which would be lost; name a new or empty folder"
    case .currentFolder:
      return "\(name): is the folder that this was started in, and would be replaced; name another"
    case .symbolicLink(let target):
      return """
        \(name): is a symbolic link to \(target.withVisibleControls); \
        write to that path, or remove the link
        """
    case .brokenLink(let target):
      return """
        \(name): is a symbolic link to \(target.withVisibleControls), which is not there; \
        fetch the file again
        """
    case .linkLoop: return "\(name): symbolic links lead in a circle"
    case .tooLarge(let bytes, let limit):
      return "\(name): holds \(bytes) bytes, at most \(limit) are read"
    case .tooLong(let limit): return "\(name): holds more than the \(limit) bytes that are read"
    case .noAddressSpace(let bytes):
      return """
        \(name): holds \(bytes.asByteCount), more than this process may map; raise its limit \
        (ulimit -v)
        """
    case .shortened(let expected, let found):
      return """
        \(name): had \(expected) bytes when it was opened and ends after \(found) now; \
        something else is writing it
        """
    case .stopped:
      return action == .read
        ? "\(name): stopped before it was read"
        : "\(name): stopped before it was whole; what was there is unchanged"
    case .diskFull:
      return """
        \(name): no room left on the disk (or a quota is reached); \
        what was there before is unchanged
        """
    case .permission:
      return "\(name): permission denied; you may not \(action.rawValue) it"
    case .readOnly: return "\(name): cannot write there, the file system is read-only"
    case .gitPointer:
      return """
        \(name): is a Git LFS pointer, not the file; run 'git lfs pull' in its folder to fetch it
        """
    case .notJSON(let failure):
      return "\(name):\(failure.line):\(failure.column): \(failure.message)"
    case .notText(let offset): return "\(name): is not UTF-8 text (byte \(offset))"
    case .noCurrentFolder:
      return """
        \(name): the folder that this was started in is not there any more; go to another (cd) and \
        start again
        """
    case .system(let words): return "\(name): cannot \(action.rawValue) it: \(words)"
    }
  }

  /// The exit code of a process that ends because of this.
  public var exitCode: Int32 {
    switch kind {
    case .missing, .noFolder, .folder, .linkLoop, .brokenLink, .notRegular:
      action == .read ? ExitCode.missingInput : ExitCode.cannotCreate
    case .missingFolder, .noCurrentFolder:
      action == .read ? ExitCode.missingInput : ExitCode.cannotCreate
    case .notFolder: action == .read ? ExitCode.missingInput : ExitCode.cannotCreate
    case .symbolicLink, .readOnly, .occupied, .currentFolder: ExitCode.cannotCreate
    case .tooLarge, .tooLong, .notJSON, .notText, .shortened, .gitPointer: ExitCode.badData
    case .permission: ExitCode.permission
    case .noAddressSpace: ExitCode.outOfMemory
    case .diskFull, .system, .stopped: ExitCode.inputOutput
    }
  }
}

extension String {
  /// The text with control characters, bidirectional overrides and invisible characters shown as
  /// `⟨U+001B⟩`, line breaks included, so that a name from a file stays on its line.
  public var withVisibleControls: String { visibleThroughout }
}
