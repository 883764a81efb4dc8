internal import Files
public import FoundationEssentials
internal import Tensors

/// A tensor that is going to be written.
public struct PlannedTensor: Sendable, Equatable {
  /// Its name in the file.
  public let name: String
  /// Its number format.
  public let type: StoredType
  /// The length of each axis, outermost first.
  public let shape: [Int]

  /// A tensor of a name, a format and a shape.
  public init(name: String, type: StoredType, shape: [Int]) {
    (self.name, self.type, self.shape) = (name, type, shape)
  }

  /// How many elements it has.
  public var count: Int { shape.reduce(1, *) }
  /// How many bytes they take.
  public var byteCount: Int { shape.reduce(type.size, *) }
}

/// Writes a checkpoint's weights as the published layout has them: one `model.safetensors`, or
/// shards with an index; no tensor is ever held as a whole.
///
/// All headers and the room for all bytes are there at once; the tensors' bytes may then come in
/// any order and from several threads.
public final class ShardedWriter: Sendable {
  private struct Place: Sendable {
    let shard: Int
    let offset: Int
  }

  /// The tensors, in the order they were given.
  public let tensors: [PlannedTensor]
  private let places: [Place]
  private let files: [SizedFile]
  private let names: [String]
  private let folder: URL
  private let path: String

  /// Makes the files.
  ///
  /// - Parameters:
  ///   - folder: where they go, such as an unfinished `FolderReplacement`.
  ///   - path: what errors call the folder.
  ///   - shardSize: the most bytes of tensors a file holds; a larger tensor has a file to itself.
  ///   - aliases: names that are left out, and the tensor that each is the same as; noted in the
  ///     file of that tensor, as safetensors' `save_model` does.
  /// - Throws: `.file`, when the disk has no room or the place cannot be written; `.malformed`,
  ///   when a name occurs twice or is `__metadata__`.
  public init(
    _ tensors: [PlannedTensor], in folder: URL, called path: String, shardSize: Int,
    aliases: [(name: String, kept: String)] = []
  ) throws(CheckpointError) {
    try SafetensorsLayout.checkNames(of: tensors, path: path)
    let shards = Self.shards(tensors, atMost: shardSize)
    names = shards.indices.map { Self.fileName($0, of: shards.count) }
    var places = [Place](repeating: Place(shard: 0, offset: 0), count: tensors.count)
    var files: [SizedFile] = []
    for (number, shard) in shards.enumerated() {
      // Whole cache lines before them: most tensors then start at a multiple of 64 bytes.
      var metadata = ["format": "pt"]
      let held = Set(shard.map { tensors[$0].name })
      for alias in aliases where held.contains(alias.kept) { metadata[alias.name] = alias.kept }
      let layout = SafetensorsLayout(
        shard.map { tensors[$0] }, metadata: metadata, alignment: 64)
      for (index, offset) in zip(shard, layout.offsets) {
        places[index] = Place(shard: number, offset: layout.header.count + offset)
      }
      do {
        let file = try SizedFile(
          folder.appending(path: names[number]).path(percentEncoded: false),
          count: layout.header.count + layout.byteCount, name: "\(path)/\(names[number])")
        try file.write(layout.header, at: 0)
        files.append(file)
      } catch { throw .file(error) }
    }
    (self.tensors, self.places, self.files) = (tensors, places, files)
    (self.folder, self.path) = (folder, path)
  }

  /// Which tensors go into which file, in their order.
  static func shards(_ tensors: [PlannedTensor], atMost size: Int) -> [[Int]] {
    var shards: [[Int]] = [[]]
    var filled = 0
    for (index, tensor) in tensors.enumerated() {
      if filled + tensor.byteCount > size, filled > 0 {
        shards.append([])
        filled = 0
      }
      shards[shards.count - 1].append(index)
      filled += tensor.byteCount
    }
    return shards
  }

  private static func fileName(_ number: Int, of count: Int) -> String {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    return count == 1
      ? "model.safetensors" : "model-\(padded(number + 1))-of-\(padded(count)).safetensors"
  }

  /// Writes bytes of tensor number `tensor`, from its byte `offset` on.
  ///
  /// - Precondition: they lie inside the tensor.
  public func write(
    _ bytes: [UInt8], to tensor: Int, at offset: Int = 0
  ) throws(CheckpointError) {
    precondition(
      offset >= 0 && offset + bytes.count <= tensors[tensor].byteCount,
      "\(bytes.count) bytes from \(offset) on do not fit '\(tensors[tensor].name)'")
    do {
      try files[places[tensor].shard].write(bytes, at: places[tensor].offset + offset)
    } catch { throw .file(error) }
  }

  /// Brings everything to the disk, and writes the index where there are several files.
  ///
  /// Whoever calls this has written every byte of every tensor.
  public func finish() throws(CheckpointError) {
    do {
      for file in files { try file.finish() }
    } catch { throw .file(error) }
    guard files.count > 1 else { return }
    let total = tensors.reduce(0) { $0 + $1.byteCount }
    let map = zip(tensors, places).sorted { $0.0.name < $1.0.name }
      .map { ($0.0.name, JSON.string(names[$0.1.shard])) }
    let index: JSON = [
      "metadata": ["total_size": .integer(total)], "weight_map": .object(JSON.Object(map)),
    ]
    let name = "model.safetensors.index.json"
    do {
      try WholeFile.write(index.written(indented: true) + "\n", to: folder.appending(path: name))
    } catch {
      throw .file(FileFailure("\(path)/\(name)", error.kind, while: .write))
    }
  }
}

extension Safetensors.Content {
  /// The bytes that a file has of it.
  package var rawBytes: [UInt8] {
    switch self {
    case .tensor(let tensor): return tensor.elements.withUnsafeBytes { Array($0) }
    case .stored(let tensor): return tensor.bytes(from: 0, count: tensor.count, as: tensor.type)
    case .integers(let elements, _): return elements.withUnsafeBytes { Array($0) }
    case .bytes(let bytes, _, _):
      return bytes.withPointer { Array(UnsafeRawBufferPointer(start: $0, count: bytes.count)) }
    }
  }
}
