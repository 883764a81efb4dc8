internal import Budget
internal import Characters
internal import Checkpoints
internal import Files
public import FoundationEssentials
internal import Synchronization
public import Tensors

/// An index of pictures on the disk: a row of numbers for each, of length 1, and a table.
///
/// Rows stay in their file until they are looked at.
public struct PictureIndex: Sendable {
  /// Where the index is.
  public let folder: URL
  /// Where the pictures are.
  public let root: URL
  /// The model that made it.
  public let model: ModelName
  /// The pictures, in the order of the rows.
  public let pictures: [IndexedPicture]
  /// What could not be read.
  public let skipped: [SkippedPicture]
  /// `[N, D]`, each row of length 1.
  public let rows: StoredTensor
  /// `[K, D]`: where the model puts a fixed text and a fixed picture.
  let probe: Tensor
  /// Counts up each time the index is written.
  let generation: Int
  /// The name of the embeddings' file.
  let embeddingsName: String
  /// The graph of neighbours, once it was needed.
  let known = KnownArrangement()

  /// Channels of the space, `D`.
  public var width: Int { rows.shape[1] }

  static let name = "index.json"
  static let format = "fovea picture index"

  /// Whether a folder has the file that an index begins with.
  public static func isIndex(_ folder: URL) -> Bool {
    (try? JSON(file: folder.appending(path: name)))?["format"]?.text == format
  }

  /// Whether a folder holds what an unfinished or damaged index leaves, and nothing else.
  public static func isUnfinished(_ folder: URL) -> Bool { IndexPlace(folder) == .remains }

  /// Reads an index.
  ///
  /// - Throws: `SearchingError` for what is no index or was damaged; `FileFailure`.
  public init(_ folder: URL) throws {
    let file = folder.appending(path: Self.name)
    let path = file.path(percentEncoded: false)
    let json: JSON
    do throws(FileFailure) {
      json = try JSON(file: file)
    } catch {
      guard error.kind != .gitPointer else { throw error }
      if IndexPlace(folder) == .remains {
        throw SearchingError.unfinished(folder: folder.path(percentEncoded: false))
      }
      guard error.kind == .missing || error.kind == .missingFolder else { throw error }
      throw SearchingError.noIndex(
        folder: folder.path(percentEncoded: false), detail: "it has no \(Self.name)")
    }
    guard json["format"]?.text == Self.format else {
      if IndexPlace(folder) == .remains {
        throw SearchingError.unfinished(folder: folder.path(percentEncoded: false))
      }
      throw SearchingError.noIndex(
        folder: folder.path(percentEncoded: false),
        detail: "its \(Self.name) does not say \"format\": \"\(Self.format)\"")
    }
    guard json["version"]?.int == 1 else {
      throw SearchingError.damaged(file: path, detail: "its version is not 1")
    }
    func text(_ key: String) throws -> String {
      guard let text = json[key]?.text, !text.isEmpty else {
        throw SearchingError.damaged(file: path, detail: "it has no text \"\(key)\"")
      }
      return text
    }
    func beside(_ key: String) throws -> URL {
      let name = try text(key)
      guard !name.contains("/") else {
        throw SearchingError.damaged(file: path, detail: "\"\(key)\" is no plain file name")
      }
      let file = folder.appending(path: name)
      guard FileManager.default.fileExists(atPath: file.path(percentEncoded: false)) else {
        throw SearchingError.damaged(
          file: file.path(percentEncoded: false), detail: "is missing, the index is incomplete")
      }
      return file
    }
    self.folder = folder
    generation = json["generation"].map { $0.int ?? 0 } ?? 1
    guard (1..<1 << 48).contains(generation) else {
      throw SearchingError.damaged(file: path, detail: "\"generation\" is no count of its writings")
    }
    model = ModelName(json["model"])
    root = Self.root(written: try text("pictures"), from: folder, beside: json["beside"]?.text)
    let embeddings = try beside("embeddings")
    embeddingsName = embeddings.lastPathComponent
    (rows, probe) = try Self.tensors(of: embeddings)
    let table = try beside("table")
    pictures = try Self.lines(of: table).enumerated().map { number, line in
      guard let picture = IndexedPicture(line) else {
        throw SearchingError.damaged(
          file: table.path(percentEncoded: false), detail: "line \(number + 1) is no picture")
      }
      return picture
    }
    guard pictures.count == rows.shape[0], json["count"]?.int == pictures.count else {
      throw SearchingError.damaged(
        file: path,
        detail:
          "it announces \((json["count"]?.int ?? 0).counted(as: "picture")), the table has \(pictures.count) "
          + "and the embeddings have \(rows.shape[0])")
    }
    skipped = try Self.lines(of: try beside("skipped")).compactMap { line in
      guard let path = line["path"]?.text, let reason = line["reason"]?.text else { return nil }
      return SkippedPicture(path: path, reason: reason)
    }
    let broken = firstRowNotFinite()
    try Stop.check()
    if let row = broken {
      throw SearchingError.damaged(
        file: embeddings.path(percentEncoded: false),
        detail: "the numbers of \(pictures[row].path) are not all finite")
    }
  }

  private func firstRowNotFinite() -> Int? {
    let (count, block) = (pictures.count, 1024)
    let first = Mutex<Int?>(nil)
    Parallelism.forEach((count + block - 1) / block) { number in
      let rows = Array(number * block..<min(count, (number + 1) * block))
      guard let place = self.rows.rows(rows).elements.firstIndex(where: { !$0.isFinite }) else {
        return
      }
      first.withLock { $0 = min($0 ?? count, rows[0] + place / width) }
    }
    return first.withLock { $0 }
  }

  private static func root(written: String, from folder: URL, beside: String?) -> URL {
    let absolute = URL(filePath: written, directoryHint: .isDirectory)
    if let beside, !FileManager.default.fileExists(atPath: written) {
      // Pictures and index were moved together.
      return folder.appending(path: beside, directoryHint: .isDirectory).standardizedFileURL
    }
    return absolute
  }

  private static func tensors(of url: URL) throws -> (StoredTensor, Tensor) {
    let collection = try TensorCollection(url)
    let rows = try collection.tensor("embeddings")
    let probe = try collection.floats("probe")
    guard rows.shape.count == 2, probe.rank == 2, probe.shape[1] == rows.shape[1] else {
      throw SearchingError.damaged(
        file: url.path(percentEncoded: false),
        detail: "embeddings of shape \(rows.shape) and a probe of shape \(probe.shape)")
    }
    return (rows, probe)
  }

  static func lines(of url: URL) throws -> [JSON] {
    let bytes = try WholeFile.read(url, limit: 1 << 33)
    return try bytes.split(separator: UInt8(ascii: "\n")).enumerated().map { number, line in
      do throws(JSON.Failure) {
        return try JSON(parsing: Array(line))
      } catch {
        throw SearchingError.damaged(
          file: url.path(percentEncoded: false), detail: "line \(number + 1): \(error.message)")
      }
    }
  }

  /// The file of a picture.
  public func file(of row: Int) -> URL { root.appending(path: pictures[row].path) }

  /// Whether a model puts things where the one did that made the index.
  ///
  /// Weights of less precision move the probe a little; another model moves it far.
  public func fits(_ probe: Tensor) -> Bool { Self.isSame(probe, self.probe) }

  static func isSame(_ one: Tensor, _ other: Tensor) -> Bool {
    guard one.shape == other.shape else { return false }
    let products = one.unitRows() * other.unitRows()
    return products.sum(axis: 1).elements.allSatisfy { $0 > 0.995 }
  }

  /// - Throws: `SearchingError.otherModel` where `embedder` is not the model that made the index.
  public func check(_ embedder: Embedder) throws(SearchingError) {
    guard fits(embedder.probe) else {
      throw .otherModel(
        index: folder.path(percentEncoded: false), made: model, found: embedder.model)
    }
  }
}
