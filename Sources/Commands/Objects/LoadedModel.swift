internal import Checkpoints
internal import Foundation
internal import Models
internal import Runtime

/// A model that was read, under the name that scripts know it by.
struct LoadedModel: ForeignObject {
  let name: String
  let folder: URL
  let model: BLIP2.Model
  /// The heads that compare pictures with texts, where they lie in a checkpoint of their own.
  let companion: BLIP2.Model?

  /// The model that answers `match`.
  var matching: BLIP2.Model { model.matcher == nil ? companion ?? model : model }

  var typeName: String { "Model" }

  var shown: String {
    let vision = model.configuration.vision
    let language = model.configuration.language.map {
      "language model \($0.blockCount) × \($0.width)"
    }
    let parts = [
      "vision \(vision.blockCount) × \(vision.width)",
      "Q-Former \(model.configuration.qformer.blockCount) × \(model.configuration.qformer.width)",
      language ?? "retrieval heads",
    ]
    return "\(name): BLIP-2, \(vision.imageSize) px in \(vision.gridSize) × \(vision.gridSize) "
      + "patches, \(parts.joined(separator: ", ")); see stages()"
  }

  var attributeNames: [String] { ["name", "path", "stages", "blocks", "heads"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "name": .text(name)
    case "path": .text(folder.path)
    case "stages": .texts(model.stages.map(\.name))
    case "blocks":
      .dictionary(
        try Mapping.sorted(model.blockCounts.map { ($0.key, Value.integer($0.value)) }))
    case "heads":
      .dictionary(
        try Mapping.sorted(
          Towers.all(model).map { ($0.name, Value.integer($0.headCount)) }))
    default: nil
    }
  }
}

extension Mapping {
  /// A dictionary of texts in alphabetical order.
  static func sorted(_ entries: [(String, Value)]) throws -> Mapping {
    let mapping = Mapping()
    for (key, value) in entries.sorted(by: { $0.0 < $1.0 }) {
      try mapping.set(.text(key), to: value)
    }
    return mapping
  }
}

/// The parts of a model that have blocks with attention.
struct Towers {
  let name: String
  let blockCount: Int
  let headCount: Int

  static func all(_ model: BLIP2.Model) -> [Towers] {
    let configuration = model.configuration
    return [
      Towers(
        name: "vision", blockCount: configuration.vision.blockCount,
        headCount: configuration.vision.headCount),
      Towers(
        name: "qformer", blockCount: configuration.qformer.blockCount,
        headCount: configuration.qformer.headCount),
    ]
      + (configuration.language.map {
        [Towers(name: "language", blockCount: $0.blockCount, headCount: $0.headCount)]
      } ?? [])
  }
}
