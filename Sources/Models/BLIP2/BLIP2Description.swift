internal import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension BLIP2.Model {
  /// BLIP-2.
  public var family: String { "BLIP-2" }
  /// The paper.
  public var source: String { "Li, Li, Savarese, Hoi 2023" }
  /// Which of the two published checkpoints it is.
  public var kind: String {
    writer == nil
      ? "a BLIP-2 retrieval checkpoint without a language model"
      : "a BLIP-2 generation checkpoint without retrieval heads"
  }

  /// The sizes of its three parts in one line.
  public var summary: String {
    let vision = configuration.vision
    let language = configuration.language.map {
      "language model \($0.decoder.blockCount) × \($0.decoder.width)"
    }
    let parts = [
      "vision \(vision.blockCount) × \(vision.width)",
      "Q-Former \(configuration.qformer.blockCount) × \(configuration.qformer.width)",
      language ?? "retrieval heads",
    ]
    return "\(vision.imageSize) px in \(vision.gridSize) × \(vision.gridSize) patches, "
      + parts.joined(separator: ", ")
  }

  /// The sizes of its three parts.
  public var facts: [Fact] {
    let qformer = configuration.qformer
    let crossing = (0..<qformer.blockCount).filter { qformer.looksAtImage(block: $0) }
    var facts = [
      Fact.picture(patches), pictureSettings.fact,
      Fact.vision(towers[0], tokens: patches.tokenCount),
      Fact(
        "Q-Former",
        "\(qformer.blockCount) blocks, \(qformer.headCount) heads, \(qformer.width) channels, "
          + "\(configuration.queryCount) queries; they look at the picture in blocks "
          + crossing.map(String.init).joined(separator: ", ")),
    ]
    if let language = configuration.language {
      let shape = language.decoder
      facts.append(
        Fact(
          "language",
          "\(shape.blockCount) blocks, \(shape.block.attention.headCount) heads, "
            + "\(shape.width) channels, \(shape.vocabularySize) tokens, "
            + "\(shape.positionCount) positions"))
      if language.kind == .llama { facts.append(settings.fact) }
    }
    return facts
  }

  /// The vision tower's patches.
  public var patches: PatchGrid { PatchGrid(vision.sizes) }
  /// The tokenizer, which every BLIP-2 has.
  public var textTokenizer: (any Tokenizer)? { tokenizer }
  /// `[T, D]`: the vision tower's positions.
  public var positionEmbeddings: Tensor { vision.positions }
  /// Channels of the space of the contrastive heads; 0 without them.
  public var sharedWidth: Int { configuration.sharedWidth ?? 0 }

  /// Vision transformer, Q-Former and, where there is one, language model.
  public var towers: [Tower] {
    let (vision, qformer) = (configuration.vision, configuration.qformer)
    let all = 0..<qformer.blockCount
    var towers = [
      Tower(
        "vision", blockCount: vision.blockCount, headCount: vision.headCount, width: vision.width,
        attentions: [
          AttentionPlace(
            "vision", at: "vision.blocks.#.attention.pattern",
            blocks: Array(0..<vision.blockCount), queries: .patches, keys: .patches)
        ]),
      Tower(
        "qformer", blockCount: qformer.blockCount, headCount: qformer.headCount,
        width: qformer.width,
        attentions: [
          AttentionPlace(
            "cross", at: "qformer.blocks.#.cross_attention.pattern",
            blocks: all.filter { qformer.looksAtImage(block: $0) }, queries: .queries,
            keys: .patches),
          AttentionPlace(
            "queries", at: "qformer.blocks.#.attention.pattern", blocks: Array(all),
            queries: .queries, keys: .queries),
        ]),
    ]
    if let language = configuration.language?.decoder {
      towers.append(Tower(language: language, tokens: .text(after: configuration.queryCount)))
    }
    return towers
  }

  /// This model, if it has a language model.
  public var writing: (any WritingModel)? { writer == nil ? nil : self }
  /// This model, if it has a language model.
  public var chatting: (any ChatModel)? { writer == nil ? nil : self }
  /// This model, if it has retrieval heads.
  public var matching: (any MatchingModel)? { matcher == nil ? nil : self }

  /// The same model for pictures of another size, its position embeddings interpolated as the
  /// published code does with `interpolate_pos_encoding`.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    var model = self
    model.pictureSettings = try pictureSettings.resized(
      to: imageSize, patchSize: patches.patchSize)
    model.vision = VisionTransformer(vision, imageSize: imageSize)
    model.configuration.vision.imageSize = imageSize
    return model
  }

  /// The published module paths of what passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    BLIP2.publishedPlaces(of: address, configuration.language?.kind, blockCounts: blockCounts)
  }
}

extension Fact {
  /// How the picture is cut.
  static func picture(_ patches: PatchGrid) -> Fact {
    Fact(
      "picture",
      "\(patches.imageSize) × \(patches.imageSize) pixels, \(patches.rowCount) × \(patches.columnCount) "
        + "patches of \(patches.patchSize) × \(patches.patchSize)")
  }

  /// The vision tower's sizes.
  static func vision(_ tower: Tower, tokens: Int) -> Fact {
    Fact(
      "vision",
      "\(tower.blockCount) blocks, \(tower.headCount) heads, \(tower.width) channels, "
        + "\(tokens) tokens (class first)")
  }
}
