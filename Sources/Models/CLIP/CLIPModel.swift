public import Checkpoints
internal import Files
internal import Foundation
internal import Images
public import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension CLIP {
  /// A CLIP read from a folder in transformers' or OpenCLIP's layout.
  public struct Model: FamilyModel, EmbeddingModel {
    /// The sizes.
    public let configuration: Configuration
    /// How a picture becomes numbers, and where that is written.
    public let pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Text to token ids.
    public let tokenizer: any Tokenizer
    /// Pictures to tokens.
    public let vision: VisionTransformer
    /// Texts to tokens.
    public let text: TextEncoder
    let imageProjection: Linear
    let textProjection: Linear
    /// The number whose exponential cosines are multiplied by.
    let logarithmOfScale: Float
    /// Whether it has OpenCLIP's layout.
    let isOpenCLIP: Bool
    /// Whether texts that are too long are cut rather than refused.
    let cutsTexts: Bool

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let files = try CLIPFiles(folder)
      configuration = files.configuration
      (pictureSettings, notes) = (files.settings, files.notes)
      isOpenCLIP = files.isOpenCLIP
      cutsTexts = false
      tokenizer = try TokenizerFolder.read(
        folder.url, handling: files.isOpenCLIP ? .openCLIP : .asWritten)
      var weights = WeightReader(files.tensors, names: files.keys)
      vision = try VisionTransformer(from: &weights, configuration.vision)
      text = try TextEncoder(
        from: &weights, configuration.text, configuration.vision.projections)
      imageProjection = try Self.projection(
        &weights, "image_projection", from: configuration.vision.width,
        to: configuration.sharedWidth, isTransposed: files.isOpenCLIP)
      textProjection = try Self.projection(
        &weights, "text_projection", from: configuration.text.width,
        to: configuration.sharedWidth, isTransposed: files.isOpenCLIP)
      logarithmOfScale =
        try weights.take(Address("joint.scale"), shape: []).tensor.elements.first ?? 0
      // Tables of 0, 1, 2 … and a mask, which older files store, and which integers would not fit.
      for name in ["*position_ids", "*attn_mask"] { weights.ignore(name) }
      try weights.finish()
    }

    private init(
      _ model: Model, settings: PictureSettings, vision: VisionTransformer, cutsTexts: Bool
    ) {
      (configuration, tokenizer, text) = (model.configuration, model.tokenizer, model.text)
      (imageProjection, textProjection) = (model.imageProjection, model.textProjection)
      (logarithmOfScale, isOpenCLIP) = (model.logarithmOfScale, model.isOpenCLIP)
      (pictureSettings, notes) = (settings, model.notes)
      (self.vision, self.cutsTexts) = (vision, cutsTexts)
    }

    /// Reads a projection; OpenCLIP stores `[inputs, outputs]`.
    private static func projection(
      _ weights: inout WeightReader, _ name: String, from inputs: Int, to outputs: Int,
      isTransposed: Bool
    ) throws(CheckpointError) -> Linear {
      let address = Address("joint") / name
      guard isTransposed else {
        return try Linear(
          from: &weights, at: address, inputs: inputs, outputs: outputs, hasBias: false)
      }
      let weight = try weights.takeWeight(
        address / "weight", shape: [outputs, inputs], isTransposed: true)
      return Linear(weight: weight, bias: nil, at: address)
    }
  }
}

extension CLIP.Model {
  /// The same model for pictures of another size, its position embeddings interpolated as the
  /// published code does with `interpolate_pos_encoding`.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    CLIP.Model(
      self, settings: try pictureSettings.resized(to: imageSize, patchSize: patches.patchSize),
      vision: VisionTransformer(vision, imageSize: imageSize), cutsTexts: cutsTexts)
  }

  /// The same model, which cuts a text that is too long before its end token.
  ///
  /// As CLIP's own `tokenize(truncate=True)`, OpenCLIP and transformers' `truncation=True` do.
  public var cuttingTexts: any EmbeddingModel {
    CLIP.Model(self, settings: pictureSettings, vision: vision, cutsTexts: true)
  }

  /// CLIP.
  public var family: String { "CLIP" }
  /// The paper.
  public var source: String { "Radford et al. 2021" }
  /// What it is for.
  public var kind: String { "a CLIP, which compares pictures with texts and writes none" }
  /// The vision tower's patches.
  public var patches: PatchGrid { PatchGrid(vision.sizes) }
  /// The tokenizer, which every CLIP has.
  public var textTokenizer: (any Tokenizer)? { tokenizer }
  /// `[T, D]`: the vision tower's positions.
  public var positionEmbeddings: Tensor { vision.positions }
  /// `[L, D]`: the text tower's positions.
  public var textPositionEmbeddings: Tensor { text.positions.tensor }
  /// This model.
  public var embedding: (any EmbeddingModel)? { self }
  /// Channels of the shared space.
  public var embeddingWidth: Int { configuration.sharedWidth }
  /// What cosines are multiplied by before softmax: the exponential of the trained `logit_scale`.
  public var similarityScale: Float { Float(exp(Double(logarithmOfScale))) }
  /// The trained scale, which both layouts call so.
  public var similarityScaleWeight: String { "logit_scale" }

  /// Vision and text transformer.
  public var towers: [Tower] { [Tower(vision: vision.sizes), Tower(text: configuration.text)] }

  /// The sizes in one line.
  public var summary: String {
    "\(patches.imageSize) px in \(patches.rowCount) × \(patches.columnCount) patches, vision "
      + "\(vision.sizes.blockCount) × \(vision.sizes.width), text "
      + "\(configuration.text.blockCount) × \(configuration.text.width), shared space of "
      + "\(embeddingWidth)"
  }

  /// The sizes, a line each.
  public var facts: [Fact] {
    [
      Fact.picture(patches), pictureSettings.fact,
      Fact.vision(towers[0], tokens: patches.tokenCount),
      Fact(text: configuration.text),
      Fact(
        "space",
        "\(embeddingWidth) channels for pictures and texts; cosines times "
          + "\(((Double(similarityScale) * 100).rounded() / 100)) go into softmax"),
    ]
  }

  /// The module paths of transformers whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    CLIP.publishedPlaces(of: address, blockCounts: blockCounts)
  }
}

extension Tower {
  /// A text transformer, as a tower.
  init(text sizes: CLIP.Configuration.Text) {
    self.init(
      "text", blockCount: sizes.blockCount, headCount: sizes.headCount, width: sizes.width,
      attentions: [
        AttentionPlace(
          "text", at: "text.blocks.#.attention.pattern", blocks: Array(0..<sizes.blockCount),
          queries: .text(after: 0), keys: .text(after: 0))
      ])
  }
}

extension Fact {
  /// A text transformer's sizes.
  init(text sizes: CLIP.Configuration.Text) {
    self.init(
      "text",
      "\(sizes.blockCount) blocks, \(sizes.headCount) heads, \(sizes.width) channels, "
        + "\(sizes.vocabularySize) tokens, \(sizes.positionCount) positions")
  }
}
