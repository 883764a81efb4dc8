internal import Files
public import FoundationEssentials
internal import Tensors

/// A safetensors file: its header checked, its tensors left on the disk until they are used.
public struct SafetensorsFile: TensorFile, Sendable {
  /// Where the file is.
  public let url: URL
  /// The tensors, in the order of the header.
  public let entries: [TensorEntry]
  /// Tensors in formats that are not read here.
  public let unread: [UnreadTensor]
  /// The text that the file carries beside its tensors.
  public let metadata: [String: String]
  /// What is allowed in the file, but strange: fields that nobody knows, a very large header.
  public let warnings: [String]
  let nameTable: (names: [String], table: KeyTable)?
  private let file: MappedFile
  private let dataStart: Int

  /// Opens a file and checks every rule of its header against the bytes that are there.
  ///
  /// - Throws: `.file` or `.malformed`, with the offset of what is wrong.
  public init(_ url: URL) throws(CheckpointError) {
    let file: MappedFile
    do { file = try MappedFile(url) } catch { throw .file(error) }
    try self.init(file)
  }

  /// Checks a file that is mapped already.
  init(_ file: MappedFile) throws(CheckpointError) {
    (url, self.file) = (file.url, file)
    let path = url.path(percentEncoded: false)
    let bytes = try Self.headerBytes(file, path: path)
    dataStart = 8 + bytes.count
    do {
      let header = try SafetensorsHeader(bytes, dataSize: file.count - dataStart)
      (entries, unread, metadata) = (header.entries, header.unread, header.metadata)
      nameTable = (header.names, header.table)
      let isLarge = file.count > 1_000_000 && bytes.count > file.count / 4
      warnings =
        header.warnings
        + (isLarge ? ["the header is \(bytes.count) of the file's \(file.count) bytes"] : [])
    } catch {
      throw .malformed(
        path: path, offset: error.offset.map { $0 + 8 }, rule: error.rule, detail: error.detail)
    }
  }

  /// The header without its length.
  private static func headerBytes(
    _ file: MappedFile, path: String
  ) throws(CheckpointError) -> [UInt8] {
    guard file.count >= 8 else {
      throw .malformed(
        path: path, offset: nil, rule: .tooShort,
        detail: "holds \(file.count) bytes, a safetensors file has at least 8")
    }
    let start: [UInt8]
    let headerLength: UInt64
    do {
      let length = try file.bytes(0..<8).enumerated().reduce(UInt64(0)) {
        $0 | UInt64($1.element) << (8 * UInt64($1.offset))
      }
      if length <= SafetensorsHeader.sizeLimit, let count = Int(exactly: length),
        count <= file.count - 8
      {
        return try file.bytes(8..<8 + count)
      }
      start = try file.bytes(0..<min(file.count, 512))
      headerLength = length
    } catch {
      throw .file(error)
    }
    throw notSafetensors(start, path: path, headerLength: headerLength, fileSize: file.count)
  }

  /// Says what a file is whose header cannot be where it should.
  private static func notSafetensors(
    _ start: [UInt8], path: String, headerLength: UInt64, fileSize: Int
  ) -> CheckpointError {
    let text = String(decoding: start, as: UTF8.self).lowercased().drop(while: \.isWhitespace)
    func failure(_ rule: FormatRule, _ detail: String) -> CheckpointError {
      .malformed(path: path, offset: 0, rule: rule, detail: detail)
    }
    if text.hasPrefix("oid sha256:") {
      return failure(
        .gitPointer,
        "this is a part of a Git LFS pointer, not the weights; run 'git lfs pull' in its folder")
    }
    if text.hasPrefix("<!doctype") || text.hasPrefix("<html") || text.hasPrefix("<?xml") {
      return failure(
        .webPage, "this is a web page, not weights: a failed download; fetch the file again")
    }
    let kinds: [(start: [UInt8], name: String)] = [
      ([0x50, 0x4B, 0x03, 0x04], "a zip archive, such as a PyTorch checkpoint; call it .bin"),
      ([0x80, 0x02], "a Python pickle, such as a PyTorch checkpoint; call it .bin"),
      (Array("GGUF".utf8), "a GGUF file, which is not read; \(ForeignLayout.instead)"),
      ([0x1F, 0x8B], "a gzip archive; unpack it first"),
      (
        [0x89, 0x48, 0x44, 0x46],
        "an HDF5 file, as of TensorFlow, which is not read; \(ForeignLayout.instead)"
      ), ([0x93, 0x4E, 0x55, 0x4D], "a NumPy array; call it .npy"),
    ]
    if let kind = kinds.first(where: { start.starts(with: $0.start) }) {
      return failure(.otherFormat, "this is \(kind.name)")
    }
    if text.hasPrefix("{") {
      return failure(.otherFormat, "this is text, such as JSON; safetensors start with a length")
    }
    return headerLength > SafetensorsHeader.sizeLimit
      ? failure(
        .headerTooLarge,
        """
        a header of \(headerLength) bytes, at most \(SafetensorsHeader.sizeLimit) are read; \
        this is no safetensors file
        """)
      : failure(
        .headerBeyondFile,
        """
        a header of \(headerLength) bytes in a file of \(fileSize); it was cut off, fetch it \
        again
        """)
  }

  /// Where the bytes of an entry lie in the file.
  private func range(_ place: Int) -> Range<Int> {
    let bytes = entries[place].bytes
    return dataStart + bytes.lowerBound..<dataStart + bytes.upperBound
  }

  var byteCount: Int { file.count - dataStart }

  func mapped(_ place: Int) -> StoredBytes? { stored(place) }

  func stored(_ place: Int) -> StoredBytes {
    let range = range(place)
    return StoredBytes(start: file.address(range.lowerBound), count: range.count, owner: file)
  }

  func bytes(_ place: Int) throws(CheckpointError) -> [UInt8] {
    do { return try file.bytes(range(place)) } catch { throw .file(error) }
  }

  func release(_ place: Int) { file.release(range(place)) }
}
