public import Files
public import FoundationEssentials
internal import Glibc

/// What lies below a folder, as far as it may be a picture.
public struct PictureFolder: Sendable {
  /// A file that may be a picture.
  public struct File: Sendable, Equatable {
    /// Its path below the folder.
    public let path: String
    /// Its size.
    public let bytes: Int
    /// When it was last changed, in nanoseconds since 1970.
    public let modified: Int
  }

  /// The files, by the bytes of their paths.
  public private(set) var files: [File] = []
  /// What cannot be looked at at all, by path.
  public private(set) var skipped: [SkippedPicture] = []
  /// How many files are no pictures by their names.
  public private(set) var otherCount = 0

  private struct Place: Hashable {
    let device: UInt
    let number: UInt
  }

  /// Endings of files that are looked into; what is in them is told by their bytes.
  static let endings: Set<String> = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "mpo", "gif", "webp", "bmp", "dib", "tif", "tiff",
    "heic", "heif", "avif", "jp2", "j2k", "jpx", "jxl",
  ]

  /// Lists what is below `folder`, hidden files and folders left out.
  ///
  /// Links are followed; a folder that is reached twice, through a loop of links say, is listed once.
  /// - Parameter leftOut: folders that are not entered, such as the index itself.
  /// - Throws: `FileFailure` where the folder itself cannot be read.
  public init(_ folder: URL, leavingOut leftOut: [URL] = []) throws(FileFailure) {
    var root = folder.path(percentEncoded: false)
    while root.count > 1, root.hasSuffix("/") { root.removeLast() }
    var status = stat()
    guard stat(root, &status) == 0 else {
      let failure = FileFailure(root, errno: errno, while: .read)
      throw failure.kind == .missing ? FileFailure(root, .noFolder) : failure
    }
    var seen: Set<Place> = []
    for url in leftOut {
      var other = stat()
      if stat(url.path(percentEncoded: false), &other) == 0 { seen.insert(Self.place(other)) }
    }
    seen.insert(Self.place(status))
    var waiting = [""]
    while let below = waiting.popLast() {
      let path = below.isEmpty ? root : root + "/" + below
      guard let names = Self.names(in: path) else {
        if below.isEmpty { throw FileFailure(root, errno: errno, while: .read) }
        skipped.append(SkippedPicture(path: below, reason: "this folder cannot be read"))
        continue
      }
      for name in names {
        guard let name else {
          skipped.append(
            SkippedPicture(
              path: below.isEmpty ? "?" : below + "/?",
              reason: "a name here is not UTF-8; rename the file"))
          continue
        }
        guard !name.hasPrefix(".") else { continue }
        let relative = below.isEmpty ? name : below + "/" + name
        guard stat(root + "/" + relative, &status) == 0 else {
          if Self.isPictureName(name) {
            let reason =
              errno == ELOOP
              ? "symbolic links lead in a circle" : "a link to nothing, or not allowed"
            skipped.append(SkippedPicture(path: relative, reason: reason))
          }
          continue
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: if seen.insert(Self.place(status)).inserted { waiting.append(relative) }
        case S_IFREG where Self.isPictureName(name):
          // The same file under two names is one picture.
          guard seen.insert(Self.place(status)).inserted else { continue }
          let time = status.st_mtim
          files.append(
            File(
              path: relative, bytes: Int(status.st_size),
              modified: Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)))
        default: otherCount += 1
        }
      }
    }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    skipped.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  private static func place(_ status: stat) -> Place {
    Place(device: UInt(status.st_dev), number: UInt(status.st_ino))
  }

  /// Whether a file is one that is looked into.
  public static func isPictureName(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return endings.contains(name[name.index(after: dot)...].lowercased())
  }

  /// The names in a folder by their bytes; nil for one that is not UTF-8, nil for no list at all.
  private static func names(in path: String) -> [String?]? {
    guard let listing = opendir(path) else { return nil }
    defer { closedir(listing) }
    var names: [[UInt8]] = []
    while let entry = readdir(listing) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if bytes != [0x2E], bytes != [0x2E, 0x2E] { names.append(bytes) }
    }
    // Links to one file: the first name in this order is kept, on every machine.
    return names.sorted { $0.lexicographicallyPrecedes($1) }.map {
      String(validating: $0, as: UTF8.self)
    }
  }
}

/// A picture that is not in an index, and why.
public struct SkippedPicture: Sendable, Equatable {
  /// Its path below the folder.
  public let path: String
  /// Why, in a sentence.
  public let reason: String
}
