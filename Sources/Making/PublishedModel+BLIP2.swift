internal import Files
internal import Models
internal import Tensors

extension PublishedModel {
  /// BLIP-2 with OPT-2.7B: Li, Li, Savarese, Hoi 2023, arXiv:2301.12597.
  static let blip2OPT = blip2(
    "blip2-opt-2.7b",
    vision: BLIP2Sizes(width: 1408, hiddenWidth: 6144, blockCount: 39, headCount: 16),
    qformer: BLIP2Sizes(width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12),
    language: .opt, BLIP2Sizes(width: 2560, hiddenWidth: 10240, blockCount: 32, headCount: 32),
    imageSize: 224, queryCount: 32, rows: 50304,
    vocabulary: MadeUpVocabulary(
      count: 50266,
      fixed: [
        0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 50118: "Ċ", 50264: "<mask>",
        50265: "<image>",
      ], special: [1, 2, 50265], begin: 2, end: 2, pad: 1, newline: 50118, image: 50265,
      style: .blip2))

  /// The same with a few blocks of few channels, to try things with: no such model was published.
  static let blip2Tiny = blip2(
    "blip2-tiny",
    vision: BLIP2Sizes(width: 64, hiddenWidth: 256, blockCount: 3, headCount: 4),
    qformer: BLIP2Sizes(width: 64, hiddenWidth: 128, blockCount: 2, headCount: 4),
    language: .opt, BLIP2Sizes(width: 64, hiddenWidth: 256, blockCount: 3, headCount: 4),
    imageSize: 56, queryCount: 8, rows: 1024,
    vocabulary: MadeUpVocabulary(
      count: 1000,
      fixed: [0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 500: "Ċ", 999: "<image>"],
      special: [1, 2, 999], begin: 2, end: 2, pad: 1, newline: 500, image: 999, style: .blip2))

  /// Ziya-BLIP2-14B-Visual with Ziya-LLaMA-13B, arXiv:2310.08166, whole in one folder.
  static let ziya = blip2(
    "ziya-blip2-14b", type: .float16,
    vision: BLIP2Sizes(width: 1408, hiddenWidth: 6144, blockCount: 39, headCount: 16),
    qformer: BLIP2Sizes(width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12),
    language: .llama, BLIP2Sizes(width: 5120, hiddenWidth: 13824, blockCount: 40, headCount: 40),
    imageSize: 224, queryCount: 32, rows: 39424, vocabulary: llamaVocabulary(count: 39424))

  /// The same with a few blocks of few channels, to try things with: no such model was published.
  static let ziyaTiny = blip2(
    "ziya-tiny", type: .float16,
    vision: BLIP2Sizes(width: 64, hiddenWidth: 256, blockCount: 3, headCount: 4),
    qformer: BLIP2Sizes(width: 64, hiddenWidth: 128, blockCount: 2, headCount: 4),
    language: .llama, BLIP2Sizes(width: 64, hiddenWidth: 192, blockCount: 3, headCount: 4),
    imageSize: 56, queryCount: 8, rows: 1024, vocabulary: llamaVocabulary(count: 1000))

  /// A LLaMA's special tokens, in a vocabulary over bytes.
  private static func llamaVocabulary(count: Int) -> MadeUpVocabulary {
    MadeUpVocabulary(
      count: count, fixed: [0: "<unk>", 1: "<s>", 2: "</s>", 13: "Ċ"], special: [0, 1, 2],
      begin: 1, end: 2, pad: 0, newline: 13, image: nil, style: .blip2)
  }

  /// Sizes of one tower.
  struct BLIP2Sizes {
    let width, hiddenWidth, blockCount, headCount: Int
  }

  private static func blip2(
    _ name: String, type: ElementType = .float32, vision: BLIP2Sizes, qformer: BLIP2Sizes,
    language kind: BLIP2.Configuration.Language.Kind, _ language: BLIP2Sizes, imageSize: Int,
    queryCount: Int, rows: Int, vocabulary: MadeUpVocabulary
  ) -> PublishedModel {
    let visionSettings: JSON = [
      "model_type": "blip_2_vision_model", "hidden_size": .integer(vision.width),
      "intermediate_size": .integer(vision.hiddenWidth),
      "num_hidden_layers": .integer(vision.blockCount),
      "num_attention_heads": .integer(vision.headCount), "image_size": .integer(imageSize),
      "patch_size": 14, "hidden_act": "gelu", "layer_norm_eps": 1e-6, "qkv_bias": true,
    ]
    let qformerSettings: JSON = [
      "model_type": "blip_2_qformer", "vocab_size": 30522,
      "hidden_size": .integer(qformer.width), "intermediate_size": .integer(qformer.hiddenWidth),
      "num_hidden_layers": .integer(qformer.blockCount),
      "num_attention_heads": .integer(qformer.headCount), "hidden_act": "gelu",
      "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "cross_attention_frequency": 2,
      "encoder_hidden_size": .integer(vision.width), "use_qformer_text_input": false,
    ]
    let opt: JSON = [
      "model_type": "opt", "architectures": ["OPTForCausalLM"], "vocab_size": .integer(rows),
      "hidden_size": .integer(language.width), "ffn_dim": .integer(language.hiddenWidth),
      "num_hidden_layers": .integer(language.blockCount),
      "num_attention_heads": .integer(language.headCount),
      "word_embed_proj_dim": .integer(language.width), "max_position_embeddings": 2048,
      "activation_function": "relu", "do_layer_norm_before": true,
      "bos_token_id": .integer(vocabulary.begin), "eos_token_id": .integer(vocabulary.newline),
      "pad_token_id": .integer(vocabulary.pad), "prefix": "</s>",
    ]
    let llama: JSON = [
      "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": .integer(rows),
      "hidden_size": .integer(language.width), "intermediate_size": .integer(language.hiddenWidth),
      "num_hidden_layers": .integer(language.blockCount),
      "num_attention_heads": .integer(language.headCount), "max_position_embeddings": 2048,
      "hidden_act": "silu", "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
      "bos_token_id": .integer(vocabulary.begin), "eos_token_id": .integer(vocabulary.end),
      "pad_token_id": .integer(vocabulary.pad),
    ]
    // An answer of OPT ends with its line.
    let end = kind == .opt ? vocabulary.newline : vocabulary.end
    return PublishedModel(
      name: name, type: type,
      configuration: JSON.Object(
        [
          ("architectures", ["Blip2ForConditionalGeneration"]), ("model_type", "blip-2"),
          ("image_text_hidden_size", 256), ("initializer_factor", 1.0),
          ("initializer_range", 0.02), ("num_query_tokens", .integer(queryCount)),
          ("use_decoder_only_language_model", true), ("vision_config", visionSettings),
          ("qformer_config", qformerSettings), ("text_config", kind == .opt ? opt : llama),
        ] + (vocabulary.image.map { [("image_token_index", .integer($0))] } ?? [])),
      otherFiles: [
        (
          "generation_config.json",
          [
            "bos_token_id": .integer(vocabulary.begin),
            "eos_token_id": .integer(end),
            "pad_token_id": .integer(vocabulary.pad),
          ]
        ),
        (
          "preprocessor_config.json",
          [
            "image_processor_type": "BlipImageProcessor", "processor_class": "Blip2Processor",
            "do_convert_rgb": true, "do_resize": true,
            "size": ["height": .integer(imageSize), "width": .integer(imageSize)],
            "resample": 3, "do_rescale": true, "rescale_factor": 0.00392156862745098,
            "do_normalize": true, "image_mean": .array(CLIPColours.mean.map { .number($0) }),
            "image_std": .array(CLIPColours.deviation.map { .number($0) }),
          ]
        ),
        (
          "processor_config.json",
          ["num_query_tokens": .integer(queryCount), "processor_class": "Blip2Processor"]
        ),
      ],
      vocabulary: vocabulary)
  }
}
