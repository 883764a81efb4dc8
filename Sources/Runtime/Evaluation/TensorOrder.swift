internal import Budget
internal import Tensors

/// The elements of a tensor in order along one axis, and where they stood.
///
/// Equal ones keep their order, whichever way it goes; -0 and 0 are equal. NaN counts as larger
/// than any number: last when rising, as in NumPy and PyTorch, first when falling, as in PyTorch.
struct TensorOrder {
  static let axis: Parameter<Int> = .integer("axis", default: -1, "Along which axis.").also("dim")
  static let falling: Parameter<Bool> = .flag("descending", "Largest first.")
  static let largest: Parameter<Bool> = .flag(
    "largest", default: true, "Whether the largest are wanted; the smallest where it is False.")

  /// The elements.
  let values: Tensor
  /// Where each stood along the axis.
  private let places: Tensor

  /// - Parameters:
  ///   - count: how many of each line are kept; all where it is nil.
  ///   - name: the function that asks, for messages.
  init(
    _ x: Tensor, axis: Int, falling: Bool, first count: Int? = nil, _ name: String
  ) throws {
    guard x.rank > 0 else {
      throw RuntimeFailure(
        .shape, "\(name): a single number has no axis to be put in order along")
    }
    let along = try TensorMethods.place(axis, x)
    let length = x.shape[along]
    try DiscreteTensor.checkPositions(length, name)
    let kept = count ?? length
    guard kept <= length else {
      throw ArgumentFailure(
        parameter: "k", "must be a whole number from 0 to \(length), not \(kept)",
        note: "axis \(axis) of shape \(x.shape) has \(length)")
    }
    // Elements and positions; for other axes than the last, the lines laid together as well; and
    // keys and scratch of one line.
    try MemoryGate.take(
      8 * x.count + (along == x.rank - 1 ? 0 : 4 * x.count) + 24 * length,
      for: "\(name) of shape \(x.shape)")
    var swapped = Array(0..<x.rank)
    swapped.swapAt(along, x.rank - 1)
    let lines = along == x.rank - 1 ? x : x.permuted(by: swapped)
    var (values, places): ([Float], [Float]) = ([], [])
    values.reserveCapacity(lines.count / max(1, length) * kept)
    places.reserveCapacity(lines.count / max(1, length) * kept)
    for start in stride(from: 0, to: lines.count, by: max(1, length)) where kept > 0 {
      let line = lines.elements[start..<start + length]
      let order = try Self.order(line, falling: falling)
      Stop.parts(of: kept) { part in
        for keyed in order[part] {
          let place = Int(keyed & 0xFFFF_FFFF)
          values.append(line[start + place])
          places.append(Float(place))
        }
      }
      try Stop.check()
    }
    let shape = Array(lines.shape.dropLast()) + [kept]
    func back(_ elements: [Float]) -> Tensor {
      let tensor = Tensor(elements, shape: shape)
      return along == x.rank - 1 ? tensor : tensor.permuted(by: swapped)
    }
    (self.values, self.places) = (back(values), back(places))
  }

  var positions: Value { DiscreteTensor.value(places, .positions) }

  /// Elements and positions, as `topk` gives them.
  var pair: Value { .tuple([.tensor(values), positions]) }

  /// The places of a line in the order of its elements: the lower 32 bits of each.
  private static func order(
    _ line: ArraySlice<Float>, falling: Bool
  ) throws -> [UInt64] {
    // Key above, place below: no two are equal, and equal elements stay as they stood.
    var keyed: [UInt64] = []
    keyed.reserveCapacity(line.count)
    Stop.parts(of: line.count, size: 1 << 16) { part in
      for place in part {
        let key = key(line[line.startIndex + place], falling: falling)
        keyed.append(UInt64(key) << 32 | UInt64(place))
      }
    }
    try Stop.check()
    if keyed.count < 4096 {
      keyed.sort()
    } else {
      try sortByDigits(&keyed)
    }
    return keyed
  }

  /// A number whose order as a whole number is that of the floats; all NaN are one, the largest.
  private static func key(_ number: Float, falling: Bool) -> UInt32 {
    var key = UInt32.max
    if !number.isNaN {
      let bits = (number == 0 ? 0 : number).bitPattern
      key = bits >> 31 == 1 ? ~bits : bits | 1 << 31
    }
    return falling ? ~key : key
  }

  /// Sorts by the upper 32 bits, digit by digit from the lowest; numbers that are alike there keep
  /// their order.
  ///
  /// - Throws: `CancellationError` where the work is asked to stop.
  private static func sortByDigits(_ numbers: inout [UInt64]) throws {
    var scratch = numbers
    for shift in stride(from: 32, to: 64, by: 8) {
      var next = [Int](repeating: 0, count: 257)
      Stop.parts(of: numbers.count, size: 1 << 16) { part in
        for number in numbers[part] { next[Int(number >> shift & 0xFF) + 1] += 1 }
      }
      try Stop.check()
      for digit in 0..<256 { next[digit + 1] += next[digit] }
      Stop.parts(of: numbers.count, size: 1 << 16) { part in
        for number in numbers[part] {
          let digit = Int(number >> shift & 0xFF)
          scratch[next[digit]] = number
          next[digit] += 1
        }
      }
      try Stop.check()
      swap(&numbers, &scratch)
    }
  }
}
