internal import Files
internal import FoundationEssentials
internal import Glibc

/// Whether a folder of a cache has all files that reading its model takes.
enum SnapshotCheck {
  /// The first thing that is missing; nil where nothing is known to be.
  ///
  /// - Parameters:
  ///   - left: what broken-off downloads left beside it.
  ///   - command: what would bring the rest.
  static func fault(of model: CachedModel, left: [String], command: String) -> HubError? {
    let names = namesInFolder(model.folder.barePath)
    let left = left + names.filter { $0.hasSuffix(".incomplete") || $0 == "._____temp" }
    func unfinished(_ missing: String) -> HubError {
      .unfinished(
        model.id, folder: model.folder.barePath, missing: missing, left: left, command: command)
    }
    let hasSafetensors = names.contains { name in
      name.hasSuffix(".safetensors") && brokenTarget(model.folder.appending(path: name)) == nil
    }
    for name in names where isRead(name, hasSafetensors: hasSafetensors) {
      if let target = brokenTarget(model.folder.appending(path: name)) {
        return unfinished("\(name) is a link to \(target.withVisibleControls), which is not there")
      }
    }
    for index in names where index.hasSuffix(".index.json") {
      // An index that cannot be read is the reader's to tell of.
      guard let json = try? JSON(file: model.folder.appending(path: index)),
        let shards = json["weight_map"]?.object?.values
      else { continue }
      if index.hasPrefix("pytorch_model"), hasSafetensors { continue }
      for shard in Set(shards.compactMap(\.text)).sorted() where !names.contains(shard) {
        return unfinished("\(shard.withVisibleControls), which \(index) names, is not there")
      }
    }
    let settings = ["config.json", "open_clip_config.json", "modules.json"]
    let hasSettings = names.contains(where: settings.contains)
    // In sentence-transformers' layout, and of pipelines, the weights may lie one folder deeper.
    let hasWeights =
      names.contains { ["modules.json", "model_index.json"].contains($0) }
      || names.contains { name in weights.contains { name.hasSuffix($0) } }
    if left.isEmpty {
      return hasSettings && !hasWeights
        ? .noWeights(model.id, folder: model.folder.barePath, command: command) : nil
    }
    guard hasSettings else { return unfinished("config.json is not there") }
    return hasWeights ? nil : unfinished("its weights are not there")
  }

  /// How the names of weights end, of every program's.
  private static let weights = [
    ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".pb", ".index", ".msgpack", ".gguf",
    ".onnx", ".ot", ".xml", ".mlmodel", ".mlpackage", ".npz",
  ]

  /// Whether reading the model may need the file.
  private static func isRead(_ name: String, hasSafetensors: Bool) -> Bool {
    if name.hasSuffix(".bin") || name.hasSuffix(".bin.index.json") { return !hasSafetensors }
    return [".safetensors", ".json", ".txt", ".model", ".tiktoken", ".jinja"].contains {
      name.hasSuffix($0)
    }
  }

  /// Where a file that is a link leads, if nothing is there; nil for every other file.
  private static func brokenTarget(_ file: URL) -> String? {
    var status = stat()
    let isThere = stat(file.barePath, &status) == 0
    if isThere, status.st_mode & S_IFMT != S_IFREG || status.st_size > WholeFile.writtenLinkLimit {
      return nil
    }
    do {
      _ = try WholeFile.read(file, limit: .max)
    } catch {
      if case .brokenLink(let target) = error.kind { return target }
    }
    return nil
  }
}
