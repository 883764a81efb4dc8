extension Renderer {
  /// Whether Python holds the two for equal.
  func equal(_ a: Item, _ b: Item) throws(Fault) -> Bool {
    try enter()
    defer { leave() }
    switch (a.unmarked, b.unmarked) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.text(let x), .text(let y)):
      try charge(min(x.count, y.count))
      return x == y
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)):
      guard x.values.count == y.values.count else { return false }
      for (one, other) in zip(x.values, y.values) {
        guard try equal(one, other) else { return false }
      }
      return true
    case (.dictionary(let x), .dictionary(let y)):
      guard x.count == y.count else { return false }
      for (key, value) in x.pairs {
        guard let other = try y[key], try equal(value, other) else { return false }
      }
      return true
    case (.range(let x), .range(let y)):
      return x.count == y.count
        && (x.count == 0 || x.start == y.start && (x.count == 1 || x.step == y.step))
    case (.namespace(let x), .namespace(let y)): return x === y
    case (.macro(let x), .macro(let y)): return x === y
    case (.iterator(let x), .iterator(let y)): return x === y
    case (.loop(let x), .loop(let y)): return x === y
    case (.view, .view), (.method, .method), (.function, .function):
      throw .notBuilt("comparing \(a.kind) with \(b.kind)")
    default:
      guard let x = Numeric(a), let y = Numeric(b) else { return false }
      return x.compare(y) == 0
    }
  }

  /// Whether Python holds `a` for less than `b`.
  func less(_ a: Item, _ b: Item, orEqual: Bool = false) throws(Fault) -> Bool {
    try enter()
    defer { leave() }
    switch (a.unmarked, b.unmarked) {
    case (.text(let x), .text(let y)):
      try charge(min(x.count, y.count))
      return x.lexicographicallyPrecedes(y) || orEqual && x == y
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)):
      for (one, other) in zip(x.values, y.values) where !(try equal(one, other)) {
        return try less(one, other, orEqual: orEqual)
      }
      return orEqual ? x.values.count <= y.values.count : x.values.count < y.values.count
    case (.undefined(let value), _), (_, .undefined(let value)): throw value.fault
    default:
      guard let x = Numeric(a), let y = Numeric(b) else {
        throw .value("\(a.kind) and \(b.kind) have no order")
      }
      guard let order = x.compare(y) else { return false }
      return orEqual ? order <= 0 : order < 0
    }
  }

  /// Whether `item` is in `container`.
  func contains(_ container: Item, _ item: Item) throws(Fault) -> Bool {
    switch container.unmarked {
    case .text(let text):
      guard case .text(let part) = item.unmarked else {
        if case .undefined(let value) = item { throw value.fault }
        throw .value("\(item.kind) cannot be in a text")
      }
      try charge(text.count)
      return text.find(part) != nil
    case .dictionary(let dictionary): return try dictionary[item] != nil
    case .view(let view) where view.part == .keys: return try view.dictionary[item] != nil
    case .range(let range):
      if let number = item.integer {
        let (low, high) =
          range.step > 0
          ? (range.start, range.stop - 1) : (range.stop + 1, range.start)
        return range.count > 0 && number >= low && number <= high
          && (number - range.start) % range.step == 0
      }
    default: break
    }
    let iteration = try iterate(container)
    while let other = try iteration.next() {
      if try same(other, item) { return true }
      if try equal(other, item) { return true }
    }
    return false
  }

  /// Whether two are one object: what Python asks before it asks for equality.
  private func same(_ a: Item, _ b: Item) throws(Fault) -> Bool {
    switch (a, b) {
    case (.list(let x), .list(let y)), (.tuple(let x), .tuple(let y)): x === y
    case (.dictionary(let x), .dictionary(let y)): x === y
    default: false
    }
  }

  /// What Python's `bool` gives.
  func truth(_ item: Item) throws(Fault) -> Bool {
    switch item {
    case .undefined, .none: false
    case .bool(let truth): truth
    case .integer(let number): number != 0
    case .float(let number): number != 0
    case .text(let text), .markup(let text): !text.isEmpty
    case .list(let items), .tuple(let items): !items.values.isEmpty
    case .dictionary(let dictionary): dictionary.count > 0
    case .view(let view): view.dictionary.count > 0
    case .range(let range): range.count > 0
    case .loop(let loop): try loop.length() > 0
    default: true
    }
  }
}

/// A number, whole or not.
enum Numeric {
  case integer(Int)
  case float(Double)

  init?(_ item: Item) {
    switch item {
    case .integer(let number): self = .integer(number)
    case .bool(let truth): self = .integer(truth ? 1 : 0)
    case .float(let number): self = .float(number)
    default: return nil
    }
  }

  var double: Double {
    switch self {
    case .integer(let number): Double(number)
    case .float(let number): number
    }
  }

  /// Less than 0, 0 or more; nil where one is no number at all.
  ///
  /// Whole numbers are compared exactly.
  func compare(_ other: Numeric) -> Int? {
    switch (self, other) {
    case (.integer(let x), .integer(let y)): return x < y ? -1 : x == y ? 0 : 1
    case (.integer(let x), .float(let y)):
      if y.isNaN { return nil }
      if let whole = Int(exactly: y.rounded(.down)) {
        if x != whole { return x < whole ? -1 : 1 }
        return y > y.rounded(.down) ? -1 : 0
      }
      return y > 0 ? -1 : 1
    case (.float, .integer): return other.compare(self).map { -$0 }
    case (.float(let x), .float(let y)):
      if x.isNaN || y.isNaN { return nil }
      return x < y ? -1 : x == y ? 0 : 1
    }
  }
}
