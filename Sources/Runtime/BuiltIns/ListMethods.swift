/// The methods of `list`, all of which change it in place but `index`, `count` and `copy`.
enum ListMethods {
  static let names = [
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
  ]

  static func method(_ list: List, _ name: String) -> Callable? {
    switch name {
    case "append":
      return Callable(name, "Adds one element.", .any("object", "The element.")) { session, value in
        try Arithmetic.checkCount(list.count + 1, session)
        list.change { $0.append(value) }
        return .none
      }
    case "extend":
      return Callable(name, "Adds several elements.", .any("iterable", "The elements.")) {
        session, value in
        let more = try Sequences.values(of: value, limit: session.limits.elements)
        try Arithmetic.checkCount(list.count + more.count, session)
        list.change { $0 += more }
        return .none
      }
    case "insert":
      return Callable(
        name, "Adds one element before another.", .integer("index", "Before which one."),
        .any("object", "The element.")
      ) { session, index, value in
        try Arithmetic.checkCount(list.count + 1, session)
        list.change { values in
          let place = index < 0 ? max(0, index + values.count) : min(index, values.count)
          values.insert(value, at: place)
        }
        return .none
      }
    case "pop":
      return Callable(
        name, "Takes one element out and gives it.", .integer("index", default: -1, "Which one.")
      ) { _, index in
        if list.count == 0 { throw RuntimeFailure(.index, "pop from an empty list") }
        let place = try Indexing.position(.integer(index), count: list.count, "list")
        return list.change { $0.remove(at: place) }
      }
    case "remove":
      return Callable(name, "Takes the first equal element out.", .any("value", "The element.")) {
        _, value in
        guard let place = try list.values.firstIndex(where: { try Comparison.isEqual($0, value) })
        else { throw RuntimeFailure(.value, "\(value.inMessage) is not in this list") }
        _ = list.change { $0.remove(at: place) }
        return .none
      }
    case "index":
      return Callable(name, "Where the first equal element is.", .any("value", "The element.")) {
        _, value in
        guard let place = try list.values.firstIndex(where: { try Comparison.isEqual($0, value) })
        else { throw RuntimeFailure(.value, "\(value.inMessage) is not in this list") }
        return .integer(place)
      }
    case "count":
      return Callable(name, "How many elements are equal.", .any("value", "The element.")) {
        _, value in
        .integer(try list.values.count { try Comparison.isEqual($0, value) })
      }
    case "reverse":
      return Callable(name, "Turns the order around.") { _ in
        list.change { $0.reverse() }
        return .none
      }
    case "sort":
      return Callable(
        name, "Puts it in order.", .any("key", default: Value.none, "What to order by."),
        .flag("reverse", "Largest first.")
      ) { session, key, reverse in
        list.values = try Sorting.sorted(list.values, key: key, reverse: reverse, session)
        return .none
      }
    case "copy": return Callable(name, "A list of its own.") { _ in .newList(list.values) }
    case "clear":
      return Callable(name, "Takes everything out.") { _ in
        list.values = []
        return .none
      }
    default: return nil
    }
  }
}

/// The methods of `dict`.
enum MappingMethods {
  static let names = [
    "clear", "copy", "get", "items", "keys", "pop", "setdefault", "update", "values",
  ]

  static func method(_ mapping: Mapping, _ name: String) -> Callable? {
    switch name {
    case "get":
      return Callable(
        name, "The value of a key, or a default.", .any("key", "The key."),
        .any("default", default: Value.none, "What there is otherwise.")
      ) { _, key, fallback in mapping[try Key(key)] ?? fallback }
    case "keys": return Callable(name, "Its keys.") { _ in .newList(mapping.keys) }
    case "values": return Callable(name, "Its values.") { _ in .newList(mapping.values) }
    case "items":
      return Callable(name, "Its keys with their values.") { _ in
        .newList(try mapping.entries.map { try Sequences.tuple([$0.key, $0.value]) })
      }
    case "pop":
      return Callable(unchecked: name, "Takes a key out and gives its value.") { arguments, _ in
        guard let key = arguments.first?.value, arguments.count <= 2 else {
          throw RuntimeFailure(.argument, "pop takes a key, and a value for where it is missing")
        }
        if let value = mapping.remove(try Key(key)) { return value }
        if arguments.count == 2 { return arguments[1].value }
        throw Indexing.missing(key, mapping)
      }
    case "setdefault":
      return Callable(
        name, "The value of a key, set first where it is missing.", .any("key", "The key."),
        .any("default", default: Value.none, "What to set.")
      ) { _, key, fallback in
        let hashed = try Key(key)
        if let value = mapping[hashed] { return value }
        mapping.set(key, hashed, fallback)
        return fallback
      }
    case "update":
      return Callable(name, "Takes over another dict's entries.", .any("other", "A dict.")) {
        _, other in
        guard case .dictionary(let other) = other else {
          throw ArgumentFailure(parameter: "other", "must be a dict, not \(other.inMessage)")
        }
        for (key, value) in other.entries { try mapping.set(key, to: value) }
        return .none
      }
    case "copy":
      return Callable(name, "A dict of its own.") { _ in
        let copy = Mapping()
        for (key, value) in mapping.entries { try copy.set(key, to: value) }
        return .dictionary(copy)
      }
    case "clear":
      return Callable(name, "Takes everything out.") { _ in
        mapping.removeAll()
        return .none
      }
    default: return nil
    }
  }
}

/// Stable sorting by Python's order.
enum Sorting {
  static func sorted(
    _ values: [Value], key: Value, reverse: Bool, _ session: Session
  ) throws -> [Value] {
    var keys = values
    if case .none = key {
    } else {
      keys = try values.map { try session.call(key, [Argument($0)]) }
    }
    // Places are sorted, and equal ones keep their order in either direction.
    var places = Array(values.indices)
    try places.sort { a, b in
      try session.checkCancellation()
      let order = try Comparison.order(keys[a], keys[b], "<") ?? 0
      if order != 0 { return reverse ? order > 0 : order < 0 }
      return a < b
    }
    return places.map { values[$0] }
  }
}
