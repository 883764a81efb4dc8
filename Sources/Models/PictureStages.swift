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

extension SeeingModel {
  /// The four stages from a picture to a vision transformer's tokens.
  func pictureStages(_ vision: VisionTransformer) -> [Stage] {
    let (size, patch) = (patches.imageSize, patches.patchSize)
    let (tokenCount, width) = (patches.tokenCount, vision.sizes.width)
    let row = 3 * patch * patch
    var blocks = vision.blocks.indices.map { index in
      Step(eachPicture: "vision.blocks.\(index)") { slots, trace in
        slots[.tokens] = vision.blocks[index](slots.take(.tokens), trace: &trace)
      }
    }
    if !vision.sizes.hasFirstNorm, let norm = vision.norm {
      blocks.append(
        Step(eachPicture: "vision.norm") { slots, trace in
          slots[.tokens] = norm(slots.take(.tokens), trace: &trace)
        })
    }
    return [
      Stage(
        "preprocess", "Resizes the picture and centres its colours around 0.",
        from: "a picture", to: "[3, \(size), \(size)]", gives: .pixels,
        eachPictureAt: "picture.pixels"
      ) { slots, trace in
        slots[.pixels] = trace.pass(
          try pixels(of: slots), PicturePlaces.pixels, at: Address("picture.pixels"))
      },
      Stage(
        "patchify", "Cuts the pixels into squares and lays each out as one row.",
        from: "[3, \(size), \(size)]", to: "[\(patches.count), \(row)]",
        takes: (.pixels, [3, size, size]), gives: .patches,
        eachPictureAt: "picture.patches"
      ) { slots, trace in
        slots[.patches] = trace.pass(
          try patchify(slots.take(.pixels)), PicturePlaces.patches, at: Address("picture.patches"))
      },
      Stage(
        "embed",
        vision.sizes.hasClassToken
          ? "Maps each patch to a token, puts the class token first and adds positions."
          : "Maps each patch to a token and adds positions.",
        from: "[\(patches.count), \(row)]", to: "[\(tokenCount), \(width)]",
        takes: (.patches, [patches.count, row]), gives: .tokens,
        eachPictureAt: "vision.embedding", "vision.first_norm"
      ) { slots, trace in
        slots[.tokens] = vision.embed(slots.take(.patches), trace: &trace)
      },
      Stage(
        "encode", "Lets the tokens look at each other in \(vision.blocks.count) blocks.",
        from: "[\(tokenCount), \(width)]", to: "[\(tokenCount), \(width)]",
        takes: (.tokens, [tokenCount, width]), gives: .tokens, steps: blocks),
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
