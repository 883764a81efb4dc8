public import Files
public import FoundationEssentials
internal import Glibc
internal import Tensors

/// A folder that holds a model in the published layout: configuration, tokenizer and weights.
public struct CheckpointFolder: Sendable {
  /// Where the folder is.
  public let url: URL
  /// What happens to weights that are read from here.
  public var weights = WeightHandling()
  /// The tensors, where they were mapped for several readings.
  private var mapped: TensorCollection?
  private static let index = "model.safetensors.index.json"
  private static let single = "model.safetensors"

  /// Opens a folder, of which nothing is read yet.
  public init(_ url: URL) throws(CheckpointError) {
    self.url = url
    let path = url.path(percentEncoded: false)
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      if code == ENOENT { throw .noFolder(path: path, isFile: false) }
      throw .file(FileFailure(path, errno: code, while: .read))
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .noFolder(path: path, isFile: true) }
  }

  /// The same folder with its tensors mapped once for all that read from it.
  ///
  /// - Throws: what is wrong with its files.
  public func opened() throws(CheckpointError) -> CheckpointFolder {
    var folder = self
    folder.mapped = try tensors()
    return folder
  }

  /// The path as it was given.
  public var path: String { url.path(percentEncoded: false) }

  /// The names of what is in the folder, sorted, hidden ones left out.
  public func listing() -> [String] {
    namesInFolder(path).filter { !$0.hasPrefix(".") }
  }

  /// Whether the folder has something of that name, if only a link that leads nowhere.
  public func has(_ name: String) -> Bool {
    var status = stat()
    return lstat(url.appending(path: name).path(percentEncoded: false), &status) == 0
  }

  /// The JSON file called `name`; `.noFile` with a listing where there is none.
  public func json(_ name: String) throws(CheckpointError) -> JSON {
    guard has(name) else {
      throw .noFile(folder: path, name: name, present: listing())
    }
    do { return try JSON(file: url.appending(path: name)) } catch { throw .file(error) }
  }

  /// The JSON file called `name`; nil where there is none.
  public func jsonIfPresent(_ name: String) throws(CheckpointError) -> JSON? {
    has(name) ? try json(name) : nil
  }

  /// `config.json`, which every model has.
  public func configuration() throws(CheckpointError) -> JSON { try json("config.json") }

  /// The weights: `model.safetensors`, or the shards that its index names.
  public func tensors() throws(CheckpointError) -> TensorCollection {
    if var mapped, !weights.declaresOnly {
      mapped.handling = weights
      return mapped
    }
    var tensors =
      weights.declaresOnly
      ? TensorCollection([(name: String, tensor: StoredTensor)](), source: path)
      : try has(Self.single)
        ? TensorCollection(url.appending(path: Self.single)) : shards()
    tensors.handling = weights
    return tensors
  }

  private func shards() throws(CheckpointError) -> TensorCollection {
    guard has(Self.index) else {
      let present = listing()
      let pickles = present.filter { name in
        [".bin", ".pt", ".pth", ".ckpt"].contains { name.hasSuffix($0) }
      }
      if !pickles.isEmpty { throw .pickleOnly(folder: path, files: pickles) }
      throw .noFile(folder: path, name: Self.single, present: present)
    }
    let index = try ShardIndex(
      json(Self.index), path: url.appending(path: Self.index).path(percentEncoded: false))
    var files: [SafetensorsFile] = []
    for shard in index.shards {
      guard has(shard) else { throw .noFile(folder: path, name: shard, present: listing()) }
      files.append(try SafetensorsFile(url.appending(path: shard)))
    }
    let tensors = try TensorCollection(files, source: path)
    try index.check(files)
    return tensors
  }
}
