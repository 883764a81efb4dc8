extension Renderer {
  func sequenceFilter(
    _ name: String, _ item: Item, _ arguments: Arguments
  ) throws(Fault) -> Item {
    func none() throws(Fault) { _ = try arguments.taken([], by: name) }
    switch name {
    case "length", "count":
      try none()
      if case .namespace = item { throw .value("a namespace has no length") }
      if case .loop(let loop) = item { return .integer(try loop.length()) }
      guard let length = length(of: item) else { throw .value("\(item.kind) has no length") }
      return .integer(length)
    case "list":
      try none()
      return try .list(try values(of: item))
    case "first":
      try none()
      return try iterate(item).next()
        ?? .undefined(Undefined("there is no first value, as there is none"))
    case "last":
      try none()
      return try reversed(item).first
        ?? .undefined(Undefined("there is no last value, as there is none"))
    case "reverse":
      try none()
      if case .text(let text) = item {
        try charge(text.count)
        return .text(text.reversed())
      }
      if case .iterator = item { return try .list(Array(try values(of: item).reversed())) }
      return .iterator(try Iteration("reverse", of: try reversed(item)))
    case "join":
      let given = try arguments.taken(["d", "attribute"], by: name)
      let path = try path(given[1])
      let separator = try written(given[0] ?? .text([]))
      var text = Text()
      let iteration = try iterate(item)
      var isFirst = true
      while let value = try iteration.next() {
        if !isFirst { text += separator }
        isFirst = false
        text += try written(try look(up: path, in: value))
        try charge(1 + separator.count)
      }
      try charge(text.count)
      return .text(text)
    case "items":
      try none()
      switch item {
      case .undefined: return .iterator(try Iteration(name, of: []))
      case .dictionary(let dictionary):
        let pairs = try View(dictionary: dictionary, part: .items).items()
        return .iterator(try Iteration(name, of: pairs))
      default: throw .value("'items' takes a dictionary, not \(item.kind)")
      }
    case "map": return try mapped(item, arguments)
    case "select", "reject", "selectattr", "rejectattr":
      return try selected(item, arguments, name)
    case "min", "max":
      let given = try arguments.taken(["case_sensitive", "attribute"], by: name)
      let (path, minds) = (try path(given[1]), try truth(given[0] ?? .bool(false)))
      var best: (key: Item, value: Item)?
      for value in try values(of: item) {
        let key = try folded(try look(up: path, in: value), minds)
        if let found = best {
          guard try name == "min" ? less(key, found.key) : less(found.key, key) else { continue }
        }
        best = (key, value)
      }
      return best?.value ?? .undefined(Undefined("there is nothing to find the '\(name)' of"))
    case "sum":
      let given = try arguments.taken(["attribute", "start"], by: name)
      let path = try path(given[0])
      var sum = given[1] ?? .integer(0)
      if case .text = sum { throw .value("'sum' adds numbers, not texts") }
      for value in try values(of: item) {
        sum = try arithmetic(.add, sum, try look(up: path, in: value))
      }
      return sum
    case "sort":
      let given = try arguments.taken(["reverse", "case_sensitive", "attribute"], by: name)
      let minds = try truth(given[1] ?? .bool(false))
      let paths = try paths(given[2])
      let keyed = try values(of: item)
      let sorted = try sorted(keyed, reversed: try truth(given[0] ?? .bool(false))) {
        (value) throws(Fault) in
        var keys: [Item] = []
        for path in paths { keys.append(try folded(try look(up: path, in: value), minds)) }
        return try .list(keys)
      }
      return try .list(sorted)
    case "dictsort":
      let given = try arguments.taken(["case_sensitive", "by", "reverse"], by: name)
      guard case .dictionary(let dictionary) = item else {
        throw .value("'dictsort' takes a dictionary, not \(item.kind)")
      }
      let by = try text(given[1] ?? .text("key"), by: name).string
      guard by == "key" || by == "value" else {
        throw .value("'dictsort' sorts by 'key' or 'value', not '\(by)'")
      }
      let minds = try truth(given[0] ?? .bool(false))
      let pairs = try sorted(dictionary.pairs, reversed: try truth(given[2] ?? .bool(false))) {
        (pair) throws(Fault) in try folded(by == "key" ? pair.key : pair.value, minds)
      }
      var items: [Item] = []
      for pair in pairs { items.append(try .tuple([pair.key, pair.value])) }
      return try .list(items)
    case "unique":
      let given = try arguments.taken(["case_sensitive", "attribute"], by: name)
      let (path, minds) = (try path(given[1]), try truth(given[0] ?? .bool(false)))
      let source = try iterate(item)
      var seen: Set<Key> = []
      return .iterator(
        try Iteration(name, over: [item]) { [unowned self] () throws(Fault) -> Item? in
          while let value = try source.next() {
            try self.charge(8)
            if seen.insert(try Key(try self.folded(try self.look(up: path, in: value), minds)))
              .inserted
            {
              return value
            }
          }
          return nil
        })
    case "batch":
      let given = try arguments.taken(["linecount", "fill_with"], required: 1, by: name)
      let count = try number(given[0], by: name)
      var (lines, line): ([Item], [Item]) = ([], [])
      for value in try values(of: item) {
        if line.count == count {
          lines.append(try .list(line))
          line = []
        }
        line.append(value)
      }
      if !line.isEmpty {
        if let fill = given[1], !fill.isNone, line.count < count {
          try charge(8 * min(count, Int.max / 16))
          line += Array(repeating: fill, count: count - line.count)
        }
        lines.append(try .list(line))
      }
      return .iterator(try Iteration(name, of: lines))
    case "groupby": return try grouped(item, arguments)
    case "slice", "random", "urlize", "urlencode", "xmlattr", "striptags", "pprint",
      "filesizeformat", "wordwrap":
      throw .notBuilt("the filter '\(name)'")
    default: throw Fault(.syntax, "there is no filter '\(name)'")
    }
  }

  private func reversed(_ item: Item) throws(Fault) -> [Item] {
    switch item {
    case .iterator, .loop: throw .value("\(item.kind) has no end to begin at")
    default: return try values(of: item).reversed()
    }
  }

  // MARK: - Attributes of values

  /// An attribute's path: `a.b.0`, or nothing.
  private func path(_ item: Item?) throws(Fault) -> [Item] {
    switch item ?? .none {
    case .none: return []
    case .text(let text):
      return text.split(at: ["."]).map { part in
        !part.isEmpty && part.allSatisfy({ ("0"..."9").contains($0) })
          ? Int(part.string).map { .integer($0) } ?? .text(part) : .text(part)
      }
    case let other: return [other]
    }
  }

  private func paths(_ item: Item?) throws(Fault) -> [[Item]] {
    guard case .text(let text)? = item else { return [try path(item)] }
    var paths: [[Item]] = []
    for part in text.split(at: [","]) { paths.append(try path(.text(part))) }
    return paths
  }

  private func look(
    up path: [Item], in item: Item, default fallback: Item? = nil
  ) throws(Fault) -> Item {
    var item = item
    for part in path {
      item = try element(part, of: item)
      if item.isUndefined, let fallback, !fallback.isNone { item = fallback }
    }
    return item
  }

  private func folded(_ item: Item, _ mindsCase: Bool) throws(Fault) -> Item {
    guard !mindsCase, case .text(let text) = item else { return item }
    try charge(text.count)
    return .text(text.lowercased)
  }

  // MARK: - Order

  /// Sorted, equal ones in their order, by keys that may fail to compare.
  func sorted<T>(
    _ values: [T], reversed: Bool = false, by key: (T) throws(Fault) -> Item
  ) throws(Fault) -> [T] {
    var keyed: [(Item, T)] = []
    for value in values { keyed.append((try key(value), value)) }
    if reversed { keyed.reverse() }
    keyed = try merged(keyed)
    if reversed { keyed.reverse() }
    return keyed.map(\.1)
  }

  private func merged<T>(_ values: [(Item, T)]) throws(Fault) -> [(Item, T)] {
    guard values.count > 1 else { return values }
    let middle = values.count / 2
    var (left, right) = (
      try merged(Array(values[..<middle]))[...], try merged(Array(values[middle...]))[...]
    )
    var result: [(Item, T)] = []
    while let a = left.first, let b = right.first {
      if try less(b.0, a.0) {
        result.append(b); right.removeFirst()
      } else {
        result.append(a)
        left.removeFirst()
      }
    }
    return result + left + right
  }

  private func grouped(_ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    let given = try arguments.taken(
      ["attribute", "default", "case_sensitive"], required: 1, by: "groupby")
    let path = try path(given[0])
    let minds = try truth(given[2] ?? .bool(false))
    func key(_ value: Item) throws(Fault) -> Item {
      try folded(try look(up: path, in: value, default: given[1]), minds)
    }
    var groups: [(key: Item, values: [Item])] = []
    for value in try sorted(try values(of: item), by: key) {
      let found = try key(value)
      if let last = groups.last, try equal(last.key, found) {
        groups[groups.count - 1].values.append(value)
      } else {
        groups.append((found, [value]))
      }
    }
    var items: [Item] = []
    for group in groups {
      let name = minds ? group.key : try look(up: path, in: group.values[0], default: given[1])
      items.append(try .tuple([name, try .list(group.values)]))
    }
    return try .list(items)
  }

  // MARK: - One by one

  private func mapped(_ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    let isEmpty = try !truth(item)
    let source = isEmpty ? nil : try iterateLater(item)
    let change: (Item) throws(Fault) -> Item
    if arguments.positional.isEmpty,
      let attribute = arguments.keywords.first(where: { $0.name == "attribute" })
    {
      let fallback = arguments.keywords.first { $0.name == "default" }?.value
      let other = arguments.keywords.first { $0.name != "attribute" && $0.name != "default" }
      change = { [unowned self] (value) throws(Fault) in
        if let other { throw .value("'map' has no argument '\(other.name)'") }
        let path = try self.path(attribute.value)
        return try self.look(up: path, in: value, default: fallback)
      }
    } else {
      change = { [unowned self] (value) throws(Fault) in
        guard let first = arguments.positional.first else {
          throw .value("'map' needs a filter's name, or an attribute")
        }
        var rest = arguments
        rest.positional.removeFirst()
        return try self.filter(try self.text(first, by: "map").string, value, rest)
      }
    }
    return .iterator(
      try Iteration("map", over: [item]) { [unowned self] () throws(Fault) -> Item? in
        guard let value = try source?().next() else { return nil }
        try self.enter()
        defer { self.leave() }
        return try change(value)
      })
  }

  private func selected(
    _ item: Item, _ arguments: Arguments, _ name: String
  ) throws(Fault) -> Item {
    let isEmpty = try !truth(item)
    let source = isEmpty ? nil : try iterateLater(item)
    let looksUp = name.hasSuffix("attr")
    let keeps = name.hasPrefix("select")
    return .iterator(
      try Iteration(name, over: [item]) { [unowned self] () throws(Fault) -> Item? in
        guard let iteration = try source?() else { return nil }
        var rest = arguments
        var path: [Item] = []
        if looksUp {
          guard let attribute = rest.positional.first else {
            throw .value("'\(name)' needs an attribute")
          }
          path = try self.path(attribute)
          rest.positional.removeFirst()
        }
        while let value = try iteration.next() {
          try self.enter()
          defer { self.leave() }
          let seen = try self.look(up: path, in: value)
          let holds: Bool
          if let first = rest.positional.first {
            var others = rest
            others.positional.removeFirst()
            holds = try self.test(try self.text(first, by: name).string, seen, others)
          } else {
            holds = try self.truth(seen)
          }
          if holds == keeps { return value }
        }
        return nil
      })
  }

  /// The values of a value, which are asked for only when the first is.
  private func iterateLater(_ item: Item) throws(Fault) -> () throws(Fault) -> Iteration {
    var iteration: Iteration?
    return { [unowned self] () throws(Fault) in
      if let iteration { return iteration }
      let made = try self.iterate(item)
      iteration = made
      return made
    }
  }
}
