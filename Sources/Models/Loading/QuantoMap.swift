internal import Checkpoints
internal import Files
internal import Foundation
internal import Tensors

/// quanto's list of the layers that it made integers of, as it lies beside the weights.
struct QuantoMap {
  /// The file's name.
  private let name: String
  /// The layers whose weights are 8-bit integers.
  private let layers: Set<String>

  /// The map in `folder`, by its present or its older name; nil where there is none.
  ///
  /// - Throws: `ModelError` for integers that are not read, and for activations that would be integers.
  init?(_ folder: CheckpointFolder) throws {
    guard let name = QuantizationRecord.quantoMapNames.first(where: folder.has) else { return nil }
    self.name = name
    let top = ConfigurationReader(
      file: folder.url.appending(path: name).path, path: "", json: try folder.json(name))
    guard let members = top.json?.object?.members else {
      throw ModelError.noSettings(file: top.file, found: top.json?.written() ?? "nothing")
    }
    var layers: Set<String> = []
    for (layer, _) in members {
      let entry = try top.section(layer)
      let weights = entry.json?["weights"]?.text
      try entry.require(
        weights == "qint8" || weights == "none", "weights",
        "'qint8' or 'none': other integers of quanto are not read")
      let activations = entry.json?["activations"] ?? "none"
      try entry.require(
        activations.text == "none", "activations", "'none': activations are not made integers here")
      if weights == "qint8" { layers.insert(layer) }
    }
    self.layers = layers
  }

  /// What to say where layers of the map are no integers in the file: quanto would make them such by itself.
  func notes(on records: [WeightRecord]) -> [String] {
    let plain = records.filter { record in
      let isPlain = if case .plain = record.stored.encoding { true } else { false }
      return isPlain && record.isProduct
        && layers.contains(PackedWeight.layer(of: record.name))
    }
    guard let first = plain.first else { return [] }
    let others = plain.count == 1 ? "" : " and \(plain.count - 1) more"
    return [
      "\(name) lists layers whose weights are no integers: \(first.name)\(others); they are used as they "
        + "are stored"
    ]
  }
}
