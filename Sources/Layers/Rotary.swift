internal import Foundation
public import Tensors

/// Rotary position embedding: each pair of channels of a query or key turns by an angle that grows
/// with the token's position, the slower the further back the pair.
///
/// Su et al. 2021, arXiv:2104.09864.
public struct Rotary: Sendable, Equatable {
  /// Radians a position, one a pair of channels.
  let frequencies: [Float]

  /// The frequencies `base^(-2i / turnedWidth)`.
  ///
  /// - Parameter turnedWidth: how many channels of a head are turned, an even number.
  public init(base: Double, turnedWidth: Int) {
    precondition(turnedWidth.isMultiple(of: 2), "\(turnedWidth) channels do not make pairs")
    frequencies = (0..<turnedWidth / 2).map { pair in
      1 / Float(pow(base, Double(Float(2 * pair) / Float(turnedWidth))))
    }
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
    return Rotation(angles: angles)
  }
}
