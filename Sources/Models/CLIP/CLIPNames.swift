internal import Tracing

extension CLIP {
  /// The names a checkpoint's tensors go by.
  enum Naming: Sendable {
    case transformers
    /// OpenCLIP's, whose queries, keys and values are one layer and whose projections are
    /// transposed. Some checkpoints have the text tower under `text.`.
    case openCLIP(textPrefix: String)
  }

  /// Between addresses and transformers' names, of weights as of modules.
  static let names = NameTable(
    modules: [
      ("vision", "vision_model"),
      ("vision.embedding", "vision_model.embeddings"),
      ("vision.embedding.patch", "vision_model.embeddings.patch_embedding"),
      ("vision.embedding.class_token", "vision_model.embeddings.class_embedding"),
      ("vision.embedding.positions", "vision_model.embeddings.position_embedding"),
      ("vision.first_norm", "vision_model.pre_layrnorm"),  // sic
      ("vision.norm", "vision_model.post_layernorm"),
      ("text", "text_model"),
      ("text.embedding", "text_model.embeddings"),
      ("text.embedding.tokens", "text_model.embeddings.token_embedding"),
      ("text.embedding.positions", "text_model.embeddings.position_embedding"),
      ("text.norm", "text_model.final_layer_norm"),
      ("joint.image_projection", "visual_projection"),
      ("joint.text_projection", "text_projection"),
      ("joint.scale", "logit_scale"),
    ] + blockNames("vision", "vision_model.encoder.layers")
      + blockNames(
        "text", "text_model.encoder.layers"))

  private static func blockNames(
    _ tower: String, _ list: String
  ) -> [(address: String, published: String)] {
    [
      ("", ""), (".norm1", ".layer_norm1"), (".attention", ".self_attn"),
      (".attention.query", ".self_attn.q_proj"), (".attention.key", ".self_attn.k_proj"),
      (".attention.value", ".self_attn.v_proj"),
      (".attention.output_projection", ".self_attn.out_proj"), (".norm2", ".layer_norm2"),
      (".mlp", ".mlp"), (".mlp.up", ".mlp.fc1"), (".mlp.down", ".mlp.fc2"),
    ].map { ("\(tower).blocks.#\($0.0)", "\(list).#\($0.1)") }
  }

  /// Between addresses and OpenCLIP's names.
  static func openNames(textPrefix text: String) -> NameTable {
    NameTable(
      modules: [
        ("vision.embedding.patch", "visual.conv1"),
        ("vision.embedding.class_token", "visual.class_embedding"),
        ("vision.embedding.positions.weight", "visual.positional_embedding"),
        ("vision.first_norm", "visual.ln_pre"),
        ("vision.norm", "visual.ln_post"),
        ("text.embedding.tokens", "\(text)token_embedding"),
        ("text.embedding.positions.weight", "\(text)positional_embedding"),
        ("text.norm", "\(text)ln_final"),
        ("joint.image_projection.weight", "visual.proj"),
        ("joint.text_projection.weight", "\(text)text_projection"),
        ("joint.scale", "logit_scale"),
      ] + openBlockNames("vision", "visual.transformer.resblocks")
        + openBlockNames(
          "text", "\(text)transformer.resblocks"))
  }

  private static func openBlockNames(
    _ tower: String, _ list: String
  ) -> [(address: String, published: String)] {
    [
      (".norm1", ".ln_1"), (".attention.qkv.weight", ".attn.in_proj_weight"),
      (".attention.qkv.bias", ".attn.in_proj_bias"),
      (".attention.output_projection", ".attn.out_proj"), (".norm2", ".ln_2"),
      (".mlp.up", ".mlp.c_fc"), (".mlp.down", ".mlp.c_proj"),
    ].map { ("\(tower).blocks.#\($0.0)", "\(list).#\($0.1)") }
  }

  /// The module paths of transformers whose result passes an address.
  static func publishedPlaces(of address: Address, blockCounts: [String: Int]) -> [String] {
    let text = address.description
    if let module = text.droppingSuffix(".pattern") {
      return names.published(Address(module)).map { ["\($0).probs"] } ?? []
    }
    if let module = text.droppingSuffix(".activated") {
      return names.published(Address(module)).map { ["\($0).activation_fn"] } ?? []
    }
    guard let module = text.droppingSuffix(".output") else { return [] }
    if let attention = module.droppingSuffix(".qkv") {
      // One layer here, three there; the columns are parted where the tensor is named.
      return names.published(Address(attention)).map { path in
        fusedParts.map { "\(path).\($0)" }
      } ?? []
    }
    guard let name = names.published(Address(module)) else { return [] }
    if module == "text.norm" { return [name, "text_model"] }
    for tower in ["vision", "text"] {
      if let count = blockCounts[tower], module == "\(tower).blocks.\(count - 1)" {
        let path = "\(tower)_model"
        return [name, "\(path).encoder"] + (tower == "vision" ? [path] : [])
      }
    }
    return [name]
  }

  /// What a fused layer's columns are called, in their order.
  static let fusedParts = ["q_proj", "k_proj", "v_proj"]
}
