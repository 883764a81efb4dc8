internal import Checkpoints
internal import Layers
internal import Tracing

extension BLIP2 {
  /// Everything that has weights.
  struct Parts {
    let vision: VisionTransformer
    let qformer: QFormer
    let writer: Model.Writer?
    let matcher: Matcher?

    init(
      from weights: inout WeightReader, _ configuration: Configuration
    ) throws(CheckpointError) {
      vision = try VisionTransformer(from: &weights, configuration.vision)
      qformer = try QFormer(
        from: &weights, configuration.qformer, queryCount: configuration.queryCount,
        imageWidth: configuration.vision.width)
      if let language = configuration.language {
        writer = Model.Writer(
          projection: try Linear(
            from: &weights, at: Address("projection"), inputs: configuration.qformer.width,
            outputs: language.width),
          decoder: try Decoder(from: &weights, language.decoder))
      } else {
        writer = nil
      }
      if let width = configuration.sharedWidth {
        matcher = try Matcher(from: &weights, configuration.qformer, sharedWidth: width)
      } else {
        matcher = nil
      }
    }
  }

  /// The names of an address in a published file.
  static let weightNames: @Sendable (Address) -> [String] = { address in
    let key = names.key(address) ?? address.description
    // OPT's head is its table of embeddings: files may keep the two under either name.
    return key == tiedNames.first ? tiedNames : [key]
  }

  private static let tiedNames = [
    "language_model.model.decoder.embed_tokens.weight", "language_model.lm_head.weight",
  ]
}
