internal import Checkpoints
internal import Files
internal import Foundation
internal import Images
public import Layers
public import Tensors
public import Tokenizers
public import Tracing

extension CLIP {
  /// A CLIP's vision tower alone, with or without its projection into the shared space:
  /// `CLIPVisionModel` and `CLIPVisionModelWithProjection`.
  public struct VisionTower: SeeingModel {
    /// How a picture becomes numbers, and where that is written.
    public private(set) var pictureSettings: PictureSettings
    /// What to know of its files.
    public let notes: [String]
    /// Pictures to tokens.
    public private(set) var vision: VisionTransformer
    let projection: Linear?

    /// Reads the checkpoint in `folder`, strictly.
    init(_ folder: CheckpointFolder, _ settings: ConfigurationReader) throws {
      let sizes = try VisionTransformer.Sizes(clipVision: settings)
      pictureSettings = try PreprocessingFile.read(
        folder, imageSize: sizes.imageSize, processor: .clip, sizeKey: settings.name("image_size"))
      let unknown = try ConfigurationKeys.clipVision.unknownKeys(in: settings)
      notes =
        pictureSettings.notes
        + (ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? [])
      var weights = WeightReader(try folder.tensors()) { CLIP.towerKeys($0) }
      vision = try VisionTransformer(from: &weights, sizes)
      let address = Address("joint") / "image_projection"
      projection =
        weights.shape(of: address / "weight") == nil
        ? nil
        : try Linear(
          from: &weights, at: address, inputs: sizes.width,
          outputs: try settings.count("projection_dim", default: 512), hasBias: false)
      weights.ignore("*position_ids")
      try weights.finish()
    }
  }
}

extension CLIP.VisionTower {
  /// The same tower for pictures of another size.
  public func resized(to imageSize: Int) throws -> any SeeingModel {
    var tower = self
    tower.pictureSettings = try pictureSettings.resized(
      to: imageSize, patchSize: patches.patchSize)
    tower.vision = VisionTransformer(vision, imageSize: imageSize)
    return tower
  }

  /// CLIP.
  public var family: String { "CLIP" }
  /// The paper.
  public var source: String { "Radford et al. 2021" }
  /// What it is, and what it lacks.
  public var kind: String {
    "a CLIP's vision tower alone, \(projection == nil ? "without" : "with") projection and without "
      + "the text tower"
  }
  /// The vision tower's patches.
  public var patches: PatchGrid { PatchGrid(vision.sizes) }
  /// None: it reads no text.
  public var textTokenizer: (any Tokenizer)? { nil }
  /// `[T, D]`: the tower's positions.
  public var positionEmbeddings: Tensor { vision.positions }
  /// The vision transformer.
  public var towers: [Tower] { [Tower(vision: vision.sizes)] }

  /// The sizes in one line.
  public var summary: String {
    "\(patches.imageSize) px in \(patches.rowCount) × \(patches.columnCount) patches, vision "
      + "\(vision.sizes.blockCount) × \(vision.sizes.width), no text tower"
  }

  /// The sizes, a line each.
  public var facts: [Fact] {
    [
      Fact.picture(patches), pictureSettings.fact,
      Fact.vision(towers[0], tokens: patches.tokenCount),
      projection.map { Fact("space", "\($0.weight.shape[0]) channels for pictures") },
      Fact("lacks", "the text tower" + (projection == nil ? " and the projection" : "")),
    ].compactMap { $0 }
  }

  /// The stages of a picture.
  public var stages: [Stage] {
    pictureStages(vision) + [
      projectStage(
        vision, projection,
        summary: projection == nil
          ? "Takes the class token and normalises it: this checkpoint has no projection."
          : "Maps the class token into the space that pictures and texts share.")
    ]
  }

  /// The module paths of transformers whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    CLIP.publishedPlaces(of: address, blockCounts: blockCounts)
  }

  /// What one or more pictures make of it, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    guard request.texts.isEmpty, request.prompt.isEmpty else {
      throw ModelError.missingPart(wanted: "read a text", has: "it is \(kind)")
    }
    var (traces, rows): ([Trace], [Tensor]) = ([], [])
    for image in request.images {
      var trace = request.trace
      rows.append(try run(Input(image: image), through: "project", trace: &trace))
      traces.append(trace)
    }
    let pixels = Tensor.concatenated(try request.images.map { try preprocess($0).withBatchAxis })
    return TracedRun(
      tensors: [
        PublishedTensor(name: "inputs.pixel_values", tensor: pixels),
        PublishedTensor(name: "image_embeds", tensor: Tensor.concatenated(rows)),
      ] + (request.usesPublishedNames ? published(traces) : traces.named),
      integers: [], answer: "")
  }

  /// The tensors of a batch's runs under the module paths of transformers.
  public func published(_ traces: [Trace]) -> [PublishedTensor] {
    publishedBatch(traces) { batch, address, _ in
      switch address.description {
      case "vision.embedding.patch.output": batch.imageChannels(patches)
      case "vision.embedding.positions.output": batch[0].withBatchAxis
      case "vision.norm.output", "joint.image_projection.output": Tensor.concatenated(batch)
      default: Tensor.concatenated(batch.map(\.withBatchAxis))
      }
    }
  }
}

extension CLIP.VisionTower {
  /// What an index stands for: a patch by row and column.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    guard [.token, .query, .key].contains(axis), address.parts.first != "joint" else { return nil }
    return pictureToken(index, at: address)
  }
}
