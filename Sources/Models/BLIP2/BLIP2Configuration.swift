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

    /// The language model, OPT or LLaMA.
    ///
    /// Zhang et al. 2022, arXiv:2205.01068; Touvron et al. 2023, arXiv:2302.13971.
    public struct Language: Sendable, Equatable {
      /// Which language models are read, as `model_type` calls them.
      public enum Kind: String, Sendable, CaseIterable {
        /// OPT, of the published BLIP-2.
        case opt
        /// LLaMA, of Ziya-BLIP2-14B-Visual.
        case llama
      }

      /// Which it is.
      public let kind: Kind
      /// What the decoder is like.
      public let decoder: Decoder.Shape
      /// The id of the token that begins a text, if the file names one.
      public let beginToken: Int?
      /// The ids of the tokens that end a text; more than one where the file lists several.
      public let endTokens: [Int]
    }
  }
}

extension BLIP2.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    try self.init(json, file: file, language: nil)
  }

  /// - Parameter apart: the language model's own configuration, where it lies in a folder of its own.
  init(_ json: JSON, file: String, language apart: ConfigurationReader?) throws(ModelError) {
    let top = ConfigurationReader(file: file, path: "", json: json)
    let isRetrieval = Self.isRetrieval(json)
    let seeing = try top.section("vision_config")
    vision = try VisionTransformer.Sizes(
      vision: seeing,
      defaults: VisionTransformer.Sizes(
        width: 1408, hiddenWidth: 6144, blockCount: 39, headCount: 16, imageSize: 224,
        patchSize: 14, epsilon: 1e-6, activation: .gelu))
    vision.hasInputBias = try seeing.flag("qkv_bias", default: true)
    vision.projections = .fused
    qformer = try QFormer.Shape(top.section("qformer_config"))
    let inside = try top.section("text_config")
    language = isRetrieval ? nil : try Language(apart ?? inside)
    queryCount = try top.count("num_query_tokens", default: 32)
    let alias = try top.index("image_token_id")
    imageTokenID = try top.index("image_token_index") ?? alias
    sharedWidth = isRetrieval ? try top.count("image_text_hidden_size", default: 256) : nil
    try top.require(
      !isRetrieval || qformer.readsText, "qformer_config.use_qformer_text_input",
      "true in a retrieval checkpoint")
    if let language, let imageTokenID {
      try top.require(
        imageTokenID < language.decoder.vocabularySize, "image_token_index",
        apart.map {
          "below vocab_size of \($0.file), \(language.decoder.vocabularySize): name the language model that it "
            + "was trained with"
        } ?? "below text_config.vocab_size, \(language.decoder.vocabularySize)")
    }
  }
}

extension BLIP2.Configuration {
  /// Whether a configuration is that of a retrieval checkpoint, which has no language model.
  static func isRetrieval(_ json: JSON) -> Bool {
    json["architectures"]?.array?.contains { $0.text == "Blip2ForImageTextRetrieval" } ?? false
  }

  /// Refuses what is not built, and says which keys of a configuration are not known.
  func notes(
    _ json: JSON, file: String, language apart: ConfigurationReader?
  ) throws(ModelError) -> [String] {
    let top = ConfigurationReader(file: file, path: "", json: json)
    var unknown = try ConfigurationKeys.blip2.unknownKeys(in: top)
    unknown += try ConfigurationKeys.blip2Vision.unknownKeys(in: top.section("vision_config"))
    unknown += try ConfigurationKeys.blip2QFormer.unknownKeys(in: top.section("qformer_config"))
    var notes: [String?] = []
    if let apart {
      notes.append(
        ConfigurationKeys.note(
          try (language?.kind ?? .opt).unknownKeys(in: apart),
          file: "the language model's config.json"))
    } else {
      let section = try top.section("text_config")
      let kind = language?.kind ?? .opt
      unknown += try kind.unknownKeys(in: section)
    }
    return ([ConfigurationKeys.note(unknown, file: "config.json")] + notes).compactMap { $0 }
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
    let type = reader.json?["model_type"]?.text ?? Kind.opt.rawValue
    switch Kind(rawValue: type) {
    case .opt?: try self.init(opt: reader)
    case .llama?:
      let llama = try LLaMA.Configuration(reader)
      self.init(
        kind: .llama, decoder: llama.decoder, beginToken: llama.beginToken,
        endTokens: llama.endTokens)
    case nil:
      throw reader.bad(
        "model_type", .string(type), "'opt' or 'llama', the language models read here")
    }
  }

  private init(opt reader: ConfigurationReader) throws(ModelError) {
    let width = try reader.count("hidden_size", default: 768)
    let headCount = try reader.count("num_attention_heads", default: 12)
    let vocabularySize = try reader.count("vocab_size", default: 50272)
    try reader.require(
      width.isMultiple(of: headCount), "hidden_size", "a multiple of the \(headCount) heads")
    let projected = try reader.count("word_embed_proj_dim", default: width, takesNull: true)
    try reader.require(projected == width, "word_embed_proj_dim", "hidden_size, \(width)")
    let beginToken = try reader.index("bos_token_id") ?? 2
    try reader.require(
      beginToken < vocabularySize, "bos_token_id", "below vocab_size, \(vocabularySize)")
    self.init(
      kind: .opt,
      decoder: Decoder.Shape(
        vocabularySize: vocabularySize,
        blockCount: try reader.count("num_hidden_layers", default: 12),
        block: TransformerBlock.Shape(
          attention: Attention.Shape(width: width, headCount: headCount),
          mlp: MLP.Shape(
            width: width, hiddenWidth: try reader.count("ffn_dim", default: 3072),
            activation: try reader.choice("activation_function", default: Activation.relu)),
          epsilon: 1e-5),
        positionCount: try reader.count("max_position_embeddings", default: 2048),
        positions: .table(unusedRows: 2), window: nil, isTied: true),
      beginToken: beginToken,
      endTokens: try reader.tokens("eos_token_id", default: [2], below: vocabularySize))
  }

}

extension BLIP2.Configuration.Language.Kind {
  /// Refuses what is not built, and gives the keys that are not known.
  fileprivate func unknownKeys(in reader: ConfigurationReader) throws(ModelError) -> [String] {
    switch self {
    case .opt: try ConfigurationKeys.opt.unknownKeys(in: reader)
    case .llama: try LLaMA.Configuration.unknownKeys(in: reader)
    }
  }
}
