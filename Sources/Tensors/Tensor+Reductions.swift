internal import Budget
internal import Foundation

extension Tensor {
  /// Folds `axis` away: `fold` gets the elements along it, in order.
  ///
  /// - Precondition: `axis` is from 0 to below the rank.
  public func reduced(axis: Int, _ fold: ([Float]) -> Float) -> Tensor {
    precondition(axis >= 0 && axis < rank, "axis \(axis) of shape \(shape)")
    var newShape = shape
    let length = newShape.remove(at: axis)
    if isOutline { return Tensor([], shape: newShape) }
    let inner = shape[(axis + 1)...].reduce(1, *)
    let outer = shape[..<axis].reduce(1, *)
    var result: [Float] = []
    result.reserveCapacity(outer * inner)
    var line = [Float](repeating: 0, count: length)
    let stop = Stop.current
    var (read, asked) = (0, 0)
    lines: for o in 0..<outer {
      for i in 0..<inner {
        if length < 1 << 18 {
          for l in 0..<length { line[l] = elements[(o * length + l) * inner + i] }
        } else {
          Stop.parts(of: length) { part in
            for l in part { line[l] = elements[(o * length + l) * inner + i] }
          }
        }
        result.append(fold(line))
        read += length + 1
        guard read - asked >= 1 << 18 else { continue }
        if stop?.isRequested == true { break lines }
        asked = read
      }
    }
    if result.count < outer * inner {
      result += [Float](repeating: 0, count: outer * inner - result.count)
    }
    return Tensor(result, shape: newShape)
  }

  /// The sums along `axis`, added in double precision.
  public func sum(axis: Int) -> Tensor {
    reduced(axis: axis) { line in Float(line.reduce(into: 0.0) { $0 += Double($1) }) }
  }

  /// The means along `axis`, added in double precision.
  public func mean(axis: Int) -> Tensor {
    reduced(axis: axis) { line in
      Float(line.reduce(into: 0.0) { $0 += Double($1) } / Double(line.count))
    }
  }

  /// Where the largest element along `axis` is; the first of equals.
  public func argmax(axis: Int) -> Tensor {
    reduced(axis: axis) { line in
      Float(line.indices.max { line[$0] < line[$1] || (line[$0] == line[$1] && $0 > $1) } ?? 0)
    }
  }
}

/// What a glance at a tensor's numbers shows.
///
/// Non-finite elements are counted and left out of everything else.
public struct Summary: Sendable, Equatable {
  /// The smallest and the largest finite element; nil where there is none.
  public let range: ClosedRange<Float>?
  /// The mean of the finite elements, 0 where there is none.
  public let mean: Double
  /// The population standard deviation of the finite elements.
  public let standardDeviation: Double
  /// How many elements are not a number.
  public let nanCount: Int
  /// How many elements are infinite.
  public let infinityCount: Int
  /// How many elements lie in each of equal parts of `range`.
  public let histogram: [Int]

  /// Reads `tensor` and counts its elements in `binCount` equal parts of their range.
  public init(_ tensor: Tensor, binCount: Int = 16) {
    var (nans, infinities, finite) = (0, 0, 0)
    var (low, high) = (Float.infinity, -Float.infinity)
    var sum = 0.0
    Stop.parts(of: tensor.count) { part in
      for x in tensor.elements[part] {
        if x.isNaN {
          nans += 1
        } else if x.isInfinite {
          infinities += 1
        } else {
          finite += 1
          sum += Double(x)
          low = min(low, x)
          high = max(high, x)
        }
      }
    }
    (nanCount, infinityCount) = (nans, infinities)
    let mean = finite > 0 ? sum / Double(finite) : 0
    self.mean = mean
    range = finite > 0 ? low...high : nil
    var squares = 0.0
    var bins = [Int](repeating: 0, count: binCount)
    let width = Double(high) - Double(low)
    Stop.parts(of: tensor.count) { part in
      for x in tensor.elements[part] where x.isFinite {
        squares += (Double(x) - mean) * (Double(x) - mean)
        let place = width > 0 ? (Double(x) - Double(low)) / width * Double(binCount) : 0
        bins[min(binCount - 1, Int(place))] += 1
      }
    }
    standardDeviation = finite > 0 ? (squares / Double(finite)).squareRoot() : 0
    histogram = bins
  }
}

/// The logarithm to base 10.
package func logarithm10(_ number: Double) -> Double { log10(number) }
