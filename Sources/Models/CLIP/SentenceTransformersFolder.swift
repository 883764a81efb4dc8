internal import Checkpoints
internal import Files
internal import Foundation

/// The layout of sentence-transformers: `modules.json` names the folders of a pipeline's parts.
enum SentenceTransformersFolder {
  private static let name = "modules.json"

  /// The folder of the CLIP that a pipeline begins with; nil where there is no `modules.json`.
  ///
  /// `Normalize` may follow it, which changes the length of embeddings only, and no cosine sees that.
  static func model(in folder: CheckpointFolder) throws -> CheckpointFolder? {
    guard let modules = try folder.jsonIfPresent(name) else { return nil }
    let file = folder.url.appending(path: name).path
    let kinds = kinds(modules)
    // `Transformer` is its general module, which holds a CLIP since version 5.4; which model it is
    // says the configuration beside it.
    guard let first = kinds?.first, first == "CLIPModel" || first == "Transformer" else {
      throw ModelError.badConfiguration(
        file: file, key: "type", found: "'\(kinds?.first ?? "absent")'",
        expected: "sentence_transformers.models.CLIPModel, or its Transformer, in the first module")
    }
    if let other = kinds?.dropFirst().first(where: { $0 != "Normalize" }) {
      throw ModelError.badConfiguration(
        file: file, key: "type", found: "'\(other)' after the first module",
        expected: "Normalize or nothing: it would change the embeddings")
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

  /// What to know of a pipeline: that its library divides embeddings by their lengths, where it does.
  static func notes(in folder: CheckpointFolder) throws -> [String] {
    guard let modules = try folder.jsonIfPresent(name),
      kinds(modules)?.dropFirst().contains("Normalize") == true
    else { return [] }
    return [
      "\(name) ends in Normalize: sentence-transformers gives embeddings of length 1; here "
        + "embed_image and embed_text give them before that, and .unit of theirs after it"
    ]
  }

  /// The last names of the modules' classes.
  private static func kinds(_ modules: JSON) -> [String]? {
    modules.array?.map { module in
      module["type"]?.text?.split(separator: ".").last.map(String.init) ?? "absent"
    }
  }
}
