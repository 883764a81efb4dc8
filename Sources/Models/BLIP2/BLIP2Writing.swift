public import Generation
internal import Layers
internal import Tensors
internal import Tokenizers
internal import Tracing

extension BLIP2.Model {
  /// Greedy, as many tokens as the model's own file says, ending at its end tokens.
  public var defaultOptions: GenerationOptions {
    settings.greedy(endingAt: settings.endTokens.value)
  }

  /// The language model.
  public func decoder(for stage: String) throws(ModelError) -> Decoder {
    try writing(stage).decoder
  }
}
