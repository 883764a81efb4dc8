public import Files
internal import Layers

extension LLaMA {
  /// What a language model of LLaMA's kind is like, from `config.json`; absent values are the
  /// published library's defaults.
  public struct Configuration: Sendable, Equatable {
    /// Which of the kind it is.
    let variant: Variant
    /// The decoder.
    public let decoder: Decoder.Shape
    /// The token that begins a text, if the file names one.
    public let beginToken: Int?
    /// The tokens that end one.
    public let endTokens: [Int]

    /// The models of this kind, as `model_type` calls them.
    enum Variant: String, Sendable {
      case llama, mistral
    }
  }
}

extension LLaMA.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    try self.init(ConfigurationReader(file: file, path: "", json: json))
  }

  /// What to say of keys that nobody knows.
  ///
  /// - Throws: for values that are not built.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let unknown = try unknownKeys(in: ConfigurationReader(file: file, path: "", json: json))
    return ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
  }

  /// The keys that nobody knows.
  ///
  /// - Throws: for values that are not built.
  static func unknownKeys(in reader: ConfigurationReader) throws(ModelError) -> [String] {
    var unknown = try ConfigurationKeys.llama.unknownKeys(in: reader)
    for key in ["rope_parameters", "rope_scaling"] {
      unknown += try ConfigurationKeys.rotary.unknownKeys(in: reader.section(key))
    }
    return unknown
  }

  /// Reads and checks the object of a language model.
  init(_ reader: ConfigurationReader) throws(ModelError) {
    variant = reader.json?["model_type"]?.text.flatMap(Variant.init) ?? .llama
    let isMistral = variant == .mistral
    let width = try reader.count("hidden_size", default: 4096)
    var attention = Attention.Shape(
      width: width, headCount: try reader.count("num_attention_heads", default: 32))
    let heads = attention.headCount
    // Mistral's class has fewer key heads by default, LLaMA's as many as heads.
    attention.keyHeadCount = try reader.count(
      "num_key_value_heads", default: isMistral ? min(8, heads) : heads, takesNull: !isMistral)
    try reader.require(
      heads.isMultiple(of: attention.keyHeadCount), "num_key_value_heads",
      "a divisor of the \(heads) heads")
    if reader.json?["head_dim"].map({ $0 == .null }) ?? true {
      try reader.require(
        width.isMultiple(of: heads), "hidden_size",
        "a multiple of the \(heads) heads where head_dim is absent")
    }
    attention.headWidth = try reader.count(
      "head_dim", default: max(1, width / heads), takesNull: true)
    try reader.require(
      attention.headWidth.isMultiple(of: 2), "head_dim", "even, for positions turn pairs")
    attention.hasInputBias = try reader.flag("attention_bias", default: false)
    attention.hasOutputBias = attention.hasInputBias
    var mlp = MLP.Shape(
      width: width,
      hiddenWidth: try reader.count("intermediate_size", default: isMistral ? 14336 : 11008),
      activation: try reader.choice("hidden_act", default: Activation.silu))
    mlp.isGated = true
    mlp.hasBias = try reader.flag("mlp_bias", default: false)
    try reader.require(
      try reader.count("pretraining_tp", default: 1, takesNull: true) == 1, "pretraining_tp",
      "1: weights in slices are not read")
    let vocabularySize = try reader.count("vocab_size", default: 32000)
    decoder = Decoder.Shape(
      vocabularySize: vocabularySize,
      blockCount: try reader.count("num_hidden_layers", default: 32),
      block: TransformerBlock.Shape(
        attention: attention, mlp: mlp, norm: .rootMeanSquare,
        epsilon: Float(try reader.number("rms_norm_eps", default: 1e-6))),
      positionCount: try reader.count(
        "max_position_embeddings", default: isMistral ? 131_072 : 2048),
      positions: .rotary(
        Rotary(base: try Self.rotaryBase(reader), turnedWidth: attention.headWidth)),
      window: isMistral ? try Self.window(reader) : nil,
      isTied: try reader.flag("tie_word_embeddings", default: false))
    let begin = try reader.index("bos_token_id")
    try reader.require(
      begin ?? 0 < vocabularySize, "bos_token_id", "below vocab_size, \(vocabularySize)")
    beginToken = begin ?? (vocabularySize > 1 ? 1 : nil)
    endTokens = try reader.tokens("eos_token_id", default: [2], below: vocabularySize)
  }

  /// How many tokens each sees; absent it is Mistral's 4096, `null` all.
  private static func window(_ reader: ConfigurationReader) throws(ModelError) -> Int? {
    guard let value = reader.json?["sliding_window"] else { return 4096 }
    return value == .null ? nil : try reader.count("sliding_window", default: 4096)
  }

  /// The base of the rotary frequencies.
  ///
  /// Newer files have it in `rope_parameters`, older ones beside `rope_scaling`. Positions that are
  /// stretched are refused by the name of the way.
  private static func rotaryBase(_ reader: ConfigurationReader) throws(ModelError) -> Double {
    for key in ["rope_parameters", "rope_scaling"] {
      let section = try reader.section(key)
      for name in ["rope_type", "type"] {
        let kind = section.json?[name]
        try section.require(
          kind == nil || kind == .null || kind?.text == "default", name,
          "'default': positions that are stretched are not built")
      }
      let share = try section.number("partial_rotary_factor", default: 1, takesNull: true)
      try section.require(share == 1, "partial_rotary_factor", "1")
    }
    let parameters = try reader.section("rope_parameters")
    let holder = parameters.json?["rope_theta"] == nil ? reader : parameters
    let base = try holder.number("rope_theta", default: 10_000)
    try holder.require(base > 1, "rope_theta", "above 1")
    return base
  }
}
