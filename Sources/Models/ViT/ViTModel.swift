public import Checkpoints
internal import Foundation
internal import Images
public import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension ViT {
  /// A ViT read from a folder in the published layout.
  public struct Model: FamilyModel, ClassifyingModel {
    /// The sizes.
    public let configuration: Configuration
    /// How a picture becomes numbers, and where that is written.
    public let pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Pictures to tokens.
    public let vision: VisionTransformer
    /// The class token to a number a class; nil in a checkpoint of the encoder alone.
    let classifier: Linear?

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let json = try folder.configuration()
      let keys: @Sendable (Address) -> [String]
      if TimmFolder.holds(json) {
        let files = try TimmFolder(folder)
        (configuration, pictureSettings) = (files.configuration, files.settings)
        notes = files.notes
        keys = { ViT.timmKeys($0) }
      } else {
        let file = folder.url.appending(path: "config.json").path
        configuration = try Configuration(json, file: file)
        pictureSettings = try PreprocessingFile.read(
          folder, imageSize: configuration.vision.imageSize, processor: .vit, sizeKey: "image_size")
        notes = pictureSettings.notes + (try Configuration.notes(json, file: file))
        keys = { ViT.keys($0) }
      }
      var weights = WeightReader(try folder.tensors(), names: keys)
      vision = try VisionTransformer(from: &weights, configuration.vision)
      classifier =
        configuration.labels.isEmpty
        ? nil
        : try Linear(
          from: &weights, at: Address("classifier"), inputs: configuration.vision.width,
          outputs: configuration.labels.count)
      // The library trains a pooler that the classifier does not use.
      for name in ["vit.pooler.*", "pooler.*"] { weights.ignore(name) }
      try weights.finish()
    }

    private init(_ model: Model, settings: PictureSettings, vision: VisionTransformer) {
      (configuration, classifier, notes) = (model.configuration, model.classifier, model.notes)
      (pictureSettings, self.vision) = (settings, vision)
    }
  }
}

extension ViT.Model {
  /// The same model for pictures of another size, its position embeddings interpolated as the
  /// published code does with `interpolate_pos_encoding`.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    ViT.Model(
      self, settings: try pictureSettings.resized(to: imageSize, patchSize: patches.patchSize),
      vision: VisionTransformer(vision, imageSize: imageSize))
  }

  /// ViT.
  public var family: String { "ViT" }
  /// The paper.
  public var source: String { "Dosovitskiy et al. 2020" }
  /// Whether it classifies.
  public var kind: String {
    classifier == nil
      ? "a ViT without a classifier" : "a ViT, which knows pictures and classes only"
  }
  /// The names of the classes.
  public var labels: [String] { configuration.labels }
  /// How the classes' numbers become probabilities.
  public var scores: ClassScores { configuration.scores }
  /// The vision tower's patches.
  public var patches: PatchGrid { PatchGrid(vision.sizes) }
  /// None: it reads no text.
  public var textTokenizer: (any Tokenizer)? { nil }
  /// `[T, D]`: the vision tower's positions.
  public var positionEmbeddings: Tensor { vision.positions }
  /// This model, if it has a classifier.
  public var classifying: (any ClassifyingModel)? { classifier == nil ? nil : self }
  /// The vision transformer.
  public var towers: [Tower] { [Tower(vision: vision.sizes)] }

  /// The sizes in one line.
  public var summary: String {
    "\(patches.imageSize) px in \(patches.rowCount) × \(patches.columnCount) patches, vision "
      + "\(vision.sizes.blockCount) × \(vision.sizes.width), "
      + (classifier == nil ? "no classifier" : "\(labels.count) classes")
  }

  /// The sizes, a line each.
  public var facts: [Fact] {
    [
      Fact.picture(patches), pictureSettings.fact,
      Fact.vision(towers[0], tokens: patches.tokenCount),
    ]
      + (classifier == nil
        ? []
        : [
          Fact(
            "classes",
            "\(labels.count): " + labels.prefix(4).joined(separator: "; ")
              + (labels.count > 4 ? "; …" : "")),
          Fact("scores", scores.inWords),
        ])
  }

  /// The module paths of transformers 5 whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    ViT.publishedPlaces(of: address, blockCount: vision.sizes.blockCount)
  }
}
