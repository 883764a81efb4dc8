internal import Tracing

extension QwenVL {
  /// Between addresses and the published names.
  static let names = NameTable(modules: [
    ("vision.embedding.patch", "transformer.visual.conv1"),
    ("vision.embedding.positions", "transformer.visual.positional_embedding"),
    ("vision.first_norm", "transformer.visual.ln_pre"),
    ("vision.blocks.#", "transformer.visual.transformer.resblocks.#"),
    ("vision.blocks.#.norm1", "transformer.visual.transformer.resblocks.#.ln_1"),
    ("vision.blocks.#.attention", "transformer.visual.transformer.resblocks.#.attn"),
    ("vision.blocks.#.attention.qkv", "transformer.visual.transformer.resblocks.#.attn.in_proj"),
    (
      "vision.blocks.#.attention.output_projection",
      "transformer.visual.transformer.resblocks.#.attn.out_proj"
    ),
    ("vision.blocks.#.norm2", "transformer.visual.transformer.resblocks.#.ln_2"),
    ("vision.blocks.#.mlp", "transformer.visual.transformer.resblocks.#.mlp"),
    ("vision.blocks.#.mlp.up", "transformer.visual.transformer.resblocks.#.mlp.c_fc"),
    ("vision.blocks.#.mlp.down", "transformer.visual.transformer.resblocks.#.mlp.c_proj"),

    ("resampler", "transformer.visual.attn_pool"),
    ("resampler.queries", "transformer.visual.attn_pool.query"),
    ("resampler.positions", "transformer.visual.attn_pool.pos_embed"),
    ("resampler.input", "transformer.visual.attn_pool.kv_proj"),
    ("resampler.input_norm", "transformer.visual.attn_pool.ln_kv"),
    ("resampler.query_norm", "transformer.visual.attn_pool.ln_q"),
    ("resampler.attention", "transformer.visual.attn_pool.attn"),
    ("resampler.attention.qkv.weight", "transformer.visual.attn_pool.attn.in_proj_weight"),
    ("resampler.attention.qkv.bias", "transformer.visual.attn_pool.attn.in_proj_bias"),
    ("resampler.attention.output_projection", "transformer.visual.attn_pool.attn.out_proj"),

    ("projection.norm", "transformer.visual.ln_post"),
    // A parameter of the module whose result passes there.
    ("projection.weight", "transformer.visual.proj"),
    ("projection", "transformer.visual"),

    ("language.tokens", "transformer.wte"),
    ("language.rotary", "transformer.rotary_emb"),
    ("language.blocks.#", "transformer.h.#"),
    ("language.blocks.#.norm1", "transformer.h.#.ln_1"),
    ("language.blocks.#.attention", "transformer.h.#.attn"),
    ("language.blocks.#.attention.qkv", "transformer.h.#.attn.c_attn"),
    ("language.blocks.#.attention.output_projection", "transformer.h.#.attn.c_proj"),
    ("language.blocks.#.norm2", "transformer.h.#.ln_2"),
    ("language.blocks.#.mlp", "transformer.h.#.mlp"),
    ("language.blocks.#.mlp.gate", "transformer.h.#.mlp.w2"),
    ("language.blocks.#.mlp.up", "transformer.h.#.mlp.w1"),
    ("language.blocks.#.mlp.down", "transformer.h.#.mlp.c_proj"),
    ("language.norm", "transformer.ln_f"),
    ("language.head", "lm_head"),
  ])

  /// The published module paths whose result passes an address; those of the first picture alone.
  static func publishedPlaces(of address: Address, visionBlockCount: Int) -> [String] {
    let text = address.description
    // The published code puts pictures in their places behind this.
    if text == "language.tokens.output" { return ["transformer.wte", "transformer.drop"] }
    if let module = text.droppingSuffix(".pattern"), let name = names.published(Address(module)) {
      // The published resampler and tower keep their patterns to themselves; these are this table's.
      return [name + ".probs"] + (module.hasPrefix("language") ? [name + ".attn_dropout"] : [])
    }
    if let module = text.droppingSuffix(".activated"), module.hasPrefix("vision"),
      let name = names.published(Address(module))
    {
      return [name + ".gelu"]
    }
    guard let module = text.droppingSuffix(".output"),
      let name = names.published(Address(module))
    else { return [] }
    switch module {
    case "vision.blocks.\(visionBlockCount - 1)": return [name, "transformer.visual.transformer"]
    case "language.norm": return [name, "transformer"]
    case "language.head": return [name, "logits"]
    default: return [name]
    }
  }
}
