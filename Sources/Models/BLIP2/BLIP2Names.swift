internal import Tracing

extension BLIP2 {
  /// The one table between addresses and the published checkpoint's names, used both ways: weights
  /// are read through it, and a trace can be written under the published module names.
  static func names(_ language: Configuration.Language.Kind?) -> NameTable {
    language == .llama ? namesWithLLaMA : namesWithOPT
  }

  private static let namesWithOPT = NameTable(modules: modules + modulesOfOPT)
  private static let namesWithLLaMA = NameTable(
    modules: modules + LLaMA.modules.map { ($0.0, languageRoot + $0.1) })

  /// `#` stands for a block's number.
  private static let modules = [
    ("vision", "vision_model"),
    ("vision.embedding", "vision_model.embeddings"),
    ("vision.embedding.patch", "vision_model.embeddings.patch_embedding"),
    ("vision.embedding.class_token", "vision_model.embeddings.class_embedding"),
    ("vision.embedding.positions", "vision_model.embeddings.position_embedding"),
    ("vision.blocks.#", "vision_model.encoder.layers.#"),
    ("vision.blocks.#.norm1", "vision_model.encoder.layers.#.layer_norm1"),
    ("vision.blocks.#.attention", "vision_model.encoder.layers.#.self_attn"),
    ("vision.blocks.#.attention.qkv", "vision_model.encoder.layers.#.self_attn.qkv"),
    (
      "vision.blocks.#.attention.output_projection",
      "vision_model.encoder.layers.#.self_attn.projection"
    ),
    ("vision.blocks.#.norm2", "vision_model.encoder.layers.#.layer_norm2"),
    ("vision.blocks.#.mlp", "vision_model.encoder.layers.#.mlp"),
    ("vision.blocks.#.mlp.up", "vision_model.encoder.layers.#.mlp.fc1"),
    ("vision.blocks.#.mlp.down", "vision_model.encoder.layers.#.mlp.fc2"),
    ("vision.norm", "vision_model.post_layernorm"),

    ("qformer.queries", "query_tokens"),
    ("qformer.norm", "qformer.layernorm"),
    ("qformer.text", "embeddings"),
    ("qformer.text.words", "embeddings.word_embeddings"),
    ("qformer.text.positions", "embeddings.position_embeddings"),
    ("qformer.blocks.#", "qformer.encoder.layer.#"),
    ("qformer.blocks.#.attention", "qformer.encoder.layer.#.attention.attention"),
    ("qformer.blocks.#.attention.query", "qformer.encoder.layer.#.attention.attention.query"),
    ("qformer.blocks.#.attention.key", "qformer.encoder.layer.#.attention.attention.key"),
    ("qformer.blocks.#.attention.value", "qformer.encoder.layer.#.attention.attention.value"),
    (
      "qformer.blocks.#.attention.output_projection",
      "qformer.encoder.layer.#.attention.output.dense"
    ),
    ("qformer.blocks.#.attention_norm", "qformer.encoder.layer.#.attention.output.LayerNorm"),
    ("qformer.blocks.#.cross_attention", "qformer.encoder.layer.#.crossattention.attention"),
    (
      "qformer.blocks.#.cross_attention.query",
      "qformer.encoder.layer.#.crossattention.attention.query"
    ),
    (
      "qformer.blocks.#.cross_attention.key", "qformer.encoder.layer.#.crossattention.attention.key"
    ),
    (
      "qformer.blocks.#.cross_attention.value",
      "qformer.encoder.layer.#.crossattention.attention.value"
    ),
    (
      "qformer.blocks.#.cross_attention.output_projection",
      "qformer.encoder.layer.#.crossattention.output.dense"
    ),
    (
      "qformer.blocks.#.cross_attention_norm",
      "qformer.encoder.layer.#.crossattention.output.LayerNorm"
    ),
    ("qformer.blocks.#.query_mlp.up", "qformer.encoder.layer.#.intermediate_query.dense"),
    ("qformer.blocks.#.query_mlp.down", "qformer.encoder.layer.#.output_query.dense"),
    ("qformer.blocks.#.query_norm", "qformer.encoder.layer.#.output_query.LayerNorm"),
    ("qformer.blocks.#.text_mlp.up", "qformer.encoder.layer.#.intermediate.dense"),
    ("qformer.blocks.#.text_mlp.down", "qformer.encoder.layer.#.output.dense"),
    ("qformer.blocks.#.text_norm", "qformer.encoder.layer.#.output.LayerNorm"),

    ("projection", "language_projection"),
    ("retrieval.image_projection", "vision_projection"),
    ("retrieval.text_projection", "text_projection"),
    ("retrieval.match_head", "itm_head"),
  ]

  private static let modulesOfOPT = [
    ("language.tokens", "language_model.model.decoder.embed_tokens"),
    ("language.positions", "language_model.model.decoder.embed_positions"),
    ("language.blocks.#", "language_model.model.decoder.layers.#"),
    ("language.blocks.#.norm1", "language_model.model.decoder.layers.#.self_attn_layer_norm"),
    ("language.blocks.#.attention", "language_model.model.decoder.layers.#.self_attn"),
    ("language.blocks.#.attention.query", "language_model.model.decoder.layers.#.self_attn.q_proj"),
    ("language.blocks.#.attention.key", "language_model.model.decoder.layers.#.self_attn.k_proj"),
    ("language.blocks.#.attention.value", "language_model.model.decoder.layers.#.self_attn.v_proj"),
    (
      "language.blocks.#.attention.output_projection",
      "language_model.model.decoder.layers.#.self_attn.out_proj"
    ),
    ("language.blocks.#.norm2", "language_model.model.decoder.layers.#.final_layer_norm"),
    ("language.blocks.#.mlp.up", "language_model.model.decoder.layers.#.fc1"),
    ("language.blocks.#.mlp.down", "language_model.model.decoder.layers.#.fc2"),
    ("language.norm", "language_model.model.decoder.final_layer_norm"),
    ("language.head", "language_model.lm_head"),
  ]

  /// Published places that carry the tensor of a tap under another name than its module's.
  ///
  /// The published implementation wraps some layers twice, so one tensor has several names.
  static func publishedPlaces(
    of address: Address, _ language: Configuration.Language.Kind?, blockCounts: [String: Int]
  ) -> [String] {
    if language == .llama, address.parts.first == "language" {
      let places = LLaMA.publishedPlaces(of: address)
      // The whole language model's result is called by its name, and again as the BLIP-2's.
      return places.map { $0 == "logits" ? $0 : languageRoot + $0 }
        + (places.contains("logits") ? ["language_model"] : [])
    }
    let names = names(language)
    let text = address.description
    var places: [String] = []
    if let module = text.droppingSuffix(".output") {
      // BERT's own "attention" module ends before the output projection: see `mixed` below.
      if module.hasPrefix("qformer"), module.hasSuffix("attention") { return [] }
      if let name = names.published(Address(module)) { places.append(name) }
      places += sameAsModule(module, names, blockCounts: blockCounts)
    } else if let module = text.droppingSuffix(".pattern") {
      if let name = names.published(Address(module)) { places.append(name + ".probs") }
    } else if let module = text.droppingSuffix(".mixed"), module.hasPrefix("qformer") {
      if let name = names.published(Address(module)) { places.append(name) }
    } else if let module = text.droppingSuffix(".activated") {
      if module.hasPrefix("vision"), let name = names.published(Address(module)) {
        places.append(name + ".activation_fn")
      } else if module.hasPrefix("language"), let name = names.published(Address(module) / "up") {
        places.append(String(name.dropLast("fc1".count)) + "activation_fn")
      } else if let name = names.published(Address(module) / "up") {
        let parent = String(name.dropLast(".dense".count))
        places += [parent, parent + ".intermediate_act_fn"]
      }
    }
    return places
  }

  /// The further published modules whose result is this module's.
  private static func sameAsModule(
    _ module: String, _ names: NameTable, blockCounts: [String: Int]
  ) -> [String] {
    func isLast(_ tower: String) -> Bool {
      blockCounts[tower].map { module == "\(tower).blocks.\($0 - 1)" } ?? false
    }
    guard let name = names.published(Address(module)) else { return [] }
    if module == "vision.norm" { return ["vision_model"] }
    if isLast("vision") { return ["vision_model.encoder"] }
    if isLast("qformer") { return ["qformer.encoder", "qformer"] }
    if module == "qformer.norm" { return ["qformer.dropout"] }
    if module == "language.norm" { return ["language_model.model.decoder"] }
    if module == "language.head" { return ["language_model", "logits"] }
    guard module.hasPrefix("qformer.blocks") else { return [] }
    if module.hasSuffix("attention_norm") {
      let output = String(name.dropLast(".LayerNorm".count))
      return [output, String(output.dropLast(".output".count))]
    }
    if module.hasSuffix("query_norm") || module.hasSuffix("text_norm") {
      return [String(name.dropLast(".LayerNorm".count))]
    }
    if module.hasSuffix("output_projection") || module.hasSuffix("mlp.down") {
      return [String(name.dropLast(".dense".count)) + ".dropout"]
    }
    return []
  }
}
