internal import Files
internal import Models

extension PublishedModel {
  /// Mistral-7B-v0.1, arXiv:2310.06825.
  static let mistral = language(
    "mistral-7b", type: "mistral", architecture: "MistralForCausalLM", vocabularySize: 32000,
    sizes: LanguageSizes(
      width: 4096, hiddenWidth: 14336, blockCount: 32, headCount: 32, keyHeadCount: 8),
    settings: [
      ("max_position_embeddings", 32768), ("rms_norm_eps", 1e-5), ("rope_theta", 10000.0),
      ("sliding_window", 4096), ("tie_word_embeddings", false),
    ])

  /// TinyLlama-1.1B, arXiv:2401.02385.
  static let tinyLLaMA = language(
    "tinyllama-1.1b", type: "llama", architecture: "LlamaForCausalLM", vocabularySize: 32000,
    sizes: LanguageSizes(
      width: 2048, hiddenWidth: 5632, blockCount: 22, headCount: 32, keyHeadCount: 4),
    settings: [
      ("max_position_embeddings", 2048), ("rms_norm_eps", 1e-5), ("rope_theta", 10000.0),
      ("rope_scaling", .null), ("tie_word_embeddings", false), ("attention_bias", false),
    ])

  /// SmolLM2-135M, arXiv:2502.02737.
  static let smolLM = language(
    "smollm2-135m", type: "llama", architecture: "LlamaForCausalLM", vocabularySize: 49152,
    sizes: LanguageSizes(
      width: 576, hiddenWidth: 1536, blockCount: 30, headCount: 9, keyHeadCount: 3),
    settings: [
      ("max_position_embeddings", 8192), ("rms_norm_eps", 1e-5), ("rope_theta", 100_000.0),
      ("rope_scaling", .null), ("tie_word_embeddings", true), ("attention_bias", false),
      ("mlp_bias", false),
    ])

  private struct LanguageSizes {
    let width, hiddenWidth, blockCount, headCount, keyHeadCount: Int
  }

  /// A language model of LLaMA's kind, its vocabulary byte-level.
  private static func language(
    _ name: String, type: String, architecture: String, vocabularySize: Int,
    sizes: LanguageSizes, settings: [(String, JSON)]
  ) -> PublishedModel {
    PublishedModel(
      name: name,
      configuration: JSON.Object(
        [
          ("architectures", [.string(architecture)]), ("model_type", .string(type)),
          ("vocab_size", .integer(vocabularySize)), ("hidden_size", .integer(sizes.width)),
          ("intermediate_size", .integer(sizes.hiddenWidth)),
          ("num_hidden_layers", .integer(sizes.blockCount)),
          ("num_attention_heads", .integer(sizes.headCount)),
          ("num_key_value_heads", .integer(sizes.keyHeadCount)), ("hidden_act", "silu"),
          ("bos_token_id", 1), ("eos_token_id", 2), ("initializer_range", 0.02),
          ("use_cache", true),
        ] + settings),
      otherFiles: [("generation_config.json", ["bos_token_id": 1, "eos_token_id": 2])],
      vocabulary: MadeUpVocabulary(
        count: vocabularySize, fixed: [0: "<unk>", 1: "<s>", 2: "</s>", 13: "Ċ"],
        special: [0, 1, 2], begin: 1, end: 2, pad: 2, newline: 13, image: 0, style: .blip2))
  }
}
