public import Files
public import Layers

extension BLIP2 {
  /// The sizes of a BLIP-2, from `config.json`; absent values are the published library's defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision transformer.
    public internal(set) var vision: VisionTransformer.Sizes
    /// The querying transformer.
    public let qformer: QFormer.Shape
    /// The language model; nil in a retrieval checkpoint.
    public let language: Language?
    /// How many learned queries there are.
    public let queryCount: Int
    /// The token id that stands for one query in the prompt; older checkpoints have none.
    public let imageTokenID: Int?
    /// Channels of the space that pictures and texts share; nil in a generation checkpoint.
    public let sharedWidth: Int?

    /// Sizes of the language model, OPT.
    ///
    /// Zhang et al. 2022, arXiv:2205.01068.
    public struct Language: Sendable, Equatable {
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
      /// The longest sequence.
      public let positionCount: Int
      /// The ids of the tokens that begin a text and fill up.
      public let beginToken, padToken: Int
      /// The ids of the tokens that end a text; more than one where the file lists several.
      public let endTokens: [Int]
      let activation: Activation

      /// What the decoder is like.
      var decoder: Decoder.Shape {
        Decoder.Shape(
          vocabularySize: vocabularySize, blockCount: blockCount,
          block: TransformerBlock.Shape(
            attention: Attention.Shape(width: width, headCount: headCount),
            mlp: MLP.Shape(width: width, hiddenWidth: hiddenWidth, activation: activation),
            epsilon: 1e-5),
          positionCount: positionCount, positions: .table(unusedRows: 2), window: nil,
          isTied: true)
      }
    }
  }
}

extension BLIP2.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let isRetrieval =
      json["architectures"]?.array?.contains { $0.text == "Blip2ForImageTextRetrieval" } ?? false
    let seeing = try top.section("vision_config")
    vision = try VisionTransformer.Sizes(
      vision: seeing,
      defaults: VisionTransformer.Sizes(
        width: 1408, hiddenWidth: 6144, blockCount: 39, headCount: 16, imageSize: 224,
        patchSize: 14, epsilon: 1e-6, activation: .gelu))
    vision.hasInputBias = try seeing.flag("qkv_bias", default: true)
    vision.projections = .fused
    qformer = try QFormer.Shape(top.section("qformer_config"))
    language = isRetrieval ? nil : try Language(top.section("text_config"))
    queryCount = try top.count("num_query_tokens", default: 32)
    let alias = try top.index("image_token_id")
    imageTokenID = try top.index("image_token_index") ?? alias
    sharedWidth = isRetrieval ? try top.count("image_text_hidden_size", default: 256) : nil
    try top.require(
      !isRetrieval || qformer.readsText, "qformer_config.use_qformer_text_input",
      "true in a retrieval checkpoint")
    if let language, let imageTokenID {
      try top.require(
        imageTokenID < language.vocabularySize, "image_token_index",
        "below text_config.vocab_size, \(language.vocabularySize)")
    }
  }
}

extension BLIP2.Configuration {
  /// Refuses what is not built, and says which keys of a configuration are not known.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let top = ConfigurationReader(file: file, path: "", json: json)
    var unknown = try ConfigurationKeys.blip2.unknownKeys(in: top)
    unknown += try ConfigurationKeys.blip2Vision.unknownKeys(in: top.section("vision_config"))
    unknown += try ConfigurationKeys.blip2QFormer.unknownKeys(in: top.section("qformer_config"))
    unknown += try ConfigurationKeys.opt.unknownKeys(in: top.section("text_config"))
    return ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
  }
}

extension QFormer.Shape {
  fileprivate init(_ reader: ConfigurationReader) throws(ModelError) {
    self.init(
      width: try reader.count("hidden_size", default: 768),
      hiddenWidth: try reader.count("intermediate_size", default: 3072),
      blockCount: try reader.count("num_hidden_layers", default: 12),
      headCount: try reader.count("num_attention_heads", default: 12),
      crossAttentionFrequency: try reader.count("cross_attention_frequency", default: 2),
      vocabularySize: try reader.count("vocab_size", default: 30522),
      positionCount: try reader.count("max_position_embeddings", default: 512),
      readsText: try reader.flag("use_qformer_text_input", default: false),
      epsilon: try reader.float("layer_norm_eps", default: 1e-12),
      activation: try reader.choice("hidden_act", default: Activation.gelu))
    try reader.require(
      width.isMultiple(of: headCount), "hidden_size", "a multiple of the \(headCount) heads")
  }
}

extension BLIP2.Configuration.Language {
  fileprivate init(_ reader: ConfigurationReader) throws(ModelError) {
    let family = reader.json?["model_type"]?.text ?? "opt"
    try reader.require(family == "opt", "model_type", "'opt', the language model read here")
    width = try reader.count("hidden_size", default: 768)
    hiddenWidth = try reader.count("ffn_dim", default: 3072)
    blockCount = try reader.count("num_hidden_layers", default: 12)
    headCount = try reader.count("num_attention_heads", default: 12)
    vocabularySize = try reader.count("vocab_size", default: 50272)
    positionCount = try reader.count("max_position_embeddings", default: 2048)
    beginToken = try reader.index("bos_token_id") ?? 2
    endTokens = try reader.tokens("eos_token_id", default: [2], below: vocabularySize)
    padToken = try reader.index("pad_token_id") ?? 1
    activation = try reader.choice("activation_function", default: Activation.relu)
    try reader.require(
      width.isMultiple(of: headCount), "hidden_size", "a multiple of the \(headCount) heads")
    let projected = try reader.count("word_embed_proj_dim", default: width, takesNull: true)
    try reader.require(projected == width, "word_embed_proj_dim", "hidden_size, \(width)")
    try reader.require(
      beginToken < vocabularySize, "bos_token_id", "below vocab_size, \(vocabularySize)")
    try reader.require(
      (endTokens.max() ?? 0) < vocabularySize, "eos_token_id",
      "below vocab_size, \(vocabularySize)")
  }
}
