internal import Models
internal import Runtime
internal import Tensors

/// A number for each patch of a picture, and the model whose patches they are.
struct PatchMap: ForeignObject {
  /// `[rows, columns]`.
  let numbers: Tensor
  let title: String
  let model: LoadedModel

  var tensor: Tensor? { numbers }
  var typeName: String { "PatchMap" }
  var shown: String { Value.tensor(numbers, name: title).displayed }
  var attributeNames: [String] { ["tensor", "title"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "tensor": .tensor(numbers, name: title)
    case "title": .text(title)
    default: nil
    }
  }
}
