internal import Checkpoints
internal import Files
internal import Foundation
internal import Images
internal import Layers
internal import Tokenizers
internal import Tracing

/// What a CLIP's folder holds, in either layout.
struct CLIPFiles {
  let configuration: CLIP.Configuration
  let settings: PictureSettings
  let notes: [String]
  let tensors: TensorCollection
  let naming: CLIP.Naming

  private static let openConfiguration = "open_clip_config.json"

  /// Reads the configuration that belongs to the weights: names tell whose they are.
  init(_ folder: CheckpointFolder) throws {
    tensors = try folder.tensors(orNamed: CheckpointFolder.openCLIPWeights)
    guard tensors.names.contains("visual.conv1.weight") else {
      naming = .transformers
      let file = folder.url.appending(path: "config.json").path
      let json = try folder.configuration()
      configuration = try CLIP.Configuration(json, file: file)
      settings = try PreprocessingFile.read(
        folder, imageSize: configuration.vision.imageSize, processor: .clip)
      notes = settings.notes + (try CLIP.Configuration.notes(json, file: file))
      return
    }
    let isCustom = tensors.names.contains("text.token_embedding.weight")
    naming = .openCLIP(textPrefix: isCustom ? "text." : "")
    let json = try folder.json(Self.openConfiguration)
    let file = folder.url.appending(path: Self.openConfiguration).path
    configuration = try CLIP.Configuration(openCLIP: json, file: file)
    let hasSettings = json["preprocess_cfg"]?.object != nil
    settings = PictureSettings(
      try Self.openPreprocessing(json, file: file, imageSize: configuration.vision.imageSize),
      source: hasSettings
        ? "preprocess_cfg in \(Self.openConfiguration)"
        : "OpenCLIP's own, for \(Self.openConfiguration) has no preprocess_cfg")
    notes = try CLIP.Configuration.notes(openCLIP: json, file: file)
  }

  /// How the folder's library handles texts: OpenCLIP's where its names are in the weights, or where
  /// its configuration alone is there.
  static func textHandling(in folder: CheckpointFolder) -> TokenizerFolder.TextHandling {
    guard folder.has(openConfiguration) else { return .asWritten }
    guard folder.has("config.json") else { return .openCLIP }
    let names = try? folder.tensors().names
    return names?.contains("visual.conv1.weight") == true ? .openCLIP : .asWritten
  }

  var isOpenCLIP: Bool { if case .openCLIP = naming { true } else { false } }

  /// The file's name of a weight.
  var keys: @Sendable (Address) -> [String] {
    let table: NameTable
    switch naming {
    case .transformers: table = CLIP.names
    case .openCLIP(let prefix): table = CLIP.openNames(textPrefix: prefix)
    }
    return table.keys
  }

  /// `preprocess_cfg`: the middle of the picture, as torchvision cuts it.
  private static func openPreprocessing(
    _ json: JSON, file: String, imageSize: Int
  ) throws -> Preprocessing {
    let reader = try ConfigurationReader(file: file, path: "", json: json)
      .section("preprocess_cfg")
    let mode = reader.json?["resize_mode"]?.text ?? "shortest"
    try reader.require(
      mode == "shortest" || mode == "squash", "resize_mode", "'shortest' or 'squash'")
    let name = reader.json?["interpolation"]?.text ?? "bicubic"
    try reader.require(
      name == "bicubic" || name == "bilinear", "interpolation", "'bicubic' or 'bilinear'")
    let mean = try reader.numbers(
      "mean", default: CLIPColours.mean, count: 3)
    let deviation = try reader.numbers(
      "std", default: CLIPColours.deviation, count: 3)
    try reader.requireUsable(mean: mean, "mean", deviation: deviation, "std")
    let size = PixelSize(width: imageSize, height: imageSize)
    return try Preprocessing(
      target: mode == "squash" ? .exactly(size) : .shortestEdge(imageSize),
      filter: name == "bicubic" ? .bicubic : .bilinear, crop: size, cropRounding: .halfToEven,
      normalisation: Preprocessing.Normalisation(mean: mean, deviation: deviation),
      conversion: .afterResizing)
  }
}
