extension Renderer {
  /// The value of an expression; what fails has its place.
  func evaluate(_ expression: Expression) throws(Fault) -> Item {
    try enter()
    defer { leave() }
    do {
      return try value(of: expression)
    } catch {
      throw placed(error, expression.place)
    }
  }

  private func value(of expression: Expression) throws(Fault) -> Item {
    switch expression.kind {
    case .none: return .none
    case .bool(let truth): return .bool(truth)
    case .integer(let number): return .integer(number)
    case .float(let number): return .float(number)
    case .text(let text): return .text(text)
    case .name(let name): return find(name)
    case .block: return .text(block)
    case .list(let parts): return try .list(try evaluate(parts))
    case .tuple(let parts): return try .tuple(try evaluate(parts))
    case .dictionary(let parts):
      var pairs: [(key: Item, value: Item)] = []
      for part in parts { pairs.append((try evaluate(part.key), try evaluate(part.value))) }
      try charge(8 * pairs.count)
      return .dictionary(try Dictionary(pairs))
    case .attribute(let object, let name): return try attribute(name, of: try evaluate(object))
    case .index(let object, let index):
      let object = try evaluate(object)
      return try element(try evaluate(index), of: object)
    case .slice(let operand, let start, let stop, let step):
      let object = try evaluate(operand)
      switch object {
      case .integer where operand.isConstant, .float where operand.isConstant,
        .bool where operand.isConstant, .none where operand.isConstant:
        // jinja2 computes what is constant beforehand, and then asks more gently.
        throw .notBuilt("slicing \(object.kind)")
      default: break
      }
      return try slice(
        object, try evaluate(optional: start), try evaluate(optional: stop),
        try evaluate(optional: step))
    case .call(let callee, let arguments):
      let function = try evaluate(callee)
      return try call(function, try evaluate(arguments))
    case .filter(let operand, let name, let arguments):
      let operand = try evaluate(operand)
      return try filter(name, operand, try evaluate(arguments))
    case .test(let operand, let name, let arguments):
      let operand = try evaluate(operand)
      return .bool(try test(name, operand, try evaluate(arguments)))
    case .not(let operand): return .bool(try !truth(try evaluate(operand)))
    case .and(let left, let right):
      let left = try evaluate(left)
      return try truth(left) ? try evaluate(right) : left
    case .or(let left, let right):
      let left = try evaluate(left)
      return try truth(left) ? left : try evaluate(right)
    case .sign(let operand, let isMinus): return try signed(try evaluate(operand), isMinus)
    case .arithmetic(let kind, let left, let right):
      let left = try evaluate(left)
      return try arithmetic(kind, left, try evaluate(right))
    case .concatenation(let parts):
      var text = Text()
      var items: [Item] = []
      for part in parts { items.append(try evaluate(part)) }
      for item in items {
        let part = try written(item)
        try charge(part.count)
        text += part
      }
      return .text(text)
    case .comparison(let first, let others):
      var left = try evaluate(first)
      for (comparison, expression) in others {
        let right = try evaluate(expression)
        guard try compare(comparison, left, right) else { return .bool(false) }
        left = right
      }
      return .bool(true)
    case .conditional(let value, let condition, let otherwise):
      if try truth(try evaluate(condition)) { return try evaluate(value) }
      if let otherwise { return try evaluate(otherwise) }
      return .undefined(
        Undefined("an 'if' without 'else' is false, so that its value is undefined"))
    }
  }

  private func evaluate(_ parts: [Expression]) throws(Fault) -> [Item] {
    try charge(8 * parts.count)
    var items: [Item] = []
    for part in parts { items.append(try evaluate(part)) }
    return items
  }

  private func evaluate(optional expression: Expression?) throws(Fault) -> Item {
    guard let expression else { return .none }
    return try evaluate(expression)
  }

  func evaluate(_ arguments: CallArguments) throws(Fault) -> Arguments {
    var given = Arguments()
    for part in arguments.positional { given.positional.append(try evaluate(part)) }
    for (name, part) in arguments.keywords { given.keywords.append((name, try evaluate(part))) }
    if let list = arguments.list { given.positional += try values(of: try evaluate(list)) }
    if let mapping = arguments.mapping {
      let item = try evaluate(mapping)
      guard case .dictionary(let dictionary) = item else {
        throw .value("what stands behind '**' must be a dictionary, not \(item.kind)")
      }
      for (key, value) in dictionary.pairs {
        guard case .text(let name) = key else {
          throw .value("what stands behind '**' has a key that is no text")
        }
        guard !given.keywords.contains(where: { Text($0.name) == name }) else {
          throw .value("the argument '\(name.string)' is given twice")
        }
        given.keywords.append((name.string, value))
      }
    }
    return given
  }

  private func compare(
    _ comparison: Expression.Comparison, _ a: Item, _ b: Item
  ) throws(Fault) -> Bool {
    switch comparison {
    case .equal: try equal(a, b)
    case .notEqual: try !equal(a, b)
    case .less: try less(a, b)
    case .lessOrEqual: try less(a, b, orEqual: true)
    case .greater: try less(b, a)
    case .greaterOrEqual: try less(b, a, orEqual: true)
    case .isIn: try contains(b, a)
    case .isNotIn: try !contains(b, a)
    }
  }

  // MARK: - Elements

  func element(_ index: Item, of object: Item) throws(Fault) -> Item {
    func element<T>(_ values: (Int) -> T, _ count: Int) -> T? {
      guard let place = index.integer else { return nil }
      let at = place < 0 ? place + count : place
      return at >= 0 && at < count ? values(at) : nil
    }
    switch object {
    case .undefined(let value): throw value.fault
    case .markup: throw .notBuilt("going on with \(object.kind)")
    case .text(let text): if let found = element({ text[$0] }, text.count) { return .text([found]) }
    case .list(let items), .tuple(let items):
      if let found = element({ items.values[$0] }, items.values.count) { return found }
    case .range(let range):
      if let found = element({ range[$0] }, range.count) { return .integer(found) }
    case .dictionary(let dictionary):
      switch index {
      case .list, .dictionary: break
      default: if let found = try dictionary[index] { return found }
      }
    default: break
    }
    guard case .text(let name) = index else {
      return .undefined(Undefined("\(object.kind) has no element \(try represented(index).string)"))
    }
    return try ownAttribute(name.string, of: object)
      ?? .undefined(Undefined("\(object.kind) has no attribute '\(name.string)'"))
  }

  private func slice(
    _ object: Item, _ start: Item, _ stop: Item, _ step: Item
  ) throws(Fault) -> Item {
    func number(_ item: Item) throws(Fault) -> Int? {
      if item.isNone { return nil }
      guard let number = item.integer else {
        throw .value("a slice takes whole numbers, not \(item.kind)")
      }
      return number
    }
    let (first, last) = (try number(start), try number(stop))
    let by = try number(step) ?? 1
    guard by != 0 else { throw .value("a slice's step must not be 0") }
    guard by != Int.min else { throw .notBuilt("so large a step") }
    func bounds(_ count: Int) -> Stretch {
      let (low, high) = by > 0 ? (0, count) : (-1, count - 1)
      func clamp(_ index: Int?, _ missing: Int) -> Int {
        guard var index else { return missing }
        if index < 0 { index += count }
        return min(max(index, low), high)
      }
      return Stretch(
        start: clamp(first, by > 0 ? low : high), stop: clamp(last, by > 0 ? high : low), step: by)
    }
    func pick<T>(_ values: [T]) throws(Fault) -> [T] {
      let range = bounds(values.count)
      try charge(range.count)
      if by == 1 { return Array(values[range.start..<max(range.start, range.stop)]) }
      return (0..<range.count).map { values[range[$0]] }
    }
    switch object {
    case .text(let text): return .text(try pick(text))
    case .list(let items): return try .list(try pick(items.values))
    case .tuple(let items): return try .tuple(try pick(items.values))
    case .range(let range):
      let part = bounds(range.count)
      return .range(
        Stretch(
          start: range.start + part.start * range.step, stop: range.start + part.stop * range.step,
          step: range.step * part.step))
    case .undefined(let value): throw value.fault
    case .markup: throw .notBuilt("going on with \(object.kind)")
    default: throw .value("\(object.kind) cannot be sliced")
    }
  }
}

/// What a function is called with.
struct Arguments {
  var positional: [Item] = []
  var keywords: [(name: String, value: Item)] = []

  var isEmpty: Bool { positional.isEmpty && keywords.isEmpty }

  /// The values of the named parameters, in their order; nil where one is not given.
  func taken(
    _ names: [String], required: Int = 0, by function: String
  ) throws(Fault) -> [Item?] {
    guard positional.count <= names.count else {
      throw .value(
        "'\(function)' takes at most \(names.count) arguments, not \(positional.count)")
    }
    var values: [Item?] = positional
    values += Array(repeating: nil, count: names.count - positional.count)
    for (name, value) in keywords {
      guard let place = names.firstIndex(of: name), !name.isEmpty else {
        throw .value("'\(function)' has no argument '\(name)'")
      }
      guard values[place] == nil else {
        throw .value("'\(function)' gets its argument '\(name)' twice")
      }
      values[place] = value
    }
    if let missing = (0..<required).first(where: { values[$0] == nil }) {
      throw .value("'\(function)' lacks its argument '\(names[missing])'")
    }
    return values
  }
}
