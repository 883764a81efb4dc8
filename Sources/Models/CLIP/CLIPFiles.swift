internal import Checkpoints
internal import Files
internal import Foundation
internal import Images
internal import Layers
internal import Tracing

/// What a CLIP's folder holds, in either layout.
struct CLIPFiles {
  let configuration: CLIP.Configuration
  let preprocessing: Preprocessing
  let tensors: TensorCollection
  let naming: CLIP.Naming

  private static let openConfiguration = "open_clip_config.json"

  /// Reads the configuration that belongs to the weights: names tell whose they are.
  init(_ folder: CheckpointFolder) throws {
    tensors = try folder.tensors(orNamed: CheckpointFolder.openCLIPWeights)
    guard tensors.names.contains("visual.conv1.weight") else {
      naming = .transformers
      configuration = try CLIP.Configuration(
        try folder.configuration(), file: folder.url.appending(path: "config.json").path)
      preprocessing = try PreprocessingFile.read(
        folder, imageSize: configuration.vision.imageSize, defaults: .clip)
      return
    }
    let isCustom = tensors.names.contains("text.token_embedding.weight")
    naming = .openCLIP(textPrefix: isCustom ? "text." : "")
    let json = try folder.json(Self.openConfiguration)
    let file = folder.url.appending(path: Self.openConfiguration).path
    configuration = try CLIP.Configuration(openCLIP: json, file: file)
    preprocessing = try Self.openPreprocessing(
      json, file: file, imageSize: configuration.vision.imageSize)
  }

  var isOpenCLIP: Bool { if case .openCLIP = naming { true } else { false } }

  /// The file's name of a weight.
  var keys: @Sendable (Address) -> [String] {
    let table: NameTable
    switch naming {
    case .transformers: table = CLIP.names
    case .openCLIP(let prefix): table = CLIP.openNames(textPrefix: prefix)
    }
    return { [table.key($0) ?? $0.description] }
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
      "mean", default: [0.48145466, 0.4578275, 0.40821073], count: 3)
    let deviation = try reader.numbers(
      "std", default: [0.26862954, 0.26130258, 0.27577711], count: 3)
    try reader.require(deviation.allSatisfy { Float($0) != 0 }, "std", "numbers other than zero")
    let size = PixelSize(width: imageSize, height: imageSize)
    return try Preprocessing(
      target: mode == "squash" ? .exactly(size) : .shortestEdge(imageSize),
      filter: name == "bicubic" ? .bicubic : .bilinear, crop: size, cropRounding: .halfToEven,
      normalisation: Preprocessing.Normalisation(mean: mean, deviation: deviation))
  }
}
