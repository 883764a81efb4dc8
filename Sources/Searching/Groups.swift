internal import Budget
public import Tensors

/// Pictures that lie together.
public struct PictureGroups: Sendable {
  /// `[K, D]`: the middle of each group, of length 1; the largest group first.
  public let centres: Tensor
  /// The group of each row.
  public let groupOfRow: [Int]
  /// The rows of each group, the nearest to its middle first.
  public let members: [[Int]]
  /// The mean cosine of a picture with the middle of its group.
  public let tightness: Float
}

extension PictureIndex {
  /// Divides the pictures into `count` groups by spherical k-means.
  ///
  /// Deterministic: the best of four beginnings drawn by k-means++ (Arthur and Vassilvitskii, 2007)
  /// from fixed seeds, each carried on until no picture changes its group, at most 50 rounds.
  /// - Throws: `SearchingError.tooFew`; what `checkpoint` throws.
  /// - Parameter checkpoint: called before every round, so that an interrupt is heard.
  public func groups(
    _ count: Int, checkpoint: () throws -> Void = {}
  ) throws -> PictureGroups {
    guard count >= 1, count <= pictures.count else {
      throw SearchingError.tooFew(pictures: pictures.count, wanted: count)
    }
    var best: (centres: Tensor, assigned: [Int], near: [Float], total: Double)?
    for seed in 0..<4 {
      var centres = try beginning(count, seed: UInt64(seed))
      var (assigned, near) = try assign(centres)
      for _ in 0..<50 {
        try checkpoint()
        centres = try middles(of: assigned, count: count, before: centres)
        let next = try assign(centres)
        let isSettled = next.0 == assigned
        (assigned, near) = next
        if isSettled { break }
      }
      let total = near.reduce(0) { $0 + Double($1) }
      if best.map({ total > $0.total }) ?? true { best = (centres, assigned, near, total) }
    }
    guard let best else { throw SearchingError.tooFew(pictures: 0, wanted: count) }
    return PictureGroups(
      best.centres, assigned: best.assigned, near: best.near,
      tightness: Float(best.total / Double(pictures.count)))
  }

  private static let block = 4096

  /// The nearest centre of each row, and its cosine.
  private func assign(_ centres: Tensor) throws -> ([Int], [Float]) {
    var (groups, near): ([Int], [Float]) = ([], [])
    groups.reserveCapacity(pictures.count)
    near.reserveCapacity(pictures.count)
    let count = centres.shape[0]
    try forEachBlock { _, rows in
      try Stop.check()
      let scores = rows.matmulTransposed(centres).elements
      scores.withUnsafeBufferPointer { scores in
        for first in stride(from: 0, to: scores.count, by: count) {
          var best = 0
          for group in 1..<max(1, count) where scores[first + group] > scores[first + best] {
            best = group
          }
          groups.append(best)
          near.append(scores[first + best])
        }
      }
    }
    return (groups, near)
  }

  /// Calls `body` with some thousand rows at a time, and the number of the first.
  func forEachBlock(_ body: (Int, Tensor) throws -> Void) rethrows {
    for first in stride(from: 0, to: pictures.count, by: Self.block) {
      try body(first, rows.rows(Array(first..<min(pictures.count, first + Self.block))))
    }
  }

  private func middles(of groups: [Int], count: Int, before: Tensor) throws -> Tensor {
    var sums = [Double](repeating: 0, count: count * width)
    var sizes = [Int](repeating: 0, count: count)
    try forEachBlock { first, rows in
      try Stop.check()
      for row in 0..<rows.shape[0] {
        let group = groups[first + row]
        sizes[group] += 1
        for channel in 0..<width {
          sums[group * width + channel] += Double(rows.elements[row * width + channel])
        }
      }
    }
    // A group that lost all its pictures keeps its middle.
    let elements = sums.indices.map { place in
      sizes[place / width] == 0
        ? before.elements[place] : Float(sums[place] / Double(sizes[place / width]))
    }
    return Tensor(elements, shape: [count, width]).unitRows()
  }

  /// k-means++ on at most 20,000 rows spread over the index.
  private func beginning(_ count: Int, seed: UInt64) throws -> Tensor {
    let step = max(1, pictures.count / 20_000)
    let sample = Array(stride(from: 0, to: pictures.count, by: step))
    let rows = self.rows.rows(sample)
    var random = SplitMix64(seed: seed)
    var chosen = [Int(random.next() % UInt64(sample.count))]
    var distance = [Double](repeating: .infinity, count: sample.count)
    while chosen.count < count {
      let last = rows.rows(chosen[chosen.count - 1]..<chosen[chosen.count - 1] + 1)
      let scores = last.matmulTransposed(rows).elements
      for place in distance.indices {
        distance[place] = min(distance[place], max(0, 2 - 2 * Double(scores[place])))
      }
      let total = distance.reduce(0, +)
      var target = random.fraction() * total
      var pick = distance.lastIndex { $0 > 0 } ?? chosen.count % sample.count
      for place in distance.indices {
        target -= distance[place]
        if target < 0 {
          pick = place
          break
        }
      }
      chosen.append(pick)
    }
    return Tensor.concatenated(chosen.map { rows.rows($0..<$0 + 1) })
  }
}

extension PictureGroups {
  fileprivate init(_ centres: Tensor, assigned: [Int], near: [Float], tightness: Float) {
    let count = centres.shape[0]
    var members = [[Int]](repeating: [], count: count)
    for (row, group) in assigned.enumerated() { members[group].append(row) }
    for group in members.indices {
      members[group].sort { (near[$1], $0) < (near[$0], $1) }
    }
    let order = (0..<count).sorted { (members[$1].count, $0) < (members[$0].count, $1) }
    var rank = [Int](repeating: 0, count: count)
    for (place, group) in order.enumerated() { rank[group] = place }
    self.centres = Tensor.concatenated(order.map { centres.rows($0..<$0 + 1) })
    groupOfRow = assigned.map { rank[$0] }
    self.members = order.map { members[$0] }
    self.tightness = tightness
  }

  /// How well each text fits each group: `[K, T]` cosines, both seen from their own middles.
  ///
  /// Without that, one text that lies in the midst of all pictures would name every group.
  /// - Parameter texts: `[T, D]`, rows of any length.
  public func likeness(to texts: Tensor) -> Tensor {
    let words = texts.unitRows()
    let (groups, width) = (centres.shape[0], centres.shape[1])
    let seen = groups > 1 ? centres - centres.mean(axis: 0).reshaped(1, width) : centres
    let said =
      words.shape[0] > 1 && groups > 1 ? words - words.mean(axis: 0).reshaped(1, width) : words
    return seen.unitRows().matmulTransposed(said.unitRows())
  }
}
