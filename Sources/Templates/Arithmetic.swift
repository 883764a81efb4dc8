internal import Glibc

extension Renderer {
  func signed(_ item: Item, _ isMinus: Bool) throws(Fault) -> Item {
    if case .undefined(let value) = item { throw value.fault }
    switch Numeric(item) {
    case .integer(let number)?:
      guard isMinus else { return .integer(number) }
      guard number != Int.min else { throw Self.tooLarge }
      return .integer(-number)
    case .float(let number)?: return .float(isMinus ? -number : number)
    case nil: throw .value("\(item.kind) has no sign")
    }
  }

  static var tooLarge: Fault { .notBuilt("a whole number beyond 64 bits") }

  func arithmetic(
    _ kind: Expression.Operator, _ a: Item, _ b: Item
  ) throws(Fault) -> Item {
    try a.refuseMarkup()
    try b.refuseMarkup()
    if case .undefined(let value) = a { throw value.fault }
    if case .text(let format) = a, kind == .remainder { return try percent(format, b) }
    if case .undefined(let value) = b { throw value.fault }
    if let x = Numeric(a), let y = Numeric(b) { return try arithmetic(kind, x, y) }
    switch (kind, a, b) {
    case (.add, .text(let x), .text(let y)):
      try charge(x.count + y.count)
      return .text(x + y)
    case (.add, .list(let x), .list(let y)):
      try charge(8 * (x.values.count + y.values.count))
      return try .list(x.values + y.values)
    case (.add, .tuple(let x), .tuple(let y)):
      try charge(8 * (x.values.count + y.values.count))
      return try .tuple(x.values + y.values)
    case (.multiply, .text(let text), _):
      if let count = b.integer { return .text(try repeated(text, count, cost: 1)) }
    case (.multiply, _, .text(let text)):
      if let count = a.integer { return .text(try repeated(text, count, cost: 1)) }
    case (.multiply, .list(let items), _):
      if let count = b.integer { return try .list(try repeated(items.values, count, cost: 8)) }
    case (.multiply, _, .list(let items)):
      if let count = a.integer { return try .list(try repeated(items.values, count, cost: 8)) }
    case (.multiply, .tuple(let items), _):
      if let count = b.integer { return try .tuple(try repeated(items.values, count, cost: 8)) }
    case (.multiply, _, .tuple(let items)):
      if let count = a.integer { return try .tuple(try repeated(items.values, count, cost: 8)) }
    case (.subtract, .view, .view): throw .notBuilt("'-' between \(a.kind) and \(b.kind)")
    default: break
    }
    throw .value("'\(kind.rawValue)' does not go between \(a.kind) and \(b.kind)")
  }

  private func repeated<T>(_ values: [T], _ count: Int, cost: Int) throws(Fault) -> [T] {
    guard count > 0, !values.isEmpty else { return [] }
    let (size, overflow) = values.count.multipliedReportingOverflow(by: count)
    let (price, more) = size.multipliedReportingOverflow(by: cost)
    try charge(overflow || more ? Int.max : price)
    if values.count == 1 { return Array(repeating: values[0], count: count) }
    var result: [T] = []
    result.reserveCapacity(size)
    for _ in 0..<count { result += values }
    return result
  }

  private func arithmetic(
    _ kind: Expression.Operator, _ a: Numeric, _ b: Numeric
  ) throws(Fault) -> Item {
    if case .integer(let x) = a, case .integer(let y) = b { return try whole(kind, x, y) }
    let (x, y) = (a.double, b.double)
    switch kind {
    case .add: return .float(x + y)
    case .subtract: return .float(x - y)
    case .multiply: return .float(x * y)
    case .divide, .floorDivide, .remainder:
      guard y != 0 else { throw .value("a number cannot be divided by 0") }
      if kind == .divide { return .float(x / y) }
      let (quotient, remainder) = Self.divided(x, y)
      return .float(kind == .floorDivide ? quotient : remainder)
    case .power:
      if x == 0, y < 0 { throw .value("0 has no negative powers") }
      if x < 0, y.isFinite, y != y.rounded() { throw .notBuilt("a complex number") }
      let result = pow(x, y)
      guard result.isFinite || !x.isFinite || !y.isFinite else {
        throw .value("this power is too large")
      }
      return .float(result)
    }
  }

  /// Quotient and remainder, the latter with the divisor's sign, as Python makes them.
  private static func divided(_ x: Double, _ y: Double) -> (Double, Double) {
    var remainder = fmod(x, y)
    var quotient = (x - remainder) / y
    if remainder != 0 {
      if (y < 0) != (remainder < 0) {
        remainder += y
        quotient -= 1
      }
    } else {
      remainder = copysign(0, y)
    }
    guard quotient != 0 else { return (copysign(0, x / y), remainder) }
    var floored = quotient.rounded(.down)
    if quotient - floored > 0.5 { floored += 1 }
    return (floored, remainder)
  }

  private func whole(
    _ kind: Expression.Operator, _ x: Int, _ y: Int
  ) throws(Fault) -> Item {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws(Fault) -> Item {
      guard !result.overflow else { throw Self.tooLarge }
      return .integer(result.partialValue)
    }
    switch kind {
    case .add: return try checked(x.addingReportingOverflow(y))
    case .subtract: return try checked(x.subtractingReportingOverflow(y))
    case .multiply: return try checked(x.multipliedReportingOverflow(by: y))
    case .divide, .floorDivide, .remainder:
      guard y != 0 else { throw .value("a number cannot be divided by 0") }
      if kind == .divide {
        guard x.magnitude < 1 << 53, y.magnitude < 1 << 53 else {
          throw .notBuilt("dividing such large whole numbers")
        }
        return .float(Double(x) / Double(y))
      }
      guard x != Int.min || y != -1 else { throw Self.tooLarge }
      var (quotient, remainder) = x.quotientAndRemainder(dividingBy: y)
      if remainder != 0, (remainder < 0) != (y < 0) {
        quotient -= 1
        remainder += y
      }
      return .integer(kind == .floorDivide ? quotient : remainder)
    case .power:
      if y < 0 {
        guard x != 0 else { throw .value("0 has no negative powers") }
        return .float(pow(Double(x), Double(y)))
      }
      var (result, base, rest) = (1, x, y)
      if x == 0 || x == 1 || x == -1 { return .integer(x == -1 && y % 2 == 0 ? 1 : y == 0 ? 1 : x) }
      while rest > 0 {
        if rest & 1 == 1 {
          let product = result.multipliedReportingOverflow(by: base)
          guard !product.overflow else { throw Self.tooLarge }
          result = product.partialValue
        }
        rest >>= 1
        guard rest > 0 else { break }
        let square = base.multipliedReportingOverflow(by: base)
        guard !square.overflow else { throw Self.tooLarge }
        base = square.partialValue
      }
      return .integer(result)
    }
  }
}
