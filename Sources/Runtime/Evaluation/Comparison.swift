internal import Budget
internal import Language
internal import Tensors

/// Equality, order, containment and truth, with Python's meaning.
enum Comparison {
  static func isTrue(_ value: Value) throws -> Bool {
    switch value {
    case .none: return false
    case .bool(let truth): return truth
    case .integer(let number): return number != 0
    case .float(let number): return number != 0
    case .text(let text): return !text.string.isEmpty
    case .list(let list): return list.count > 0
    case .tuple(let values): return !values.isEmpty
    case .dictionary(let mapping): return mapping.count > 0
    case .range(let range): return range.count > 0
    case .tensor(let tensor, _): return try isTrue(tensor, hint: "ask x.any() or x.all()")
    case .object(let object as DiscreteTensor):
      return try isTrue(
        object.numbers, hint: "ask x.any() or x.all(); masks are joined with &, | and ~")
    default: return true
    }
  }

  private static func isTrue(_ tensor: Tensor, hint: String) throws -> Bool {
    guard tensor.count == 1 else {
      throw RuntimeFailure(
        .value, "a tensor of shape \(tensor.shape) is neither true nor false", hint: hint)
    }
    return tensor.elements[0] != 0
  }

  static func compare(
    _ operation: ComparisonOperator, _ a: Value, _ b: Value
  ) throws -> Value {
    switch operation {
    case .isSame: return .bool(try isSame(a, b))
    case .isNotSame: return .bool(try !isSame(a, b))
    case .isIn: return .bool(try contains(b, a))
    case .isNotIn: return .bool(try !contains(b, a))
    default: break
    }
    if (a.tensor != nil && TensorArithmetic.operand(b) != nil)
      || (b.tensor != nil && TensorArithmetic.operand(a) != nil)
    {
      return try TensorArithmetic.compare(operation, a, b)
    }
    switch operation {
    case .equal: return .bool(try isEqual(a, b))
    case .notEqual: return .bool(try !isEqual(a, b))
    default: break
    }
    guard let order = try order(a, b, operation.rawValue) else { return .bool(false) }
    switch operation {
    case .less: return .bool(order < 0)
    case .lessOrEqual: return .bool(order <= 0)
    case .greater: return .bool(order > 0)
    default: return .bool(order >= 0)
    }
  }

  static func isEqual(_ a: Value, _ b: Value, depth: Int = 0) throws -> Bool {
    guard depth < 200 else {
      throw RuntimeFailure(.limit, "the values compared are nested more than 200 deep")
    }
    func all(_ x: [Value], _ y: [Value]) throws -> Bool {
      guard x.count == y.count else { return false }
      for place in x.indices {
        if place & 0xFFF == 0xFFF { try Stop.check() }
        if try !isEqual(x[place], y[place], depth: depth + 1) { return false }
      }
      return true
    }
    if let x = a.integer, let y = b.integer { return x == y }
    if a.number != nil, b.number != nil { return numbers(a, b) == 0 }
    switch (a, b) {
    case (.none, .none), (.ellipsis, .ellipsis): return true
    case (.text(let x), .text(let y)):
      return x.string.utf8.count == y.string.utf8.count && Texts.order(x.string, y.string) == 0
    case (.list(let x), .list(let y)): return try x === y || all(x.values, y.values)
    case (.tuple(let x), .tuple(let y)): return try all(x, y)
    case (.range(let x), .range(let y)):
      return x.count == y.count
        && (x.count == 0 || (x.start == y.start && (x.count == 1 || x.step == y.step)))
    case (.slice(let x), .slice(let y)): return x == y
    case (.dictionary(let x), .dictionary(let y)):
      guard x !== y else { return true }
      guard x.count == y.count else { return false }
      for (place, (key, value)) in x.entries.enumerated() {
        if place & 0xFFF == 0xFFF { try Stop.check() }
        guard let other = y[try Key(key)], try isEqual(value, other, depth: depth + 1) else {
          return false
        }
      }
      return true
    case (.function(let x), .function(let y)): return x.isSame(as: y)
    case (.command(let x), .command(let y)): return x.name == y.name
    default:
      if let x = a.tensor, let y = b.tensor { return x == y }
      return false
    }
  }

  static func isSame(_ a: Value, _ b: Value) throws -> Bool {
    switch (a, b) {
    case (.none, .none), (.ellipsis, .ellipsis): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.list(let x), .list(let y)): return x === y
    case (.dictionary(let x), .dictionary(let y)): return x === y
    case (.function(let x), .function(let y)): return x.isSame(as: y)
    case (.integer, .integer), (.float, .float), (.text, .text), (.tuple, .tuple):
      throw RuntimeFailure(
        .type, "'is' asks whether two names share one thing, and says nothing about equality",
        hint: "to compare, write ==")
    default: return false
    }
  }

  static func contains(_ container: Value, _ value: Value) throws -> Bool {
    switch container {
    case .text(let text):
      guard let part = value.text else {
        throw RuntimeFailure(
          .type, "'in' a text looks for a text, not \(value.inMessage)")
      }
      return Texts.find(Array(part.utf8), in: Array(text.string.utf8)) != nil
    case .dictionary(let mapping): return mapping[try Key(value)] != nil
    case .range(let range):
      guard let number = value.number, number == number.rounded(), let whole = Int(exactly: number)
      else { return false }
      guard range.count > 0 else { return false }
      let last = range[range.count - 1]
      guard whole >= min(range.start, last), whole <= max(range.start, last) else { return false }
      return (whole &- range.start) % range.step == 0
    case .object(let object) where !object.elementNames.isEmpty && value.text != nil:
      return object.elementNames.contains(value.text ?? "")
    default: break
    }
    if let tensor = container.tensor, let number = value.number {
      var isThere = false
      Stop.parts(of: tensor.count) { part in
        isThere = isThere || tensor.elements[part].contains(Float(number))
      }
      return isThere
    }
    var iterator = try SequenceIterator(container)
    var asked = 0
    while let element = try iterator.next() {
      asked += 1
      if asked & 0xFFF == 0 { try Stop.check() }
      if try isEqual(element, value) { return true }
    }
    return false
  }

  /// Tells `body` each place of a value among others, from the first on, as long as it answers true.
  static func places(
    of value: Value, in values: [Value], _ body: (Int) -> Bool
  ) throws {
    for place in values.indices {
      if place & 0xFFF == 0xFFF { try Stop.check() }
      if try isEqual(values[place], value), !body(place) { return }
    }
  }

  /// Negative, zero or positive; nil where a NaN is compared.
  static func order(_ a: Value, _ b: Value, _ word: String, depth: Int = 0) throws -> Int? {
    guard depth < 200 else {
      throw RuntimeFailure(.limit, "the values compared are nested more than 200 deep")
    }
    if let x = a.integer, let y = b.integer { return x < y ? -1 : x > y ? 1 : 0 }
    if a.number != nil, b.number != nil { return numbers(a, b) }
    func sequences(_ x: [Value], _ y: [Value]) throws -> Int? {
      for place in 0..<min(x.count, y.count) {
        if place & 0xFFF == 0xFFF { try Stop.check() }
        if try !isEqual(x[place], y[place], depth: depth + 1) {
          return try order(x[place], y[place], word, depth: depth + 1)
        }
      }
      return x.count - y.count
    }
    switch (a, b) {
    case (.text(let x), .text(let y)):
      return Texts.order(x.string, y.string)
    case (.list(let x), .list(let y)): return try sequences(x.values, y.values)
    case (.tuple(let x), .tuple(let y)): return try sequences(x, y)
    default:
      let (first, second) = (a.typeName, b.typeName)
      throw RuntimeFailure(
        .type,
        "'\(word)' does not compare \(Wording.article(first)) \(first) with "
          + "\(Wording.article(second)) \(second)")
    }
  }

  /// Order of two numbers, exact even where a whole number has no float.
  private static func numbers(_ a: Value, _ b: Value) -> Int? {
    switch (a, b) {
    case (.float(let x), .float(let y)): return x < y ? -1 : x > y ? 1 : x == y ? 0 : nil
    case (.float(let x), _): return b.integer.flatMap { mixed($0, x) }.map { -$0 }
    case (_, .float(let y)): return a.integer.flatMap { mixed($0, y) }
    default: return nil
    }
  }

  private static func mixed(_ x: Int, _ y: Double) -> Int? {
    if y.isNaN { return nil }
    if y >= 0x1p63 { return -1 }
    if y < -0x1p63 { return 1 }
    let whole = Int(y.rounded(.towardZero))
    if x != whole { return x < whole ? -1 : 1 }
    let fraction = y - y.rounded(.towardZero)
    return fraction > 0 ? -1 : fraction < 0 ? 1 : 0
  }
}

extension Callable {
  func isSame(as other: Callable) -> Bool {
    switch (body, other.body) {
    case (.script(let a), .script(let b)): a === b
    case (.builtIn, .builtIn): isType && other.isType && name == other.name
    default: false
    }
  }
}
