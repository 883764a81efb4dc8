internal import Budget

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
        try list.append(contentsOf: [value])
        return .none
      }
    case "extend":
      return Callable(name, "Adds several elements.", .any("iterable", "The elements.")) {
        session, value in
        let more = try Sequences.values(of: value, limit: session.limits.elements)
        try Arithmetic.checkCount(list.count + more.count, session)
        try list.append(contentsOf: more)
        return .none
      }
    case "insert":
      return Callable(
        name, "Adds one element before another.", .integer("index", "Before which one."),
        .any("object", "The element.")
      ) { session, index, value in
        try Arithmetic.checkCount(list.count + 1, session)
        try list.change { values in
          try values.askForRoom()
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
        return list.remove(at: place)
      }
    case "remove":
      return Callable(name, "Takes the first equal element out.", .any("value", "The element.")) {
        _, value in
        let place = try found(value, in: list)
        _ = list.remove(at: place)
        return .none
      }
    case "index":
      return Callable(name, "Where the first equal element is.", .any("value", "The element.")) {
        _, value in
        .integer(try found(value, in: list))
      }
    case "count":
      return Callable(name, "How many elements are equal.", .any("value", "The element.")) {
        _, value in
        var count = 0
        try Comparison.places(of: value, in: list.values) { _ in
          count += 1
          return true
        }
        return .integer(count)
      }
    case "reverse":
      return Callable(name, "Turns the order around.") { _ in
        let values = list.values
        try [Value].askForRoom(of: values.count)
        var turned: [Value] = []
        turned.reserveCapacity(values.count)
        // A list that is stopped half-way stays as it was.
        for (index, value) in values.reversed().enumerated() {
          if index & 0xFFFF == 0xFFFF { try Stop.check() }
          turned.append(value)
        }
        list.values = turned
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
    case "copy":
      return Callable(name, "A list of its own.") { _ in
        // Shared until one of the two is changed.
        try [Value].askForRoom(of: list.count)
        return .newList(list.values)
      }
    case "clear":
      return Callable(name, "Takes everything out.") { _ in
        list.values = []
        return .none
      }
    default: return nil
    }
  }

  private static func found(_ value: Value, in list: List) throws -> Int {
    var found: Int?
    try Comparison.places(of: value, in: list.values) { place in
      found = place
      return false
    }
    guard let found else {
      throw RuntimeFailure(.value, "\(value.inMessage) is not in this list")
    }
    return found
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
    case "keys":
      return Callable(name, "Its keys.") { _ in
        try [Value].askForRoom(of: mapping.count)
        return .newList(mapping.keys)
      }
    case "values":
      return Callable(name, "Its values.") { _ in
        try [Value].askForRoom(of: mapping.count)
        return .newList(mapping.values)
      }
    case "items":
      return Callable(name, "Its keys with their values.") { _ in
        // A tuple is an array of its own.
        try [Value].askForRoom(of: 4 * mapping.count)
        let (keys, values) = mapping.columns
        return .newList(
          try [Value].made(keys.count) { place in
            try Sequences.tuple([keys[place], values[place]])
          })
      }
    case "pop":
      return Callable(
        unchecked: name, takes: "key[, default]", "Takes a key out and gives its value."
      ) { arguments, _ in
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
        try mapping.askForRoom()
        mapping.set(key, hashed, fallback)
        return fallback
      }
    case "update":
      return Callable(name, "Takes over another dict's entries.", .any("other", "A dict.")) {
        _, other in
        guard case .dictionary(let other) = other else {
          throw ArgumentFailure(parameter: "other", "must be a dict, not \(other.inMessage)")
        }
        try mapping.add(other)
        return .none
      }
    case "copy":
      return Callable(name, "A dict of its own.") { _ in
        let copy = Mapping()
        try copy.add(mapping)
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
      try [Value].askForRoom(of: values.count)
      keys = try values.map { value in
        try session.checkCancellation()
        return try session.call(key, [Argument(value)])
      }
    }
    try [Value].askForRoom(of: 4 * values.count)
    if let places = try places(ofTexts: keys, reverse: reverse) {
      return try [Value].made(places.count) { values[places[$0]] }
    }
    // Places are sorted, and equal ones keep their order in either direction.
    var places = Array(values.indices)
    try places.sort { a, b in
      try session.checkCancellation()
      let order = try Comparison.order(keys[a], keys[b], "<") ?? 0
      if order != 0 { return reverse ? order > 0 : order < 0 }
      return a < b
    }
    return try [Value].made(places.count) { values[places[$0]] }
  }

  /// A text as it is compared: by its first eight bytes, and only where these are the same by all.
  private struct TextKey {
    let start: UInt64
    /// Up to 9, which stands for all that are longer.
    let byteCount: Int
    let place: Int

    init(_ text: String, _ place: Int) {
      var start: UInt64 = 0
      for byte in text.utf8.prefix(8) { start = start << 8 | UInt64(byte) }
      let byteCount = min(text.utf8.count, 9)
      // Where a text ends there is less than any byte; after zeros the count decides.
      if byteCount < 8 { start <<= 8 * UInt64(8 - byteCount) }
      (self.start, self.byteCount, self.place) = (start, byteCount, place)
    }
  }

  /// The places of texts in their order; nil where not all are texts.
  private static func places(ofTexts values: [Value], reverse: Bool) throws -> [Int]? {
    var keys: [TextKey] = []
    keys.reserveCapacity(values.count)
    for (place, value) in values.enumerated() {
      if place & 0xFFF == 0 { try Stop.check() }
      guard case .text(let text) = value else { return nil }
      keys.append(TextKey(text.string, place))
    }
    var asked = 0
    try keys.sort { a, b in
      asked &+= 1
      if asked & 0xFFF == 0 { try Stop.check() }
      if a.start != b.start { return reverse ? a.start > b.start : a.start < b.start }
      var order = a.byteCount - b.byteCount
      if a.byteCount == 9, b.byteCount == 9, case .text(let first) = values[a.place],
        case .text(let second) = values[b.place]
      {
        order = Texts.order(first.string, second.string)
      }
      return order == 0 ? a.place < b.place : reverse ? order > 0 : order < 0
    }
    return keys.map(\.place)
  }
}
