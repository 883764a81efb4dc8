internal import Files
internal import Models
public import Tensors

/// A published model's sizes and settings: enough to make a checkpoint like it with random weights.
///
/// Nothing here lists tensors: the family itself says which it reads.
public struct PublishedModel: Sendable {
  /// What to type, such as `blip2-opt-2.7b`.
  public let name: String
  /// The number format of the weights, unless somebody asks for another.
  public var type = ElementType.float32
  /// Which weights of products are packed as GPTQ does it; nil for none.
  var packing: Packing?
  /// `config.json`, without the number format of the weights.
  let configuration: JSON.Object
  /// The other small files.
  let otherFiles: [(name: String, json: JSON)]
  /// The vocabulary to make up; nil for a model that reads no text.
  let vocabulary: MadeUpVocabulary?

  /// 4-bit integers in groups.
  struct Packing: Sendable {
    /// Where they are, a pattern of addresses.
    let places: String
    /// Inputs of a group.
    let groupSize: Int
  }

  /// The models that can be made.
  public static let all = [
    blip2OPT, clipBase, vitBase, mistral, tinyLLaMA, smolLM, qwenVLChat, qwenVLChatInt4,
    idefics2, idefics2Int4, blip2Tiny,
  ]

  /// All small files of a checkpoint.
  func files(type: ElementType, hasVocabulary: Bool) -> [(name: String, text: String)] {
    let members = zip(configuration.keys, configuration.values).map { ($0, $1) }
    let settings = JSON.object(JSON.Object(members + [("torch_dtype", .string(type.rawValue))]))
    return ([("config.json", settings)] + otherFiles)
      .map { ($0.name, $0.json.written(indented: true) + "\n") }
      + (hasVocabulary ? vocabulary?.files() ?? [] : [])
  }

  /// The model called `name`; nil where none is.
  public static func named(_ name: String) -> PublishedModel? { all.first { $0.name == name } }
}

extension PublishedModel {
  /// BLIP-2 with OPT-2.7B: Li, Li, Savarese, Hoi 2023, arXiv:2301.12597.
  static let blip2OPT = blip2(
    "blip2-opt-2.7b",
    vision: BLIP2Sizes(width: 1408, hiddenWidth: 6144, blockCount: 39, headCount: 16),
    qformer: BLIP2Sizes(width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12),
    language: BLIP2Sizes(width: 2560, hiddenWidth: 10240, blockCount: 32, headCount: 32),
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
    language: BLIP2Sizes(width: 64, hiddenWidth: 256, blockCount: 3, headCount: 4),
    imageSize: 56, queryCount: 8, rows: 1024,
    vocabulary: MadeUpVocabulary(
      count: 1000,
      fixed: [0: "<s>", 1: "<pad>", 2: "</s>", 3: "<unk>", 500: "Ċ", 999: "<image>"],
      special: [1, 2, 999], begin: 2, end: 2, pad: 1, newline: 500, image: 999, style: .blip2))

  /// Sizes of one tower.
  struct BLIP2Sizes {
    let width, hiddenWidth, blockCount, headCount: Int
  }

  private static func blip2(
    _ name: String, vision: BLIP2Sizes, qformer: BLIP2Sizes, language: BLIP2Sizes, imageSize: Int,
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
    let languageSettings: JSON = [
      "model_type": "opt", "architectures": ["OPTForCausalLM"], "vocab_size": .integer(rows),
      "hidden_size": .integer(language.width), "ffn_dim": .integer(language.hiddenWidth),
      "num_hidden_layers": .integer(language.blockCount),
      "num_attention_heads": .integer(language.headCount),
      "word_embed_proj_dim": .integer(language.width), "max_position_embeddings": 2048,
      "activation_function": "relu", "do_layer_norm_before": true,
      "bos_token_id": .integer(vocabulary.begin), "eos_token_id": .integer(vocabulary.newline),
      "pad_token_id": .integer(vocabulary.pad), "prefix": "</s>",
    ]
    return PublishedModel(
      name: name,
      configuration: JSON.Object([
        ("architectures", ["Blip2ForConditionalGeneration"]), ("model_type", "blip-2"),
        ("image_text_hidden_size", 256), ("image_token_index", .integer(vocabulary.image)),
        ("initializer_factor", 1.0), ("initializer_range", 0.02),
        ("num_query_tokens", .integer(queryCount)), ("use_decoder_only_language_model", true),
        ("vision_config", visionSettings), ("qformer_config", qformerSettings),
        ("text_config", languageSettings),
      ]),
      otherFiles: [
        (
          "generation_config.json",
          [
            "bos_token_id": .integer(vocabulary.begin),
            "eos_token_id": .integer(vocabulary.newline),
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
