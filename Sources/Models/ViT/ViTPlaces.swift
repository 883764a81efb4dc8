internal import Layers
internal import Tensors
public import Tracing

extension ViT.Model {
  /// What an index stands for: a patch by row and column, a class.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
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
