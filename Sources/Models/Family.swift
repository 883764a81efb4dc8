public import Checkpoints
internal import Files
public import Foundation

/// The families that can be read, one line each.
public enum Family {
  /// What `model_type` in `config.json` says, and the family's own name.
  public static let all = [("blip-2", "BLIP-2")]

  /// Reads the model in `folder`.
  ///
  /// - Throws: `ModelError.unknownFamily` for another `model_type`; what the family's reader throws.
  public static func read(_ folder: CheckpointFolder) throws -> BLIP2.Model {
    let configuration = try folder.configuration()
    let found = configuration["model_type"]?.text ?? "absent"
    guard all.contains(where: { $0.0 == found }) else {
      throw ModelError.unknownFamily(
        file: folder.url.appending(path: "config.json").path, found: found, known: all.map(\.0))
    }
    return try BLIP2.Model(folder)
  }
}

/// The model that ships with Fovea: a small BLIP-2, trained on generated scenes.
public enum ShippedModel {
  /// The generation checkpoint, in the published layout.
  public static var folder: URL { Bundle.module.bundleURL.appending(path: "Default") }
  /// The retrieval checkpoint; it shares the file of vision tower and queries.
  public static var retrievalFolder: URL { folder.appending(path: "matching") }
}
