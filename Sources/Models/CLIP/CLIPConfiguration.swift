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
    // Where a file has both, the published library takes the second.
    func section(_ name: String) throws(ModelError) -> ConfigurationReader {
      let second = try top.section("\(name)_dict")
      return second.json?.object == nil ? try top.section(name) : second
    }
    vision = try VisionTransformer.Sizes(
      vision: section("vision_config"),
      defaults: VisionTransformer.Sizes(
        width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12, imageSize: 224,
        patchSize: 32, epsilon: 1e-5, activation: .quickGELU)
    ).asCLIP(isFused: false)
    text = try Text(section("text_config"))
    sharedWidth = try top.count("projection_dim", default: 512)
  }

  /// Reads and checks OpenCLIP's `open_clip_config.json`; `file` names it in errors.
  public init(openCLIP json: JSON, file: String) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let model = try top.section("model_cfg")
    let (vision, text) = (try model.section("vision_cfg"), try model.section("text_cfg"))
    try top.require(model.json?.object != nil, "model_cfg", "an object of the model's sizes")
    try vision.requireAbsent(
      "timm_model_name", "absent: only OpenCLIP's own vision transformer is read")
    try text.requireAbsent(
      "hf_model_name", "absent: only OpenCLIP's own text transformer is read")
    try model.requireAbsent("multimodal_cfg", "absent: captioning models are not read")
    try model.requireAbsent("init_logit_bias", "absent: only a scale is read")
    for tower in [vision, text] {
      for key in ["ls_init_value", "act_kwargs", "norm_kwargs"] {
        try tower.requireAbsent(key, "absent: only the plain transformer is read")
      }
      for (key, usual) in [
        "attentional_pool": "false", "block_type": "default", "embed_cls": "false",
        "final_ln_after_pool": "false", "global_average_pool": "false", "input_patchnorm": "false",
        "no_causal_mask": "false", "no_ln_pre": "false", "pos_embed_type": "learnable",
        "proj_bias": "false", "proj_type": "linear", "qk_norm": "false", "scale_attn": "false",
        "scale_attn_inner": "false", "scale_fc": "false", "scale_heads": "false",
        "scaled_cosine_attn": "false",
      ].sorted(by: { $0.key < $1.key }) {
        try tower.requireUsual(key, usual)
      }
    }
    try vision.requireUsual("pool_type", "tok")
    try text.requireUsual("pool_type", "argmax")
    let activation: Activation =
      try model.flag("quick_gelu", default: false) ? .quickGELU : .gelu
    let width = try vision.count("width", default: 768)
    let headWidth = try vision.count("head_width", default: 64)
    try vision.require(width.isMultiple(of: headWidth), "width", "a multiple of \(headWidth)")
    self.vision = VisionTransformer.Sizes(
      width: width,
      hiddenWidth: try vision.hiddenWidth(of: width),
      blockCount: try vision.count("layers", default: 12), headCount: width / headWidth,
      imageSize: try vision.count("image_size", default: 224),
      patchSize: try vision.count("patch_size", default: 16), epsilon: 1e-5,
      activation: activation
    ).asCLIP(isFused: true)
    try vision.require(
      self.vision.imageSize >= self.vision.patchSize && self.vision.imageSize <= 4096,
      "image_size", "from \(self.vision.patchSize) to 4096")
    self.text = try Text(openCLIP: text, activation: activation)
    sharedWidth = try model.count("embed_dim", default: 512)
  }
}

extension ConfigurationReader {
  /// Refuses a switch that changes what is computed, and is not read here.
  fileprivate func requireAbsent(_ key: String, _ expected: String) throws(ModelError) {
    let value = json?[key] ?? .null
    try require(value == .null || value.object?.isEmpty == true, key, expected)
  }

  /// Refuses all but the value that the plain transformer has: a word, or false.
  fileprivate func requireUsual(_ key: String, _ usual: String) throws(ModelError) {
    let value = json?[key] ?? .null
    let isUsual = usual == "false" ? value.bool == false : value.text == usual
    try require(
      value == .null || isUsual, key,
      "\(usual == "false" ? usual : "'\(usual)'"): only the plain transformer is read")
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
  /// The same sizes with what CLIP's vision tower has.
  fileprivate func asCLIP(isFused: Bool) -> VisionTransformer.Sizes {
    var sizes = self
    (sizes.hasFirstNorm, sizes.isFused) = (true, isFused)
    return sizes
  }
}

extension CLIP.Configuration.Text {
  fileprivate init(_ reader: ConfigurationReader) throws(ModelError) {
    width = try reader.count("hidden_size", default: 512)
    hiddenWidth = try reader.count("intermediate_size", default: 2048)
    blockCount = try reader.count("num_hidden_layers", default: 12)
    headCount = try reader.count("num_attention_heads", default: 8)
    vocabularySize = try reader.count("vocab_size", default: 49408)
    positionCount = try reader.count("max_position_embeddings", default: 77)
    let end = try reader.index("eos_token_id") ?? 49407
    pooling = end == 2 ? .highestID : .token(end)
    epsilon = Float(try reader.number("layer_norm_eps", default: 1e-5))
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

  private func check(_ reader: ConfigurationReader, width name: String) throws(ModelError) {
    try reader.require(
      width.isMultiple(of: headCount), name, "a multiple of the \(headCount) heads")
  }
}
