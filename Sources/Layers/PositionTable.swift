internal import Budget
public import Tensors

extension Tensor {
  /// A table of positions, `[leading + S·S, D]`, for `side` × `side` patches.
  ///
  /// The leading rows, a class token's, stay. The others are interpolated as a picture of `D` channels, each
  /// bicubically with a = −0.75 and without antialiasing, corners not aligned and places outside
  /// taken from the border: what `torch.nn.functional.interpolate` computes.
  ///
  /// - Precondition: the number of patches is a square.
  public func positionTable(side: Int, leading: Int) -> Tensor {
    let count = shape[0] - leading
    let old = Int(Double(count).squareRoot().rounded())
    precondition(rank == 2 && old * old == count && side >= 1, "positions \(shape) to \(side)")
    guard side != old else { return self }
    let width = shape[1]
    let taps = (0..<side).map { BicubicTap(at: $0, from: old, to: side) }
    var result = [Float](repeating: 0, count: (leading + side * side) * width)
    let (source, skipped) = (elements, leading * width)
    result.replaceSubrange(0..<skipped, with: source[0..<skipped])
    // Stopped, nobody looks at the rest.
    Stop.parts(of: side, size: 1) { rows in
      for place in rows {
        let row = taps[place]
        for (across, column) in taps.enumerated() {
          let target = skipped + (place * side + across) * width
          for channel in 0..<width {
            var sum: Float = 0
            for tap in 0..<4 {
              let line = skipped + row.places[tap] * old * width + channel
              var part: Float = 0
              for x in 0..<4 {
                part += source[line + column.places[x] * width] * column.weights[x]
              }
              sum += part * row.weights[tap]
            }
            result[target + channel] = sum
          }
        }
      }
    }
    return Tensor(result, shape: [leading + side * side, width])
  }
}

/// The four places that one interpolated place is made of, and how much of each.
private struct BicubicTap {
  let places: InlineArray<4, Int>
  let weights: InlineArray<4, Float>

  init(at place: Int, from old: Int, to new: Int) {
    let source = Float(old) / Float(new) * (Float(place) + 0.5) - 0.5
    let first = source.rounded(.down)
    let t = source - first
    places = InlineArray { min(max(Int(first) + $0 - 1, 0), old - 1) }
    weights = [Self.far(t + 1), Self.near(t), Self.near(1 - t), Self.far(2 - t)]
  }

  private static let a: Float = -0.75
  /// The kernel up to distance 1.
  private static func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
  /// The kernel from distance 1 to 2.
  private static func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}
