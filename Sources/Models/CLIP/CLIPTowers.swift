internal import Checkpoints
internal import Files
internal import Foundation
internal import Images
internal import Layers
internal import Tensors
internal import Tokenizers
internal import Tracing

extension CLIP {
  /// Which part of a CLIP a checkpoint holds.
  private enum Part {
    case both, vision, text
  }

  /// Reads a whole CLIP, or one of its towers: `model_type` or, in a whole one's configuration,
  /// `architectures` tells.
  static func read(_ folder: CheckpointFolder) throws -> any FamilyModel {
    guard let json = try folder.jsonIfPresent("config.json") else { return try Model(folder) }
    let top = ConfigurationReader(
      file: folder.url.appending(path: "config.json").path, path: "", json: json)
    let type = json["model_type"]?.text
    // A tower's own configuration is the whole file, or a section in that of a whole CLIP.
    func section(_ name: String) throws -> ConfigurationReader {
      type == "clip" ? try top.preferred(name) : top
    }
    switch part(type, json["architectures"]?.array?.first?.text) {
    case .both: return try Model(folder)
    case .vision: return try VisionTower(folder, section("vision_config"))
    case .text: return try TextTower(folder, section("text_config"))
    }
  }

  private static func part(_ type: String?, _ architecture: String?) -> Part {
    switch (type, architecture) {
    case ("clip_vision_model", _), (_, "CLIPVisionModel"), (_, "CLIPVisionModelWithProjection"):
      .vision
    case ("clip_text_model", _), (_, "CLIPTextModel"), (_, "CLIPTextModelWithProjection"): .text
    default: .both
    }
  }

  /// A tower's names of a weight: those of a whole CLIP, or without the tower's own name before them.
  static func towerKeys(_ address: Address) -> [String] {
    guard let key = names.key(address) else { return [address.description] }
    let bare = ["vision_model.", "text_model."].compactMap { prefix in
      key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
    }
    return [key] + bare
  }
}
