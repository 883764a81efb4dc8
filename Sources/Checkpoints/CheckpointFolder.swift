public import Files
public import FoundationEssentials
internal import Glibc
internal import Tensors

/// A folder that holds a model in the published layout: configuration, tokenizer and weights.
public struct CheckpointFolder: Sendable {
  /// Where the folder is.
  public let url: URL
  /// Where the language model lies that belongs to it, of a model published in two folders.
  public private(set) var languageURL: URL?
  /// Values that stand in for those of `config.json`, by their path in it: `vision_config.layer_norm_eps`.
  public var givenSettings = JSON.Object()
  /// What happens to weights that are read from here.
  public var weights = WeightHandling()
  /// The tensors, where they were mapped for several readings.
  private var mapped: TensorCollection?
  /// The most bytes of a configuration, of which published ones have some thousand.
  public static let configurationLimit = 4 << 20

  /// Opens a folder, of which nothing is read yet.
  public init(_ url: URL) throws(CheckpointError) {
    self.url = url
    var path = url.path(percentEncoded: false)
    // With a slash behind it a file would be nothing at all.
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      if code == ENOENT { throw .noFolder(path: path, isFile: false) }
      throw .file(FileFailure(path, errno: code, while: .read))
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .noFolder(path: path, isFile: true) }
    guard access(path, R_OK | X_OK) == 0 else {
      throw .file(FileFailure(path, errno: errno, while: .read))
    }
  }

  /// Opens a model that is published in two folders: one with what it sees by, one with a language
  /// model, whose configuration and tokenizer are its own.
  ///
  /// Without a second it is the first alone.
  ///
  /// - Parameter givenSettings: values that stand in for those of `config.json`, by their path in it.
  /// - Throws: where either is not there.
  public init(
    _ url: URL, language: URL?, givenSettings: JSON.Object = JSON.Object()
  ) throws(CheckpointError) {
    try self.init(url)
    self.givenSettings = givenSettings
    if let language { languageURL = try CheckpointFolder(language).url }
  }

  /// The folder of the language model, of a model published in two folders; nil for others.
  ///
  /// - Throws: where it is no longer there.
  public func language() throws(CheckpointError) -> CheckpointFolder? {
    guard let languageURL else { return nil }
    var folder = try CheckpointFolder(languageURL)
    folder.weights = weights
    return folder
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
  ///
  /// - Parameter limit: the most bytes.
  public func json(
    _ name: String, limit: Int = configurationLimit
  ) throws(CheckpointError) -> JSON {
    guard has(name) else { throw missing(name) }
    do { return try JSON(file: url.appending(path: name), limit: limit) } catch {
      throw .file(error)
    }
  }

  /// Something that every model has is missing: perhaps this is a model in another layout.
  private func missing(_ name: String) -> CheckpointError {
    let present = listing()
    if let words = ForeignLayout.words(present) { return .foreign(folder: path, words: words) }
    return .noFile(folder: path, name: name, present: present)
  }

  /// The JSON file called `name`; nil where there is none.
  public func jsonIfPresent(_ name: String) throws(CheckpointError) -> JSON? {
    has(name) ? try json(name) : nil
  }

  /// `config.json`, which every model has, with the settings that are given in place of its own.
  public func configuration() throws(CheckpointError) -> JSON {
    givenSettings.members.reduce(try json("config.json")) { json, setting in
      json.setting(setting.value, at: setting.key.split(separator: ".").map(String.init))
    }
  }

  /// The weights: `model.safetensors`, or the shards that its index names; else the same of
  /// `pytorch_model.bin`.
  ///
  /// Those of the language model's folder come with them.
  ///
  /// - Parameter others: names that a layout of its own has for the one file, looked for last.
  public func tensors(orNamed others: [String] = []) throws(CheckpointError) -> TensorCollection {
    if var mapped, !weights.declaresOnly {
      mapped.handling = weights
      return mapped
    }
    var tensors =
      try weights.declaresOnly
      ? TensorCollection([(name: String, tensor: StoredTensor)](), source: path)
      : opened(others)
    if !weights.declaresOnly, let language = try language() {
      tensors = try tensors.joined(with: language.tensors())
    }
    tensors.handling = weights
    return tensors
  }

  /// The tensors of the shards that the index called `index` names.
  public func tensors(index: String) throws(CheckpointError) -> TensorCollection {
    let single = String(index.dropLast(".index.json".count))
    return try WeightFiles(single: single, index: index).openShards(in: self)
  }

  private func opened(_ others: [String]) throws(CheckpointError) -> TensorCollection {
    let known = WeightFiles.published + others.map { WeightFiles(single: $0, index: nil) }
    let present = known.filter { $0.lie(in: self) }
    guard let chosen = present.first else { throw missing(known[0].single) }
    var tensors = try chosen.open(in: self)
    if !chosen.isTorch, let beside = present.first(where: \.isTorch) {
      tensors.notes.append(
        "\(path.withVisibleControls): has \(chosen.name(in: self)) and \(beside.name(in: self)); "
          + "the first is read")
    }
    return tensors
  }
}
