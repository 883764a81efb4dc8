internal import Files
internal import Models
internal import Tensors

extension PublishedModel {
  /// Qwen-VL-Chat, arXiv:2308.12966.
  static let qwenVLChat = qwen("qwen-vl-chat", type: .bfloat16, topP: 0.3)

  /// The same with 4-bit integers in the language model's blocks, everything else in float16.
  static let qwenVLChatInt4 = qwen("qwen-vl-chat-int4", type: .float16, topP: 0.5)

  private static func qwen(_ name: String, type: ElementType, topP: Double) -> PublishedModel {
    let isPacked = type == .float16
    let visual: JSON = [
      "heads": 16, "image_size": 448, "image_start_id": 151857, "layers": 48,
      "mlp_ratio": 4.9231, "output_dim": 4096, "patch_size": 14, "width": 1664,
    ]
    let packing: JSON = [
      "bits": 4, "group_size": 128, "damp_percent": 0.01, "desc_act": false,
      "static_groups": false, "sym": true, "true_sequential": true, "model_name_or_path": .null,
      "model_file_base_name": "model", "quant_method": "gptq",
    ]
    let generation: JSON = [
      "chat_format": "chatml", "eos_token_id": 151643, "pad_token_id": 151643,
      "max_window_size": 6144, "max_new_tokens": 512, "do_sample": true, "top_k": 0,
      "top_p": .number(topP),
    ]
    return PublishedModel(
      name: name, type: type,
      packing: isPacked
        ? Packing(
          places: "language.blocks.*", quantization: .int4(groupSize: 128), addsBiases: true)
        : nil,
      configuration: JSON.Object(
        [
          ("architectures", ["QWenLMHeadModel"]), ("model_type", "qwen"),
          ("attn_dropout_prob", 0.0), ("bf16", .bool(!isPacked)), ("emb_dropout_prob", 0.0),
          ("fp16", .bool(isPacked)), ("fp32", false), ("hidden_size", 4096),
          ("initializer_range", 0.02), ("intermediate_size", 22016), ("kv_channels", 128),
          ("layer_norm_epsilon", 1e-6), ("max_position_embeddings", 8192), ("no_bias", true),
          ("num_attention_heads", 32), ("num_hidden_layers", 32), ("rotary_emb_base", 10000),
          ("rotary_pct", 1.0), ("scale_attn_weights", true), ("seq_length", 2048),
          ("tie_word_embeddings", false), ("tokenizer_type", "QWenTokenizer"),
          ("use_cache", true), ("use_dynamic_ntk", true), ("use_flash_attn", "auto"),
          ("use_logn_attn", true), ("visual", visual), ("vocab_size", 151_936),
        ] + (isPacked ? [("quantization_config", packing)] : [])),
      otherFiles: [("generation_config.json", generation)]
        + (isPacked ? [("quantize_config.json", packing)] : []),
      vocabulary: MadeUpVocabulary(
        count: 151_643,
        fixed: [872: "user", 8948: "system", 77091: "assistant"],
        special: [], begin: 0, end: 0, pad: 0, newline: 198, image: 0, style: .ranks))
  }
}
