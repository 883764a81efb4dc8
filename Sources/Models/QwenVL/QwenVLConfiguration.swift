public import Files
public import Layers

extension QwenVL {
  /// The sizes of a Qwen-VL, from `config.json`; absent values are the published class's defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision tower: no class token, a norm before the first block and none behind the last.
    public internal(set) var vision: VisionTransformer.Sizes
    /// The learned queries that gather from it.
    public let resampler: Resampler.Shape
    /// The language model.
    public let decoder: Decoder.Shape
    /// The token id of `<img>`; those of `</img>` and of what fills up between follow it.
    public let imageStartToken: Int
  }
}

extension QwenVL.Configuration {
  /// Places of a picture among the tokens: the published tokenizer has this many, whatever the file says.
  static let placesPerPicture = 256

  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let visual = try top.section("visual")
    try top.require(
      visual.json?.object != nil, "visual", "an object: a Qwen without pictures is not built")
    let width = try top.count("hidden_size", default: 4096)
    vision = try Self.vision(visual)
    resampler = try Self.resampler(visual, width: width, vision: vision)
    decoder = try Self.decoder(top, width: width)
    imageStartToken = try visual.count("image_start_id", default: 151857, least: 0)
    try visual.require(
      imageStartToken + 2 < decoder.vocabularySize, "image_start_id",
      "at most \(decoder.vocabularySize - 3): two more ids follow it in the vocabulary")
  }

  private static func vision(
    _ visual: ConfigurationReader
  ) throws(ModelError) -> VisionTransformer.Sizes {
    func given(_ key: String) throws(ModelError) -> Int {
      try visual.require(visual.json?[key]?.isNull == false, key, "a whole number from 1")
      return try visual.count(key, default: 1)
    }
    let width = try given("width")
    let ratio = try visual.number("mlp_ratio", default: 4)
    try visual.require(
      (1 / Double(width)...64).contains(ratio), "mlp_ratio",
      "a number that makes 1 channel to 64 times as many")
    var sizes = VisionTransformer.Sizes(
      width: width, hiddenWidth: Int(Double(width) * ratio), blockCount: try given("layers"),
      headCount: try given("heads"), imageSize: try given("image_size"),
      patchSize: try given("patch_size"), epsilon: 1e-6, activation: .gelu)
    try visual.require(
      width.isMultiple(of: sizes.headCount), "width", "a multiple of the \(sizes.headCount) heads")
    try visual.require(
      sizes.imageSize >= sizes.patchSize && sizes.imageSize <= 4096, "image_size",
      "from the patch size, \(sizes.patchSize), to 4096")
    (sizes.hasClassToken, sizes.hasFirstNorm, sizes.hasLastNorm) = (false, true, false)
    (sizes.projections, sizes.storedGridSize) = (.fusedByHead, 16)
    return sizes
  }

  private static func resampler(
    _ visual: ConfigurationReader, width: Int, vision: VisionTransformer.Sizes
  ) throws(ModelError) -> Resampler.Shape {
    let output = try visual.count("output_dim", default: 512)
    try visual.require(
      output == width, "output_dim", "\(width), as hidden_size: picture rows stand among words")
    try visual.require(
      output.isMultiple(of: 128), "output_dim", "a multiple of 128, the channels of a head")
    let queries = try visual.count("n_queries", default: placesPerPicture)
    try visual.require(
      queries == placesPerPicture, "n_queries",
      "\(placesPerPicture), as many as a picture has places among the tokens")
    return Resampler.Shape(
      width: output, sourceWidth: vision.width, gridSize: 16, headCount: output / 128, epsilon: 1e-6
    )
  }

  private static func decoder(
    _ top: ConfigurationReader, width: Int
  ) throws(ModelError) -> Decoder.Shape {
    var attention = Attention.Shape(
      width: width, headCount: try top.count("num_attention_heads", default: 32))
    attention.headWidth = try top.count("kv_channels", default: 128)
    try top.require(
      attention.headWidth * attention.headCount == width, "kv_channels",
      "hidden_size, \(width), divided by the \(attention.headCount) heads")
    try top.require(
      attention.headWidth.isMultiple(of: 2), "kv_channels", "even, for positions turn pairs")
    // Where layers are packed as GPTQ does it, the biases of zeros that it adds belong to the packing.
    let hasNoBias = try top.flag("no_bias", default: true)
    (attention.projections, attention.hasOutputBias) = (.fused, !hasNoBias)
    let hidden = try top.count("intermediate_size", default: 22016)
    try top.require(
      hidden.isMultiple(of: 2), "intermediate_size", "even: gates take one half of it")
    var mlp = MLP.Shape(width: width, hiddenWidth: hidden / 2, activation: .silu)
    (mlp.isGated, mlp.hasBias) = (true, !hasNoBias)
    let base = try top.number("rotary_emb_base", default: 10_000)
    try top.require(base > 1, "rotary_emb_base", "above 1")
    var rotary = Rotary(base: base, turnedWidth: attention.headWidth)
    try top.require(top.json?["seq_length"] != nil, "seq_length", "the length that was trained")
    let trained = try top.count("seq_length", default: 2048, least: 2)
    if try top.flag("use_dynamic_ntk", default: true) { rotary.stretchedBehind = trained }
    if try top.flag("use_logn_attn", default: true) { rotary.queriesGrowBehind = trained }
    return Decoder.Shape(
      vocabularySize: try top.count("vocab_size", default: 151_936),
      blockCount: try top.count("num_hidden_layers", default: 32),
      block: TransformerBlock.Shape(
        attention: attention, mlp: mlp, norm: .rootMeanSquare,
        epsilon: try top.float("layer_norm_epsilon", default: 1e-6)),
      positionCount: try top.count("max_position_embeddings", default: 8192),
      positions: .rotary(rotary), window: nil, isTied: false)
  }

  /// Refuses what is not built, and says which keys are not known.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let unknown =
      try ConfigurationKeys.qwen.unknownKeys(in: top)
      + ConfigurationKeys.qwenVisual.unknownKeys(in: top.section("visual"))
    return ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
  }
}
