internal import Budget
public import Tensors

extension Tensor {
  /// A table of positions, `[1 + S·S, D]` with the class token's first, for `side` × `side` patches.
  ///
  /// The class token's row stays. The others are interpolated as a picture of `D` channels, each
  /// bicubically with a = −0.75 and without antialiasing, corners not aligned and places outside
  /// taken from the border: what `torch.nn.functional.interpolate` computes.
  ///
  /// - Precondition: the number of patches is a square.
  public func positionTable(side: Int) -> Tensor {
    let count = shape[0] - 1
    let old = Int(Double(count).squareRoot().rounded())
    precondition(rank == 2 && old * old == count && side >= 1, "positions \(shape) to \(side)")
    guard side != old else { return self }
    let width = shape[1]
    let taps = (0..<side).map { BicubicTap(at: $0, from: old, to: side) }
    var result = Array(elements[0..<width])
    result.reserveCapacity((1 + side * side) * width)
    for row in taps {
      for column in taps {
        // Stopped, nobody looks at the rest.
        if Stop.isRequested {
          result += [Float](repeating: 0, count: width)
          continue
        }
        for channel in 0..<width {
          var sum: Float = 0
          for (y, down) in zip(row.places, row.weights) {
            var line: Float = 0
            for (x, across) in zip(column.places, column.weights) {
              line += elements[(1 + y * old + x) * width + channel] * across
            }
            sum += line * down
          }
          result.append(sum)
        }
      }
    }
    return Tensor(result, shape: [1 + side * side, width])
  }
}

/// The four places that one interpolated place is made of, and how much of each.
private struct BicubicTap {
  let places: [Int]
  let weights: [Float]

  init(at place: Int, from old: Int, to new: Int) {
    let source = Float(old) / Float(new) * (Float(place) + 0.5) - 0.5
    let first = source.rounded(.down)
    let t = source - first
    places = (-1...2).map { min(max(Int(first) + $0, 0), old - 1) }
    weights = [Self.far(t + 1), Self.near(t), Self.near(1 - t), Self.far(2 - t)]
  }

  private static let a: Float = -0.75
  /// The kernel up to distance 1.
  private static func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
  /// The kernel from distance 1 to 2.
  private static func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}
