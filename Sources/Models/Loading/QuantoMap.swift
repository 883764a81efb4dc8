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

  /// What to say where layers of the map are no integers in the file, which quanto would make them by itself, and
  /// where integers are not in the map, which quanto would not find.
  func notes(on records: [WeightRecord]) -> [String] {
    let plain = records.filter { record in
      let isPlain = if case .plain = record.stored.encoding { true } else { false }
      return isPlain && record.isProduct
        && layers.contains(PackedWeight.layer(of: record.name))
    }
    let unlisted = records.filter { record in
      // Four bits are GPTQ's, which has a list of its own.
      return record.stored.encoding == .int8 && record.isProduct
        && !layers.contains(PackedWeight.layer(of: record.name))
    }
    return [
      Self.note("\(name) lists layers whose weights are no integers", plain),
      Self.note("\(name) does not list layers whose weights are integers", unlisted),
    ].compactMap { $0 }
  }

  private static func note(_ words: String, _ records: [WeightRecord]) -> String? {
    guard let first = records.first else { return nil }
    let others = records.count == 1 ? "" : " and \(records.count - 1) more"
    return "\(words): \(first.name)\(others); they are used as they are stored"
  }
}
