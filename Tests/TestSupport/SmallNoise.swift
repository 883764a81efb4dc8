public import Tensors

/// Reproducible numbers between -1 and 1 for tests: a linear congruential generator (Knuth's MMIX).
public struct SmallNoise {
  private var state: UInt64
  /// Starts at `seed`.
  public init(seed: UInt64) { state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493 }

  /// The next number.
  public mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }

  /// A tensor of the next numbers.
  public mutating func tensor(_ shape: [Int]) -> Tensor {
    Tensor((0..<shape.reduce(1, *)).map { _ in next() }, shape: shape)
  }
}
