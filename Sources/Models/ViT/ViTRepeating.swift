internal import Layers
internal import Tensors
public import Tracing

extension ViT.Model: RepeatableModel {
  /// One pass from the pixels to the classes.
  public func pass(_ inputs: RunInputs, trace: inout Trace) throws {
    try passPicture(inputs, trace: &trace)
  }

  /// What `pass` is going to pass.
  public func outline(_ inputs: RunInputs) -> Outline {
    var outline = outlinePicture(vision)
    vision.outlineEncoding(into: &outline)
    classifier?.outline(rows: 1, into: &outline)
    return outline
  }

  /// The stage that a place belongs to.
  public func stage(of address: Address) -> String {
    address.parts.first == "classifier" ? "classify" : pictureStage(of: address)
  }

  /// What an index stands for: a patch by row and column, a class.
  public func name(
    of index: Int, on axis: Axis, at address: Address, inputs: RunInputs
  ) -> String? {
    let isClassifier = address.parts.first == "classifier"
    switch axis {
    case .channel where isClassifier && labels.indices.contains(index):
      return "'\(labels[index])'"
    case .token, .query, .key: return isClassifier ? nil : pictureToken(index, at: address)
    default: return nil
    }
  }
}
