internal import Budget
internal import Foundation
internal import Language
internal import Tensors

/// Operators on values, with Python's meaning.
enum Arithmetic {
  static func binary(
    _ operation: BinaryOperator, _ a: Value, _ b: Value, _ session: Session
  ) throws -> Value {
    switch (a, b) {
    case (.integer(let x), .integer(let y)): return try integers(operation, x, y)
    case (.float(let x), .float(let y)): return .float(try floats(operation, x, y))
    default: break
    }
    if let x = a.integer, let y = b.integer {
      let result = try integers(operation, x, y)
      // Two truths give a truth, as in Python.
      if operation.isOfBits, case (.bool, .bool) = (a, b) { return .bool(result.integer != 0) }
      return result
    }
    if let x = a.number, let y = b.number { return .float(try floats(operation, x, y)) }
    if a.tensor != nil || b.tensor != nil {
      return try TensorArithmetic.binary(operation, a, b)
    }
    switch (operation, a, b) {
    case (.add, .text(let x), .text(let y)):
      let (x, y) = (x.string, y.string)
      let count = x.utf8.count + y.utf8.count
      try checkCount(count, session)
      try MemoryGate.take(count, for: "a text of \(count) bytes")
      return .text(x + y)
    case (.add, .list(let x), .list(let y)):
      try checkCount(x.count + y.count, session)
      try [Value].askForRoom(of: x.count + y.count)
      return .newList(try joined(x.values, y.values))
    case (.add, .tuple(let x), .tuple(let y)):
      try checkCount(x.count + y.count, session)
      try [Value].askForRoom(of: x.count + y.count)
      return try Sequences.tuple(try joined(x, y))
    case (.multiply, .text, _), (.multiply, .list, _), (.multiply, .tuple, _):
      if let count = b.integer { return try repeated(a, count, session) }
    case (.multiply, _, .text), (.multiply, _, .list), (.multiply, _, .tuple):
      if let count = a.integer { return try repeated(b, count, session) }
    case (.modulo, .text, _):
      throw RuntimeFailure(
        .type, "Fovea has no % for texts", hint: "write an f-string: f\"{x:.2f}\"")
    default: break
    }
    throw RuntimeFailure(
      .type,
      "'\(operation.rawValue)' does not work between \(described(a)) and \(described(b))",
      hint: hint(operation, a, b))
  }

  private static func described(_ value: Value) -> String {
    "\(Wording.article(value.typeName)) \(value.typeName)"
  }

  private static func hint(_ operation: BinaryOperator, _ a: Value, _ b: Value) -> String? {
    guard operation == .add else { return nil }
    if a.text != nil || b.text != nil { return "make a text of it with str(x) or f\"{x}\"" }
    if case .list = a { return "to add one element, write append" }
    return nil
  }

  static func checkCount(_ count: Int, _ session: Session) throws {
    if count > session.limits.elements { throw Sequences.tooMany(session.limits.elements) }
  }

  private static func repeated(_ value: Value, _ count: Int, _ session: Session) throws -> Value {
    let count = max(0, count)
    let (total, overflow) = try Sequences.count(value).multipliedReportingOverflow(by: count)
    guard !overflow else { throw Sequences.tooMany(session.limits.elements) }
    try checkCount(total, session)
    switch value {
    case .text(let text): return .text(try Texts.repeated(text.string, total == 0 ? 0 : count))
    case .list(let list): return .newList(try repeated(list.values, total))
    case .tuple(let values): return .tuple(try repeated(values, total))
    default: return value
    }
  }

  private static func joined(_ x: [Value], _ y: [Value]) throws -> [Value] {
    try [Value].built(x.count + y.count) { values in
      try values.append(inParts: x)
      try values.append(inParts: y)
    }
  }

  /// The values one after the other, over and over, until there are `total`.
  private static func repeated(_ values: [Value], _ total: Int) throws -> [Value] {
    guard total > 0 else { return [] }
    try [Value].askForRoom(of: total)
    // What there is is doubled: a value alone takes as long to add as a thousand.
    let piece =
      values.count >= 4096
      ? values : Array(repeating: values, count: 4096 / values.count).flatMap { $0 }
    return try [Value].built(total) { result in
      while result.count < total {
        try result.append(inParts: piece.prefix(total - result.count))
      }
    }
  }

  static func unary(_ operation: UnaryOperator, _ value: Value) throws -> Value {
    switch value {
    case .float(let number) where operation != .invert:
      return .float(operation == .minus ? -number : number)
    case .bool where operation == .invert:
      throw RuntimeFailure(.type, "'~' does not work on True and False", hint: "write not")
    case .integer(let number) where operation == .invert: return .integer(~number)
    default: break
    }
    if operation == .invert {
      guard let mask = DiscreteTensor.mask(in: value) else {
        throw RuntimeFailure(
          .type, "'~' turns masks and whole numbers around, not \(value.inMessage)",
          hint: value.tensor == nil ? nil : "a comparison gives a mask: ~(x > 0.5)")
      }
      return .object(DiscreteTensor(mask.map { 1 - $0 }, .mask))
    }
    if let number = value.integer {
      guard operation == .minus else { return .integer(number) }
      guard number != .min else { throw overflow("-(\(number))") }
      return .integer(-number)
    }
    if let tensor = value.tensor {
      if operation == .minus { try Tensor.askForRoom(tensor.shape) }
      if value.isPositions {
        return DiscreteTensor.value(operation == .minus ? -tensor : tensor, .positions)
      }
      return operation == .minus
        ? .tensor(-tensor, from: value.provenance?.doing("negated"))
        : .tensor(tensor, from: value.provenance)
    }
    throw RuntimeFailure(.type, "'\(operation.rawValue)' does not work on \(described(value))")
  }

  // MARK: Numbers

  private static func overflow(_ text: String) -> RuntimeFailure {
    RuntimeFailure(
      .arithmetic, "\(text) does not fit a whole number of 64 bits",
      hint: "make one of them a float")
  }

  private static func zero(_ operation: BinaryOperator) -> RuntimeFailure {
    RuntimeFailure(.arithmetic, operation == .modulo ? "modulo by zero" : "division by zero")
  }

  private static func integers(
    _ operation: BinaryOperator, _ x: Int, _ y: Int
  ) throws -> Value {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Value {
      guard !result.overflow else { throw overflow("\(x) \(operation.rawValue) \(y)") }
      return .integer(result.partialValue)
    }
    switch operation {
    case .add: return try checked(x.addingReportingOverflow(y))
    case .subtract: return try checked(x.subtractingReportingOverflow(y))
    case .multiply: return try checked(x.multipliedReportingOverflow(by: y))
    case .divide:
      guard y != 0 else { throw zero(operation) }
      return .float(Double(x) / Double(y))
    case .floorDivide:
      guard y != 0 else { throw zero(operation) }
      let (quotient, overflowed) = x.dividedReportingOverflow(by: y)
      guard !overflowed else { throw overflow("\(x) // \(y)") }
      return .integer(quotient &* y != x && (x < 0) != (y < 0) ? quotient - 1 : quotient)
    case .modulo:
      guard y != 0 else { throw zero(operation) }
      guard y != -1 else { return .integer(0) }
      let rest = x % y
      return .integer(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest)
    case .power:
      if y < 0 { return .float(try floats(.power, Double(x), Double(y))) }
      return .integer(try power(x, y))
    case .matmul:
      throw RuntimeFailure(
        .type, "'@' multiplies matrices, not numbers", hint: "numbers are multiplied with *")
    case .and: return .integer(x & y)
    case .or: return .integer(x | y)
    case .exclusiveOr: return .integer(x ^ y)
    }
  }

  private static func power(_ base: Int, _ exponent: Int) throws -> Int {
    if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
    if base == -1 { return exponent.isMultiple(of: 2) ? 1 : -1 }
    guard exponent < 64 else { throw overflow("\(base) ** \(exponent)") }
    var result = 1
    for _ in 0..<exponent {
      let (product, overflowed) = result.multipliedReportingOverflow(by: base)
      guard !overflowed else { throw overflow("\(base) ** \(exponent)") }
      result = product
    }
    return result
  }

  static func floats(_ operation: BinaryOperator, _ x: Double, _ y: Double) throws -> Double {
    switch operation {
    case .add: return x + y
    case .subtract: return x - y
    case .multiply: return x * y
    case .divide:
      guard y != 0 else { throw zero(operation) }
      return x / y
    case .floorDivide:
      guard y != 0 else { throw zero(operation) }
      return divided(x, y).floor
    case .modulo:
      guard y != 0 else { throw zero(operation) }
      return divided(x, y).rest
    case .power:
      if x == 0, y < 0 {
        throw RuntimeFailure(.arithmetic, "0 to a negative power is a division by zero")
      }
      if x < 0, x.isFinite, y.isFinite, y != y.rounded() {
        throw RuntimeFailure(
          .arithmetic, "a negative number to a fractional power is complex",
          hint: "Fovea has no complex numbers")
      }
      let result = pow(x, y)
      if result.isInfinite, x.isFinite, y.isFinite {
        throw RuntimeFailure(.arithmetic, "the result is too large for a float")
      }
      return result
    case .matmul:
      throw RuntimeFailure(
        .type, "'@' multiplies matrices, not numbers", hint: "numbers are multiplied with *")
    case .and, .or, .exclusiveOr:
      throw RuntimeFailure(
        .type, "'\(operation.rawValue)' joins truths, masks and whole numbers, not floats",
        hint: TensorArithmetic.bracketsHint)
    }
  }

  /// Quotient and rest with the divisor's sign, rounded as CPython does (`float_divmod`).
  static func divided(_ x: Double, _ y: Double) -> (floor: Double, rest: Double) {
    var rest = fmod(x, y)
    var quotient = (x - rest) / y
    if rest != 0 {
      if (y < 0) != (rest < 0) {
        rest += y
        quotient -= 1
      }
    } else {
      rest = Double(signOf: y, magnitudeOf: 0)
    }
    guard quotient != 0 else { return (Double(signOf: x / y, magnitudeOf: 0), rest) }
    var whole = quotient.rounded(.down)
    if quotient - whole > 0.5 { whole += 1 }
    return (whole, rest)
  }
}

extension BinaryOperator {
  /// Whether it joins truths or bits.
  var isOfBits: Bool { self == .and || self == .or || self == .exclusiveOr }
}
