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
    let (source, skipped) = (elements, leading * width)
    // Across first: the stored rows of places, as many in each as are asked for.
    let rows = unsafe [Float](unsafeUninitializedCapacity: old * side * width) { rows, count in
      for row in 0..<old {
        for (across, tap) in taps.enumerated() {
          unsafe tap.mix(
            source, from: skipped + row * old * width, each: width,
            into: rows, at: (row * side + across) * width)
        }
      }
      count = old * side * width
    }
    let line = side * width
    var result = [Float](repeating: 0, count: skipped + side * line)
    result.replaceSubrange(0..<skipped, with: source[0..<skipped])
    unsafe result.withUnsafeMutableBufferPointer { result in
      // Stopped, nobody looks at the rest.
      Stop.parts(of: side, size: 1) { part in
        for place in part {
          let tap = taps[place]
          unsafe tap.mix(rows, from: 0, each: line, into: result, at: skipped + place * line)
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

  /// Adds up four stretches of `source`, `length` long, that begin with the places in steps of `length` from
  /// `first` on.
  func mix(
    _ source: [Float], from first: Int, each length: Int,
    into out: UnsafeMutableBufferPointer<Float>, at start: Int
  ) {
    let (a, b) = (first + places[0] * length, first + places[1] * length)
    let (c, d) = (first + places[2] * length, first + places[3] * length)
    let (u, v, w, x) = (weights[0], weights[1], weights[2], weights[3])
    precondition(min(a, b, c, d) >= 0 && max(a, b, c, d) + length <= source.count)
    precondition(start >= 0 && start + length <= out.count)
    unsafe source.withUnsafeBufferPointer { source in
      // All four lie within the source, and the result within `out`, as was just checked.
      for i in 0..<length {
        unsafe out[start + i] =
          source[a + i] * u + source[b + i] * v + source[c + i] * w + source[d + i] * x
      }
    }
  }

  private static let a: Float = -0.75
  /// The kernel up to distance 1.
  private static func near(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }
  /// The kernel from distance 1 to 2.
  private static func far(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
}
