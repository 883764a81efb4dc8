internal import Files
internal import FoundationEssentials

/// The names that a published folder has its weights under, in the order they are looked for: each
/// in one file, or in shards that an index names.
struct WeightFiles: Sendable {
  /// The one file.
  let single: String
  /// The index of shards; nil where the layout has none.
  let index: String?
  /// Whether they are pickles.
  var isTorch: Bool { single.hasSuffix(".bin") }

  /// safetensors go before pickles, as in transformers.
  static let published = [
    WeightFiles(single: "model.safetensors", index: "model.safetensors.index.json"),
    WeightFiles(single: "pytorch_model.bin", index: "pytorch_model.bin.index.json"),
  ]

  /// Whether `folder` has them.
  func lie(in folder: CheckpointFolder) -> Bool {
    folder.has(single) || index.map(folder.has) ?? false
  }

  /// The name of what is read.
  func name(in folder: CheckpointFolder) -> String {
    folder.has(single) ? single : index ?? single
  }

  /// Opens them.
  func open(in folder: CheckpointFolder) throws(CheckpointError) -> TensorCollection {
    guard folder.has(single) || index == nil else { return try openShards(in: folder) }
    return try TensorCollection([file(single, in: folder)], source: path(single, in: folder))
  }

  /// Opens the shards that the index names.
  func openShards(in folder: CheckpointFolder) throws(CheckpointError) -> TensorCollection {
    let name = index ?? single
    let index = try ShardIndex(
      folder.json(name, limit: ShardIndex.byteLimit), path: path(name, in: folder),
      ending: isTorch ? ".bin" : ".safetensors")
    var files: [any TensorFile] = []
    for shard in index.shards {
      guard folder.has(shard) else {
        throw .noFile(folder: folder.path, name: shard, present: folder.listing())
      }
      files.append(try file(shard, in: folder))
    }
    let tensors = try TensorCollection(files, source: folder.path)
    try index.check(files)
    return tensors
  }

  private func file(
    _ name: String, in folder: CheckpointFolder
  ) throws(CheckpointError) -> any TensorFile {
    let url = folder.url.appending(path: name)
    return try isTorch ? TensorFiles.openTorch(url) : SafetensorsFile(url)
  }

  private func path(_ name: String, in folder: CheckpointFolder) -> String {
    folder.url.appending(path: name).path(percentEncoded: false)
  }
}
