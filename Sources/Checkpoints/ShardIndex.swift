public import Files

/// Which shard each tensor of a large checkpoint is in: `model.safetensors.index.json`, or the same of
/// `pytorch_model.bin`.
public struct ShardIndex: Sendable {
  /// The shards' file names, sorted.
  public let shards: [String]
  /// The tensors' names, in the order of the file.
  public let names: [String]
  /// The sum of the tensors' bytes, where the file says it.
  public let totalSize: Int?
  private let path: String
  private let shardOf: [String]
  private let ending: String

  /// The most bytes of an index.
  public static let byteLimit = 1 << 26

  /// Reads an index; `path` is what errors call it, `ending` that of its shards.
  public init(
    _ json: JSON, path: String, ending: String = ".safetensors"
  ) throws(CheckpointError) {
    guard let map = json["weight_map"]?.object, !map.isEmpty else {
      throw .index(path: path, detail: "has no weight_map that names a shard for each tensor")
    }
    var shardOf: [String] = []
    var shards: Set<String> = []
    for (key, value) in map.members {
      guard let shard = value.text else {
        throw .index(
          path: path,
          detail: "weight_map '\(key.withVisibleControls)' is \(value.kindName), expected a name")
      }
      guard Self.isFileName(shard, ending: ending) else {
        throw .shardName(index: path, name: shard)
      }
      shardOf.append(shard)
      shards.insert(shard)
    }
    (self.path, names, self.shardOf, self.ending) = (path, map.keys, shardOf, ending)
    self.shards = shards.sorted()
    switch json["metadata"]?["total_size"] {
    case .none, .null: totalSize = nil
    case .some(let size):
      // Some writers give a number with a fraction of 0, or as a text.
      let number = size.text.flatMap(Double.init) ?? size.double
      guard let count = number.flatMap(Int.init(exactly:)), count >= 0 else {
        throw .index(
          path: path,
          detail: "metadata.total_size is \(size.written().prefix(40)), expected a number of bytes")
      }
      totalSize = count
    }
  }

  /// Whether `name` is one plain path component with the right ending.
  static func isFileName(_ name: String, ending: String = ".safetensors") -> Bool {
    let bytes = Array(name.utf8)
    func isPlain(_ byte: UInt8) -> Bool {
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    guard let first = bytes.first, isPlain(first), bytes.count <= 255 else { return false }
    return name.hasSuffix(ending)
      && bytes.allSatisfy { isPlain($0) || [0x2D, 0x2E, 0x5F].contains($0) }
  }

  /// Compares the shards, opened in the order of `shards`, with what the index says.
  func check(_ files: [any TensorFile]) throws(CheckpointError) {
    var present: [String: Int] = [:]
    for (number, file) in files.enumerated() {
      for entry in file.entries { present[entry.name] = number }
      for tensor in file.unread { present[tensor.name] = number }
    }
    for (key, shard) in zip(names, shardOf) {
      let actual = present[key].map { shards[$0] }
      guard actual == shard else {
        throw .notInShard(index: path, key: key, shard: shard, actual: actual)
      }
    }
    // Pickles keep the numbers that tensors share once, and their writers count them as they like.
    guard ending == ".safetensors" else { return }
    let found = files.reduce(0) { $0 + $1.byteCount }
    if let totalSize, totalSize != found {
      throw .totalSize(index: path, expected: totalSize, found: found)
    }
  }
}
