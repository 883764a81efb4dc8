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
    ///
    /// The language model may lie in a folder of its own, as Ziya's is published.
    public init(_ folder: CheckpointFolder) throws {
      let file = folder.url.appending(path: "config.json").path
      let json = try folder.configuration()
      let apart = try LanguageFolder(folder)
      let collection = try folder.tensors()
      // Before its sizes are looked at: of a language model that is not there they need not be right.
      if apart == nil, !Configuration.isRetrieval(json), !folder.weights.declaresOnly,
        collection["query_tokens"] != nil,
        !collection.names.contains(where: { $0.hasPrefix(BLIP2.languageRoot) })
      {
        throw ModelError.noLanguageModel(folder: folder.path)
      }
      configuration = try Configuration(json, file: file, language: apart?.configuration)
      let language = configuration.language
      try apart?.check(json, collection, language)
      pictureSettings = try PreprocessingFile.read(
        folder, imageSize: configuration.vision.imageSize, processor: .blip,
        queryCount: configuration.queryCount)
      tokenizer = try apart?.tokenizer() ?? TokenizerFolder.read(folder.url)
      var weights = WeightReader(
        collection, names: BLIP2.weightNames(language?.kind, isApart: apart != nil))
      if let apart, let language { try apart.check(weights, language) }
      let parts = try Parts(from: &weights, configuration)
      (vision, qformer) = (parts.vision, parts.qformer)
      (writer, matcher) = (parts.writer, parts.matcher)
      // Old files hold the frequencies, which follow from the configuration.
      weights.ignore("*layers.*.self_attn.rotary_emb.inv_freq")
      let settingsFolder =
        folder.has(GenerationSettings.fileName) ? folder : apart?.folder ?? folder
      settings = try GenerationSettings(
        settingsFolder, default: language?.endTokens ?? [],
        below: language?.decoder.vocabularySize ?? .max, formats: Self.chatFormats(language?.kind),
        chats: language?.kind == .llama)
      // Nothing but its positions bounds what it reads.
      if let language, settings.maxWindowSize.source == "default" {
        settings.maxWindowSize = .init(language.decoder.positionCount, "config.json")
      }
      notes =
        pictureSettings.notes
        + (try configuration.notes(json, file: file, language: apart?.configuration))
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
  /// Older checkpoints have no image token; then the ids are those of the text alone. Whether a LLaMA's
  /// text has a begin token is said by the chat format.
  public func promptIDs(_ prompt: String) throws -> [Int] {
    _ = try writing("assemble")
    let language = configuration.language
    let isLLaMA = language?.kind == .llama
    var text = tokenizer.encode(prompt, addSpecialTokens: !isLLaMA)
    let begins = !isLLaMA || settings.chatFormat.value != .humanBotWithoutBegin
    if begins, let begin = language?.beginToken, text.first != begin {
      text.insert(begin, at: 0)
    }
    guard let imageToken = configuration.imageTokenID else {
      if text.isEmpty { throw ModelError.emptyPrompt }
      return text
    }
    if text.contains(imageToken) {
      throw ModelError.imageTokenInPrompt(
        token: tokenizer.token(imageToken) ?? "token \(imageToken)")
    }
    return [Int](repeating: imageToken, count: configuration.queryCount) + text
  }

  /// What penalties count: with a LLaMA the text alone, for it is given embeddings in place of the
  /// picture's ids.
  public func penalizedIDs(of promptIDs: [Int]) -> [Int] {
    guard configuration.language?.kind == .llama else { return promptIDs }
    return promptIDs.filter { $0 != configuration.imageTokenID }
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
