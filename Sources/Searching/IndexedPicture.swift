internal import Files

/// One line of an index's table.
public struct IndexedPicture: Sendable, Equatable {
  /// Its path below the folder of pictures.
  public let path: String
  /// The size of its file.
  public let bytes: Int
  /// When its file was last changed, in nanoseconds since 1970.
  public let modified: Int
  /// Columns of the picture, upright.
  public let width: Int
  /// Rows of the picture, upright.
  public let height: Int
  /// Equal for files with the same bytes; as `digest(of:)` makes it.
  public let digest: UInt64

  init(
    path: String, bytes: Int, modified: Int, width: Int, height: Int, digest: UInt64
  ) {
    (self.path, self.bytes, self.modified) = (path, bytes, modified)
    (self.width, self.height, self.digest) = (width, height, digest)
  }

  func isSameFile(as file: PictureFolder.File) -> Bool {
    bytes == file.bytes && modified == file.modified
  }

  /// The line in the table.
  var json: JSON {
    [
      "path": .string(path), "bytes": .integer(bytes), "modified": .integer(modified),
      "width": .integer(width), "height": .integer(height),
      "digest": .string(written(digest)),
    ]
  }

  init?(_ json: JSON) {
    guard let path = json["path"]?.text, let bytes = json["bytes"]?.int,
      let modified = json["modified"]?.int, let width = json["width"]?.int,
      let height = json["height"]?.int,
      let digest = json["digest"]?.text.flatMap({ UInt64($0, radix: 16) })
    else { return nil }
    self.init(
      path: path, bytes: bytes, modified: modified, width: width, height: height, digest: digest)
  }
}

/// A digest as files hold it, in 16 digits.
func written(_ digest: UInt64) -> String {
  let digits = String(digest, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A number that is equal for equal bytes, and hardly ever otherwise.
///
/// Not FNV-1a, though it has its basis and its prime: it takes words of 64 bits, then the bytes that
/// are left, then their count, and at each step mixes in the number before, 29 bits to the right.
func digest(of bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { digest(of: $0) } }

/// The same for bytes in memory.
func digest(of bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01B3 ^ (hash >> 29) }
  let whole = bytes.count / 8
  for index in 0..<whole { mix(bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)) }
  for byte in bytes[(whole * 8)...] { mix(UInt64(byte)) }
  mix(UInt64(bytes.count))
  return hash
}
