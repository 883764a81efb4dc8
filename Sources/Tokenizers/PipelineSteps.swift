/// What stands around the model: the steps from a text to words, and from tokens to a text.
struct PipelineSteps {
  var normalizers: [Normalizer] = []
  var preTokenizers: [PreTokenizer] = []
  var frame = FileTokenizer.Frame()
  var decoder: TokenDecoder.Kind
}

extension FileTokenizer {
  /// Puts the steps around a model.
  init(
    _ steps: PipelineSteps, model: Model, added: [AddedToken], roles: [SpecialRole: Int],
    paths: PicturePaths? = nil, usualParsing: SpecialTokenParsing = .all
  ) {
    self.init(
      normalizers: steps.normalizers, preTokenizers: steps.preTokenizers, model: model,
      added: added, frame: steps.frame, decoder: steps.decoder, roles: roles, paths: paths,
      usualParsing: usualParsing)
  }
}
