internal import Files
internal import FoundationEssentials
internal import Glibc
internal import Tensors

/// What a run has embedded so far, on the disk: a run that is killed goes on where it was.
///
/// Rows are written and settled before the lines that name them; what has no line does not count.
struct IndexJournal: ~Copyable {
  private var rows: GrowingFile
  private var table: GrowingFile
  private let folder: URL
  private let width: Int
  /// The pictures whose rows are here, in the order of the rows.
  private(set) var pictures: [IndexedPicture] = []

  private static let probeName = "probe.f32"

  /// Opens the journal in the index's folder, or begins one.
  ///
  /// One that another model began is thrown away. Whoever opens it has claimed the index.
  /// - Throws: `FileFailure`.
  init(in index: URL, embedder: Embedder) throws {
    let folder = index.appending(path: "building", directoryHint: .isDirectory)
    let width = embedder.width
    try makeFolder(folder)
    let lines = folder.appending(path: "pictures.jsonl")
    var table = try GrowingFile(lines)
    let probe = folder.appending(path: Self.probeName)
    var known: [IndexedPicture] = []
    var byteCount = 0
    if Self.isSame(probe, as: embedder) {
      // The last line may have been cut off.
      let bytes = try WholeFile.read(lines, limit: 1 << 33)
      for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .dropLast()
      {
        guard let json = try? JSON(parsing: Array(line)), let picture = IndexedPicture(json) else {
          break
        }
        known.append(picture)
        byteCount += line.count + 1
      }
    } else {
      // Before the probe: a run that is killed between the two must not leave the rows of one model
      // under the probe of another.
      try table.cut(to: 0)
      try table.settle()
      try WholeFile.write(Self.bytes(of: embedder), to: probe)
    }
    let file = folder.appending(path: "rows.f32")
    var rows = try GrowingFile(file)
    try rows.cut(to: known.count * width * 4)
    let whole = min(known.count, rows.count / (width * 4))
    if whole < known.count {
      known = Array(known[..<whole])
      byteCount = known.reduce(0) { $0 + $1.json.bytes().count + 1 }
    }
    try rows.cut(to: known.count * width * 4)
    try table.cut(to: byteCount)
    (self.folder, self.width, pictures) = (folder, width, known)
    self.rows = rows
    self.table = table
  }

  private static func isSame(_ probe: URL, as embedder: Embedder) -> Bool {
    guard let bytes = try? WholeFile.read(probe) else { return false }
    return bytes == Self.bytes(of: embedder)
  }

  private static func bytes(of embedder: Embedder) -> [UInt8] {
    embedder.probe.elements.withUnsafeBytes { Array($0) }
  }

  /// Adds pictures and their rows `[N, D]`.
  mutating func append(_ added: [IndexedPicture], rows numbers: Tensor) throws {
    try rows.append(numbers.elements)
    try rows.settle()
    try table.append(added.flatMap { $0.json.bytes() + [UInt8(ascii: "\n")] })
    pictures += added
  }

  /// `[N, D]`: all rows, mapped.
  func stored() throws -> StoredTensor? {
    guard !pictures.isEmpty else { return nil }
    let file = try MappedFile(folder.appending(path: "rows.f32"))
    guard let start = file.baseAddress else { return nil }
    return StoredTensor(
      shape: [pictures.count, width], type: .float32, start: start, owner: file)
  }

  /// Everything is in the index now.
  consuming func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// Makes a folder and those it lies in.
func makeFolder(_ folder: URL) throws {
  do {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  } catch {
    let path = folder.path(percentEncoded: false)
    // The system's own reason, which Foundation hides.
    let code = mkdir(path, 0o777) == 0 ? 0 : errno
    if code == 0 || code == EEXIST && isFolder(path) { return }
    throw FileFailure(path, errno: code == EEXIST ? ENOTDIR : code, while: .write)
  }
}

private func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
