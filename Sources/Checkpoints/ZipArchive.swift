internal import Files

/// The members of a zip archive, by its central directory; nothing is unpacked to the disk.
///
/// Format: PKWARE's APPNOTE 6.3.9, stored and deflated members, 64-bit records. Archives that read
/// differently by their directory and by their members, or twice from the same bytes, are refused.
struct ZipArchive: Sendable {
  /// One member.
  struct Member: Sendable {
    /// Its path inside the archive.
    let name: String
    /// Whether its bytes are packed; if not, they lie in the file as they are.
    let isDeflated: Bool
    /// How many bytes it has, unpacked.
    let byteCount: Int
    /// Of the unpacked bytes.
    let checksum: UInt32
    /// Where its bytes lie in the file, packed or not.
    let place: Range<Int>
  }

  /// The members in the directory's order, folders left out.
  let members: [Member]
  /// The archive.
  let file: MappedFile
  private let names: [String]
  private let table: KeyTable

  /// Reads the directory of `file`.
  ///
  /// - Throws: `.file` or `.malformed`, with the offset of what is wrong.
  init(_ file: MappedFile) throws(CheckpointError) {
    var reader = try ZipDirectoryReader(file)
    try reader.read()
    (self.file, members, names, table) = (file, reader.members, reader.names, reader.table)
  }

  /// The path, as errors name it.
  var path: String { file.path }

  /// The member called `name`.
  func member(_ name: String) -> Member? { table.find(name, in: names).map { members[$0] } }

  /// A member's bytes, unpacked; only the first `prefix` where that is given.
  ///
  /// - Throws: `.malformed` where it does not unpack to what the directory says.
  func bytes(_ member: Member, prefix: Int? = nil) throws(CheckpointError) -> [UInt8] {
    let count = min(member.byteCount, prefix ?? .max)
    guard member.isDeflated else {
      do {
        return try file.bytes(member.place.lowerBound..<member.place.lowerBound + count)
      } catch { throw .file(error) }
    }
    let isWhole = count == member.byteCount
    let unpacked: [UInt8]
    do throws(Inflater.Failure) {
      unpacked = try file.withUnsafeBytes { (all) throws(Inflater.Failure) in
        try Inflater.inflate(
          UnsafeRawBufferPointer(rebasing: all[member.place]), count: count, isWhole: isWhole)
      }
    } catch {
      guard error != .noMemory else {
        throw .file(FileFailure(path, .noAddressSpace(bytes: member.byteCount)))
      }
      throw damaged(
        member,
        error == .longer
          ? "unpacks to more than the \(member.byteCount) bytes it says" : "cannot be unpacked")
    }
    guard unpacked.count == count, !isWhole || Inflater.checksum(unpacked) == member.checksum else {
      throw damaged(member, "does not unpack to what was packed")
    }
    return unpacked
  }

  private func damaged(_ member: Member, _ what: String) -> CheckpointError {
    .malformed(
      path: path, offset: member.place.lowerBound, rule: .zipMember,
      detail: "'\(member.name.withVisibleControls)' \(what); the archive is damaged, fetch it again"
    )
  }
}
