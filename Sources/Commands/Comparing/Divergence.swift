internal import Foundation
internal import Tensors

/// How far one distribution is from another (Kullback and Leibler 1951).
enum Divergence {
  /// In nats, from the numbers before softmax; NaN where one has NaN.
  static func nats(of other: Tensor, from reference: Tensor) -> Double {
    let (p, q) = (logProbabilities(reference), logProbabilities(other))
    let sum = zip(p, q).reduce(0) { $0 + ($1.0 == -.infinity ? 0 : exp($1.0) * ($1.0 - $1.1)) }
    return sum.isNaN ? .nan : max(0, sum)
  }

  private static func logProbabilities(_ logits: Tensor) -> [Double] {
    let largest = Double(logits.elements.max() ?? 0)
    let sum = logits.elements.reduce(0) { $0 + exp(Double($1) - largest) }
    return logits.elements.map { Double($0) - largest - log(sum) }
  }
}
