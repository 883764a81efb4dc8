public import Files
internal import Layers

extension Idefics2 {
  /// The sizes of an Idefics2, from `config.json`; absent values are the published classes' defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision tower: no class token, a norm behind the last block.
    var vision: VisionTransformer.Sizes
    /// How a patch's place becomes a row of the table of positions.
    public var positionRounding: PositionRounding
    /// Where that was said.
    let roundingSource: String
    /// The layer that maps a picture's tokens to the width of words: `[P, D]` to `[P, E]`.
    let projection: MLP.Shape
    /// The learned queries that gather from it.
    let perceiver: Perceiver.Shape
    /// Where the epsilon of the perceiver's norms comes from.
    let epsilonSource: String
    /// The language model.
    public let decoder: Decoder.Shape
    /// The tokens that end a text, by the configuration.
    let endTokens: [Int]
    /// The token id of `<image>`, in whose places the rows of pictures stand.
    public let imageToken: Int
  }
}

extension Idefics2.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  ///
  /// - Parameter given: the paths of the settings that stand in for the file's own.
  public init(_ json: JSON, file: String, given: [String] = []) throws(ModelError) {
    func source(_ reader: ConfigurationReader, _ key: String) -> String {
      reader.name(key) + (given.contains(reader.name(key)) ? ", given to load" : "")
    }
    let top = ConfigurationReader(file: file, path: "", json: json)
    let text = try top.section("text_config")
    try top.require(
      text.json?["model_type"]?.text == "mistral", "text_config.model_type",
      "'mistral': other language models are not read here")
    let language = try LLaMA.Configuration(text)
    (decoder, endTokens) = (language.decoder, language.endTokens)
    let seen = try top.section("vision_config")
    var sizes = try VisionTransformer.Sizes(
      vision: seen,
      defaults: VisionTransformer.Sizes(
        width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12, imageSize: 224,
        patchSize: 32, epsilon: 1e-6, activation: .tanhGELU))
    (sizes.hasClassToken, sizes.storedGridSize) = (false, sizes.gridSize)
    vision = sizes
    positionRounding = try seen.choice("position_rounding", default: .newer)
    roundingSource =
      seen.json?["position_rounding"] == nil
      ? "the default" : source(seen, "position_rounding")
    projection = MLP.Shape(
      width: sizes.width, hiddenWidth: decoder.block.mlp.hiddenWidth,
      activation: decoder.block.mlp.activation
    ).gated(outputWidth: decoder.width)
    let reader = try top.section("perceiver_config")
    let found = try Self.perceiver(reader, decoder: decoder)
    perceiver = found.shape
    epsilonSource =
      if !found.epsilonIsOwn {
        source(text, "rms_norm_eps") + ", as perceiver_config.hidden_size is not text_config's"
      } else if reader.json?["rms_norm_eps"] != nil {
        source(reader, "rms_norm_eps")
      } else { "the default of transformers 5" }
    imageToken = try top.count("image_token_id", default: 32001, least: 0)
    try top.require(
      imageToken < decoder.vocabularySize, "image_token_id",
      "below vocab_size, \(decoder.vocabularySize)")
  }

  private static func perceiver(
    _ reader: ConfigurationReader, decoder: Decoder.Shape
  ) throws(ModelError) -> (shape: Idefics2.Perceiver.Shape, epsilonIsOwn: Bool) {
    let width = try reader.count("hidden_size", default: 4096)
    let heads = try reader.count("resampler_n_heads", default: 16)
    let keyHeads = try reader.count("num_key_value_heads", default: 4)
    try reader.require(
      heads.isMultiple(of: keyHeads), "num_key_value_heads", "a divisor of the \(heads) heads")
    // Transformers 5 takes the language model's width where they differ, and its epsilon with it.
    let isOwn = width == decoder.width
    let own = try reader.float("rms_norm_eps", default: 1e-6)
    var attention = Attention.Shape(width: decoder.width, headCount: heads)
    (attention.keyHeadCount, attention.hasInputBias) = (keyHeads, false)
    attention.hasOutputBias = false
    attention.headWidth = try reader.count("resampler_head_dim", default: 96)
    let mlp = MLP.Shape(
      width: decoder.width, hiddenWidth: 4 * decoder.width,
      activation: try reader.choice("hidden_act", default: Activation.silu)
    ).gated(outputWidth: decoder.width)
    return (
      Idefics2.Perceiver.Shape(
        latentCount: try reader.count("resampler_n_latents", default: 64),
        blockCount: try reader.count("resampler_depth", default: 3), attention: attention,
        mlp: mlp, epsilon: isOwn ? own : decoder.block.epsilon), isOwn
    )
  }

  /// Refuses what is not built, and says which keys are not known and what is assumed.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let (text, perceiver) = (try top.section("text_config"), try top.section("perceiver_config"))
    var unknown =
      try ConfigurationKeys.idefics2.unknownKeys(in: top)
      + ConfigurationKeys.idefics2Vision.unknownKeys(in: top.section("vision_config"))
      + ConfigurationKeys.idefics2Perceiver.unknownKeys(in: perceiver)
      + ConfigurationKeys.llama.unknownKeys(in: text)
    for key in ["rope_parameters", "rope_scaling"] {
      unknown += try ConfigurationKeys.rotary.unknownKeys(in: text.section(key))
    }
    var notes = ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
    let configuration = try Self(json, file: file)
    let ours = configuration.perceiver.epsilon
    let others = configuration.decoder.block.epsilon
    if perceiver.json?["rms_norm_eps"] == nil, ours != others {
      notes.append(
        "config.json has no perceiver_config.rms_norm_eps: \(ours) is taken, as in transformers 5; the "
          + "code before it took text_config's, \(others); load's config={\"perceiver_config.rms_norm_eps\": "
          + "\(others)} chooses")
    }
    return notes
  }
}

extension MLP.Shape {
  /// The same with gates, without biases, and so many channels out.
  fileprivate func gated(outputWidth: Int) -> MLP.Shape {
    var shape = self
    (shape.isGated, shape.hasBias, shape.outputWidth) = (true, false, outputWidth)
    return shape
  }
}
