internal import Images
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

  /// A language model.
  ///
  /// - Parameter tokens: what its tokens are.
  init(language shape: Decoder.Shape, tokens: AttentionPlace.Tokens = .text(after: 0)) {
    self.init(
      "language", blockCount: shape.blockCount, headCount: shape.block.attention.headCount,
      width: shape.width,
      attentions: [
        AttentionPlace(
          "language", at: "language.blocks.#.attention.pattern",
          blocks: Array(0..<shape.blockCount), queries: tokens, keys: tokens)
      ])
  }
}

extension SeeingModel {
  /// The four stages from a picture to a vision transformer's tokens.
  ///
  /// - Parameter places: the row of the table of positions of each token of a grid; nil for all of them
  ///   in order.
  func pictureStages(
    _ vision: VisionTransformer, places: (@Sendable (PatchGrid) -> [Int])? = nil
  ) -> [Stage] {
    let (grid, patch, views) = (patches, patches.patchSize, viewCount)
    let width = vision.sizes.width
    let row = 3 * patch * patch
    // What depends on the picture has letters for numbers, and fits any length.
    func shape(_ rows: Int, _ letter: String) -> String { hasOneGrid ? "\(rows)" : letter }
    func length(_ number: Int) -> Int? { hasOneGrid ? number : nil }
    let picture = "[3, \(shape(grid.size.height, "Y")), \(shape(grid.size.width, "X"))]"
    let rows = "[\(shape(grid.count, "P")), \(row)]"
    let tokens = "[\(shape(grid.tokenCount, "T")), \(width)]"
    var blocks = vision.blocks.indices.map { index in
      Step(eachPicture: "vision.blocks.\(index)", viewCount: views) { slots, trace in
        let tokens = slots.take(.tokens)
        let grid = try patches(of: slots)
        var none: KeyValues?
        slots[.tokens] = vision.blocks[index](
          tokens, mask: grid.mask(queryCount: tokens.shape[0]), cache: &none, trace: &trace)
      }
    }
    if !vision.sizes.hasFirstNorm, let norm = vision.norm {
      blocks.append(
        Step(eachPicture: "vision.norm", viewCount: views) { slots, trace in
          slots[.tokens] = norm(slots.take(.tokens), trace: &trace)
        })
    }
    return [
      Stage(
        "preprocess",
        views > 1
          ? "Splits the picture into its quarters and the whole, resizes each and centres its colours around 0."
          : "Resizes the picture and centres its colours around 0.",
        from: "a picture", to: picture, gives: .pixels,
        eachPictureAt: "picture.pixels", viewCount: views
      ) { slots, trace in
        slots[.pixels] = trace.pass(
          try pixels(of: slots), PicturePlaces.pixels, at: Address("picture.pixels"))
      },
      Stage(
        "patchify", "Cuts the pixels into squares and lays each out as one row.",
        from: picture, to: rows,
        takes: (.pixels, [3, length(grid.size.height), length(grid.size.width)]), gives: .patches,
        eachPictureAt: "picture.patches", viewCount: views
      ) { slots, trace in
        slots[.patches] = trace.pass(
          try patchify(slots.take(.pixels)), PicturePlaces.patches, at: Address("picture.patches"))
      },
      Stage(
        "embed",
        vision.sizes.hasClassToken
          ? "Maps each patch to a token, puts the class token first and adds positions."
          : "Maps each patch to a token and adds positions.",
        from: rows, to: tokens,
        takes: (.patches, [length(grid.count), row]), gives: .tokens,
        eachPictureAt: "vision.embedding", "vision.first_norm", viewCount: views
      ) { slots, trace in
        slots[.tokens] = vision.embed(
          slots.take(.patches), at: try places.map { $0(try patches(of: slots)) }, trace: &trace)
      },
      Stage(
        "encode", "Lets the tokens look at each other in \(vision.blocks.count) blocks.",
        from: tokens, to: tokens,
        takes: (.tokens, [length(grid.tokenCount), width]), gives: .tokens, steps: blocks),
    ]
  }

  /// The class token of the vision tower's tokens, normalised, and mapped into a shared space where
  /// there is a projection.
  func projectStage(
    _ vision: VisionTransformer, _ projection: Linear?, summary: String
  ) -> Stage {
    let width = vision.sizes.width
    return Stage(
      "project", summary, from: "[\(patches.tokenCount), \(width)]",
      to: "[1, \(projection?.weight.shape[0] ?? width)]", takes: (.tokens, [nil, width]),
      gives: .embedding, at: "vision.norm", "joint.image_projection"
    ) { slots, trace in
      let token = slots.take(.tokens).rows(0..<1)  // [1, D]
      let pooled = vision.norm?(token, trace: &trace) ?? token
      slots[.embedding] = projection?(pooled, trace: &trace) ?? pooled
    }
  }
}
