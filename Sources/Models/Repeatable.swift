public import Images
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

/// What a run starts from: enough to make it again.
public struct RunInputs: Sendable {
  /// The picture; nil where only its pixels are known.
  public var image: Image?
  /// `[3, Y, X]`: the picture as the model takes it; nil where it is to be made from the picture.
  public var pixels: Tensor?
  /// Which stand-in is taken where neither is known: zeros, or else ones.
  public var usesBlankPicture = true
  /// What a model that writes reads after the picture, or the text that goes with the picture.
  public var prompt: String
  /// The token ids of the prompt, with those that stand for the picture; nil where they are to be
  /// made from the prompt.
  public var tokenIDs: [Int]?
  /// How many of the ids are text, before those that fill a batch up; nil for all.
  public var attendedCount: Int?

  /// Collects what a run starts from.
  public init(
    image: Image? = nil, pixels: Tensor? = nil, prompt: String = "", tokenIDs: [Int]? = nil
  ) {
    (self.image, self.pixels, self.prompt, self.tokenIDs) = (image, pixels, prompt, tokenIDs)
  }
}

/// A model whose runs can be made again, from what they started from, and compared place by place.
public protocol RepeatableModel: VisionModel {
  /// One pass through all stages, without writing an answer; everything goes through the trace,
  /// from the pixels on.
  ///
  /// Without a picture the pixels are a stand-in, for whoever puts other numbers in their place.
  func pass(_ inputs: RunInputs, trace: inout Trace) throws
  /// What `pass` is going to pass, told from the sizes; the picture is not looked at.
  func outline(_ inputs: RunInputs) throws -> Outline
  /// The stage that a place belongs to, as `stages` names it.
  func stage(of address: Address) -> String
  /// What index `index` of `axis` at a place stands for, such as `patch 3,4`; nil for a mere number.
  func name(of index: Int, on axis: Axis, at address: Address, inputs: RunInputs) -> String?
}

/// Where a picture's numbers pass before the first layer.
enum PicturePlaces {
  /// `[3, Y, X]`.
  static let pixels = Tap(
    "output", .channel, .row, .column, says: "The picture, resized and centred around 0.")
  /// `[P, 3·p·p]`.
  static let patches = Tap("output", .token, .channel, says: "One row of pixels a patch.")
}

extension SeeingModel {
  /// A picture to numbers around 0, `[3, Y, X]`, passed through the trace.
  public func preprocess(_ image: Image, trace: inout Trace) throws -> Tensor {
    pass(pixels: try preprocess(image), trace: &trace)
  }

  /// The pixels that a run starts from, or their stand-in.
  func pixels(of inputs: RunInputs) throws -> Tensor {
    if let pixels = inputs.pixels { return pixels }
    if let image = inputs.image { return try preprocess(image) }
    let size = patches.imageSize
    return Tensor(repeating: inputs.usesBlankPicture ? 0 : 1, shape: [3, size, size])
  }

  /// Pixels `[3, Y, X]`, passed through the trace as if they had just been made.
  func pass(pixels: Tensor, trace: inout Trace) -> Tensor {
    trace.pass(pixels, PicturePlaces.pixels, at: Address("picture.pixels"))
  }

  /// Pixels `[3, Y, X]` to one row a patch, `[P, 3·p·p]`, passed through the trace.
  public func patchify(_ pixels: Tensor, trace: inout Trace) throws -> Tensor {
    trace.pass(try patchify(pixels), PicturePlaces.patches, at: Address("picture.patches"))
  }

  /// Takes the pixels that a run starts from through the stages of a picture.
  func passPicture(_ inputs: RunInputs, trace: inout Trace) throws {
    var value = StageInput.tensor(pass(pixels: try pixels(of: inputs), trace: &trace))
    for stage in pictureStages.dropFirst() { value = .tensor(try stage.run(value, &trace)) }
  }

  /// What a picture's way to the vision tower's first block is going to pass.
  func outlinePicture(_ vision: VisionTransformer) -> Outline {
    var outline = Outline()
    let (size, patch) = (patches.imageSize, patches.patchSize)
    outline.pass([3, size, size], PicturePlaces.pixels, at: Address("picture.pixels"))
    outline.pass(
      [patches.count, 3 * patch * patch], PicturePlaces.patches, at: Address("picture.patches"))
    vision.outlineEmbedding(into: &outline)
    return outline
  }

  /// The stage that a place on a picture's way to a vision tower's tokens belongs to.
  func pictureStage(of address: Address) -> String {
    switch address.part.description {
    case "picture.pixels": "preprocess"
    case "picture.patches": "patchify"
    case "vision.embedding", "vision.first_norm": "embed"
    default: "encode"
    }
  }

  /// What a token of the vision tower, or a patch before it, stands for.
  func pictureToken(_ index: Int, at address: Address) -> String {
    let isPatch =
      address.parts.first == "picture" || address.description == "vision.embedding.patch.output"
    let place = isPatch ? index : index - 1
    guard place >= 0 else { return "class token" }
    return "patch \(place / patches.side),\(place % patches.side)"
  }
}
