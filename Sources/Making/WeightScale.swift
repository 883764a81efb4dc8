internal import Checkpoints
internal import Models
internal import Tensors
internal import Tracing

/// Mean and deviation of random weights, such that numbers neither vanish nor explode however many
/// blocks they pass, and that logits differ.
struct WeightScale: Equatable {
  let mean: Float
  let deviation: Float

  /// Takes both.
  init(mean: Float, deviation: Float) { (self.mean, self.deviation) = (mean, deviation) }

  /// The scale of one tensor; `depth` is how many blocks its tower has.
  init(_ weight: WeightRecord, depth: Int) {
    let inputs = weight.stored.shape.dropFirst().reduce(1, *)
    let parts = weight.address.parts
    if weight.isProduct {
      // Kaiming and Xavier agree on 1/√inputs up to a factor; what blocks add to the stream of
      // tokens is divided among them (Radford et al. 2019).
      let addsToStream =
        parts.contains("blocks") && (parts.contains("output_projection") || parts.contains("down"))
      let share = addsToStream ? 1 / Float(max(1, depth)).squareRoot() : 1
      let gain: Float =
        if parts.contains("down") {
          Float(2).squareRoot()  // An activation halves the square of what passes it.
        } else if parts.contains("query") {
          2  // Attention chooses rather than averages.
        } else if parts.contains("language"), parts.contains("output_projection") {
          0.2  // What the sequence has in common must not drown the last token.
        } else {
          1
        }
      (mean, deviation) = (0, gain * share / Float(max(1, inputs)).squareRoot())
    } else if weight.stored.shape.isEmpty {
      (mean, deviation) = (2.6592, 0)  // A logit scale, as CLIP begins with.
    } else if weight.stored.shape.count == 1, parts.last == "weight" {
      // The scale of a norm; the one before the head decides how far apart logits are.
      (mean, deviation) = (weight.address == Address("language.norm.weight") ? 5 : 1, 0.1)
    } else if weight.stored.shape.count == 1 {
      (mean, deviation) = (0, 0.02)
    } else if parts.contains("language") {
      // Also the head: logits of deviation 5, and small enough in the stream of tokens that a token
      // does not predict itself.
      (mean, deviation) = (0, 0.02)
    } else {
      (mean, deviation) = (0, 0.3)  // Positions, queries, class token.
    }
  }

  /// How many blocks each tower has, by the part of the address before `blocks`.
  static func depths(_ weights: [WeightRecord]) -> [String: Int] {
    var depths: [String: Int] = [:]
    for weight in weights {
      guard let (tower, number) = place(weight) else { continue }
      depths[tower] = max(depths[tower] ?? 0, number + 1)
    }
    return depths
  }

  /// The tower and the block's number of a weight inside a block.
  static func place(_ weight: WeightRecord) -> (tower: String, block: Int)? {
    let parts = weight.address.parts
    guard let index = parts.firstIndex(of: "blocks"), index + 1 < parts.count,
      let number = Int(parts[index + 1])
    else { return nil }
    return (parts[..<index].joined(separator: "."), number)
  }
}
