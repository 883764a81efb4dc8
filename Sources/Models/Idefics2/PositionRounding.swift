internal import Layers

extension Idefics2 {
  /// How a patch's place in a picture of any size becomes one in the square table of positions.
  ///
  /// The place is a share of the side, and the row of the table is that share's in as many equal parts as the
  /// table has (Dehghani et al. 2023, arXiv:2307.06304). Both published codes compute it in single precision,
  /// which sometimes puts a share that lies on a boundary into the part before: of 70 parts, those of pictures
  /// with 25, 49, 50, 55 and, in the older code, 58 patches on a side.
  public enum PositionRounding: String, Sendable, CaseIterable {
    /// Index times step, as transformers 5 has it.
    case newer = "5"
    /// Steps from 0 on by `torch.arange`, as in transformers 4.40, which came with the model.
    case older = "4.40"

    /// The part of `sides` in which each of `count` patches of a row or column lies.
    public func buckets(count: Int, sides: Int) -> [Int] {
      let step = 1 / Float(count)
      let part = 1 / Double(sides)
      // `torch.arange(1 / sides, 1.0, 1 / sides)`.
      let boundaryCount = max(0, Int(((1 - part) / part).rounded(.up)))
      let boundaries = (0..<boundaryCount).map { Float(part + Double($0) * part) }
      return (0..<count).map { index in
        let share =
          self == .newer
          ? min(Float(index) * step, 1 - 1e-6) : Self.element(index, of: count, step: step)
        return boundaries.count { $0 <= share }
      }
    }

    /// An element of `torch.arange(0, 1 - 1e-6, step)` of `count` elements.
    ///
    /// Its kernel makes whole pairs of vectors of eight from each vector's first element, and the rest one by
    /// one; the two round differently, so the buckets depend on it.
    private static func element(_ index: Int, of count: Int, step: Float) -> Float {
      let step = Double(step)
      guard index < count / 16 * 16 else { return Float(Double(index) * step) }
      let first = Float(Double(index / 8 * 8) * step)
      return Float(Double(first) + Double(index % 8) * step)
    }

    /// The row of the table of positions of each patch of a grid; of what fills a batch up the first.
    func rows(_ grid: PatchGrid, sides: Int) -> [Int] {
      let down = buckets(count: grid.seenRowCount, sides: sides)
      let across = buckets(count: grid.seenColumnCount, sides: sides)
      return (0..<grid.count).map { patch in
        guard grid.isSeen(patch) else { return 0 }
        let place = grid.place(of: patch)
        return down[place.row] * sides + across[place.column]
      }
    }
  }
}
