internal import Layers
internal import Tensors
internal import Tracing

extension ViT.Model {
  /// The stages, in the order a picture goes through them.
  public var stages: [Stage] {
    let shapes = VisionShapes(patches, width: vision.sizes.width)
    var stages = pictureStages(
      shapes, blockCount: vision.sizes.blockCount,
      embed: { try embed($0, trace: &$1) }, encode: { try encode($0, trace: &$1) })
    if classifier != nil {
      stages.append(
        Stage(
          "classify", "Maps the class token to a number for each class.", from: shapes.tokens,
          to: "[1, \(labels.count)]"
        ) { input, trace in
          try classify(tokens: try input.tensor([nil, nil], for: "classify"), trace: &trace)
        })
    }
    return stages
  }
}

/// The shapes on the way through a vision tower, as stages show them.
struct VisionShapes {
  let pixels, patches, tokens: String

  init(_ grid: PatchGrid, width: Int) {
    pixels = "[3, \(grid.imageSize), \(grid.imageSize)]"
    patches = "[\(grid.count), \(3 * grid.patchSize * grid.patchSize)]"
    tokens = "[\(grid.tokenCount), \(width)]"
  }
}

extension VisionModel {
  /// The four stages from a picture to a vision transformer's tokens.
  func pictureStages(
    _ shapes: VisionShapes, blockCount: Int,
    embed: @escaping @Sendable (Tensor, inout Trace) throws -> Tensor,
    encode: @escaping @Sendable (Tensor, inout Trace) throws -> Tensor
  ) -> [Stage] {
    let size = patches.imageSize
    return [
      Stage(
        "preprocess", "Resizes the picture and centres its colours around 0.",
        from: "a picture", to: shapes.pixels
      ) { input, trace in
        try preprocess(try input.picture(for: "preprocess"), trace: &trace)
      },
      Stage(
        "patchify", "Cuts the pixels into squares and lays each out as one row.",
        from: shapes.pixels, to: shapes.patches
      ) { input, trace in
        try patchify(try input.tensor([3, size, size], for: "patchify"), trace: &trace)
      },
      Stage(
        "embed", "Maps each patch to a token, puts the class token first and adds positions.",
        from: shapes.patches, to: shapes.tokens
      ) { input, trace in try embed(try input.tensor([nil, nil], for: "embed"), &trace) },
      Stage(
        "encode", "Lets the tokens look at each other in \(blockCount) blocks.",
        from: shapes.tokens, to: shapes.tokens
      ) { input, trace in try encode(try input.tensor([nil, nil], for: "encode"), &trace) },
    ]
  }
}
