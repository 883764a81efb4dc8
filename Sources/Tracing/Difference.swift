internal import Budget
public import Tensors

/// How two tensors of the same place differ.
public struct Difference: Sendable, Equatable {
  /// The shape of each side; they differ where the sides cannot be compared.
  public let shapes: [[Int]]
  /// The largest absolute difference; not a number where only one side has a number.
  public let largest: Float
  /// `largest` relative to the largest absolute element of the second side.
  public let relative: Float
  /// The cosine of the angle between both sides, taken as vectors; 1 where both are zero, not a
  /// number where only one side has a number.
  public let cosine: Double
  /// The second side's power over that of the difference, in decibels; infinite where equal, minus
  /// infinity where only one side has a number.
  public let signalToNoise: Double
  /// The indices of the largest difference.
  public let worstPlace: [Int]

  /// Compares `found` with `expected`, as far as it comes before the session is asked to stop.
  public init(_ found: Tensor, _ expected: Tensor) {
    shapes = [found.shape, expected.shape]
    guard found.shape == expected.shape else {
      (largest, relative, cosine, signalToNoise) = (.infinity, .infinity, 0, -.infinity)
      worstPlace = []
      return
    }
    var (worst, worstIndex) = (Float(0), 0)
    var scale = Float(0)
    var (dot, foundSquares, expectedSquares, differenceSquares) = (0.0, 0.0, 0.0, 0.0)
    Stop.parts(of: found.count) { part in
      for index in part {
        let (a, b) = (found.elements[index], expected.elements[index])
        // The same special value on both sides is no difference.
        let difference = a == b || (a.isNaN && b.isNaN) ? 0 : abs(a - b)
        // Negated so that a NaN counts as worst.
        if !(difference <= worst), !worst.isNaN { (worst, worstIndex) = (difference, index) }
        guard a.isFinite, b.isFinite else { continue }
        scale = max(scale, abs(b))
        dot += Double(a) * Double(b)
        foundSquares += Double(a) * Double(a)
        expectedSquares += Double(b) * Double(b)
        differenceSquares += (Double(a) - Double(b)) * (Double(a) - Double(b))
      }
    }
    largest = worst
    relative = worst == 0 ? 0 : worst / max(scale, .leastNormalMagnitude)
    if worst.isFinite {
      let lengths = (foundSquares * expectedSquares).squareRoot()
      cosine = lengths > 0 ? dot / lengths : (foundSquares == expectedSquares ? 1 : 0)
      signalToNoise =
        worst == 0 ? .infinity : Self.decibels(expectedSquares / differenceSquares)
    } else {
      // No angle, and no noise that could be louder.
      (cosine, signalToNoise) = (.nan, -.infinity)
    }
    var (rest, place) = (worstIndex, [Int]())
    for length in found.shape.reversed() where length > 0 {
      place.insert(rest % length, at: 0)
      rest /= length
    }
    worstPlace = place
  }

  private static func decibels(_ ratio: Double) -> Double { 10 * Tensors.logarithm10(ratio) }
}
