internal import Foundation
public import Tensors

/// Rotary position embedding: each pair of channels of a query or key turns by an angle that grows
/// with the token's position, the slower the further back the pair.
///
/// Su et al. 2021, arXiv:2104.09864.
public struct Rotary: Sendable, Equatable {
  /// What the frequencies are powers of.
  public let base: Double
  /// How many channels of a head are turned, an even number.
  public let turnedWidth: Int
  /// The longest sequence that was trained, behind which turns become slower; nil where they never do.
  public var stretchedBehind: Int?
  /// The longest sequence that was trained, behind which queries grow with their position's logarithm
  /// (Su 2021, "attention scaled by the entropy"); nil where they never do.
  public var queriesGrowBehind: Int?
  /// Radians a position, one a pair of channels.
  let frequencies: [Float]

  /// The frequencies `base^(-2i / turnedWidth)`.
  ///
  /// - Parameter turnedWidth: how many channels of a head are turned, an even number.
  public init(base: Double, turnedWidth: Int) {
    precondition(turnedWidth.isMultiple(of: 2), "\(turnedWidth) channels do not make pairs")
    (self.base, self.turnedWidth) = (base, turnedWidth)
    frequencies = (0..<turnedWidth / 2).map { pair in
      1 / Float(pow(base, Double(Float(2 * pair) / Float(turnedWidth))))
    }
  }

  /// The same for a sequence that begins with `count` tokens: with a larger base, so slower turns, where
  /// that is more than was trained.
  ///
  /// The factor of the base goes up in steps, 3 to twice the trained length, 7 to four times ("dynamic
  /// NTK", as Qwen has it): a sequence keeps that of its first pass, whatever is written behind it.
  public func stretched(for count: Int) -> Rotary {
    guard let trained = stretchedBehind, count > trained else { return self }
    let doublings = log2(Double(count) / Double(trained)) + 1
    let factor = max(pow(2, doublings.rounded(.up)) - 1, 1)
    let width = Double(turnedWidth)
    var copy = Rotary(base: base * pow(factor, width / (width - 2)), turnedWidth: turnedWidth)
    copy.queriesGrowBehind = queriesGrowBehind
    return copy
  }

  /// What the queries at these positions are multiplied by; nil where that is 1 for all.
  private func growth(at positions: Range<Int>) -> Tensor? {
    guard let trained = queriesGrowBehind, positions.upperBound > trained else { return nil }
    let factors = positions.map { place in
      place + 1 > trained ? Float(log(Double(place + 1)) / log(Double(trained))) : 1
    }
    return Tensor(factors, shape: [factors.count, 1])
  }

  /// The turn of tokens at these positions.
  public func rotation(at positions: Range<Int>) -> Rotation {
    // Rounded to float32 as the reference rounds them.
    let angles = unsafe Tensor.filled([positions.count, frequencies.count]) { out in
      for (row, place) in positions.enumerated() {
        for (pair, frequency) in frequencies.enumerated() {
          unsafe out[row * frequencies.count + pair] = Float(place) * frequency
        }
      }
    }
    return Rotation(angles: angles, queryGrowth: growth(at: positions))
  }
}
