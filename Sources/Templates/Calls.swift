extension Renderer {
  func call(_ function: Item, _ arguments: Arguments) throws(Fault) -> Item {
    switch function {
    case .undefined(let value): throw value.fault
    case .macro(let macro): return .text(try call(macro, arguments))
    case .function(let name): return try call(name, arguments)
    case .method(let method): return try call(method, arguments)
    case .loop(let loop):
      guard let block = loop.block else {
        throw .value("only a loop that is 'recursive' can be called")
      }
      let values = try arguments.taken(["iterable"], required: 1, by: "loop")
      return .text(
        try calling { () throws(Fault) in
          let was = output
          output = []
          captures += 1
          defer {
            output = was
            captures -= 1
          }
          try within(loop.scope) { () throws(Fault) in
            try run(block, over: values[0] ?? .none, level: loop.level + 1)
          }
          return output
        })
    case .joiner(let joiner):
      guard joiner.isUsed else {
        joiner.isUsed = true
        return .text([])
      }
      return joiner.separator
    default: throw .value("\(function.kind) cannot be called")
    }
  }

  private func call(_ macro: Macro, _ arguments: Arguments) throws(Fault) -> Text {
    let definition = macro.definition
    let name = definition.name ?? "caller"
    let scope = Scope(macro.scope)
    var rest = arguments.keywords
    func take(_ name: String) -> Item? {
      rest.firstIndex { $0.name == name }.map { rest.remove(at: $0).value }
    }
    let parameters = definition.parameters
    var given: [Item?] = Array(arguments.positional.prefix(parameters.count))
    for parameter in parameters.dropFirst(given.count) { given.append(take(parameter)) }
    if definition.reads.contains("caller"), !parameters.contains("caller") {
      scope.set("caller", take("caller") ?? .undefined(Undefined("no caller is defined")))
    }
    if definition.reads.contains("kwargs"), !parameters.contains("kwargs") {
      scope.set(
        "kwargs", .dictionary(try Dictionary(rest.map { (.text($0.name), $0.value) })))
    } else if let first = rest.first {
      throw .value("the macro '\(name)' has no argument '\(first.name)'")
    }
    if definition.reads.contains("varargs"), !parameters.contains("varargs") {
      scope.set("varargs", try .tuple(Array(arguments.positional.dropFirst(parameters.count))))
    } else if arguments.positional.count > parameters.count {
      throw .value("the macro '\(name)' takes at most \(parameters.count) arguments")
    }
    return try calling { () throws(Fault) in
      try within(scope) { () throws(Fault) in
        let firstDefault = parameters.count - definition.defaults.count
        for (index, parameter) in parameters.enumerated() {
          if let value = given[index] {
            scope.set(parameter, value)
          } else if index >= firstDefault {
            scope.set(parameter, try evaluate(definition.defaults[index - firstDefault]))
          } else {
            scope.set(
              parameter, .undefined(Undefined("the argument '\(parameter)' was not given")))
          }
        }
        return try captured(in: scope, definition.body).text
      }
    }
  }

  // MARK: - Functions

  /// The most numbers of a `range`, jinja2's own limit in a sandbox.
  private static let longestRange = 100_000

  private func call(_ name: String, _ arguments: Arguments) throws(Fault) -> Item {
    switch name {
    case "range":
      guard arguments.keywords.isEmpty, (1...3).contains(arguments.positional.count) else {
        throw .value("'range' takes one to three whole numbers")
      }
      var numbers: [Int] = []
      for item in arguments.positional {
        if case .undefined(let value) = item { throw value.fault }
        guard let number = item.integer else {
          throw .value("'range' takes whole numbers, not \(item.kind)")
        }
        guard number.magnitude < 1 << 61 else { throw .limit("a 'range' of such numbers") }
        numbers.append(number)
      }
      let range = Stretch(
        start: numbers.count > 1 ? numbers[0] : 0, stop: numbers[numbers.count > 1 ? 1 : 0],
        step: numbers.count > 2 ? numbers[2] : 1)
      guard range.step != 0 else { throw .value("the step of a 'range' must not be 0") }
      guard range.count <= Self.longestRange else {
        throw .limit("a 'range' has more than \(Self.longestRange) numbers")
      }
      return .range(range)
    case "dict": return .dictionary(try dictionary(arguments, by: name))
    case "namespace":
      let values = try dictionary(arguments, by: name).pairs
      for (key, _) in values {
        if case .text(let text) = key { try Self.checkNamespaceName(text.string) }
      }
      return keep(Namespace(values.map { (name: $0.key, value: $0.value) }))
    case "cycler":
      guard arguments.keywords.isEmpty, !arguments.positional.isEmpty else {
        throw .value("'cycler' takes at least one value")
      }
      return .cycler(Cycler(try Items(arguments.positional)))
    case "joiner":
      return .joiner(Joiner(try arguments.taken(["sep"], by: name)[0] ?? .text(", ")))
    case "raise_exception":
      let message = try arguments.taken(["message"], required: 1, by: name)[0] ?? .none
      throw Fault(.raised, try written(message).string)
    case "strftime_now":
      let format = try arguments.taken(["format"], required: 1, by: name)[0] ?? .none
      guard case .text(let text) = format else {
        throw .value("'strftime_now' takes a text, not \(format.kind)")
      }
      return .text(try now().written(text))
    default: throw .notBuilt("the function '\(name)'")
    }
  }

  private func dictionary(
    _ arguments: Arguments, by name: String
  ) throws(Fault) -> Dictionary {
    guard arguments.positional.count <= 1 else {
      throw .value("'\(name)' takes at most one value without a name")
    }
    var pairs: [(key: Item, value: Item)] = []
    switch arguments.positional.first {
    case nil: break
    case .dictionary(let dictionary)?: pairs = dictionary.pairs
    case .namespace?: throw .value("a namespace cannot be copied")
    case let item?:
      let iteration = try iterate(item)
      while let pair = try iteration.next() {
        let values = try values(of: pair)
        guard values.count == 2 else { throw .value("'\(name)' takes pairs of key and value") }
        pairs.append((values[0], values[1]))
      }
    }
    pairs += arguments.keywords.map { (.text($0.name), $0.value) }
    try charge(8 * pairs.count)
    return try Dictionary(pairs)
  }

  // MARK: - Methods

  private func call(_ method: Method, _ arguments: Arguments) throws(Fault) -> Item {
    switch method.receiver {
    case .text(let text): return try call(method.name, of: text, arguments)
    case .dictionary(let dictionary): return try call(method.name, of: dictionary, arguments)
    case .list(let items), .tuple(let items):
      if method.name == "copy" {
        _ = try arguments.taken([], by: "copy")
        return try .list(items.values)
      }
      return try search(method.name, in: items.values, arguments)
    case .range(let range):
      return try search(method.name, in: (0..<range.count).map { .integer(range[$0]) }, arguments)
    case .loop(let loop): return try call(method.name, of: loop, arguments)
    case .float(let number) where method.name == "is_integer":
      _ = try arguments.taken([], by: method.name)
      return .bool(number.isFinite && number == number.rounded())
    case .cycler(let cycler):
      _ = try arguments.taken([], by: method.name)
      let count = cycler.items.values.count
      let item = cycler.items.values[cycler.position]
      cycler.position = method.name == "reset" ? 0 : (cycler.position + 1) % count
      return method.name == "reset" ? .none : item
    case .function("dict"):
      let values = try arguments.taken(["", "value"], required: 1, by: "fromkeys")
      var pairs: [(key: Item, value: Item)] = []
      for key in try self.values(of: values[0] ?? .none) { pairs.append((key, values[1] ?? .none)) }
      return .dictionary(try Dictionary(pairs))
    default: throw .notBuilt("the method '\(method.name)' of \(method.receiver.kind)")
    }
  }

  private func search(
    _ name: String, in values: [Item], _ arguments: Arguments
  ) throws(Fault) -> Item {
    try charge(values.count)
    if name == "count" {
      let sought = try arguments.taken([""], required: 1, by: name)[0] ?? .none
      var count = 0
      for value in values where try equal(value, sought) { count += 1 }
      return .integer(count)
    }
    let given = try arguments.taken(["", "", ""], required: 1, by: name)
    guard given[1] == nil else { throw .notBuilt("'index' of a part of a list") }
    for (index, value) in values.enumerated() where try equal(value, given[0] ?? .none) {
      return .integer(index)
    }
    throw .value("\(try represented(given[0] ?? .none).string) is not in the list")
  }

  private func call(
    _ name: String, of dictionary: Dictionary, _ arguments: Arguments
  ) throws(Fault) -> Item {
    switch name {
    case "get":
      let given = try arguments.taken(["", ""], required: 1, by: name)
      return try dictionary[given[0] ?? .none] ?? given[1] ?? .none
    case "keys", "values", "items":
      _ = try arguments.taken([], by: name)
      return .view(View(dictionary: dictionary, part: View.Part(rawValue: name) ?? .items))
    case "copy":
      _ = try arguments.taken([], by: name)
      return .dictionary(dictionary)
    default: throw .notBuilt("the method '\(name)' of a dictionary")
    }
  }

  private func call(
    _ name: String, of loop: Loop, _ arguments: Arguments
  ) throws(Fault) -> Item {
    guard arguments.keywords.isEmpty else {
      throw .value("'loop.\(name)' takes no arguments with names")
    }
    let values = arguments.positional
    if name == "cycle" {
      guard !values.isEmpty else { throw .value("'loop.cycle' needs at least one value") }
      return values[loop.index % values.count]
    }
    if let last = loop.lastChanged, try equal(try .tuple(last), try .tuple(values)) {
      return .bool(false)
    }
    loop.lastChanged = values
    return .bool(true)
  }
}
