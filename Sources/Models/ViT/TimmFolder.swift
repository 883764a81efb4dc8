internal import Checkpoints
internal import Files
internal import Foundation
internal import Images
internal import Layers
internal import Tracing

/// A ViT as timm publishes it: `config.json` has `architecture` and `pretrained_cfg`, and no
/// `model_type` but, where transformers saved it again, `timm_wrapper`.
struct TimmFolder {
  let configuration: ViT.Configuration
  let settings: PictureSettings
  let notes: [String]

  /// Whether a configuration is timm's.
  static func holds(_ json: JSON) -> Bool {
    json["model_type"]?.text == "timm_wrapper"
      || (json["model_type"] ?? .null).isNull && json["architecture"] != nil
  }

  /// Reads and checks `config.json`.
  ///
  /// - Throws: for an architecture that is not a plain vision transformer, by its name; for what is
  ///   not built.
  init(_ folder: CheckpointFolder) throws {
    let json = try folder.configuration()
    let top = ConfigurationReader(
      file: folder.url.appending(path: "config.json").path, path: "", json: json)
    let arguments = try top.section("model_args")
    // Older folders have what prepares pictures beside the architecture.
    let nested = try top.section("pretrained_cfg")
    let pictures = nested.json?.object == nil ? top : nested
    var unknown = try ConfigurationKeys.timm.unknownKeys(in: top)
    unknown += try ConfigurationKeys.timmArguments.unknownKeys(in: arguments)
    if nested.json?.object != nil {
      unknown += try ConfigurationKeys.timmPictures.unknownKeys(in: nested)
    }
    notes = ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
    var vision = try Self.architecture(top)
    let input = try Self.inputSize(pictures)
    vision.width = try arguments.count("embed_dim", default: vision.width)
    vision.blockCount = try arguments.count("depth", default: vision.blockCount)
    vision.headCount = try arguments.count("num_heads", default: vision.headCount)
    vision.patchSize = try arguments.side("patch_size", default: vision.patchSize)
    vision.imageSize = try arguments.side("img_size", default: input ?? vision.imageSize)
    vision.hiddenWidth = Int(
      Double(vision.width) * (try arguments.number("mlp_ratio", default: 4)))
    vision.hasInputBias = try arguments.flag("qkv_bias", default: true)
    vision.projections = .fused
    try arguments.require(
      vision.width.isMultiple(of: vision.headCount), "embed_dim",
      "a multiple of the \(vision.headCount) heads")
    try arguments.require(
      (1...(1 << 31)).contains(vision.hiddenWidth), "mlp_ratio",
      "a number that makes 1 or more channels of \(vision.width)")
    try arguments.require(
      (vision.patchSize...4096).contains(vision.imageSize), "img_size",
      "from the patch size, \(vision.patchSize), to 4096")
    let labels = try Self.labels(top, arguments)
    configuration = ViT.Configuration(
      vision: vision, labels: labels, scores: try ClassScores(top, classCount: labels.count))
    settings = PictureSettings(
      try Self.preprocessing(pictures, imageSize: vision.imageSize, input: input),
      source: nested.json?.object == nil ? "config.json" : "pretrained_cfg in config.json")
  }

  /// The sizes that a name stands for; others are refused by their name.
  private static func architecture(
    _ reader: ConfigurationReader
  ) throws(ModelError) -> VisionTransformer.Sizes {
    let value = reader.json?["architecture"] ?? .null
    let name = value.text?.split(separator: ".").first.map(String.init) ?? ""
    let words = name.split(separator: "_").map(String.init)
    let known: [String: (width: Int, blocks: Int, heads: Int)] = [
      "tiny": (192, 12, 3), "small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16),
      "huge": (1280, 32, 16),
    ]
    guard words.count == 4, words[0] == "vit" || words[0] == "deit", let size = known[words[1]],
      words[2].hasPrefix("patch"), let patch = Int(words[2].dropFirst(5)), let side = Int(words[3]),
      (1...4096).contains(side), (1...side).contains(patch)
    else {
      throw reader.bad(
        "architecture", value,
        "a plain vision transformer of timm's, such as 'vit_base_patch16_224' (tiny, small, base, "
          + "large or huge): other models of timm are not read")
    }
    return VisionTransformer.Sizes(
      width: size.width, hiddenWidth: 4 * size.width, blockCount: size.blocks,
      headCount: size.heads, imageSize: side, patchSize: patch, epsilon: 1e-6, activation: .gelu)
  }

  /// `input_size`: channels, rows and columns.
  private static func inputSize(_ reader: ConfigurationReader) throws(ModelError) -> Int? {
    guard let value = reader.json?["input_size"], !value.isNull else { return nil }
    guard let sides = value.array, sides.count == 3, sides[0].int == 3, sides[1] == sides[2],
      let side = sides[1].int, (1...4096).contains(side)
    else { throw reader.bad("input_size", value, "3 channels and two sides that are equal") }
    return side
  }

  private static func labels(
    _ top: ConfigurationReader, _ arguments: ConfigurationReader
  ) throws(ModelError) -> [String] {
    let own = try arguments.count("num_classes", default: 1000, least: 0)
    let count = try top.count("num_classes", default: own, least: 0, takesNull: true)
    try top.require(count <= 1 << 20, "num_classes", "at most \(1 << 20)")
    guard let value = top.json?["label_names"], !value.isNull, count > 0 else {
      return (0..<count).map { "LABEL_\($0)" }
    }
    let names = value.array?.compactMap { $0.text ?? $0.int.map(String.init) } ?? []
    try top.require(
      names.count == count && names.count == value.array?.count, "label_names",
      "a list of \(count) texts, as num_classes")
    return names
  }

  /// What timm does to a picture that is judged: resized so that `crop_pct` of it is the input.
  private static func preprocessing(
    _ reader: ConfigurationReader, imageSize: Int, input: Int?
  ) throws -> Preprocessing {
    try reader.require(
      input == nil || input == imageSize, "input_size", "3 × \(imageSize) × \(imageSize)")
    let share = try reader.number("crop_pct", default: 0.875, takesNull: true)
    try reader.require(share >= 0.05 && share <= 1, "crop_pct", "from 0.05 to 1")
    let mode = reader.json?["crop_mode"] ?? .null
    try reader.require(
      [.null, "center", "squash"].contains(mode), "crop_mode", "'center' or 'squash'")
    let names: KeyValuePairs<String, ResampleFilter> = [
      "bicubic": .bicubic, "bilinear": .bilinear, "nearest": .nearest, "lanczos": .lanczos,
    ]
    let name = reader.json?["interpolation"]?.text ?? "bicubic"
    guard let filter = names.first(where: { $0.key == name })?.value else {
      throw reader.bad(
        "interpolation", .string(name), names.map { "'\($0.key)'" }.joined(separator: " or "))
    }
    let mean = try reader.numbers("mean", default: [0.485, 0.456, 0.406], count: 3)
    let deviation = try reader.numbers("std", default: [0.229, 0.224, 0.225], count: 3)
    try reader.requireUsable(mean: mean, "mean", deviation: deviation, "std")
    let size = PixelSize(width: imageSize, height: imageSize)
    let scaled = Int((Double(imageSize) / share).rounded(.down))
    return try Preprocessing(
      target: mode == "squash"
        ? .exactly(PixelSize(width: scaled, height: scaled)) : .shortestEdge(scaled),
      filter: filter, crop: size, cropRounding: .halfToEven,
      normalisation: Preprocessing.Normalisation(mean: mean, deviation: deviation))
  }
}

extension ViT {
  /// Between addresses and timm's names.
  static let timmNames = NameTable(modules: [
    ("vision.embedding.patch", "patch_embed.proj"),
    ("vision.embedding.class_token", "cls_token"),
    ("vision.embedding.positions", "pos_embed"),
    ("vision.blocks.#.norm1", "blocks.#.norm1"),
    ("vision.blocks.#.attention.qkv", "blocks.#.attn.qkv"),
    ("vision.blocks.#.attention.output_projection", "blocks.#.attn.proj"),
    ("vision.blocks.#.norm2", "blocks.#.norm2"),
    ("vision.blocks.#.mlp.up", "blocks.#.mlp.fc1"),
    ("vision.blocks.#.mlp.down", "blocks.#.mlp.fc2"),
    ("vision.norm", "norm"),
    ("classifier", "head"),
  ])

  /// The names that a timm file may have for a weight.
  static func timmKeys(_ address: Address) -> [String] {
    guard let key = timmNames.key(address) else { return [] }
    return [key, "timm_model.\(key)"]
  }
}
