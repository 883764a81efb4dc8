internal import Layers
internal import Tensors
internal import Tokenizers
internal import Tracing

extension CLIP.Model {
  /// The stages of a picture, then those of a text; both end in the shared space.
  public var stages: [Stage] {
    let shapes = VisionShapes(patches, width: vision.sizes.width)
    let width = configuration.text.width
    return pictureStages(
      shapes, blockCount: vision.sizes.blockCount,
      embed: { try embed($0, trace: &$1) }, encode: { try encode($0, trace: &$1) }
    ) + [
      Stage(
        "project", "Maps the class token into the space that pictures and texts share.",
        from: shapes.tokens, to: "[1, \(embeddingWidth)]"
      ) { input, trace in
        try project(try input.tensor([nil, nil], for: "project"), trace: &trace)
      },
      Stage(
        "read",
        "Lets each token of a text look at those before it, in "
          + "\(configuration.text.blockCount) blocks.",
        from: "a text of T tokens", to: "[T, \(width)]", branch: .text
      ) { input, trace in try read(input.text, trace: &trace) },
      Stage(
        "project_text", "Maps the text's end token into the space that pictures and texts share.",
        from: "[T, \(width)]", to: "[1, \(embeddingWidth)]", branch: .text
      ) { input, trace in
        try projectText(
          try input.tensor([nil, nil], for: "project_text"), ids: try textIDs(input.text),
          trace: &trace)
      },
    ]
  }
}
