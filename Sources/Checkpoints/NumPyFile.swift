internal import Budget
internal import Files
internal import FoundationEssentials
internal import Tensors

/// NumPy's arrays by name: an `.npz` archive, or one `.npy` under its file's name.
///
/// Arrays that lie in the file as they are, in C order and little-endian, are mapped; packed ones
/// are unpacked when they are asked for, and never to more than they said.
struct NumPyFile: TensorFile {
  let url: URL
  let entries: [TensorEntry]
  let unread: [UnreadTensor]
  let metadata: [String: String] = [:]
  private let file: MappedFile
  private let archive: ZipArchive?
  private let arrays: [PackedArray]
  private let copies = CopiedTensors()

  /// One array.
  private struct PackedArray {
    /// Nil for a file that is an array itself.
    let member: ZipArchive.Member?
    /// Where the elements lie in the file as a tensor has them; nil where they do not.
    let place: Range<Int>?
  }

  /// How often its own size a member may unpack to, beyond 64 MiB.
  private static let ratioLimit = 200

  /// Reads the headers of an archive's members.
  init(_ archive: ZipArchive) throws(CheckpointError) {
    var (entries, arrays): ([TensorEntry], [PackedArray]) = ([], [])
    var unread: [UnreadTensor] = []
    for member in archive.members {
      let name = String(member.name.dropLast(".npy".count))
      let path = "\(archive.path)/\(member.name.withVisibleControls)"
      guard
        !member.isDeflated || member.byteCount <= 1 << 26
          || member.byteCount / Self.ratioLimit <= member.place.count
      else {
        throw .malformed(
          path: archive.path, offset: member.place.lowerBound, rule: .zipBomb,
          detail: """
            '\(member.name.withVisibleControls)' would unpack from \
            \(member.place.count.asByteCount) to \(member.byteCount.asByteCount): a zip bomb, \
            which is not unpacked
            """)
      }
      let header = try NPYHeader(
        try archive.bytes(member, prefix: NPYHeader.longest), path: path)
      if let type = header.unreadType {
        unread.append(UnreadTensor(name: name, type: type, shape: header.shape))
        continue
      }
      try header.check(byteCount: member.byteCount - header.dataStart)
      entries.append(Self.entry(name, header))
      let start = member.place.lowerBound + header.dataStart
      arrays.append(
        PackedArray(
          member: member,
          place: !member.isDeflated && header.isPlain ? start..<member.place.upperBound : nil))
    }
    (url, file, self.archive) = (archive.file.url, archive.file, archive)
    (self.entries, self.arrays, self.unread) = (entries, arrays, unread)
  }

  /// Reads the header of one `.npy`.
  init(single file: MappedFile) throws(CheckpointError) {
    let path = file.path
    let start: [UInt8]
    do { start = try file.bytes(0..<min(file.count, NPYHeader.longest)) } catch {
      throw .file(error)
    }
    let header = try NPYHeader(start, path: path)
    try header.requireRead()
    try header.check(byteCount: file.count - header.dataStart)
    let name = file.url.lastPathComponent
    entries = [Self.entry(name.hasSuffix(".npy") ? String(name.dropLast(4)) : name, header)]
    arrays = [
      PackedArray(member: nil, place: header.isPlain ? header.dataStart..<file.count : nil)
    ]
    (url, self.file, archive, unread) = (file.url, file, nil, [])
  }

  private static func entry(_ name: String, _ header: NPYHeader) -> TensorEntry {
    TensorEntry(
      name: name, type: header.type, shape: header.shape,
      bytes: 0..<header.shape.reduce(header.type.size, *))
  }

  func mapped(_ place: Int) -> StoredBytes? {
    arrays[place].place.map {
      StoredBytes(start: file.address($0.lowerBound), count: $0.count, owner: file)
    }
  }

  func stored(_ place: Int) throws(CheckpointError) -> StoredBytes {
    if let mapped = mapped(place) { return mapped }
    return try copies.copy(place) { () throws(CheckpointError) in
      let bytes = try bytes(place)
      return StoredBytes(count: bytes.count) { out in
        bytes.withUnsafeBytes {
          UnsafeMutableRawBufferPointer(start: out, count: $0.count).copyMemory(from: $0)
        }
      }
    }
  }

  func bytes(_ place: Int) throws(CheckpointError) -> [UInt8] {
    let array = arrays[place]
    if let range = array.place { return try raw(range) }
    guard let member = array.member, let archive else {
      return try NPYFile(parsing: try raw(0..<file.count), named: path).bytes
    }
    return try NPYFile(
      parsing: try archive.bytes(member), named: "\(path)/\(member.name.withVisibleControls)"
    ).bytes
  }

  private func raw(_ range: Range<Int>) throws(CheckpointError) -> [UInt8] {
    do { return try file.bytes(range) } catch { throw .file(error) }
  }

  func release(_ place: Int) {
    if let range = arrays[place].place { file.release(range) }
  }
}

extension NPYHeader {
  /// Whether the elements lie as a tensor has them: C order, lowest byte first.
  var isPlain: Bool { !isBigEndian && (!isFortran || shape.count { $0 > 1 } < 2) }
}
