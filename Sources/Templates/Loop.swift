/// A loop that runs: what `loop` is in a template.
final class Loop {
  private let iteration: Iteration
  /// How many values there are, where that is known beforehand.
  private var known: Int?
  private var ahead: [Item] = []
  private(set) var index = -1
  private(set) var current: Item?
  private(set) var before: Item?
  var lastChanged: [Item]?
  /// How many recursive calls stand above.
  let level: Int
  /// The block, where it may call itself.
  let block: ForBlock?
  let scope: Scope

  init(_ iteration: Iteration, known: Int?, level: Int, block: ForBlock?, scope: Scope) {
    (self.iteration, self.known, self.level) = (iteration, known, level)
    (self.block, self.scope) = (block, scope)
  }

  func next() throws(Fault) -> Item? {
    let item = ahead.isEmpty ? try iteration.next() : ahead.removeFirst()
    guard let item else { return nil }
    index += 1
    (before, current) = (current, item)
    return item
  }

  func peek() throws(Fault) -> Item? {
    if ahead.isEmpty, let item = try iteration.next() { ahead.append(item) }
    return ahead.first
  }

  func length() throws(Fault) -> Int {
    if let known { return known }
    while let item = try iteration.next() { ahead.append(item) }
    // As in jinja2: what was given out, and what is still to come.
    let length = index + 1 + ahead.count
    known = length
    return length
  }
}

extension Renderer {
  func run(_ block: ForBlock, over item: Item, level: Int) throws(Fault) {
    var iteration = try iterate(item)
    var known = length(of: item)
    if let test = block.test {
      let (source, outer) = (iteration, scope)
      known = nil
      iteration = try Iteration("for … if") { [unowned self] () throws(Fault) -> Item? in
        while let value = try source.next() {
          let isKept = try self.within(Scope(outer)) { () throws(Fault) in
            try self.assign(value, to: block.target)
            return try self.truth(try self.evaluate(test))
          }
          if isKept { return value }
        }
        return nil
      }
    }
    let loop = Loop(
      iteration, known: known, level: level, block: block.isRecursive ? block : nil, scope: scope)
    var wentThrough = false
    while let value = try loop.next() {
      try enter()
      defer { leave() }
      let inner = Scope(scope)
      inner.set("loop", .loop(loop))
      let flow = try within(inner) { () throws(Fault) in
        try assign(value, to: block.target)
        return try execute(block.body)
      }
      if flow == .leaveLoop { break }
      // jinja2 notes this at the body's end, so that `continue` and `break` leave the `else` to run.
      if flow == .next { wentThrough = true }
    }
    if !wentThrough, !block.otherwise.isEmpty {
      _ = try within(Scope(scope)) { () throws(Fault) in try execute(block.otherwise) }
    }
  }

  /// How many values a value has, where Python's `len` tells; an undefined one has none.
  func length(of item: Item) -> Int? {
    switch item {
    case .undefined: 0
    case .text(let text), .markup(let text): text.count
    case .list(let items), .tuple(let items): items.values.count
    case .dictionary(let dictionary): dictionary.count
    case .view(let view): view.dictionary.count
    case .range(let range): range.count
    default: nil
    }
  }

  /// The values of a value, one by one.
  func iterate(_ item: Item) throws(Fault) -> Iteration {
    switch item {
    case .undefined: return try Iteration("an undefined value", of: [])
    case .text(let text):
      var rest = text[...]
      return try Iteration("a text") { () throws(Fault) -> Item? in
        rest.popFirst().map { .text([$0]) }
      }
    case .list(let items), .tuple(let items): return try iteration(over: items.values)
    case .dictionary(let dictionary): return try iteration(over: dictionary.keys)
    case .view(let view): return try iteration(over: try view.items())
    case .range(let range):
      var index = 0
      return try Iteration("a range") { () throws(Fault) -> Item? in
        guard index < range.count else { return nil }
        defer { index += 1 }
        return .integer(range[index])
      }
    case .iterator(let iteration): return iteration
    case .markup: throw .notBuilt("going on with \(item.kind)")
    case .loop: throw .notBuilt("walking a loop's values from within")
    default: throw .value("\(item.kind) has no values to walk through")
    }
  }

  private func iteration(over values: [Item]) throws(Fault) -> Iteration {
    var index = 0
    return try Iteration("values") { () throws(Fault) -> Item? in
      guard index < values.count else { return nil }
      defer { index += 1 }
      return values[index]
    }
  }

  /// All values of a value.
  func values(of item: Item) throws(Fault) -> [Item] {
    switch item {
    case .list(let items), .tuple(let items):
      try charge(8 * items.values.count)
      return items.values
    default:
      let iteration = try iterate(item)
      var values: [Item] = []
      while let value = try iteration.next() {
        try charge(8)
        values.append(value)
      }
      return values
    }
  }
}
