public import Checkpoints
internal import Files
public import Foundation
public import Tokenizers

/// A family of models that can be read.
public struct Family: Sendable {
  /// What `model_type` in `config.json` says.
  public let type: String
  /// The family's own name.
  public let name: String
  /// What else shows that a folder holds the family, in words.
  public let otherMarks: [String]
  /// The parts that can have a precision each.
  public let parts: [Part]
  /// Whether the language model may lie in a folder of its own.
  public let takesLanguageFolder: Bool
  /// The template that its published checkpoints converse by, for folders that bring none.
  let chatTemplate: String?
  private let reader: @Sendable (CheckpointFolder) throws -> any FamilyModel

  /// A part of a model that can have a precision of its own.
  public struct Part: Sendable, Equatable {
    /// What to type.
    public let name: String
    /// The first parts of its addresses.
    public let roots: [String]
  }

  private init(
    _ type: String, _ name: String, or otherMarks: [String] = [],
    parts: KeyValuePairs<String, [String]>, takesLanguageFolder: Bool = false,
    chatTemplate: String? = nil,
    read: @escaping @Sendable (CheckpointFolder) throws -> any FamilyModel
  ) {
    (self.type, self.name, self.otherMarks) = (type, name, otherMarks)
    self.parts = parts.map { Part(name: $0.key, roots: $0.value) }
    (self.takesLanguageFolder, self.chatTemplate) = (takesLanguageFolder, chatTemplate)
    reader = read
  }

  /// The families, one line each.
  public static let all = [
    Family(
      "blip-2", "BLIP-2",
      parts: [
        "vision": ["vision"], "qformer": ["qformer", "retrieval"], "projection": ["projection"],
        "language": ["language"],
      ], takesLanguageFolder: true
    ) { try BLIP2.Model($0) },
    Family(
      "vit", "ViT", or: ["architecture 'vit_…' in config.json (timm)"],
      parts: ["vision": ["vision", "classifier"]]
    ) { try ViT.Model($0) },
    Family(
      "clip", "CLIP",
      or: [
        "open_clip_config.json (OpenCLIP)", "modules.json (sentence-transformers)",
        "model_type 'clip_vision_model' or 'clip_text_model' in config.json (a tower alone)",
      ],
      parts: ["vision": ["vision"], "text": ["text"], "joint": ["joint"]]
    ) { try CLIP.read($0) },
    Family("llama", "LLaMA", parts: ["language": ["language"]]) { try LLaMA.Model($0) },
    Family("mistral", "Mistral", parts: ["language": ["language"]]) { try LLaMA.Model($0) },
    Family(
      "qwen", "Qwen-VL",
      parts: [
        "vision": ["vision"], "resampler": ["resampler"], "projection": ["projection"],
        "language": ["language"],
      ]
    ) { try QwenVL.Model($0) },
    Family(
      "idefics2", "Idefics2",
      parts: [
        "vision": ["vision"], "projection": ["projection"], "resampler": ["resampler"],
        "language": ["language"],
      ], chatTemplate: Idefics2.publishedTemplate
    ) { try Idefics2.Model($0) },
  ]

  /// Reads the model in `folder`, in transformers' layout or another that a family knows.
  ///
  /// - Throws: `ModelError.unknownFamily` for another `model_type`; what the family's reader throws.
  public static func read(_ folder: CheckpointFolder) throws -> any FamilyModel {
    let found = try find(folder)
    return try found.family.reader(found.folder)
  }

  /// Whose model is in `folder`, and the folder inside it that has the model.
  ///
  /// - Throws: `ModelError.unknownFamily` for another `model_type`.
  public static func find(
    _ folder: CheckpointFolder
  ) throws -> (family: Family, folder: CheckpointFolder) {
    if var inner = try SentenceTransformersFolder.model(in: folder) {
      (inner.weights, inner.givenSettings) = (folder.weights, folder.givenSettings)
      return try find(inner)
    }
    try ConfigurationKeys.check(given: folder)
    let isOpenCLIP = !folder.has("config.json") && folder.has("open_clip_config.json")
    let found = try isOpenCLIP ? "clip" : type(folder.configuration())
    guard let family = all.first(where: { $0.type == found }) else {
      throw ModelError.unknownFamily(
        file: folder.url.appending(path: "config.json").path, found: found, known: all.map(\.type))
    }
    if !isOpenCLIP { try checkPacking(folder) }
    if let language = try folder.language() {
      guard family.takesLanguageFolder else {
        throw ModelError.languageNotTaken(
          folder: folder.path, reason: "is of the family \(family.name)")
      }
      try checkPacking(language)
    }
    return (family, folder)
  }

  /// What to know of the layout around the model in `folder`.
  static func notes(onLayoutOf folder: CheckpointFolder) throws -> [String] {
    try SentenceTransformersFolder.notes(in: folder)
  }

  /// Which family's `model_type` a configuration has: its own, or that of a layout that is read here.
  private static func type(_ json: JSON) -> String? {
    if TimmFolder.holds(json) { return "vit" }
    let type = json["model_type"].flatMap { $0.isNull ? nil : $0.text ?? $0.written() }
    return ["clip_vision_model", "clip_text_model"].contains(type) ? "clip" : type
  }

  /// - Throws: where the folder says that its weights are packed in a way that is not read here.
  private static func checkPacking(_ folder: CheckpointFolder) throws {
    let settings = ConfigurationReader(
      file: folder.url.appending(path: "config.json").path, path: "",
      json: try folder.configuration()
    )
    let quantization = try settings.section("quantization_config")
    let method = quantization.json?["quant_method"]?.text
    try quantization.require(
      method == nil || ["gptq", "quanto"].contains(method), "quant_method",
      "'gptq' or 'quanto': other packings are not read")
    _ = try QuantoMap(folder)
    let format = quantization.json?["checkpoint_format"]?.text
    try quantization.require(
      format == nil || format == "gptq", "checkpoint_format",
      "'gptq': zero points are written otherwise in other formats")
  }

  /// The tokenizer of the model in `folder`, or in the folder inside it that has the model, its texts
  /// handled as the model's layout does.
  ///
  /// - Throws: `TokenizerError`.
  public static func tokenizer(in folder: CheckpointFolder) throws -> any Tokenizer {
    if let language = try folder.language() { return try tokenizer(in: language) }
    do {
      return try TokenizerFolder.read(folder.url, handling: CLIPFiles.textHandling(in: folder))
    } catch TokenizerError.noTokenizer(let path) {
      guard let inner = try SentenceTransformersFolder.model(in: folder) else {
        throw TokenizerError.noTokenizer(folder: path)
      }
      return try tokenizer(in: inner)
    }
  }
}

/// The models that ship with Fovea: a small BLIP-2, a small CLIP and a small Qwen-VL, trained on
/// generated scenes.
public enum ShippedModel {
  /// The generation checkpoint, in the published layout.
  public static var folder: URL { Bundle.module.bundleURL.appending(path: "Default") }
  /// The small CLIP, its vision tower begun with the one of the BLIP-2.
  public static var jointFolder: URL { folder.appending(path: "joint") }
  /// The retrieval checkpoint; it shares the file of vision tower and queries.
  public static var retrievalFolder: URL { folder.appending(path: "matching") }

  /// The small Qwen-VL, which converses; its vision tower is that of the BLIP-2.
  public static var dialogueFolder: URL { folder.appending(path: "dialogues") }

  /// All of them, by the names that `load` takes.
  public static var all: [(name: String, folder: URL)] {
    [
      ("scenes", folder), ("small-clip", jointFolder), ("scenes-retrieval", retrievalFolder),
      ("small-qwen-vl", dialogueFolder),
    ]
  }

  /// The folder of one that ships; nil for another name.
  public static func folder(named name: String) -> URL? { all.first { $0.name == name }?.folder }

  /// What a model is called that is read from `folder`: one that ships by its name, others by their
  /// folder.
  public static func name(of folder: URL) -> String {
    all.first { $0.folder == folder }?.name ?? folder.lastPathComponent
  }
}
