public import Tensors
public import Testing

/// Expects every element of `found` within `tolerance` of `expected`, relative to the largest
/// absolute element of `expected`; says the first place that differs and the worst.
public func expectClose(
  _ found: Tensor, to expected: Tensor, within tolerance: Float, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == expected.shape else {
    Issue.record(
      "\(name): shape \(found.shape), expected \(expected.shape)", sourceLocation: sourceLocation)
    return
  }
  let scale = expected.elements.reduce(0) { max($0, abs($1)) }
  let limit = tolerance * max(scale, .leastNormalMagnitude)
  var first: Int?
  var (worst, worstPlace) = (Float(0), 0)
  for index in found.elements.indices {
    let difference = abs(found.elements[index] - expected.elements[index])
    // A NaN is never within a tolerance.
    if !(difference <= limit), first == nil { first = index }
    if !(difference <= worst) { (worst, worstPlace) = (difference, index) }
  }
  guard let first else { return }
  Issue.record(
    """
    \(name): first differs at \(place(first, in: found.shape)): \
    \(found.elements[first]) for \(expected.elements[first]); worst at \
    \(place(worstPlace, in: found.shape)) by \(worst), allowed \(limit)
    """, sourceLocation: sourceLocation)
}

/// The largest absolute difference relative to the largest absolute element of `expected`.
public func relativeDifference(_ found: Tensor, _ expected: Tensor) -> Float {
  guard found.shape == expected.shape else { return .infinity }
  let scale = expected.elements.reduce(Float.leastNormalMagnitude) { max($0, abs($1)) }
  return zip(found.elements, expected.elements).reduce(0) { worst, pair in
    let difference = abs(pair.0 - pair.1)
    return difference <= worst ? worst : difference
  } / scale
}

private func place(_ offset: Int, in shape: [Int]) -> [Int] {
  var rest = offset
  var indices: [Int] = []
  for length in shape.reversed() {
    indices.insert(rest % length, at: 0)
    rest /= length
  }
  return indices
}
