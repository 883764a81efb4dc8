internal import Budget
internal import Foundation
internal import Language
internal import Tensors

/// Operators where one side is a tensor, with NumPy's broadcasting.
enum TensorArithmetic {
  /// Broadcasting may not make more elements than this out of smaller tensors.
  static let largest = 1 << 28

  static func operand(_ value: Value) -> Tensor? {
    value.tensor ?? value.number.map { Tensor(Float($0)) }
  }

  static func binary(_ operation: BinaryOperator, _ a: Value, _ b: Value) throws -> Value {
    if operation == .matmul { return try matmul(a, b) }
    if operation.isOfBits { return try joined(operation, a, b) }
    let (x, y) = try pair(operation.rawValue, a, b)
    if let places = try positions(operation, a, b, x, y) { return places }
    let (result, word): (Tensor, String)
    switch operation {
    case .add: (result, word) = (x + y, "plus")
    case .subtract: (result, word) = (x - y, "minus")
    case .multiply: (result, word) = (x * y, "times")
    case .divide: (result, word) = (x / y, "divided by")
    case .floorDivide:
      // By 0 it is what division gives, as in NumPy.
      result = x.combined(with: y) {
        $1 == 0 ? $0 / $1 : Float(Arithmetic.divided(Double($0), Double($1)).floor)
      }
      word = "divided, rounded down, by"
    case .modulo:
      result = x.combined(with: y) {
        $1 == 0 ? .nan : Float(Arithmetic.divided(Double($0), Double($1)).rest)
      }
      word = "modulo"
    case .power: (result, word) = (x.combined(with: y) { pow($0, $1) }, "to the power of")
    case .matmul, .and, .or, .exclusiveOr: return .none
    }
    return .tensor(
      result,
      from: Provenance.joining(
        a.provenance, word, b.provenance, numbers: (unnamed(a), unnamed(b))))
  }

  /// A side of an operator whose numbers come from nowhere in particular.
  static func unnamed(_ value: Value) -> String {
    value.number == nil ? "other numbers" : value.represented
  }

  /// Arithmetic of positions with whole numbers, which gives positions, as NumPy's integers do; nil for
  /// other values and operators.
  private static func positions(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ x: Tensor, _ y: Tensor
  ) throws -> Value? {
    guard a.isPositions || b.isPositions, a.isPositions || a.integer != nil,
      b.isPositions || b.integer != nil
    else { return nil }
    let exact: (Double, Double) -> Double
    switch operation {
    case .add: exact = { $0 + $1 }
    case .subtract: exact = { $0 - $1 }
    case .multiply: exact = { $0 * $1 }
    case .floorDivide: exact = { ($0 / $1).rounded(.down) }
    case .modulo: exact = { $0 - ($0 / $1).rounded(.down) * $1 }
    default: return nil
    }
    let divides = operation == .floorDivide || operation == .modulo
    if divides, y.elements.contains(0) { throw RuntimeFailure(.arithmetic, "division by zero") }
    let result = x.combined(with: y) { Float(exact(Double($0), Double($1))) }
    guard result.elements.allSatisfy({ abs($0) <= Float(1 << 24) }) else {
      throw RuntimeFailure(
        .limit,
        "'\(operation.rawValue)' gives whole numbers beyond 16777216, which a tensor of float32 "
          + "cannot hold exactly", hint: "multiply by 1.0 first for numbers that need not be exact")
    }
    return DiscreteTensor.value(result, .positions)
  }

  static let bracketsHint = "compare first, each in brackets: (x > 0.2) & (x < 0.8)"

  /// `a & b` of masks, element by element.
  private static func joined(
    _ operation: BinaryOperator, _ a: Value, _ b: Value
  ) throws -> Value {
    guard let x = DiscreteTensor.mask(in: a), let y = DiscreteTensor.mask(in: b) else {
      let other = DiscreteTensor.mask(in: a) == nil ? a : b
      throw RuntimeFailure(
        .type, "'\(operation.rawValue)' joins masks, and \(other.inMessage) is none",
        hint: bracketsHint)
    }
    _ = try pair(operation.rawValue, .tensor(x), .tensor(y))
    return DiscreteTensor.value(
      x.combined(with: y) { first, second in
        switch operation {
        case .and: first * second
        case .or: max(first, second)
        default: abs(first - second)
        }
      }, .mask)
  }

  static func compare(
    _ operation: ComparisonOperator, _ a: Value, _ b: Value
  ) throws -> Value {
    let (x, y) = try pair(operation.rawValue, a, b)
    let test: (Float, Float) -> Bool
    switch operation {
    case .equal: test = { $0 == $1 }
    case .notEqual: test = { $0 != $1 }
    case .less: test = { $0 < $1 }
    case .lessOrEqual: test = { $0 <= $1 }
    case .greater: test = { $0 > $1 }
    default: test = { $0 >= $1 }
    }
    return DiscreteTensor.value(x.combined(with: y) { test($0, $1) ? 1 : 0 }, .mask)
  }

  private static func pair(_ word: String, _ a: Value, _ b: Value) throws -> (Tensor, Tensor) {
    guard let x = operand(a), let y = operand(b) else {
      let other = operand(a) == nil ? a : b
      throw RuntimeFailure(
        .type,
        "'\(word)' does not work between a tensor and \(Wording.article(other.typeName)) \(other.typeName)",
        hint: other.isContainer ? "make a tensor of it: tensor([…])" : nil)
    }
    guard let shape = Tensor.broadcast(x.shape, y.shape) else {
      throw RuntimeFailure(
        .shape, "'\(word)': shapes \(x.shape) and \(y.shape) do not fit each other",
        notes: [mismatch(x.shape, y.shape)])
    }
    try checkCount(
      shape, atLeast: max(x.count, y.count), "'\(word)' of shapes \(x.shape) and \(y.shape)")
    // What is neither a single number nor of that shape is repeated first.
    let repeated = [x, y].count { $0.count != 1 && $0.shape != shape }
    try Tensor.askForRoom(shape, copies: 1 + repeated)
    return (x, y)
  }

  /// Fails where a result of this shape would be too large.
  ///
  /// - Parameters:
  ///   - atLeast: how many elements are fine in any case, as there are as many already.
  ///   - what: what would be made, for the message.
  static func checkCount(_ shape: [Int], atLeast: Int = 0, _ what: String) throws {
    var count = 1
    for length in shape {
      let (product, overflowed) = count.multipliedReportingOverflow(by: length)
      guard !overflowed, product <= max(largest, atLeast) else {
        throw RuntimeFailure(.limit, "\(what) would have more than \(largest) elements")
      }
      count = product
    }
  }

  /// Which axes keep two shapes from fitting.
  private static func mismatch(_ a: [Int], _ b: [Int]) -> String {
    for (x, y) in zip(a.reversed(), b.reversed()) where x != y && x != 1 && y != 1 {
      return "counted from the last axis, lengths must be equal or 1; here \(x) meets \(y)"
    }
    return "counted from the last axis, lengths must be equal or 1"
  }

  private static func matmul(_ a: Value, _ b: Value) throws -> Value {
    guard let x = a.tensor, let y = b.tensor else {
      throw RuntimeFailure(
        .type, "'@' multiplies two tensors, not \(a.inMessage) and \(b.inMessage)")
    }
    func fail() -> RuntimeFailure {
      RuntimeFailure(
        .shape, "'@': shapes \(x.shape) and \(y.shape) do not fit each other",
        notes: ["the last axis of the left must be as long as the last but one of the right"])
    }
    guard x.rank > 0, y.rank > 0 else { throw fail() }
    // A vector is a row on the left and a column on the right, and its axis goes away again.
    let left = x.rank == 1 ? x.reshaped(1, x.count) : x
    let right = y.rank == 1 ? y.reshaped(y.count, 1) : y
    let (m, k) = (left.shape[left.rank - 2], left.shape[left.rank - 1])
    let n = right.shape[right.rank - 1]
    guard right.shape[right.rank - 2] == k,
      let batch = Tensor.broadcast(Array(left.shape.dropLast(2)), Array(right.shape.dropLast(2)))
    else { throw fail() }
    let count = batch.reduce(1, *)
    let total = count.multipliedReportingOverflow(by: m * n)
    guard !total.overflow, total.partialValue <= largest else {
      throw RuntimeFailure(.limit, "'@' would give more than \(largest) elements")
    }
    let shape = batch + (x.rank == 1 ? [] : [m]) + (y.rank == 1 ? [] : [n])
    try Tensor.askForRoom(batch + [m, n])
    guard !batch.isEmpty else {
      return Indexing.scalar(left.matmul(right).reshaped(to: shape))
    }
    for (side, whole) in [(left, batch + [m, k]), (right, batch + [k, n])]
    where side.shape != whole { try Tensor.askForRoom(whole) }
    let lefts = left.broadcast(to: batch + [m, k]).reshaped(count, m, k)
    let rights = right.broadcast(to: batch + [k, n]).reshaped(count, k, n)
    var elements: [Float] = []
    elements.reserveCapacity(count * m * n)
    for index in 0..<count {
      try Stop.check()
      elements += lefts.row(index).matmul(rights.row(index)).elements
    }
    return Indexing.scalar(Tensor(elements, shape: shape))
  }
}
