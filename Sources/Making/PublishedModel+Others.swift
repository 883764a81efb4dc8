internal import Files
internal import Models

extension PublishedModel {
  /// CLIP of OpenAI, arXiv:2103.00020.
  static let clipBase: PublishedModel = {
    let text: JSON = [
      "model_type": "clip_text_model", "vocab_size": 49408, "hidden_size": 512,
      "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8,
      "max_position_embeddings": 77, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
      "projection_dim": 512, "bos_token_id": 0, "eos_token_id": 2, "pad_token_id": 1,
    ]
    let vision: JSON = [
      "model_type": "clip_vision_model", "hidden_size": 768, "intermediate_size": 3072,
      "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 224, "patch_size": 32,
      "num_channels": 3, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
      "projection_dim": 512,
    ]
    let preprocessing: JSON = [
      "image_processor_type": "CLIPImageProcessor",
      "feature_extractor_type": "CLIPFeatureExtractor",
      "do_resize": true, "size": ["shortest_edge": 224], "resample": 3, "do_center_crop": true,
      "crop_size": ["height": 224, "width": 224], "do_rescale": true,
      "rescale_factor": 0.00392156862745098, "do_normalize": true, "do_convert_rgb": true,
      "image_mean": .array(CLIPColours.mean.map { .number($0) }),
      "image_std": .array(CLIPColours.deviation.map { .number($0) }),
    ]
    return PublishedModel(
      name: "clip-vit-base-patch32",
      configuration: JSON.Object([
        ("architectures", ["CLIPModel"]), ("model_type", "clip"), ("projection_dim", 512),
        ("logit_scale_init_value", 2.6592), ("initializer_factor", 1.0), ("text_config", text),
        ("vision_config", vision),
      ]),
      otherFiles: [("preprocessor_config.json", preprocessing)],
      vocabulary: MadeUpVocabulary(
        count: 49408, fixed: [49406: "<|startoftext|>", 49407: "<|endoftext|>"],
        special: [49406, 49407], begin: 49406, end: 49407, pad: 49407, newline: 0, image: 0,
        style: .clip))
  }()

  /// ViT, arXiv:2010.11929, its classes named by their numbers.
  static let vitBase: PublishedModel = {
    let labels = (0..<1000).map { (String($0), JSON.string("LABEL_\($0)")) }
    let identifiers = (0..<1000).map { ("LABEL_\($0)", JSON.integer($0)) }
    return PublishedModel(
      name: "vit-base-patch16-224",
      configuration: JSON.Object([
        ("architectures", ["ViTForImageClassification"]), ("model_type", "vit"),
        ("hidden_size", 768), ("intermediate_size", 3072), ("num_hidden_layers", 12),
        ("num_attention_heads", 12), ("image_size", 224), ("patch_size", 16),
        ("num_channels", 3), ("hidden_act", "gelu"), ("layer_norm_eps", 1e-12),
        ("qkv_bias", true), ("hidden_dropout_prob", 0.0), ("attention_probs_dropout_prob", 0.0),
        ("id2label", .object(JSON.Object(labels))),
        ("label2id", .object(JSON.Object(identifiers))),
      ]),
      otherFiles: [
        (
          "preprocessor_config.json",
          [
            "image_processor_type": "ViTImageProcessor", "do_resize": true,
            "size": ["height": 224, "width": 224], "resample": 2, "do_rescale": true,
            "rescale_factor": 0.00392156862745098, "do_normalize": true,
            "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
          ]
        )
      ],
      vocabulary: nil)
  }()
}
