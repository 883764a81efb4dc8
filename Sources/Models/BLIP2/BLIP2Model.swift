public import Checkpoints
internal import Foundation
internal import Images
public import Layers
internal import Tensors
public import Tokenizers
internal import Tracing

extension BLIP2 {
  /// A BLIP-2 read from a folder in the published layout.
  ///
  /// A generation checkpoint has a language model, a retrieval checkpoint a matcher.
  public struct Model: SoftPromptModel, MatchingModel {
    /// The sizes.
    public internal(set) var configuration: Configuration
    /// How a picture becomes numbers, and where that is written.
    public internal(set) var pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Text to token ids: the language model's, or the Q-Former's in a retrieval checkpoint.
    public let tokenizer: any Tokenizer
    /// Pictures to tokens.
    public internal(set) var vision: VisionTransformer
    /// Tokens to answered queries.
    public let qformer: QFormer
    /// Answered queries to text; nil in a retrieval checkpoint.
    public let writer: Writer?
    /// Pictures against texts; nil in a generation checkpoint.
    public let matcher: Matcher?
    /// How it writes, and where that is written.
    public var settings: GenerationSettings

    /// The projection into the language model's space, and the language model.
    public struct Writer: Sendable {
      let projection: Linear
      /// The language model.
      public let decoder: Decoder
    }

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let file = folder.url.appending(path: "config.json").path
      let json = try folder.configuration()
      configuration = try Configuration(json, file: file)
      pictureSettings = try PreprocessingFile.read(
        folder, imageSize: configuration.vision.imageSize, processor: .blip,
        queryCount: configuration.queryCount)
      tokenizer = try TokenizerFolder.read(folder.url)
      var weights = WeightReader(try folder.tensors(), names: BLIP2.weightNames)
      let parts = try Parts(from: &weights, configuration)
      (vision, qformer) = (parts.vision, parts.qformer)
      (writer, matcher) = (parts.writer, parts.matcher)
      let language = configuration.language
      settings = try GenerationSettings(
        folder, default: language?.endTokens ?? [], below: language?.vocabularySize ?? .max)
      notes =
        pictureSettings.notes + (try Configuration.notes(json, file: file))
        + (language == nil ? [] : settings.notes) + (parts.writer?.decoder.notes ?? [])
      try weights.finish()
    }
  }
}

extension BLIP2.Model {
  /// `[Q + T, E]`: soft prompt and words.
  static let sequence = Tap(
    "output", .token, .channel, says: "What the language model reads: soft prompt, then words.")

  /// The token ids of a prompt: one image token a query, then the text with its begin token.
  ///
  /// Older checkpoints have no image token; then the ids are those of the text alone.
  public func promptIDs(_ prompt: String) throws -> [Int] {
    _ = try writing("assemble")
    var text = tokenizer.encode(prompt, addSpecialTokens: true)
    if let begin = configuration.language?.beginToken, text.first != begin {
      text.insert(begin, at: 0)
    }
    guard let imageToken = configuration.imageTokenID else { return text }
    if text.contains(imageToken) {
      throw ModelError.imageTokenInPrompt(
        token: tokenizer.token(imageToken) ?? "token \(imageToken)")
    }
    return [Int](repeating: imageToken, count: configuration.queryCount) + text
  }

  /// The parts that write, or an error that says what the model is for.
  package func writing(_ stage: String) throws(ModelError) -> Writer {
    guard let writer else {
      throw .missingPart(
        wanted: stage, has: "it is a retrieval checkpoint without a language model; use match")
    }
    return writer
  }
}
