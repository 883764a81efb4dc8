internal import Files
internal import Models
internal import Tensors

extension PublishedModel {
  /// Idefics2-8b, arXiv:2405.02246.
  ///
  /// The published configuration is known by what others copied of it; the counts of tensors and of their
  /// numbers are those of the reference's class.
  static let idefics2 = idefics2("idefics2-8b", type: .bfloat16)

  /// The same with 4-bit integers in the language model's blocks, packed as GPTQ does it, everything else in
  /// float16.
  static let idefics2Int4 = idefics2("idefics2-8b-int4", type: .float16)

  private static func idefics2(_ name: String, type: ElementType) -> PublishedModel {
    let isPacked = type == .float16
    let packing: JSON = [
      "bits": 4, "group_size": 128, "damp_percent": 0.01, "desc_act": false,
      "static_groups": false, "sym": true, "true_sequential": true, "quant_method": "gptq",
    ]
    return PublishedModel(
      name: name, type: type,
      packing: isPacked
        ? Packing(places: "language.blocks.*", quantization: .int4(groupSize: 128)) : nil,
      configuration: JSON.Object(
        [
          ("architectures", ["Idefics2ForConditionalGeneration"]), ("model_type", "idefics2"),
          ("image_token_id", 32001), ("tie_word_embeddings", false), ("use_cache", true),
          (
            "perceiver_config",
            [
              "model_type": "idefics2_perceiver", "hidden_act": "silu", "hidden_size": 4096,
              "num_key_value_heads": 4, "resampler_depth": 3, "resampler_head_dim": 96,
              "resampler_n_heads": 16, "resampler_n_latents": 64, "rms_norm_eps": 1e-5,
            ]
          ),
          (
            "text_config",
            [
              "model_type": "mistral", "vocab_size": 32003, "hidden_size": 4096,
              "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
              "num_key_value_heads": 8, "hidden_act": "silu", "max_position_embeddings": 32768,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "sliding_window": 4096,
              "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "tie_word_embeddings": false,
            ]
          ),
          (
            "vision_config",
            [
              "model_type": "idefics2_vision", "hidden_size": 1152, "intermediate_size": 4304,
              "num_hidden_layers": 27, "num_attention_heads": 16, "image_size": 980,
              "patch_size": 14, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6,
            ]
          ),
        ] + (isPacked ? [("quantization_config", packing)] : [])),
      otherFiles: [
        (
          "generation_config.json",
          ["bos_token_id": 1, "eos_token_id": [2, 32002], "pad_token_id": 0]
        ),
        (
          "preprocessor_config.json",
          [
            "image_processor_type": "Idefics2ImageProcessor", "do_convert_rgb": true,
            "do_image_splitting": true, "do_normalize": true, "do_pad": true, "do_rescale": true,
            "do_resize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
            "resample": 2, "rescale_factor": 0.00392156862745098,
            "size": ["longest_edge": 980, "shortest_edge": 378],
          ]
        ),
        ("processor_config.json", ["image_seq_len": 64, "processor_class": "Idefics2Processor"]),
      ],
      vocabulary: MadeUpVocabulary(
        count: 32003,
        fixed: [
          0: "<unk>", 1: "<s>", 2: "</s>", 13: "Ċ", 32000: "<fake_token_around_image>",
          32001: "<image>", 32002: "<end_of_utterance>",
        ], special: [0, 1, 2, 32000, 32001, 32002], begin: 1, end: 2, pad: 0, newline: 13,
        image: 32001, style: .blip2))
  }
}
