internal import Budget

extension Tensor {
  /// The place in `elements` of the first NaN or infinity; nil where all numbers are finite, or where
  /// the work was asked to end.
  ///
  /// - Parameter allowsMasks: whether negative infinity, which masks add to scores, counts as finite.
  public func firstNonFinite(allowingMasks allowsMasks: Bool = false) -> Int? {
    var found: Int?
    elements.withUnsafeBufferPointer { numbers in
      Stop.parts(of: numbers.count) { part in
        guard found == nil else { return }
        for place in part where !numbers[place].isFinite {
          if allowsMasks, numbers[place] == -.infinity { continue }
          found = place
          return
        }
      }
    }
    return found
  }
}

extension [Int] {
  /// The index on every axis of a shape, which these lengths are, of a place counted along all axes.
  package func index(ofPlace place: Int) -> [Int] {
    var rest = place
    var index = self
    for axis in indices.reversed() {
      (rest, index[axis]) = rest.quotientAndRemainder(dividingBy: self[axis])
    }
    return index
  }
}
