public import Checkpoints
internal import Files
internal import Foundation
public import Generation
internal import Images
public import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension Idefics2 {
  /// An Idefics2 read from a folder in the published layout.
  public struct Model: SoftPromptModel {
    /// The sizes.
    public let configuration: Configuration
    /// How a picture becomes numbers, and where that is written.
    public internal(set) var pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Text to token ids.
    public let tokenizer: any Tokenizer
    /// Pictures to tokens.
    public let vision: VisionTransformer
    let projection: MLP
    /// Tokens to answered latents.
    public let perceiver: Perceiver
    /// The language model.
    public let decoder: Decoder
    /// How a conversation is laid out: the folder's own template, or the published one.
    let template: ChatTemplate
    /// How it converses and writes, and where that is written.
    public var settings: GenerationSettings

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let json = try folder.configuration()
      let file = folder.url.appending(path: "config.json").path
      configuration = try Configuration(json, file: file, given: folder.givenSettings.keys)
      tokenizer = try TokenizerFolder.read(folder.url)
      guard let used = try ChatTemplate.used(in: folder) else {
        throw ModelError.noChatTemplateFile(folder: folder.path)
      }
      template = used.template
      pictureSettings = try PreprocessingFile.read(
        folder, imageSize: configuration.vision.imageSize, processor: .idefics2,
        imageTokenCount: configuration.perceiver.latentCount)
      var weights = WeightReader(try folder.tensors(), names: Idefics2.names.keys)
      vision = try VisionTransformer(from: &weights, configuration.vision)
      projection = try MLP(from: &weights, at: Address("projection"), configuration.projection)
      perceiver = try Perceiver(from: &weights, configuration.perceiver)
      decoder = try Decoder(from: &weights, configuration.decoder)
      try weights.finish()
      settings = try GenerationSettings(
        folder, default: configuration.endTokens, below: configuration.decoder.vocabularySize,
        formats: Self.chatFormats, chats: true)
      if settings.maxWindowSize.source == "default" {
        settings.maxWindowSize = .init(
          configuration.decoder.positionCount, "max_position_embeddings in config.json")
      }
      notes =
        try Configuration.notes(json, file: file) + pictureSettings.notes + settings.notes
        + decoder.notes + [used.note].compactMap { $0 }
    }
  }
}

extension Idefics2.Model {
  /// The family's name.
  public var family: String { "Idefics2" }
  /// The paper.
  public var source: String { "Laurençon et al. 2024" }
  /// That it converses.
  public var kind: String { "an Idefics2, which converses about pictures" }
  /// One input may hold several pictures.
  public var takesSeveralPictures: Bool { true }

  /// How large pictures are made, for a line.
  private var sides: String {
    guard case .longestEdge(let longest, let least) = preprocessing.target else { return "" }
    return "\(least) to \(longest) px a side in patches of \(patches.patchSize)"
      + (viewCount > 1 ? ", split into \(viewCount) views" : "")
  }

  /// The sizes in one line.
  public var summary: String {
    let (vision, decoder) = (configuration.vision, configuration.decoder)
    return "\(sides), vision \(vision.blockCount) × \(vision.width), "
      + "\(perceiver.shape.latentCount) queries × \(perceiver.shape.width), "
      + "language model \(decoder.blockCount) × \(decoder.width)"
  }

  /// The sizes, a line each, and how it writes.
  public var facts: [Fact] {
    let (vision, shape) = (configuration.vision, configuration.decoder)
    let looking = perceiver.shape.attention
    return [
      Fact("picture", sides), pictureSettings.fact,
      Fact(
        "vision",
        "\(vision.blockCount) blocks, \(vision.headCount) heads, \(vision.width) channels, positions in "
          + "\(vision.gridSize) × \(vision.gridSize) parts of the picture, rounded as in transformers "
          + "\(configuration.positionRounding.rawValue): \(configuration.roundingSource)"),
      Fact(
        "projection",
        "\(vision.width) to \(shape.width) channels by a gated MLP of "
          + "\(configuration.projection.hiddenWidth)"),
      Fact(
        "resampler",
        "\(perceiver.shape.latentCount) queries, \(perceiver.shape.blockCount) blocks, "
          + "\(looking.headCount) heads of \(looking.headWidth) channels on \(looking.keyHeadCount) key "
          + "heads, epsilon \(perceiver.shape.epsilon): \(configuration.epsilonSource)"),
      Fact(
        "language",
        "\(shape.blockCount) blocks, \(shape.block.attention.headCount) heads on "
          + "\(shape.block.attention.keyHeadCount) key heads, \(shape.width) channels, "
          + "\(shape.block.mlp.hiddenWidth) in each MLP, \(shape.vocabularySize) tokens, "
          + "\(shape.positionCount) positions"
          + (shape.window.map { ", each token sees the last \($0)" } ?? "")),
      settings.fact,
    ]
  }

  /// How the vision tower cuts a square picture of the longest side.
  public var patches: PatchGrid {
    var size = PixelSize(
      width: configuration.vision.imageSize, height: configuration.vision.imageSize)
    if case .longestEdge(let longest, _) = preprocessing.target {
      size = PixelSize(width: longest, height: longest)
    }
    return PatchGrid(size, patchSize: configuration.vision.patchSize, leadingTokenCount: 0)
  }
  /// The tokenizer.
  public var textTokenizer: (any Tokenizer)? { tokenizer }
  /// `[P, D]`: the positions of a square picture of the longest side.
  public var positionEmbeddings: Tensor {
    vision.positions(
      at: configuration.positionRounding.rows(patches, sides: configuration.vision.gridSize))
  }
  /// This model.
  public var writing: (any WritingModel)? { self }
  /// This model.
  public var chatting: (any ChatModel)? { self }

  /// Vision tower, resampler and language model.
  public var towers: [Tower] {
    let (shape, looking) = (configuration.decoder, perceiver.shape.attention)
    return [
      Tower(vision: configuration.vision),
      Tower(
        "resampler", blockCount: perceiver.shape.blockCount, headCount: looking.headCount,
        width: perceiver.shape.width,
        attentions: [
          AttentionPlace(
            "cross", at: "resampler.blocks.#.attention.pattern",
            blocks: Array(0..<perceiver.shape.blockCount), queries: .queries,
            keys: .patchesAndQueries)
        ]),
      Tower(language: shape),
    ]
  }

  /// The same model with another longest side of pictures; places are shares of the sides, whatever those
  /// are, so that no position is interpolated.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    var model = self
    model.pictureSettings = try pictureSettings.resized(
      to: imageSize, patchSize: patches.patchSize)
    return model
  }

  /// The same model with pictures split into their quarters and the whole, or whole alone.
  public func splitting(_ splits: Bool) throws -> any SeeingModel {
    var model = self
    model.pictureSettings = try pictureSettings.splitting(splits)
    return model
  }

  /// The language model.
  public func decoder(for stage: String) -> Decoder { decoder }

  /// Greedy, as many tokens as the settings say, ending at what ends an answer.
  public var defaultOptions: GenerationOptions {
    settings.greedy(endingAt: endTokens)
  }

  /// The published module paths of what passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    Idefics2.publishedPlaces(of: address, visionBlockCount: configuration.vision.blockCount)
  }
}
