public import Checkpoints
internal import Files
public import Foundation

/// The families that can be read, one line each.
public enum Family {
  /// What `model_type` in `config.json` says, and the family's own name.
  public static let all = [("blip-2", "BLIP-2")]

  /// Reads the model in `folder`, or the part of `shared` tensors that its configuration describes.
  ///
  /// - Throws: `ModelError.unknownFamily` for another `model_type`; what the family's reader throws.
  public static func read(
    _ folder: CheckpointFolder, shared: TensorCollection? = nil
  ) throws -> BLIP2.Model {
    let configuration = try folder.configuration()
    let found = configuration["model_type"]?.text ?? "absent"
    guard all.contains(where: { $0.0 == found }) else {
      throw ModelError.unknownFamily(
        file: folder.url.appending(path: "config.json").path, found: found, known: all.map(\.0))
    }
    return try BLIP2.Model(folder, shared: shared)
  }
}

/// The model that ships with Fovea: a small BLIP-2, trained on generated scenes.
public enum ShippedModel {
  /// The generation checkpoint, in the published layout. Its file holds the retrieval checkpoint's
  /// tensors too: vision tower and queries are the same.
  public static var folder: URL { Bundle.module.bundleURL.appending(path: "Default") }
  /// Configuration and tokenizer of the retrieval checkpoint.
  public static var retrievalFolder: URL { folder.appending(path: "retrieval") }

  /// Reads both checkpoints; the file is mapped once.
  public static func read() throws -> (generation: BLIP2.Model, retrieval: BLIP2.Model) {
    let folder = try CheckpointFolder(folder)
    let tensors = try folder.tensors()
    return (
      try Family.read(folder, shared: tensors),
      try Family.read(CheckpointFolder(retrievalFolder), shared: tensors)
    )
  }
}
