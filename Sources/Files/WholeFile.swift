public import FoundationEssentials
internal import Glibc

/// Files read as a whole, and files written whole or not at all.
///
/// What is written goes to a temporary file beside the target, to the disk, and then takes the
/// target's name in one step: whoever looks sees the old file or the new one, never a part. Devices
/// and pipes, such as `/dev/stdout`, are written to as they are.
public enum WholeFile {
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

  /// The text of a UTF-8 file of at most `limit` bytes; a byte order mark is left out.
  public static func readText(_ url: URL, limit: Int = 1 << 28) throws(FileFailure) -> String {
    let bytes = try read(url, limit: limit)
    if let offset = bytes.withUnsafeBufferPointer(\.firstNotUTF8) {
      throw FileFailure(url.path(percentEncoded: false), .notText(offset: offset))
    }
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    return String(decoding: bytes.dropFirst(hasMark ? 3 : 0), as: UTF8.self)
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
