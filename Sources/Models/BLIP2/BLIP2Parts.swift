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
            outputs: language.decoder.width),
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

  /// What the names of the language model's tensors begin with.
  static let languageRoot = "language_model."

  /// The names of an address in a published file.
  ///
  /// - Parameter isApart: whether the language model's names are those of its own folder.
  static func weightNames(
    _ language: Configuration.Language.Kind?, isApart: Bool
  ) -> @Sendable (Address) -> [String] {
    let table = names(language)
    return { address in
      let key = table.key(address) ?? address.description
      // OPT's head is its table of embeddings: files may keep the two under either name.
      let keys = language == .opt && key == tiedNames.first ? tiedNames : [key]
      guard isApart else { return keys }
      return keys.map {
        $0.hasPrefix(languageRoot) ? String($0.dropFirst(languageRoot.count)) : $0
      }
    }
  }

  private static let tiedNames = [
    "language_model.model.decoder.embed_tokens.weight", "language_model.lm_head.weight",
  ]
}
