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

  /// The folder in the index's own.
  static let folderName = "building"
  /// The files in that folder.
  static let names = [rowsName, tableName, probeName, modelName]
  private static let (rowsName, tableName) = ("rows.f32", "pictures.jsonl")
  private static let (probeName, modelName) = ("probe.f32", "model.json")

  /// Opens the journal in the index's folder, or begins one.
  ///
  /// Whoever opens it has claimed the index.
  /// - Parameter replaces: whether one that another model began is thrown away.
  /// - Throws: `FileFailure`; `SearchingError.otherModel`.
  init(in index: URL, embedder: Embedder, replacesOthers replaces: Bool) throws {
    let folder = index.appending(path: Self.folderName, directoryHint: .isDirectory)
    let width = embedder.width
    try makeFolder(folder)
    let lines = folder.appending(path: Self.tableName)
    var table = try GrowingFile(lines)
    let probe = folder.appending(path: Self.probeName)
    let model = folder.appending(path: Self.modelName)
    var known: [IndexedPicture] = []
    // Where the lines end, one more than there are.
    var ends = [0]
    let begun = Self.probe(at: probe, like: embedder.probe)
    if let begun, PictureIndex.isSame(begun, embedder.probe) {
      // The last line may have been cut off.
      let bytes = try WholeFile.read(lines, limit: 1 << 33)
      for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        .dropLast()
      {
        guard let json = try? JSON(parsing: Array(line)), let picture = IndexedPicture(json) else {
          break
        }
        known.append(picture)
        ends.append(ends[ends.count - 1] + line.count + 1)
      }
    } else {
      if begun != nil, table.count > 0, !replaces {
        throw SearchingError.otherModel(
          index: index.path(percentEncoded: false), made: ModelName(try? JSON(file: model)),
          found: embedder.model, remedy: IndexBuilder.otherModelRemedy)
      }
      // Before the probe: a run that is killed between the two must not leave the rows of one model
      // under the probe of another.
      try table.cut(to: 0)
      try table.settle()
      try WholeFile.write(embedder.model.json.written(indented: true) + "\n", to: model)
      try WholeFile.write(embedder.probe.elements.withUnsafeBytes { Array($0) }, to: probe)
    }
    let file = folder.appending(path: Self.rowsName)
    var rows = try GrowingFile(file)
    try rows.cut(to: known.count * width * 4)
    let whole = min(known.count, rows.count / (width * 4))
    known = Array(known[..<whole])
    try rows.cut(to: known.count * width * 4)
    try table.cut(to: ends[known.count])
    (self.folder, self.width, pictures) = (folder, width, known)
    self.rows = rows
    self.table = table
  }

  // One without a row is nothing to go on with.
  deinit { if pictures.isEmpty { try? FileManager.default.removeItem(at: folder) } }

  /// The probe of the model that began a journal; nil where there is none.
  private static func probe(at url: URL, like other: Tensor) -> Tensor? {
    guard let bytes = try? WholeFile.read(url), bytes.count % 4 == 0 else { return nil }
    let numbers = bytes.withUnsafeBytes { bytes in
      stride(from: 0, to: bytes.count, by: 4).map {
        bytes.loadUnaligned(fromByteOffset: $0, as: Float.self)
      }
    }
    // Of a model of another width the shape is not known; that it differs is.
    let shape = numbers.count == other.count ? other.shape : [1, numbers.count]
    return numbers.isEmpty ? nil : Tensor(numbers, shape: shape)
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
    let file = try MappedFile(folder.appending(path: Self.rowsName))
    guard let start = file.baseAddress else { return nil }
    return StoredTensor(
      shape: [pictures.count, width], type: .float32, start: start, owner: file)
  }

  /// Everything is in the index now.
  consuming func remove() { pictures = [] }
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
    if code == EEXIST { throw FileFailure(path, .notFolder, while: .write) }
    throw FileFailure(path, errno: code, while: .write)
  }
}

private func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
