internal import Layers
internal import Tensors
internal import Tokenizers
internal import Tracing

extension CLIP.Model {
  /// The stages of a picture, then those of a text; both end in the shared space.
  public var stages: [Stage] {
    let shapes = VisionShapes(patches, width: vision.sizes.width)
    return pictureStages(
      shapes, blockCount: vision.sizes.blockCount,
      embed: { try embed($0, trace: &$1) }, encode: { try encode($0, trace: &$1) }
    ) + [
      Stage(
        "project", "Maps the class token into the space that pictures and texts share.",
        from: shapes.tokens, to: "[1, \(embeddingWidth)]"
      ) { input, trace in
        try project(try input.tensor([nil, nil], for: "project"), trace: &trace)
      }
    ]
      + CLIP.textStages(
        configuration.text, spaceWidth: embeddingWidth, ids: { try textIDs($0) },
        read: { try text.read($0, count: $0.count, trace: &$1) },
        project: { try projectText($0, ids: $1, trace: &$2) })
  }
}

extension CLIP {
  /// The stages of a text.
  ///
  /// - Parameter spaceWidth: channels of the shared space; nil where nothing projects into it.
  static func textStages(
    _ sizes: Configuration.Text, spaceWidth: Int?,
    ids: @escaping @Sendable (String) throws -> [Int],
    read: @escaping @Sendable ([Int], inout Trace) throws -> Tensor,
    project: @escaping @Sendable (Tensor, [Int], inout Trace) throws -> Tensor
  ) -> [Stage] {
    [
      Stage(
        "read",
        "Lets each token of a text look at those before it, in \(sizes.blockCount) blocks.",
        from: "a text of T tokens", to: "[T, \(sizes.width)]", branch: .text
      ) { input, trace in try read(try ids(input.text), &trace) },
      Stage(
        "project_text",
        spaceWidth == nil
          ? "Takes the text's end token: this checkpoint has no projection."
          : "Maps the text's end token into the space that pictures and texts share.",
        from: "[T, \(sizes.width)]", to: "[1, \(spaceWidth ?? sizes.width)]", branch: .text
      ) { input, trace in
        try project(
          try input.tensor([nil, nil], for: "project_text"), try ids(input.text), &trace)
      },
    ]
  }
}
