public import Checkpoints
internal import Foundation
public import Generation
internal import Images
public import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension QwenVL {
  /// A Qwen-VL read from a folder in the published layout.
  public struct Model: SoftPromptModel {
    /// The sizes.
    public internal(set) var configuration: Configuration
    /// How a picture becomes numbers, and where that is written.
    public internal(set) var pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Text to token ids.
    public let tokenizer: any Tokenizer
    /// Pictures to tokens.
    public internal(set) var vision: VisionTransformer
    /// Tokens to answered queries.
    public internal(set) var resampler: Resampler
    let projectionNorm: Norm
    let projection: Linear
    /// The language model.
    public let decoder: Decoder
    /// How it converses and writes, and where that is written.
    public var settings: GenerationSettings

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let json = try folder.configuration()
      let file = folder.url.appending(path: "config.json").path
      configuration = try Configuration(json, file: file)
      tokenizer = try TokenizerFolder.read(folder.url)
      let size = configuration.vision.imageSize
      pictureSettings = PictureSettings(
        try Preprocessing(
          target: .exactly(PixelSize(width: size, height: size)), filter: .bicubic, crop: nil,
          normalisation: Preprocessing.Normalisation(
            mean: CLIPColours.mean, deviation: CLIPColours.deviation),
          transparency: .drop),
        source: "as the model's published code does it")
      var weights = WeightReader(try folder.tensors(), names: QwenVL.names.keys)
      vision = try VisionTransformer(from: &weights, configuration.vision)
      resampler = try Resampler(
        from: &weights, configuration.resampler, patchGridSize: configuration.vision.gridSize)
      let width = configuration.resampler.width
      projectionNorm = try Norm(
        from: &weights, at: Address("projection.norm"), width: width,
        epsilon: configuration.resampler.epsilon)
      projection = Linear(
        weight: try weights.takeWeight(
          Address("projection.weight"), shape: [width, width], isTransposed: true),
        bias: nil, at: Address("projection"))
      decoder = try Decoder(from: &weights, configuration.decoder)
      // Old files hold the frequencies, which follow from the configuration.
      weights.ignore("transformer.rotary_emb.inv_freq")
      try weights.finish()
      settings = try GenerationSettings(
        folder, default: tokenizer.id("<|endoftext|>").map { [$0] } ?? [],
        below: configuration.decoder.vocabularySize, formats: Self.chatFormats, chats: true)
      notes = try Configuration.notes(json, file: file) + settings.notes + decoder.notes
    }
  }
}

extension QwenVL.Model {
  /// The family's name.
  public var family: String { "Qwen-VL" }
  /// The paper.
  public var source: String { "Bai et al. 2023" }
  /// That it converses.
  public var kind: String { "a Qwen-VL, which converses about pictures" }
  /// One input may hold several pictures.
  public var takesSeveralPictures: Bool { true }

  /// The sizes in one line.
  public var summary: String {
    let (vision, decoder) = (configuration.vision, configuration.decoder)
    return "\(vision.imageSize) px in \(vision.gridSize) × \(vision.gridSize) patches, "
      + "vision \(vision.blockCount) × \(vision.width), "
      + "\(configuration.resampler.queryCount) queries × \(configuration.resampler.width), "
      + "language model \(decoder.blockCount) × \(decoder.width)"
  }

  /// The sizes, a line each, and how it writes.
  public var facts: [Fact] {
    let (vision, resampler, shape) = (
      configuration.vision, configuration.resampler, configuration.decoder
    )
    let trained = shape.rotary?.stretchedBehind.map { ", trained with \($0)" } ?? ""
    return [
      Fact.picture(patches), pictureSettings.fact,
      Fact(
        "vision",
        "\(vision.blockCount) blocks, \(vision.headCount) heads, \(vision.width) channels, "
          + "\(vision.tokenCount) tokens"),
      Fact(
        "resampler",
        "\(resampler.queryCount) queries, \(resampler.headCount) heads, \(resampler.width) channels"
      ),
      Fact(
        "language",
        "\(shape.blockCount) blocks, \(shape.block.attention.headCount) heads, "
          + "\(shape.width) channels, \(shape.block.mlp.hiddenWidth) in each MLP, "
          + "\(shape.vocabularySize) tokens, \(shape.positionCount) positions\(trained)"),
      settings.fact,
    ]
  }

  /// How the vision tower cuts a picture.
  public var patches: PatchGrid { PatchGrid(vision.sizes) }
  /// The tokenizer.
  public var textTokenizer: (any Tokenizer)? { tokenizer }
  /// `[T, D]`: the vision tower's positions.
  public var positionEmbeddings: Tensor { vision.positions }
  /// This model.
  public var writing: (any WritingModel)? { self }
  /// This model.
  public var chatting: (any ChatModel)? { self }

  /// Vision tower, resampler and language model.
  public var towers: [Tower] {
    let (shape, resampler) = (configuration.decoder, configuration.resampler)
    return [
      Tower(vision: configuration.vision),
      Tower(
        "resampler", blockCount: 1, headCount: resampler.headCount, width: resampler.width,
        attentions: [
          AttentionPlace(
            "cross", at: "resampler.attention.pattern", blocks: [0], queries: .queries,
            keys: .patches)
        ]),
      Tower(language: shape),
    ]
  }

  /// The same model for pictures of another size, positions interpolated as for its own.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    var model = self
    model.pictureSettings = try pictureSettings.resized(
      to: imageSize, patchSize: patches.patchSize)
    model.vision = VisionTransformer(vision, imageSize: imageSize)
    model.configuration.vision.imageSize = imageSize
    model.resampler = Resampler(resampler, patchGridSize: model.vision.sizes.gridSize)
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
    QwenVL.publishedPlaces(of: address, visionBlockCount: configuration.vision.blockCount)
  }
}
