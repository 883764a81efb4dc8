internal import Budget
internal import Checkpoints
internal import Files
internal import Foundation
internal import Hubs
internal import Models
internal import Runtime
internal import Tensors

extension Command {
  static let models = Command(
    "models", group: "Model",
    "Lists the model in use, those that ship or were downloaded, and the families that can be read.",
    returns: "a Table of name, family, size, precision, state and folder",
    details: """
      A name is what `load` takes. Downloaded models are those in the caches of the Hugging Face Hub \
      and of ModelScope, of other families too; of each only the configuration and the headers of its \
      weights are read. What cannot be loaded is listed with the reason.
      """,
    examples: [Example("models()", "What is there, and what can be read?")],
    seeAlso: ["load", "describe"]
  ) { session in
    let current = try session.model()
    var rows = [ModelRow(current).cells]
    for (name, folder) in ShippedModel.all where folder != current.folder {
      rows.append(ModelRow(name, in: folder, state: "ships with Fovea").cells)
    }
    let (models, broken) = ModelCaches().listing()
    for model in models where model.folder.standardizedFileURL != current.folder.standardizedFileURL
    {
      try session.checkCancellation()
      rows.append(ModelRow(model).cells)
    }
    for (id, fault) in broken {
      rows.append(ModelRow(name: id.description, state: "cannot be read: \(fault)").cells)
    }
    for family in Family.all {
      for mark in ["model_type '\(family.type)' in config.json"] + family.otherMarks {
        rows.append(ModelRow(name: "any folder", family: family.name, state: mark).cells)
      }
    }
    var table = Table(ModelRow.columns, rows)
    table.toldBelow = "state"
    table.importance = ["name", "family", "state", "size", "precision"]
    return .object(table)
  }
}

/// What a list says of one model.
private struct ModelRow {
  static let columns = ["name", "family", "size", "precision", "state", "folder"]

  let name: String
  var family = ""
  var size = ""
  var precision = ""
  var state: String
  var folder = ""

  var cells: [Value] { [name, family, size, precision, state, folder].map { .text($0) } }

  init(name: String, family: String = "", state: String) {
    (self.name, self.family, self.state) = (name, family, state)
  }

  /// The model in use, as it is kept.
  init(_ model: LoadedModel) {
    (name, family, state) = (model.name, model.model.family, "in use")
    size = model.parts.reduce(0) { $0 + $1.mappedByteCount + $1.ownByteCount }.asByteCount
    var names: [String] = []
    for encoding in model.parts.flatMap(\.encodings) where !names.contains(encoding.name) {
      names.append(encoding.name)
    }
    precision = names.joined(separator: " and ")
    folder = model.folder.path(percentEncoded: false)
  }

  /// A model of a cache.
  init(_ model: CachedModel) {
    let state = "downloaded" + (model.revisionText.map { ": \($0)" } ?? "")
    self.init(model.name, in: model.folder, state: state)
    if let fault = model.fault { self.state = "cannot be read: \(fault)" }
  }

  /// The model in a folder, of which no more than configuration and headers are read.
  init(_ name: String, in url: URL, state: String) {
    self.init(name: name, state: state)
    folder = url.path(percentEncoded: false)
    do {
      var inner = try CheckpointFolder(url)
      do {
        let found = try Family.find(inner)
        (family, inner) = (found.family.name, found.folder)
      } catch let error as ModelError {
        family = (try? inner.configuration()["model_type"]?.text) ?? ""
        self.state = "cannot be read: \(error)"
      }
      let tensors = try inner.tensors(orNamed: CheckpointFolder.openCLIPWeights)
      size = tensors.entries.reduce(0) { $0 + Self.byteCount($1) }.asByteCount
      precision = Self.precision(of: tensors)
    } catch {
      if self.state == state { self.state = "cannot be read: \(error)" }
    }
  }

  private static func byteCount(_ entry: TensorEntry) -> Int {
    entry.shape.reduce(entry.type.size, *)
  }

  /// The formats of the numbers, that of the most bytes first; tables of a few indices do not count.
  private static func precision(of tensors: TensorCollection) -> String {
    var bytes: [StoredType: Int] = [:]
    for entry in tensors.entries { bytes[entry.type, default: 0] += byteCount(entry) }
    let all = bytes.values.reduce(0, +)
    let types = StoredType.allCases.filter { (bytes[$0] ?? 0) * 100 > all }
      .sorted { bytes[$0] ?? 0 > bytes[$1] ?? 0 }
    return types.map { "\($0)" }.joined(separator: " and ")
  }
}
