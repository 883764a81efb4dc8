public import Files
public import Layers

extension CLIP {
  /// The sizes of a CLIP, from `config.json` or `open_clip_config.json`; absent values are the
  /// published libraries' defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision transformer.
    public let vision: VisionTransformer.Sizes
    /// The text transformer.
    public let text: Text
    /// Channels of the space that pictures and texts share.
    public let sharedWidth: Int

    /// Sizes of the text transformer.
    public struct Text: Sendable, Equatable {
      /// Channels of a token.
      public let width: Int
      /// Channels inside an MLP.
      public let hiddenWidth: Int
      /// How many blocks there are.
      public let blockCount: Int
      /// Heads of each attention.
      public let headCount: Int
      /// Rows of the embedding table.
      public let vocabularySize: Int
      /// The longest text, begin and end token included.
      public let positionCount: Int
      /// Where the text's vector is taken.
      public let pooling: Pooling
      let epsilon: Float
      let activation: Activation
    }

    /// Which position of a text stands for all of it.
    public enum Pooling: Sendable, Equatable {
      /// The first with the highest id: what `eos_token_id` 2 means, a number that older files have
      /// though the end token is another.
      case highestID
      /// The first with this id; the begin of a text that lacks it.
      case token(Int)
    }
  }
}

extension CLIP.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    vision = try VisionTransformer.Sizes(clipVision: top.preferred("vision_config"))
    text = try Text(top.preferred("text_config"))
    sharedWidth = try top.count("projection_dim", default: 512)
    // The weights have the scale itself; what the published library cannot begin with it refuses.
    if let scale = json["logit_scale_init_value"], scale.double == nil {
      throw top.bad("logit_scale_init_value", scale, "a number")
    }
  }

  /// Refuses what is not built, and says which keys of a configuration are not known.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let top = ConfigurationReader(file: file, path: "", json: json)
    var unknown = try ConfigurationKeys.clip.unknownKeys(in: top)
    unknown += try ConfigurationKeys.clipVision.unknownKeys(in: top.preferred("vision_config"))
    let text = try top.preferred("text_config")
    unknown += try ConfigurationKeys.clipText.unknownKeys(in: text)
    return (ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? [])
      + (try Text.notes(text))
  }

  /// Refuses what is not built in OpenCLIP's file, and says which of its keys are not known.
  static func notes(openCLIP json: JSON, file: String) throws(ModelError) -> [String] {
    let unknown = try unknownOpenKeys(ConfigurationReader(file: file, path: "", json: json))
    return ConfigurationKeys.note(unknown, file: "open_clip_config.json").map { [$0] } ?? []
  }

  private static func unknownOpenKeys(
    _ top: ConfigurationReader
  ) throws(ModelError) -> [String] {
    let model = try top.section("model_cfg")
    return try ConfigurationKeys.openCLIP.unknownKeys(in: top)
      + ConfigurationKeys.openModel.unknownKeys(in: model)
      + ConfigurationKeys.openVision.unknownKeys(in: model.section("vision_cfg"))
      + ConfigurationKeys.openText.unknownKeys(in: model.section("text_cfg"))
      + ConfigurationKeys.openPictures.unknownKeys(in: top.section("preprocess_cfg"))
  }

  /// Reads and checks OpenCLIP's `open_clip_config.json`; `file` names it in errors.
  public init(openCLIP json: JSON, file: String) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let model = try top.section("model_cfg")
    let (vision, text) = (try model.section("vision_cfg"), try model.section("text_cfg"))
    try top.require(model.json?.object != nil, "model_cfg", "an object of the model's sizes")
    _ = try Self.unknownOpenKeys(top)
    let activation: Activation =
      try model.flag("quick_gelu", default: false) ? .quickGELU : .gelu
    let width = try vision.count("width", default: 768)
    let headWidth = try vision.count("head_width", default: 64)
    try vision.require(width.isMultiple(of: headWidth), "width", "a multiple of \(headWidth)")
    self.vision = VisionTransformer.Sizes(
      width: width,
      hiddenWidth: try vision.hiddenWidth(of: width),
      blockCount: try vision.count("layers", default: 12), headCount: width / headWidth,
      imageSize: try vision.side("image_size", default: 224),
      patchSize: try vision.side("patch_size", default: 16), epsilon: 1e-5,
      activation: activation
    ).asCLIP(.fused)
    try vision.require(
      self.vision.imageSize >= self.vision.patchSize && self.vision.imageSize <= 4096,
      "image_size", "from \(self.vision.patchSize) to 4096")
    self.text = try Text(openCLIP: text, activation: activation)
    sharedWidth = try model.count("embed_dim", default: 512)
  }
}

extension ConfigurationReader {
  /// The section `name`; where a file has it under `name_dict` too, the published library takes that.
  func preferred(_ name: String) throws(ModelError) -> ConfigurationReader {
    let second = try section("\(name)_dict")
    return second.json?.object == nil ? try section(name) : second
  }

  /// Channels inside an MLP: `mlp_ratio` times its width, whole ones.
  fileprivate func hiddenWidth(of width: Int) throws(ModelError) -> Int {
    let channels = Double(width) * (try number("mlp_ratio", default: 4))
    try require(
      channels >= 1 && channels <= Double(1 << 31), "mlp_ratio",
      "a number that makes 1 to \(1 << 31) channels of \(width)")
    return Int(channels)
  }
}

extension VisionTransformer.Sizes {
  /// A CLIP's vision tower in transformers' layout.
  init(clipVision reader: ConfigurationReader) throws(ModelError) {
    self = try VisionTransformer.Sizes(
      vision: reader,
      defaults: VisionTransformer.Sizes(
        width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12, imageSize: 224,
        patchSize: 32, epsilon: 1e-5, activation: .quickGELU)
    ).asCLIP(.separate)
  }

  /// The same sizes with what CLIP's vision tower has.
  fileprivate func asCLIP(_ projections: Attention.Shape.Projections) -> VisionTransformer.Sizes {
    var sizes = self
    (sizes.hasFirstNorm, sizes.projections) = (true, projections)
    return sizes
  }
}

extension CLIP.Configuration.Text {
  init(_ reader: ConfigurationReader) throws(ModelError) {
    width = try reader.count("hidden_size", default: 512)
    hiddenWidth = try reader.count("intermediate_size", default: 2048)
    blockCount = try reader.count("num_hidden_layers", default: 12)
    headCount = try reader.count("num_attention_heads", default: 8)
    vocabularySize = try reader.count("vocab_size", default: 49408)
    positionCount = try reader.count("max_position_embeddings", default: 77)
    let ends = try reader.tokens("eos_token_id", default: [49407], below: Int.max)
    try reader.require(ends.count == 1, "eos_token_id", "one token: a text is read off at its end")
    pooling = ends == [2] ? .highestID : .token(ends[0])
    epsilon = try reader.float("layer_norm_eps", default: 1e-5)
    activation = try reader.choice("hidden_act", default: Activation.quickGELU)
    try check(reader, width: "hidden_size")
  }

  fileprivate init(
    openCLIP reader: ConfigurationReader, activation: Activation
  ) throws(ModelError) {
    width = try reader.count("width", default: 512)
    hiddenWidth = try reader.hiddenWidth(of: width)
    blockCount = try reader.count("layers", default: 12)
    headCount = try reader.count("heads", default: 8)
    vocabularySize = try reader.count("vocab_size", default: 49408)
    positionCount = try reader.count("context_length", default: 77)
    (pooling, epsilon, self.activation) = (.highestID, 1e-5, activation)
    try check(reader, width: "width")
  }

  /// Says where no text can have the token that texts are read off at.
  static func notes(_ reader: ConfigurationReader) throws(ModelError) -> [String] {
    let sizes = try Self(reader)
    guard case .token(let end) = sizes.pooling, end >= sizes.vocabularySize else { return [] }
    return [
      "\(reader.name("eos_token_id")) in config.json is \(end), beyond the vocabulary of "
        + "\(sizes.vocabularySize): every text is read off at its first token, as the published "
        + "library does"
    ]
  }

  private func check(_ reader: ConfigurationReader, width name: String) throws(ModelError) {
    try reader.require(
      width.isMultiple(of: headCount), name, "a multiple of the \(headCount) heads")
  }
}
