internal import Checkpoints
internal import Files
internal import Foundation

/// The layout of sentence-transformers: `modules.json` names the folders of a pipeline's parts.
enum SentenceTransformersFolder {
  private static let name = "modules.json"

  /// The folder of the CLIP that a pipeline begins with; nil where there is no `modules.json`.
  ///
  /// What may follow a CLIP there changes the length of embeddings only, which no cosine sees.
  static func model(in folder: CheckpointFolder) throws -> CheckpointFolder? {
    guard let modules = try folder.jsonIfPresent(name) else { return nil }
    let file = folder.url.appending(path: name).path
    let kind = modules[0]?["type"]?.text ?? "absent"
    guard kind.split(separator: ".").last == "CLIPModel" else {
      throw ModelError.badConfiguration(
        file: file, key: "type", found: "'\(kind)'",
        expected: "sentence_transformers.models.CLIPModel in the first module")
    }
    let path = modules[0]?["path"]?.text ?? ""
    guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
      throw ModelError.badConfiguration(
        file: file, key: "path", found: "'\(path)'", expected: "a folder beside it")
    }
    // The parts may lie in the folder itself, whose modules.json is this one.
    guard !path.isEmpty, path != "." else { return nil }
    return try CheckpointFolder(folder.url.appending(path: path))
  }
}
