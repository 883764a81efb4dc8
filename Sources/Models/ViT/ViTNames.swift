internal import Tracing

extension ViT {
  /// Between addresses and the names in published files.
  static let names = NameTable(modules: [
    ("vision", "vit"),
    ("vision.embedding", "vit.embeddings"),
    ("vision.embedding.patch", "vit.embeddings.patch_embeddings.projection"),
    ("vision.embedding.class_token", "vit.embeddings.cls_token"),
    ("vision.embedding.positions", "vit.embeddings.position_embeddings"),
    ("vision.blocks.#", "vit.encoder.layer.#"),
    ("vision.blocks.#.norm1", "vit.encoder.layer.#.layernorm_before"),
    ("vision.blocks.#.attention.query", "vit.encoder.layer.#.attention.attention.query"),
    ("vision.blocks.#.attention.key", "vit.encoder.layer.#.attention.attention.key"),
    ("vision.blocks.#.attention.value", "vit.encoder.layer.#.attention.attention.value"),
    ("vision.blocks.#.attention.output_projection", "vit.encoder.layer.#.attention.output.dense"),
    ("vision.blocks.#.norm2", "vit.encoder.layer.#.layernorm_after"),
    ("vision.blocks.#.mlp.up", "vit.encoder.layer.#.intermediate.dense"),
    ("vision.blocks.#.mlp.down", "vit.encoder.layer.#.output.dense"),
    ("vision.norm", "vit.layernorm"),
    ("classifier", "classifier"),
  ])

  /// Between addresses and the module paths of transformers 5, which hooks see; some files have
  /// them as well.
  static let newerNames = NameTable(modules: [
    ("vision", "vit"),
    ("vision.embedding", "vit.embeddings"),
    ("vision.embedding.patch", "vit.embeddings.patch_embeddings.projection"),
    ("vision.embedding.class_token", "vit.embeddings.cls_token"),
    ("vision.embedding.positions", "vit.embeddings.position_embeddings"),
    ("vision.blocks.#", "vit.layers.#"),
    ("vision.blocks.#.norm1", "vit.layers.#.layernorm_before"),
    ("vision.blocks.#.attention", "vit.layers.#.attention"),
    ("vision.blocks.#.attention.query", "vit.layers.#.attention.q_proj"),
    ("vision.blocks.#.attention.key", "vit.layers.#.attention.k_proj"),
    ("vision.blocks.#.attention.value", "vit.layers.#.attention.v_proj"),
    ("vision.blocks.#.attention.output_projection", "vit.layers.#.attention.o_proj"),
    ("vision.blocks.#.norm2", "vit.layers.#.layernorm_after"),
    ("vision.blocks.#.mlp", "vit.layers.#.mlp"),
    ("vision.blocks.#.mlp.up", "vit.layers.#.mlp.fc1"),
    ("vision.blocks.#.mlp.down", "vit.layers.#.mlp.fc2"),
    ("vision.norm", "vit.layernorm"),
    ("classifier", "classifier"),
  ])

  /// The names that a file may have for a weight, the published first.
  static func keys(_ address: Address) -> [String] {
    let known = [names.key(address), newerNames.key(address)].compactMap { $0 }
    // A checkpoint of the encoder alone leaves out the first part; very old ones have TensorFlow's
    // words for the parameters of a norm.
    let bare = known.map { $0.hasPrefix("vit.") ? String($0.dropFirst(4)) : $0 }
    let old = known.filter { $0.contains("layernorm") }.map {
      $0.hasSuffix(".weight") ? $0.dropLast(6) + "gamma" : $0.dropLast(4) + "beta"
    }
    return known + bare + old.map(String.init)
  }

  /// The module paths of transformers 5 whose result passes an address.
  static func publishedPlaces(of address: Address, blockCount: Int) -> [String] {
    let text = address.description
    if let module = text.droppingSuffix(".pattern") {
      return newerNames.published(Address(module)).map { ["\($0).probs"] } ?? []
    }
    if let module = text.droppingSuffix(".activated") {
      return newerNames.published(Address(module)).map { ["\($0).activation_fn"] } ?? []
    }
    guard let module = text.droppingSuffix(".output"),
      let name = newerNames.published(Address(module))
    else { return [] }
    if module == "vision.embedding" { return [name, "\(name).dropout"] }
    if module == "vision.embedding.patch" {
      return [name, String(name.dropLast(".projection".count))]
    }
    if module == "vision.norm" { return [name, "vit"] }
    if module == "classifier" { return [name, "logits"] }
    // A block passes its one dropout twice, first after the attention.
    if module.hasSuffix(".attention") {
      return [name, String(name.dropLast("attention".count)) + "dropout"]
    }
    return [name]
  }
}
