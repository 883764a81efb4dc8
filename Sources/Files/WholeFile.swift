public import FoundationEssentials
internal import Glibc

/// Files read as a whole, and files written whole or not at all.
///
/// What is written goes to a temporary file beside the target, to the disk, and then takes the
/// target's name in one step: whoever looks sees the old file or the new one, never a part. Devices,
/// pipes and sockets are refused, but for the process's own streams under `/dev/stdout` and the like.
public enum WholeFile {
  /// A file longer than this is no link that a copy wrote out as text.
  package static let writtenLinkLimit = WrittenLink.limit

  /// All bytes of a regular file of at most `limit` bytes.
  public static func read(_ url: URL, limit: Int = 1 << 30) throws(FileFailure) -> [UInt8] {
    let path = url.path(percentEncoded: false)
    let file = try OpenFile(path)
    defer { close(file.descriptor) }
    guard file.count <= limit else {
      throw FileFailure(path, .tooLarge(bytes: file.count, limit: limit))
    }
    return try readBytes(file.descriptor, at: 0, count: file.count, path: path)
  }

  /// All bytes of a file, or of a pipe or device up to its end, at most `limit`.
  ///
  /// What a shell hands over as `<(…)` is a pipe; whoever writes it is waited for.
  public static func readToEnd(_ url: URL, limit: Int) throws(FileFailure) -> [UInt8] {
    let path = url.path(percentEncoded: false)
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure(path, errno: errno, while: .read) }
    defer { close(descriptor) }
    let bytes = try readToEnd(descriptor, path: path, limit: limit)
    guard !GitPointer.couldBe(byteCount: bytes.count) || !GitPointer.begins(bytes) else {
      throw FileFailure(path, .gitPointer)
    }
    return bytes
  }

  /// All bytes of an open descriptor up to its end, at most `limit`; errors call it `path`.
  package static func readToEnd(
    _ descriptor: Int32, path: String, limit: Int
  ) throws(FileFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw FileFailure(path, errno: errno, while: .read) }
      bytes += piece[..<count]
      guard bytes.count <= limit else { throw FileFailure(path, .tooLong(limit: limit)) }
    }
  }

  /// The text of a UTF-8 file of at most `limit` bytes; a byte order mark is left out.
  public static func readText(_ url: URL, limit: Int = 1 << 28) throws(FileFailure) -> String {
    try text(of: read(url, limit: limit), path: url.path(percentEncoded: false))
  }

  /// UTF-8 bytes as text, without a byte order mark before it; errors call them `path`.
  public static func text(of bytes: [UInt8], path: String) throws(FileFailure) -> String {
    if let offset = bytes.withUnsafeBufferPointer(\.firstNotUTF8) {
      throw FileFailure(path, .notText(offset: offset))
    }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    return String(decoding: bytes.dropFirst(hasMark ? 3 : 0), as: UTF8.self)
  }

  /// Looks whether a file could be written, as far as can be known before; for what takes long.
  ///
  /// Nothing is written, and what is there stays.
  public static func checkWriting(to url: URL) throws(FileFailure) {
    _ = try Replacement(url.path(percentEncoded: false))
  }

  /// Writes `bytes` to `url`, replacing what was there.
  public static func write(_ bytes: [UInt8], to url: URL) throws(FileFailure) {
    var file = try Replacement(url.path(percentEncoded: false))
    try file.write(bytes)
    try file.finish()
  }

  /// Writes `data` to `url`, replacing what was there.
  public static func write(_ data: Data, to url: URL) throws(FileFailure) {
    try write([UInt8](data), to: url)
  }

  /// Writes `text` as UTF-8 to `url`, replacing what was there.
  public static func write(_ text: String, to url: URL) throws(FileFailure) {
    try write(Array(text.utf8), to: url)
  }

  /// Writes what `body` hands to its writer; if it throws, what was there before stays.
  public static func write(
    to url: URL, _ body: (inout Replacement) throws -> Void
  ) throws {
    var file = try Replacement(url.path(percentEncoded: false))
    try body(&file)
    try file.finish()
  }
}
