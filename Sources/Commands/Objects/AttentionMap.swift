internal import Characters
internal import Foundation
internal import Models
internal import Runtime
internal import Tensors

/// Attention weights of one layer, with what is known of them: heads, what looks, what is seen.
struct AttentionMap: ForeignObject {
  /// `[Q, K]`: what each query looks at; rows sum to 1 unless averaged over nothing.
  let weights: Tensor
  /// Where they come from, such as `vision.blocks.5.attention.pattern`.
  let address: String
  /// Nil for the mean over heads.
  let head: Int?
  let headCount: Int
  /// Whether the keys are the picture's tokens: class token, then patches row by row; queries may follow.
  let looksAtPatches: Bool
  /// A label each query and key.
  let queryLabels, keyLabels: [String]
  let model: LoadedModel
  /// How the picture that is looked at is cut; nil where it is not known.
  var grid: PatchGrid?
  /// Which view of its picture is looked at, counted from 0; nil for the whole, and for a model that splits
  /// none.
  var view: Int?
  /// The same layer's of every view of the picture, where nobody chose one of several and all have the same
  /// queries; this one is the last of them.
  var views: [AttentionMap] = []

  var tensor: Tensor? { weights }
  var typeName: String { "Attention" }
  var title: String {
    "\(address), " + (head.map { "head \($0) of \(headCount)" } ?? "mean of \(headCount) heads")
  }
  var brief: String { "\(title) \(weights.shape)" }
  var provenance: Provenance? {
    Provenance(
      title,
      axes: [
        .init("query", places: queryLabels.map(Self.spoken)),
        .init("key", places: keyLabels.map(Self.spoken)),
      ], view: looksAtPatches ? view ?? views.last?.view : nil)
  }

  /// A label as a title says it: `patch 3,4` for `3,4`.
  private static func spoken(_ label: String) -> String {
    if label == "class" { return "the class token" }
    return label.contains(",") && label.allSatisfy { $0.isNumber || $0 == "," }
      ? "patch \(label)" : label
  }

  var shown: String {
    let entropies = (0..<weights.shape[0]).map { query in
      -weights.row(query).elements.reduce(0.0) { $1 > 0 ? $0 + Double($1) * log(Double($1)) : $0 }
    }
    let mean = entropies.reduce(0, +) / Double(max(1, entropies.count))
    let even = log(Double(weights.shape[1]))
    let largest = weights.elements.indices.max { weights.elements[$0] < weights.elements[$1] } ?? 0
    let (query, key) = (largest / weights.shape[1], largest % weights.shape[1])
    return """
      \(title)
      [\(weights.shape[0]), \(weights.shape[1])]: rows look, columns are looked at; softmax over \
      columns, each row sums to 1
      largest \(Percentage.text(weights.elements[largest])): \(queryLabels[query]) looks at \
      \(keyLabels[key])
      spread: mean entropy \(Digits.short(mean)) of at most \(Digits.short(even)) nats
      """
        + (views.isEmpty
          ? ""
          : "\nof \(PictureView.name(of: views.count - 1)); overlay draws all \(views.count) views together")
  }

  var attributeNames: [String] { ["address", "head", "heads", "weights"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "address": .text(address)
    case "head": head.map { .integer($0) } ?? Value.none
    case "heads": .integer(headCount)
    case "weights": .tensor(weights, from: provenance)
    default: nil
    }
  }
}
