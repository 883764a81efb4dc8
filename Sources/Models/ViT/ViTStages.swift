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
