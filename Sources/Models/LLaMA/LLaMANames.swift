internal import Tracing

extension LLaMA {
  /// Between addresses and the published names, which LLaMA's and Mistral's files share.
  static let names = NameTable(modules: modules)

  /// The table's entries.
  static let modules = [
    ("language.tokens", "model.embed_tokens"),
    ("language.rotary", "model.rotary_emb"),
    ("language.blocks.#", "model.layers.#"),
    ("language.blocks.#.norm1", "model.layers.#.input_layernorm"),
    ("language.blocks.#.attention", "model.layers.#.self_attn"),
    ("language.blocks.#.attention.query", "model.layers.#.self_attn.q_proj"),
    ("language.blocks.#.attention.key", "model.layers.#.self_attn.k_proj"),
    ("language.blocks.#.attention.value", "model.layers.#.self_attn.v_proj"),
    ("language.blocks.#.attention.output_projection", "model.layers.#.self_attn.o_proj"),
    ("language.blocks.#.norm2", "model.layers.#.post_attention_layernorm"),
    ("language.blocks.#.mlp", "model.layers.#.mlp"),
    ("language.blocks.#.mlp.gate", "model.layers.#.mlp.gate_proj"),
    ("language.blocks.#.mlp.up", "model.layers.#.mlp.up_proj"),
    ("language.blocks.#.mlp.down", "model.layers.#.mlp.down_proj"),
    ("language.norm", "model.norm"),
    ("language.head", "lm_head"),
  ]

  /// The module paths of transformers whose result passes an address.
  static func publishedPlaces(of address: Address) -> [String] {
    let text = address.description
    func published(_ suffix: String, _ ending: String) -> [String]? {
      text.droppingSuffix(suffix).map { module in
        names.published(Address(module)).map { [$0 + ending] } ?? []
      }
    }
    if let found = published(".pattern", ".probs") ?? published(".activated", ".act_fn") {
      return found
    }
    guard let module = text.droppingSuffix(".output"),
      let name = names.published(Address(module))
    else { return [] }
    switch module {
    case "language.norm": return [name, "model"]
    case "language.head": return [name, "logits"]
    default: return [name]
    }
  }
}
