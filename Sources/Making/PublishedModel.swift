internal import Checkpoints
internal import Files
internal import Models
public import Tensors

/// A published model's sizes and settings: enough to make a checkpoint like it with random weights.
///
/// Nothing here lists tensors: the family itself says which it reads.
public struct PublishedModel: Sendable {
  /// What to type, such as `blip2-opt-2.7b`.
  public let name: String
  /// The number format of the weights, unless somebody asks for another.
  public var type = ElementType.float32
  /// Which weights of products are small integers in the published files; nil for none.
  var packing: Packing?
  /// `config.json`, without the number format of the weights.
  let configuration: JSON.Object
  /// The other small files.
  let otherFiles: [(name: String, json: JSON)]
  /// The vocabulary to make up; nil for a model that reads no text.
  let vocabulary: MadeUpVocabulary?

  /// Small integers with scales.
  struct Packing: Sendable {
    /// Where they are, a pattern of addresses.
    let places: String
    /// How they are made: in groups as GPTQ packs them, or in rows as quanto keeps them.
    let quantization: Quantization
    /// Whether every packed layer gets a bias, of zeros where the model has none, as GPTQ's tools do.
    var addsBiases = false
  }

  /// The models that can be made.
  public static let all = [
    blip2OPT, ziya, clipBase, vitBase, mistral, tinyLLaMA, smolLM, qwenVLChat, qwenVLChatInt4,
    idefics2, idefics2Int4, blip2Tiny, ziyaTiny,
  ]

  /// All small files of a checkpoint.
  ///
  /// - Parameter packing: what they say of weights that are integers though the published ones are not.
  func files(
    type: ElementType, hasVocabulary: Bool, packing: (settings: JSON?, map: JSON?) = (nil, nil)
  ) -> [(name: String, text: String)] {
    let members = zip(configuration.keys, configuration.values).map { ($0, $1) }
    let settings = JSON.object(
      JSON.Object(
        members + [("torch_dtype", .string(type.rawValue))]
          + (packing.settings.map { [("quantization_config", $0)] } ?? [])))
    let records =
      [
        (QuantizationRecord.gptqSettingsName, packing.settings),
        (QuantizationRecord.quantoMapName, packing.map),
      ].compactMap { name, json in json.map { (name: name, json: $0) } }
    return ([("config.json", settings)] + otherFiles + records)
      .map { ($0.name, $0.json.written(indented: true) + "\n") }
      + (hasVocabulary ? vocabulary?.files() ?? [] : [])
  }

  /// Whether weights are small integers in the published files.
  public var isPacked: Bool { packing != nil }

  /// The names of the parts that can have a precision each.
  public var parts: [String] {
    let type = configuration["model_type"]?.text
    return Family.all.first { $0.type == type }?.parts.map(\.name) ?? []
  }

  /// The model called `name`; nil where none is.
  public static func named(_ name: String) -> PublishedModel? { all.first { $0.name == name } }
}
