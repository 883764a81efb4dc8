internal import Characters
internal import Checkpoints
internal import Files
internal import Foundation
internal import Hubs
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// A model that was read, under the name that scripts know it by.
struct LoadedModel: ForeignObject {
  let name: String
  let folder: URL
  /// The folder of its language model, of a model that lies in two.
  let language: URL?
  /// What stands in for settings of its `config.json`, by their path.
  let givenSettings: JSON.Object
  var model: any FamilyModel
  /// How each part's weights are kept.
  let parts: [PartWeights]
  /// The precision of each part that was not left as it is stored.
  var precisions: [String: Precision] = [:]
  /// What is changed in every run of it.
  var changes: [Change] = []
  /// Every weight, by its address.
  let weights: [Address: Weight]

  init(name: String, from checkpoint: CheckpointFolder, load: ModelLoad) {
    (self.name, folder, language) = (name, checkpoint.url, checkpoint.languageURL)
    givenSettings = checkpoint.givenSettings
    (model, parts, weights) = (load.model, load.parts, load.weights)
  }

  /// Where its files are, to read them again.
  func checkpoint() throws -> CheckpointFolder {
    try CheckpointFolder(folder, language: language, givenSettings: givenSettings)
  }

  /// Whether another was read from the same files.
  func hasFiles(of other: LoadedModel) -> Bool {
    folder == other.folder && language == other.language
      && givenSettings == other.givenSettings
  }

  /// Refuses a picture for a model that reads text alone, and none for one that looks at pictures.
  func checkPicture(_ isGiven: Bool) throws {
    guard isGiven ? model.seeing == nil : model.needsPicture else { return }
    throw ArgumentFailure(
      parameter: "image",
      isGiven
        ? "must be None: \(name) is \(model.kind)" : "must be a picture: \(name) looks at one",
      note: isGiven ? "give the text as prompt=\"…\"" : nil)
  }

  /// Another reading of the same folder, taking pictures of the size and in the views that this model takes, and
  /// conversing as it does.
  func alike(_ other: any FamilyModel) throws -> any FamilyModel {
    var other = other
    if let own = model.chatting, var chat = other.chatting, chat.settings != own.settings {
      chat.settings = own.settings
      other = chat
    }
    guard let own = model.seeing, var seer = other.seeing else { return other }
    if seer.viewCount != own.viewCount { seer = try seer.splitting(own.viewCount > 1) }
    let size = own.patches.imageSize
    return seer.patches.imageSize == size ? seer : try seer.resized(to: size)
  }

  /// The same with another model in it.
  func with(_ model: any FamilyModel) -> LoadedModel {
    var changed = self
    changed.model = model
    return changed
  }

  /// Whether it is the one that ships, for which others that ship stand in where it lacks a part.
  var isShipped: Bool { folder == ShippedModel.folder }

  var typeName: String { "Model" }
  /// Its files stay mapped as long as it is held: as a result it goes as soon as three newer ones are there.
  var heldByteCount: Int { 1 << 40 }
  var shown: String {
    "\(name.visibleOnOneLine): \(model.family), \(model.summary); see stages()"
      + changes.map { "\n  \($0.written)" }.joined()
  }
  var attributeNames: [String] {
    [
      "name", "path", "revision", "family", "stages", "blocks", "heads", "dtype", "changes",
      "weights",
    ]
  }

  /// What the cache of a hub says of it; nil for other folders.
  var cached: CachedModel? { CachedModel(at: folder) }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "name": .text(name)
    case "path": .text(folder.path)
    case "revision": cached.map { .text($0.commit ?? $0.revisionText ?? "") } ?? Value.none
    case "family": .text(model.family)
    case "changes": .newList(changes.map { .object($0) })
    case "weights": .texts(elementNames)
    case "stages": .texts(model.stages.map(\.name))
    case "blocks":
      .dictionary(try Mapping.sorted(model.towers.map { ($0.name, Value.integer($0.blockCount)) }))
    case "heads":
      .dictionary(try Mapping.sorted(model.towers.map { ($0.name, Value.integer($0.headCount)) }))
    case "dtype":
      .dictionary(
        try Mapping.sorted(
          parts.map { part in
            (part.name, Value.text(part.encodings.map(\.name).joined(separator: " and ")))
          }))
    default: nil
    }
  }
}

extension LoadedModel {
  /// A weight by its address or published name.
  func element(_ index: Value) throws -> Value? {
    guard let name = index.text else { return nil }
    let weight =
      weights[Address(name)] ?? weights.values.first { $0.name == name }
    guard let weight else {
      throw RuntimeFailure(
        .key, "\(self.name.visibleOnOneLine) has no weight \(index.inMessage)",
        hint: NearestPlace.hint(name, among: elementNames + weights.values.map(\.name)),
        notes: ["model.weights lists them"])
    }
    return .object(WeightValue(weight: weight))
  }

  /// The addresses of all weights, in the order of a run as far as names tell it.
  var elementNames: [String] { weights.keys.sorted().map(\.description) }
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
