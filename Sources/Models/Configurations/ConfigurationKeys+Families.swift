internal import Files

extension ConfigurationKeys {
  /// A ViT's `config.json`.
  static let vit = ConfigurationKeys(
    "ViTConfig",
    visionSizes
      + Key.read("qkv_bias", "id2label", "num_labels", "problem_type", "function_to_apply")
      + Key.harmless("the names are read from id2label", "label2id")
      + Key.harmless(
        "of heads that are not read: pooler and masked pictures", "pooler_output_size",
        "pooler_act", "encoder_stride"))

  /// timm's `config.json` of a ViT.
  static let timm = ConfigurationKeys(
    "timm",
    Key.read(
      "architecture", "num_classes", "label_names", "model_args", "pretrained_cfg", "input_size",
      "interpolation", "crop_pct", "crop_mode", "mean", "std", "problem_type")
      + Key.only("global_pool", "token", because: "the class token is what classes are read from")
      + Key.only("do_pooling", true, because: "the class token is what classes are read from")
      + Key.harmless("said twice", "num_features", "label_descriptions", "num_labels"))

  /// `model_args` in it.
  static let timmArguments = ConfigurationKeys(
    "timm model_args",
    Key.read(
      "num_classes", "img_size", "patch_size", "embed_dim", "depth", "num_heads", "mlp_ratio",
      "qkv_bias")
      + Key.only("in_chans", 3, because: "pictures are red, green, blue")
      + Key.only("global_pool", "token", because: "the class token is what classes are read from")
      + Key.only("class_token", true, because: "a class token comes first")
      + Key.only("no_embed_class", false, because: "the class token has a position")
      + Key.only("reg_tokens", 0, because: "no other tokens come before the patches")
      + Key.only("pre_norm", false, because: "no norm stands before the first block")
      + Key.only("final_norm", true, because: "a norm stands after the last block")
      + Key.only("fc_norm", false, because: "no norm stands before the classes")
      + Key.only("qk_norm", false, because: "queries and keys are not normalised")
      + Key.only("proj_bias", true, because: "all layers have biases")
      + Key.only("scale_attn_norm", false, because: "the plain block is built")
      + Key.only("scale_mlp_norm", false, because: "the plain block is built")
      + Key.only("init_values", because: "blocks have no scales of their own")
      + Key.only("pos_embed", "learn", because: "positions are learned")
      + Key.only("act_layer", "gelu", because: "the plain block is built")
      + Key.only("norm_layer", "layernorm", because: "the plain block is built")
      + Key.harmless(
        "for training, or for pictures of other sizes", "drop_rate", "pos_drop_rate",
        "patch_drop_rate", "proj_drop_rate", "attn_drop_rate", "drop_path_rate", "weight_init",
        "fix_init", "dynamic_img_size", "dynamic_img_pad"),
    shared: [])

  /// `pretrained_cfg` in it.
  static let timmPictures = ConfigurationKeys(
    "timm pretrained_cfg",
    Key.read("input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
      + Key.harmless(
        "says where it came from", "tag", "custom_load", "architecture", "license", "url", "source",
        "file", "state_dict", "hf_hub_id", "hf_hub_filename", "origin_url", "paper_name",
        "paper_ids", "notes")
      + Key.harmless(
        "said by the model's own sizes", "num_classes", "pool_size", "first_conv", "classifier",
        "fixed_input_size", "min_input_size", "label_offset", "label_names", "label_descriptions")
      + Key.harmless("taken only when asked for", "test_input_size", "test_crop_pct"),
    shared: [])

  /// A CLIP's `config.json`.
  static let clip = ConfigurationKeys(
    "CLIPConfig",
    Key.read(
      "projection_dim", "text_config", "vision_config", "text_config_dict", "vision_config_dict"))

  /// Its part `text_config`, and the configuration of a text tower alone.
  static let clipText = ConfigurationKeys(
    "CLIPTextConfig",
    Key.read(
      "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
      "hidden_act", "layer_norm_eps", "vocab_size", "max_position_embeddings", "eos_token_id",
      "projection_dim")
      + Key.harmless("the tokenizer's files say it", "bos_token_id", "pad_token_id"))

  /// Its part `vision_config`, and the configuration of a vision tower alone.
  static let clipVision = ConfigurationKeys(
    "CLIPVisionConfig", visionSizes + Key.read("projection_dim"))

  /// A BLIP-2's `config.json`.
  static let blip2 = ConfigurationKeys(
    "Blip2Config",
    Key.read(
      "vision_config", "qformer_config", "text_config", "num_query_tokens",
      "image_text_hidden_size", "image_token_index", "image_token_id")
      + Key.only(
        "use_decoder_only_language_model", true, because: "the language models read are decoders")
      + Key.only("is_encoder_decoder", false, because: "the language models read are decoders"))

  /// Its part `vision_config`.
  static let blip2Vision = ConfigurationKeys(
    "Blip2VisionConfig",
    visionSizes + Key.read("qkv_bias")
      + Key.harmless("a CLIP's, which this tower has not", "projection_dim"))

  /// Its part `qformer_config`.
  static let blip2QFormer = ConfigurationKeys(
    "Blip2QFormerConfig",
    Key.read(
      "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
      "hidden_act", "layer_norm_eps", "vocab_size", "max_position_embeddings",
      "cross_attention_frequency", "use_qformer_text_input")
      + Key.harmless("the reference takes the vision tower's width", "encoder_hidden_size")
      + Key.only(
        "position_embedding_type", "absolute", because: "positions are added to the tokens"))

  /// Its part `text_config`.
  static let opt = ConfigurationKeys(
    "OPTConfig",
    Key.read(
      "hidden_size", "ffn_dim", "num_hidden_layers", "num_attention_heads",
      "activation_function", "vocab_size", "max_position_embeddings", "word_embed_proj_dim",
      "bos_token_id", "eos_token_id", "pad_token_id")
      + Key.only("do_layer_norm_before", true, because: "norms stand before attention and MLP")
      + Key.only("_remove_final_layer_norm", false, because: "a norm stands at the end")
      + Key.only("tie_word_embeddings", true, because: "the head is the table of embeddings")
      + Key.only("enable_bias", true, because: "all layers have biases")
      + Key.only(
        "layer_norm_elementwise_affine", true, because: "norms have weights and biases"))

  /// The file of the class that prepares pictures.
  static let imageProcessor = ConfigurationKeys(
    "ImagesKwargs",
    Key.read(
      "image_processor_type", "feature_extractor_type", "do_resize", "size", "default_to_square",
      "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor", "do_normalize",
      "image_mean", "image_std", "do_convert_rgb")
      + Key.only("do_pad", false, because: "nothing is added at the borders")
      + Key.only("data_format", "channels_first", because: "channels come first")
      + Key.only("offset", false, because: "levels begin at 0")
      + Key.harmless("it belongs to do_pad, which is refused", "pad_size", "size_divisor")
      + Key.harmless(
        "how pictures are handed in and out", "input_data_format", "return_tensors", "device",
        "disable_grouping", "image_seq_length", "backend")
      + Key.harmless(
        "says where it came from", "processor_class", "auto_map", "_valid_processor_keys",
        "image_processor_class", "transformers_version", "num_query_tokens"),
    shared: [])

  /// The file of the class that prepares an Idefics2's pictures.
  static let idefics2ImageProcessor = ConfigurationKeys(
    "Idefics2ImageProcessorKwargs",
    Key.read("do_image_splitting")
      + Key.only("do_pad", true, because: "a batch is filled up")
      + Key.only("do_center_crop", false, because: "nothing is cut off")
      + Key.harmless("the sides are told by longest_edge and shortest_edge", "default_to_square")
      + imageProcessor.keys,
    shared: [])

  /// `generation_config.json`.
  static let generationConfig = ConfigurationKeys(
    "GenerationConfig",
    Key.read(
      "eos_token_id", "max_new_tokens", "chat_format", "max_window_size", "stop_words_ids")
      + GenerationSettings.askedKeys.map {
        Key(name: $0, use: .read, reason: "said where it is not neutral")
      }
      + Key.harmless(
        "the prompt is made here", "bos_token_id", "pad_token_id", "decoder_start_token_id")
      + Key.harmless(
        "what is handed out, not what is computed", "output_attentions", "output_hidden_states",
        "output_scores", "output_logits", "return_dict_in_generate", "use_cache",
        "cache_implementation", "cache_config", "return_legacy_cache")
      + Key.harmless(
        "how it is computed, with the same result", "compile_config", "disable_compile",
        "low_memory", "max_cache_len", "prefill_chunk_size", "continuous_batching_config",
        "use_mtp", "token_healing", "max_time")
      + Key.harmless(
        "of a second model that guesses, which is not used", "is_assistant",
        "assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight",
        "assistant_lookbehind", "target_lookbehind", "num_assistant_tokens",
        "num_assistant_tokens_schedule", "max_matching_ngram_size", "prompt_lookup_num_tokens",
        "speculation_type")
      + Key.harmless(
        "says where it came from", "_from_model_config", "transformers_version", "_commit_hash"),
    shared: [])

  /// Every table, for the list of keys.
  static let all = [
    vit, timm, timmArguments, timmPictures, clip, clipText, clipVision, openCLIP,
    openModel, openVision, openText, openPictures, blip2, blip2Vision,
    blip2QFormer, opt, llama, rotary, qwen, qwenVisual, idefics2, idefics2Vision, idefics2Perceiver,
    imageProcessor, idefics2ImageProcessor, generationConfig,
  ]
}
