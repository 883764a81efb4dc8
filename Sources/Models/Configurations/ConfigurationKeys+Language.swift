internal import Files

extension ConfigurationKeys {
  /// LLaMA's and Mistral's `config.json`.
  static let llama = ConfigurationKeys(
    "LlamaConfig and MistralConfig",
    Key.read(
      "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
      "num_key_value_heads", "head_dim", "hidden_act", "rms_norm_eps", "vocab_size",
      "max_position_embeddings", "rope_theta", "rope_scaling", "rope_parameters",
      "attention_bias", "mlp_bias", "sliding_window", "tie_word_embeddings", "bos_token_id",
      "eos_token_id")
      + Key.only("pretraining_tp", 1, because: "weights in slices are not read")
      + Key.only("partial_rotary_factor", 1, because: "whole heads turn")
      + Key.only("norm_type", "rms_norm", "rmsnorm", because: "other norms are not built")
      + Key.only("clip_qkv", because: "queries, keys and values are not clipped")
      + Key.harmless("nothing is filled up", "pad_token_id"))

  /// Their parts `rope_parameters` and `rope_scaling`.
  static let rotary = ConfigurationKeys(
    "RopeParameters",
    Key.read("rope_theta", "rope_type", "type")
      + Key.only("partial_rotary_factor", 1, because: "whole heads turn"),
    shared: [])
}
