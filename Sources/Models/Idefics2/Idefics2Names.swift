internal import Tracing

extension Idefics2 {
  /// Between addresses and the published names.
  static let names = NameTable(modules: [
    ("vision.embedding", "model.vision_model.embeddings"),
    ("vision.embedding.patch", "model.vision_model.embeddings.patch_embedding"),
    // The address is the table's as well as that of what is taken of it.
    ("vision.embedding.positions", "model.vision_model.embeddings.position_embedding.weight"),
    ("vision.blocks.#", "model.vision_model.encoder.layers.#"),
    ("vision.blocks.#.norm1", "model.vision_model.encoder.layers.#.layer_norm1"),
    ("vision.blocks.#.attention", "model.vision_model.encoder.layers.#.self_attn"),
    ("vision.blocks.#.attention.query", "model.vision_model.encoder.layers.#.self_attn.q_proj"),
    ("vision.blocks.#.attention.key", "model.vision_model.encoder.layers.#.self_attn.k_proj"),
    ("vision.blocks.#.attention.value", "model.vision_model.encoder.layers.#.self_attn.v_proj"),
    (
      "vision.blocks.#.attention.output_projection",
      "model.vision_model.encoder.layers.#.self_attn.out_proj"
    ),
    ("vision.blocks.#.norm2", "model.vision_model.encoder.layers.#.layer_norm2"),
    ("vision.blocks.#.mlp", "model.vision_model.encoder.layers.#.mlp"),
    ("vision.blocks.#.mlp.up", "model.vision_model.encoder.layers.#.mlp.fc1"),
    ("vision.blocks.#.mlp.down", "model.vision_model.encoder.layers.#.mlp.fc2"),
    ("vision.norm", "model.vision_model.post_layernorm"),

    ("projection", "model.connector.modality_projection"),
    ("projection.gate", "model.connector.modality_projection.gate_proj"),
    ("projection.up", "model.connector.modality_projection.up_proj"),
    ("projection.down", "model.connector.modality_projection.down_proj"),

    ("resampler.latents", "model.connector.perceiver_resampler.latents"),
    ("resampler.blocks.#", "model.connector.perceiver_resampler.layers.#"),
    (
      "resampler.blocks.#.latent_norm",
      "model.connector.perceiver_resampler.layers.#.input_latents_norm"
    ),
    (
      "resampler.blocks.#.context_norm",
      "model.connector.perceiver_resampler.layers.#.input_context_norm"
    ),
    ("resampler.blocks.#.attention", "model.connector.perceiver_resampler.layers.#.self_attn"),
    (
      "resampler.blocks.#.attention.query",
      "model.connector.perceiver_resampler.layers.#.self_attn.q_proj"
    ),
    (
      "resampler.blocks.#.attention.key",
      "model.connector.perceiver_resampler.layers.#.self_attn.k_proj"
    ),
    (
      "resampler.blocks.#.attention.value",
      "model.connector.perceiver_resampler.layers.#.self_attn.v_proj"
    ),
    (
      "resampler.blocks.#.attention.output_projection",
      "model.connector.perceiver_resampler.layers.#.self_attn.o_proj"
    ),
    (
      "resampler.blocks.#.norm2",
      "model.connector.perceiver_resampler.layers.#.post_attention_layernorm"
    ),
    ("resampler.blocks.#.mlp", "model.connector.perceiver_resampler.layers.#.mlp"),
    (
      "resampler.blocks.#.mlp.gate", "model.connector.perceiver_resampler.layers.#.mlp.gate_proj"
    ),
    ("resampler.blocks.#.mlp.up", "model.connector.perceiver_resampler.layers.#.mlp.up_proj"),
    (
      "resampler.blocks.#.mlp.down", "model.connector.perceiver_resampler.layers.#.mlp.down_proj"
    ),
    ("resampler.norm", "model.connector.perceiver_resampler.norm"),

    ("language.tokens", "model.text_model.embed_tokens"),
    ("language.rotary", "model.text_model.rotary_emb"),
    ("language.blocks.#", "model.text_model.layers.#"),
    ("language.blocks.#.norm1", "model.text_model.layers.#.input_layernorm"),
    ("language.blocks.#.attention", "model.text_model.layers.#.self_attn"),
    ("language.blocks.#.attention.query", "model.text_model.layers.#.self_attn.q_proj"),
    ("language.blocks.#.attention.key", "model.text_model.layers.#.self_attn.k_proj"),
    ("language.blocks.#.attention.value", "model.text_model.layers.#.self_attn.v_proj"),
    (
      "language.blocks.#.attention.output_projection", "model.text_model.layers.#.self_attn.o_proj"
    ),
    ("language.blocks.#.norm2", "model.text_model.layers.#.post_attention_layernorm"),
    ("language.blocks.#.mlp", "model.text_model.layers.#.mlp"),
    ("language.blocks.#.mlp.gate", "model.text_model.layers.#.mlp.gate_proj"),
    ("language.blocks.#.mlp.up", "model.text_model.layers.#.mlp.up_proj"),
    ("language.blocks.#.mlp.down", "model.text_model.layers.#.mlp.down_proj"),
    ("language.norm", "model.text_model.norm"),
    ("language.head", "lm_head"),
  ])

  /// The published module paths whose result passes an address; those of the first view alone.
  static func publishedPlaces(of address: Address, visionBlockCount: Int) -> [String] {
    let text = address.description
    if text == "vision.embedding.positions.output" {
      return ["model.vision_model.embeddings.position_embedding"]
    }
    if let module = text.droppingSuffix(".pattern"), let name = names.published(Address(module)) {
      return [name + ".probs"]
    }
    if let module = text.droppingSuffix(".activated"), let name = names.published(Address(module)) {
      return [name + (module.hasPrefix("vision") ? ".activation_fn" : ".act_fn")]
    }
    guard let module = text.droppingSuffix(".output"),
      let name = names.published(Address(module))
    else { return [] }
    switch module {
    case "vision.blocks.\(visionBlockCount - 1)": return [name, "model.vision_model.encoder"]
    case "vision.norm": return [name, "model.vision_model"]
    case "resampler.norm":
      return [name, "model.connector.perceiver_resampler", "model.connector"]
    case "language.norm": return [name, "model.text_model", "model"]
    case "language.head": return [name, "logits"]
    default: return [name]
    }
  }
}
