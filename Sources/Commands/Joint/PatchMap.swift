internal import Models
internal import Runtime
internal import Tensors

/// A number for each patch of a picture, and the model whose patches they are.
struct PatchMap: ForeignObject {
  /// `[rows, columns]`.
  let numbers: Tensor
  /// What is mapped on what: `word map of scene 7`.
  let subject: String
  /// What of that these numbers are: `'a red circle'`.
  var choices: [String] = []
  let model: LoadedModel
  /// Which view of its picture that is, counted from 0; nil for the whole.
  var view: Int?
  /// The maps of all views, of which this one's cells are made.
  var views: [PatchMap] = []

  var tensor: Tensor? { numbers }
  var typeName: String { "PatchMap" }
  var provenance: Provenance? {
    Provenance(subject, axes: [.init("row"), .init("column")], choices: choices, view: view)
  }
  var title: String { provenance?.title ?? subject }
  var shown: String { Value.tensor(numbers, from: Provenance(title)).displayed }
  var attributeNames: [String] { ["tensor", "title", "views"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "tensor": .tensor(numbers, from: provenance)
    case "title": .text(title)
    case "views": .newList(views.map { .object($0) })
    default: nil
    }
  }
}
