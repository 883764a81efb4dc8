internal import Images
internal import Scenes

extension Scene {
  /// What shares of a picture's patches fall on, in words: `green cross 71 %`.
  ///
  /// The one thing that gets half or more; else the two that get most. A share falls on an object as far as
  /// its patch lies in the object's box, and on the ground where it lies in none.
  /// - Parameters:
  ///   - shares: a number a patch, none below zero.
  ///   - patches: where each patch lies on the scene's picture, in its pixels.
  func words(for shares: [Float], on patches: [Rectangle]) -> String {
    let total = shares.reduce(0.0) { $0 + Double(max(0, $1)) }
    guard total > 0 else { return "nothing" }
    var found = objects.map { object in
      let box = Rectangle(
        x: Double(object.box.left), y: Double(object.box.top), width: Double(object.box.width),
        height: Double(object.box.height))
      let sum = zip(shares, patches).reduce(0.0) { sum, patch in
        guard let common = patch.1.intersection(box) else { return sum }
        let area = patch.1.width * patch.1.height
        return sum + Double(max(0, patch.0)) * common.width * common.height / area
      }
      return (name: object.name, share: sum / total)
    }
    found.append((name: "ground", share: max(0, 1 - found.reduce(0) { $0 + $1.share })))
    let order = found.indices.sorted {
      found[$0].share != found[$1].share ? found[$0].share > found[$1].share : $0 < $1
    }
    let told = found[order[0]].share >= 0.5 ? 1 : min(2, order.count)
    return order.prefix(told).map {
      "\(found[$0].name) \(Int((found[$0].share * 100).rounded())) %"
    }.joined(separator: ", ")
  }

  /// What the words of shares mean, for a caption.
  static let sharesSentence =
    "Shares of what falls on patches, by the boxes of the scene's objects; the rest is ground."
}
