internal import Files

extension ConfigurationKeys {
  /// OpenCLIP's `open_clip_config.json`.
  static let openCLIP = ConfigurationKeys(
    "open_clip", Key.read("model_cfg", "preprocess_cfg"), shared: [])

  /// `model_cfg` in it.
  static let openModel = ConfigurationKeys(
    "CLIP",
    Key.read("embed_dim", "quick_gelu", "vision_cfg", "text_cfg")
      + Key.only("multimodal_cfg", because: "captioning models are not read")
      + Key.only("init_logit_bias", because: "a scale alone is read")
      + Key.only("nonscalar_logit_scale", false, because: "the scale is one number")
      + Key.only("output_dict", true, false, because: "what is handed out, not what is computed")
      + Key.harmless("for training", "init_logit_scale")
      + Key.harmless("names tell how the text tower is stored", "custom_text")
      + Key.harmless("the type of the weights is read from the weights", "cast_dtype"),
    shared: [])

  /// What a tower of OpenCLIP must not have: both towers know these switches.
  private static let openSwitches: [Key] =
    ["ls_init_value", "act_kwargs", "norm_kwargs"].flatMap {
      Key.only($0, [:], because: plain)
    }
    + [
      "attentional_pool", "embed_cls", "final_ln_after_pool", "global_average_pool",
      "input_patchnorm", "no_causal_mask", "no_ln_pre", "proj_bias", "qk_norm", "scale_attn",
      "scale_attn_inner", "scale_fc", "scale_heads", "scaled_cosine_attn", "use_pad_mask",
    ].flatMap { Key.only($0, false, because: plain) }
    + Key.only("block_type", "default", because: plain)
    + Key.only("pos_embed_type", "learnable", because: plain)
    + Key.only("proj_type", "linear", because: plain)
    + Key.harmless("what is handed out, not what is computed", "output_tokens")
  private static let plain = "only the plain transformer is read"

  /// `vision_cfg` in it.
  static let openVision = ConfigurationKeys(
    "CLIPVisionCfg",
    Key.read("layers", "width", "head_width", "mlp_ratio", "image_size", "patch_size")
      + Key.only("timm_model_name", because: "only OpenCLIP's own vision transformer is read")
      + Key.only("pool_type", "tok", because: "the class token stands for the picture")
      + Key.harmless("for training", "patch_dropout")
      + Key.harmless(
        "of parts that are refused", "attn_pooler_queries", "attn_pooler_heads",
        "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop",
        "timm_drop_path")
      + openSwitches, shared: [])

  /// `text_cfg` in it.
  static let openText = ConfigurationKeys(
    "CLIPTextCfg",
    Key.read("context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio")
      + Key.only("hf_model_name", because: "only OpenCLIP's own text transformer is read")
      + Key.only("pool_type", "argmax", because: "a text is read off at its highest id")
      + Key.only("tokenizer_kwargs", [:], because: "texts are cleaned and cut as by default")
      + Key.only("tokenizer_mode", because: "texts are cleaned and cut as by default")
      + Key.harmless("pool_type 'eos' is refused, which alone uses it", "eos_id")
      + Key.harmless("the folder's own tokenizer is read", "hf_tokenizer_name", "bos_id", "pad_id")
      + Key.harmless(
        "of parts that are refused", "hf_model_config", "hf_model_pretrained", "hf_proj_type",
        "hf_pooler_type")
      + openSwitches, shared: [])

  /// `preprocess_cfg` in it.
  static let openPictures = ConfigurationKeys(
    "PreprocessCfg",
    Key.read("interpolation", "resize_mode", "mean", "std")
      + Key.only("mode", "RGB", because: "every picture is made RGB")
      + Key.harmless("the model's own size counts", "size")
      + Key.harmless("resize_mode 'longest' is refused, which alone fills", "fill_color"),
    shared: [])
}
