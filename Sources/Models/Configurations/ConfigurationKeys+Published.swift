internal import Files

extension ConfigurationKeys {
  /// The keys that every published configuration may have, and what was written into all of them in
  /// older versions.
  static let published: [Key] =
    Key.read("model_type", "architectures", "quantization_config")
    + Key.harmless(
      "says where it came from", "transformers_version", "_name_or_path", "_commit_hash",
      "auto_map", "custom_pipelines", "finetuning_task", "tokenizer_class", "is_composition",
      "processor_class")
    + Key.harmless(
      "the type of the weights is read from the weights", "dtype", "torch_dtype", "use_bfloat16")
    + Key.harmless(
      "what is handed out, not what is computed", "output_hidden_states", "output_attentions",
      "output_scores", "return_dict", "return_dict_in_generate", "use_return_dict", "use_cache",
      "tie_last_hidden_states", "torchscript")
    + Key.harmless(
      "how it is computed, with the same result", "chunk_size_feed_forward",
      "_attn_implementation", "attn_implementation", "_attn_implementation_autoset",
      "gradient_checkpointing")
    + Key.harmless(
      "for training", "initializer_range", "initializer_factor", "init_std", "tf_legacy_loss",
      "dropout", "attention_dropout", "activation_dropout", "hidden_dropout_prob",
      "attention_probs_dropout_prob", "classifier_dropout", "layerdrop", "logit_scale_init_value")
    + Key.harmless(
      "names of classes, which this part has not", "id2label", "label2id", "num_labels",
      "problem_type")
    + Key.harmless(
      "this part makes no tokens", "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id",
      "decoder_start_token_id", "prefix", "task_specific_params")
    + generation
    + Key.only("is_encoder_decoder", false, because: "a decoder alone is built")
    + Key.only("is_decoder", false, because: "the part looks at all of its tokens")
    + Key.only("add_cross_attention", false, because: "where queries look is fixed here")
    + Key.only("tie_encoder_decoder", false, because: "there is no encoder to tie")
    + Key.only("pruned_heads", [:], because: "every head is computed")
    + Key.only("per_layer_config", [:], because: "all blocks have one size")
    + ["num_local_experts", "num_experts", "num_experts_per_tok", "n_routed_experts"].flatMap {
      Key.only($0, because: "experts are not built")
    }
    + Key.harmless("the head that could be tied is not in this part", "tie_word_embeddings")
    + Key.harmless("not in this part", "cross_attention_hidden_size")

  /// How a text is drawn: older configurations hold it in every part.
  private static let generation = Key.harmless(
    "how text is written, which decode is told", "max_length", "min_length", "do_sample",
    "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty", "temperature", "top_k",
    "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
    "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values",
    "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens")

  /// The sizes of a vision tower, as transformers names them.
  static let visionSizes = Key.read(
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "hidden_act",
    "layer_norm_eps", "image_size", "patch_size", "num_channels")
}
