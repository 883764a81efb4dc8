public import Tensors

/// How large the errors of one tensor are.
public struct ErrorSize: Sendable, Equatable {
  /// The root of the mean square.
  public var rootMeanSquare: Double
  /// The largest, without its sign; not a number where only one side has a number.
  public var largest: Double
  /// Where the largest is, counted through the tensor.
  public var worst: Int

  /// Nothing is wrong anywhere.
  public static let none = ErrorSize(rootMeanSquare: 0, largest: 0, worst: 0)

  init(rootMeanSquare: Double, largest: Double, worst: Int) {
    (self.rootMeanSquare, self.largest, self.worst) = (rootMeanSquare, largest, worst)
  }

  /// Measures `count` errors.
  init(count: Int, _ error: (Int) -> Double) {
    var (squares, largest, worst) = (0.0, 0.0, 0)
    for index in 0..<count {
      let size = abs(error(index))
      squares += size * size
      // Negated so that a NaN counts as worst.
      if !(size <= largest), !largest.isNaN { (largest, worst) = (size, index) }
    }
    self.init(
      rootMeanSquare: count == 0 ? 0 : (squares / Double(count)).squareRoot(), largest: largest,
      worst: worst)
  }

  /// The distance between two tensors of one shape.
  public init(_ a: Tensor, _ b: Tensor) {
    let (a, b) = (a.elements, b.elements)
    self.init(count: min(a.count, b.count)) { Self.distance(a[$0], b[$0]) }
  }

  /// How two residuals differ: `(a - givenA) - (b - givenB)`.
  init(_ a: Tensor, given givenA: Tensor, _ b: Tensor, given givenB: Tensor) {
    let (a, x) = (a.elements, givenA.elements)
    let (b, y) = (b.elements, givenB.elements)
    self.init(count: a.count) { Self.distance(a[$0], x[$0]) - Self.distance(b[$0], y[$0]) }
  }

  /// What rounding numbers of this size to float32 costs.
  init(rounding tensor: Tensor) {
    var (squares, largest, count) = (0.0, 0.0, 0)
    for number in tensor.elements where number.isFinite {
      squares += Double(number) * Double(number)
      largest = max(largest, Double(abs(number)))
      count += 1
    }
    // Half a unit in the last place is at most 2⁻²⁴ of a number; rounding errors spread evenly
    // below that, over steps of 2⁻²³ to 2⁻²⁴, have about half of it as their root mean square.
    self.init(
      rootMeanSquare: count == 0 ? 0 : (squares / Double(count)).squareRoot() / 33_554_432,
      largest: largest / 16_777_216, worst: 0)
  }

  /// The size of independent errors together.
  static func + (a: ErrorSize, b: ErrorSize) -> ErrorSize {
    ErrorSize(
      rootMeanSquare: (a.rootMeanSquare * a.rootMeanSquare + b.rootMeanSquare * b.rootMeanSquare)
        .squareRoot(),
      largest: (a.largest * a.largest + b.largest * b.largest).squareRoot(),
      worst: a.largest >= b.largest ? a.worst : b.worst)
  }

  /// How many times `floor` this is, by the mean or by the largest, whichever says more.
  func ratio(to floor: ErrorSize) -> Double {
    func ratio(_ a: Double, _ b: Double) -> Double {
      if a == 0 { return 0 }
      return a.isFinite && b > 0 ? a / b : .infinity
    }
    return max(
      ratio(rootMeanSquare, floor.rootMeanSquare), ratio(largest, floor.largest))
  }

  private static func distance(_ a: Float, _ b: Float) -> Double {
    // The same special value on both sides is no error: masked scores are infinite.
    a == b || (a.isNaN && b.isNaN) ? 0 : Double(a) - Double(b)
  }
}
