/// What stands behind `is`.
enum Tests {
  static let known: Set = [
    "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean",
    "false", "true", "integer", "float", "lower", "upper", "string", "mapping", "number",
    "sequence", "iterable", "callable", "sameas", "escaped", "in", "==", "eq", "equalto", "!=",
    "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan", "<=", "le",
  ]
}

extension Renderer {
  func test(_ name: String, _ item: Item, _ arguments: Arguments) throws(Fault) -> Bool {
    func none() throws(Fault) { _ = try arguments.taken([], by: name) }
    func one(_ label: String) throws(Fault) -> Item {
      try arguments.taken([label], required: 1, by: name)[0] ?? .none
    }
    switch name {
    case "odd", "even":
      try none()
      let rest = try arithmetic(.remainder, item, .integer(2))
      return try equal(rest, .integer(name == "odd" ? 1 : 0))
    case "divisibleby":
      let number = try one("num")
      return try equal(try arithmetic(.remainder, item, number), .integer(0))
    case "in": return try contains(try one("seq"), item)
    case "sameas": return try isSame(item, try one("other"))
    case "==", "eq", "equalto": return try equal(item, try one(""))
    case "!=", "ne": return try !equal(item, try one(""))
    case ">", "gt", "greaterthan": return try less(try one(""), item)
    case ">=", "ge": return try less(try one(""), item, orEqual: true)
    case "<", "lt", "lessthan": return try less(item, try one(""))
    case "<=", "le": return try less(item, try one(""), orEqual: true)
    default: break
    }
    guard Tests.known.contains(name) else { throw Fault(.syntax, "there is no test '\(name)'") }
    try none()
    switch (name, item) {
    case ("defined", _): return !item.isUndefined
    case ("undefined", _): return item.isUndefined
    case ("filter", .text(let text)): return Filters.known.contains(text.string)
    case ("test", .text(let text)): return Tests.known.contains(text.string)
    case ("filter", _), ("test", _):
      _ = try Key(item)
      return false
    case ("none", _): return item.isNone
    case ("boolean", .bool), ("string", .text), ("string", .markup), ("mapping", .dictionary),
      ("float", .float),
      ("integer", .integer), ("number", .integer), ("number", .float), ("number", .bool):
      return true
    case ("false", .bool(let truth)): return !truth
    case ("true", .bool(let truth)): return truth
    case ("escaped", .markup): return true
    case ("lower", _): return try written(item).isLower
    case ("upper", _): return try written(item).isUpper
    case ("sequence", _):
      switch item {
      case .undefined, .text, .markup, .list, .tuple, .dictionary, .range: return true
      default: return false
      }
    case ("iterable", _):
      switch item {
      case .undefined, .text, .markup, .list, .tuple, .dictionary, .range, .view, .iterator, .loop:
        return true
      default: return false
      }
    case ("callable", _):
      switch item {
      case .macro, .function, .method, .loop, .joiner: return true
      // An undefined value has a `__call__`, which fails.
      case .undefined: return true
      default: return false
      }
    default: return false
    }
  }

  private func isSame(_ a: Item, _ b: Item) throws(Fault) -> Bool {
    switch (a, b) {
    case (.none, .none): true
    case (.bool(let x), .bool(let y)): x == y
    case (.namespace(let x), .namespace(let y)): x === y
    case (.macro(let x), .macro(let y)): x === y
    case (.dictionary(let x), .dictionary(let y)): x === y
    case (.list(let x), .list(let y)): x === y
    case (.integer, .integer), (.float, .float), (.text, .text), (.tuple, .tuple),
      (.undefined, .undefined), (.range, .range), (.view, .view), (.function, .function),
      (.method, .method):
      throw .notBuilt("'sameas' between \(a.kind) and \(b.kind)")
    default: false
    }
  }
}
