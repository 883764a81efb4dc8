internal import Layers
internal import Tensors
internal import Tracing

extension VisionTransformer.Sizes {
  /// Reads and checks the sizes of a vision tower, as transformers names them.
  init(
    vision reader: ConfigurationReader, defaults: VisionTransformer.Sizes
  ) throws(ModelError) {
    self.init(
      width: try reader.count("hidden_size", default: defaults.width),
      hiddenWidth: try reader.count("intermediate_size", default: defaults.hiddenWidth),
      blockCount: try reader.count("num_hidden_layers", default: defaults.blockCount),
      headCount: try reader.count("num_attention_heads", default: defaults.headCount),
      imageSize: try reader.side("image_size", default: defaults.imageSize),
      patchSize: try reader.side("patch_size", default: defaults.patchSize),
      epsilon: try reader.float("layer_norm_eps", default: Double(defaults.epsilon)),
      activation: try reader.choice("hidden_act", default: defaults.activation))
    try reader.require(
      width.isMultiple(of: headCount), "hidden_size", "a multiple of the \(headCount) heads")
    try reader.require(
      imageSize >= patchSize, "image_size", "at least the patch size, \(patchSize)")
    try reader.require(imageSize <= 4096, "image_size", "at most 4096 pixels")
    try reader.require(
      try reader.count("num_channels", default: 3) == 3, "num_channels", "3: red, green, blue")
  }
}

extension Tower {
  /// The vision transformer, as a tower.
  init(vision sizes: VisionTransformer.Sizes) {
    self.init(
      "vision", blockCount: sizes.blockCount, headCount: sizes.headCount, width: sizes.width,
      attentions: [
        AttentionPlace(
          "vision", at: "vision.blocks.#.attention.pattern", blocks: Array(0..<sizes.blockCount),
          queries: .patches, keys: .patches)
      ])
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

extension SeeingModel {
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
