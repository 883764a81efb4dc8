public import Tensors

/// A picture that was found.
public struct Hit: Sendable, Equatable {
  /// Its row in the index.
  public let row: Int
  /// The cosine with what was looked for, -1 to 1.
  public let similarity: Float
}

extension PictureIndex {
  /// The pictures nearest to a point, the nearest first; of equally near ones the earlier row.
  ///
  /// Every row is compared: at a million pictures of 512 channels that reads two gigabytes.
  /// - Parameter point: `[D]`, of any length but 0.
  /// - Precondition: `point` has `width` numbers.
  public func nearest(to point: Tensor, count: Int) -> [Hit] {
    precondition(point.count == width, "a point of \(point.count) numbers, not \(width)")
    let scores = point.reshaped(1, width).unitRows().matmulTransposed(rows).elements
    return Hit.largest(count, of: scores)
  }
}

extension Hit {
  /// The largest numbers, the largest first; NaN is never among them.
  static func largest(_ count: Int, of scores: [Float]) -> [Hit] {
    guard count > 0 else { return [] }
    // Kept sorted: hardly any of a million numbers gets past the smallest that is kept.
    var kept: [Hit] = []
    var floor = -Float.infinity
    scores.withUnsafeBufferPointer { scores in
      for row in scores.indices {
        let score = scores[row]
        guard kept.count < count ? !score.isNaN : score > floor else { continue }
        var place = kept.count
        while place > 0, kept[place - 1].similarity < score { place -= 1 }
        kept.insert(Hit(row: row, similarity: score), at: place)
        if kept.count > count { kept.removeLast() }
        if kept.count == count, let last = kept.last { floor = last.similarity }
      }
    }
    return kept
  }
}
