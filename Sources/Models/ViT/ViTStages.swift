internal import Layers
internal import Tensors
internal import Tracing

extension ViT.Model {
  /// The stages, in the order a picture goes through them.
  public var stages: [Stage] {
    let stages = pictureStages(vision)
    guard let classifier else { return stages }
    let width = vision.sizes.width
    return stages + [
      Stage(
        "classify", "Maps the class token to a number for each class.",
        from: "[\(patches.tokenCount), \(width)]", to: "[1, \(labels.count)]",
        takes: (.tokens, [nil, width]), gives: .classes, at: "classifier"
      ) { slots, trace in
        slots[.classes] = classifier(slots.take(.tokens).rows(0..<1), trace: &trace)
      }
    ]
  }
}
