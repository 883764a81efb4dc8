internal import Files

extension ConfigurationKeys {
  /// LLaMA's and Mistral's `config.json`, also the part `text_config` of a BLIP-2 with a LLaMA.
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

  /// An Idefics2's `config.json`; its part `text_config` is Mistral's.
  static let idefics2 = ConfigurationKeys(
    "Idefics2Config",
    Key.read("vision_config", "perceiver_config", "text_config", "image_token_id")
      + Key.only("tie_word_embeddings", false, because: "the head is a layer of its own"))

  /// Its part `vision_config`.
  static let idefics2Vision = ConfigurationKeys(
    "Idefics2VisionConfig",
    visionSizes + [
      Key(
        name: "position_rounding", use: .read,
        reason: "Fovea's own: which published code's rounding of places, `5` or `4.40`")
    ])

  /// Its part `perceiver_config`.
  static let idefics2Perceiver = ConfigurationKeys(
    "Idefics2PerceiverConfig",
    [
      Key(
        name: "rms_norm_eps", use: .read,
        reason: "absent it is 1e-6, as in transformers 5; the first code took text_config's")
    ]
      + Key.read(
        "hidden_size", "hidden_act", "resampler_n_latents", "resampler_depth",
        "resampler_n_heads", "resampler_head_dim", "num_key_value_heads"))

  /// Qwen-VL's `config.json`.
  static let qwen = ConfigurationKeys(
    "QWenConfig",
    Key.read(
      "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "kv_channels",
      "intermediate_size", "layer_norm_epsilon", "seq_length", "max_position_embeddings",
      "rotary_emb_base", "use_dynamic_ntk", "use_logn_attn", "no_bias", "visual")
      + Key.only("rotary_pct", 1, because: "whole heads turn")
      + Key.only(
        "scale_attn_weights", true, because: "scores are divided by the root of a head's channels")
      + Key.only("tie_word_embeddings", false, because: "the head is a layer of its own")
      + Key.only("use_cache_quantization", false, because: "keys and values are kept as they are")
      + Key.only("softmax_in_fp32", false, true, because: "softmax is computed in float32")
      + Key.harmless("the type of the weights is read from the weights", "bf16", "fp16", "fp32")
      + Key.harmless(
        "for training", "attn_dropout_prob", "emb_dropout_prob", "attn_pdrop", "embd_pdrop",
        "resid_pdrop", "n_inner")
      + Key.harmless(
        "how it is computed, with the same result", "use_flash_attn", "use_cache_kernel",
        "onnx_safe")
      + Key.harmless("says which tokenizer, which is read from its own file", "tokenizer_type"))

  /// Its part `visual`.
  static let qwenVisual = ConfigurationKeys(
    "Qwen-VL's visual",
    Key.read(
      "image_size", "patch_size", "width", "layers", "heads", "mlp_ratio", "output_dim",
      "n_queries", "image_start_id"),
    shared: [])
}
