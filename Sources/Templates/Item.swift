/// A value in a template, with Python's meaning.
enum Item {
  case undefined(Undefined)
  case none
  case bool(Bool)
  case integer(Int)
  case float(Double)
  case text(Text)
  /// What the filter `safe` gives: a text that escapes for HTML whatever is added to it.
  case markup(Text)
  case list(Items)
  case tuple(Items)
  case dictionary(Dictionary)
  case range(Stretch)
  /// What gives its values once, such as what `map` makes.
  case iterator(Iteration)
  /// A dictionary's keys, values or both.
  case view(View)
  case namespace(Namespace)
  case macro(Macro)
  case function(String)
  case method(Method)
  case loop(Loop)
  case cycler(Cycler)
  case joiner(Joiner)

  static func list(_ values: [Item]) throws(Fault) -> Item { .list(try Items(values)) }
  static func tuple(_ values: [Item]) throws(Fault) -> Item { .tuple(try Items(values)) }
  static func text(_ string: String) -> Item { .text(Text(string)) }
}

/// A value that is not there, and why.
final class Undefined {
  let message: String
  init(_ message: String) { self.message = message }
  var fault: Fault { .value(message) }
}

/// The values of a list or tuple, which nothing changes.
final class Items {
  let values: [Item]
  /// How many lists stand in one another, this one counted.
  let depth: Int

  init(_ values: [Item]) throws(Fault) {
    self.values = values
    depth = try Self.depth(over: values)
  }

  /// The deepest that values stand in one another.
  static let deepest = 200

  static func depth(over values: [Item]) throws(Fault) -> Int {
    let depth = 1 + values.reduce(0) { max($0, $1.depth) }
    guard depth <= deepest else {
      throw .limit("values stand in one another more than \(deepest) deep")
    }
    return depth
  }
}

extension Item {
  /// How many values stand in one another.
  var depth: Int {
    switch self {
    case .list(let items), .tuple(let items): items.depth
    case .dictionary(let dictionary): dictionary.depth
    case .iterator(let iteration): iteration.depth
    case .view(let view): view.dictionary.depth
    case .method(let method): method.receiver.depth + 1
    case .cycler(let cycler): cycler.items.depth + 1
    default: 0
    }
  }
}

/// Names or other keys with values, in the order in which they were given.
final class Dictionary {
  let keys: [Item]
  let values: [Item]
  private let places: [Key: Int]
  let depth: Int

  init(_ pairs: [(key: Item, value: Item)]) throws(Fault) {
    var (keys, values, places): ([Item], [Item], [Key: Int]) = ([], [], [:])
    for (key, value) in pairs {
      let hashed = try Key(key)
      if let place = places[hashed] {
        values[place] = value
      } else {
        places[hashed] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    (self.keys, self.values, self.places) = (keys, values, places)
    depth = try Items.depth(over: values + keys)
  }

  subscript(_ key: Item) -> Item? {
    get throws(Fault) { places[try Key(key)].map { values[$0] } }
  }
  subscript(_ name: String) -> Item? { places[.text(Text(name))].map { values[$0] } }
  var count: Int { keys.count }
  var pairs: [(key: Item, value: Item)] { zip(keys, values).map { (key: $0, value: $1) } }
}

/// What finds a value in a dictionary; 1, 1.0 and True are one key, as in Python.
enum Key: Hashable {
  case none
  case integer(Int)
  case float(Double)
  case text(Text)
  case tuple([Key])
  case undefined
  case object(ObjectIdentifier)

  init(_ item: Item) throws(Fault) {
    switch item {
    case .none: self = .none
    case .bool(let truth): self = .integer(truth ? 1 : 0)
    case .integer(let number): self = .integer(number)
    case .float(let number): self = Int(exactly: number).map { .integer($0) } ?? .float(number)
    case .text(let text), .markup(let text): self = .text(text)
    case .tuple(let items):
      var keys: [Key] = []
      for value in items.values { keys.append(try Key(value)) }
      self = .tuple(keys)
    case .undefined: self = .undefined
    case .namespace(let namespace): self = .object(ObjectIdentifier(namespace))
    case .macro(let macro): self = .object(ObjectIdentifier(macro))
    case .list, .dictionary: throw .value("\(item.kind) cannot be a key")
    default: throw .notBuilt("\(item.kind) as a key")
    }
  }
}

/// Whole numbers in even steps.
struct Stretch: Equatable {
  let start: Int
  let stop: Int
  let step: Int

  var count: Int {
    if step > 0 { return start < stop ? (stop - start - 1) / step + 1 : 0 }
    return start > stop ? (start - stop - 1) / -step + 1 : 0
  }
  subscript(_ index: Int) -> Int { start + index * step }
}

/// Values that come one by one, and once.
final class Iteration {
  private var pull: () throws(Fault) -> Item?
  let kind: String
  let depth: Int

  init(
    _ kind: String, over source: [Item] = [], _ pull: @escaping () throws(Fault) -> Item?
  ) throws(Fault) {
    (self.kind, self.pull) = (kind, pull)
    depth = try Items.depth(over: source)
  }

  func next() throws(Fault) -> Item? {
    guard let item = try pull() else {
      // What is over stays over, and lets go of what it held.
      pull = { () throws(Fault) -> Item? in nil }
      return nil
    }
    return item
  }
}

extension Iteration {
  convenience init(_ kind: String, of values: [Item]) throws(Fault) {
    var rest = values[...]
    try self.init(kind, over: values) { () throws(Fault) -> Item? in rest.popFirst() }
  }
}

/// A dictionary's keys, values or both.
struct View {
  enum Part: String { case keys, values, items }
  let dictionary: Dictionary
  let part: Part

  func items() throws(Fault) -> [Item] {
    switch part {
    case .keys: return dictionary.keys
    case .values: return dictionary.values
    case .items:
      var pairs: [Item] = []
      for (key, value) in dictionary.pairs { pairs.append(try .tuple([key, value])) }
      return pairs
    }
  }
}

/// The one thing that a template may change.
final class Namespace {
  var values: [(name: Item, value: Item)]
  init(_ values: [(name: Item, value: Item)]) { self.values = values }

  func value(_ name: String) -> Item? {
    let name = Text(name)
    return values.first { if case .text(let text) = $0.name { text == name } else { false } }?.value
  }

  func set(_ name: String, _ value: Item) {
    let text = Text(name)
    let place = values.firstIndex {
      if case .text(let other) = $0.name { other == text } else { false }
    }
    if let place { values[place].value = value } else { values.append((.text(text), value)) }
  }
}

/// A macro with the variables it was written among.
final class Macro {
  let definition: MacroDefinition
  var scope: Scope?
  init(_ definition: MacroDefinition, scope: Scope) {
    (self.definition, self.scope) = (definition, scope)
  }
}

/// A method of a value.
final class Method {
  let receiver: Item
  let name: String
  init(_ receiver: Item, _ name: String) { (self.receiver, self.name) = (receiver, name) }
}

/// Values that come in turn.
final class Cycler {
  let items: Items
  var position = 0
  init(_ items: Items) { self.items = items }
}

/// A text that is left out the first time.
final class Joiner {
  let separator: Item
  var isUsed = false
  init(_ separator: Item) { self.separator = separator }
}

/// Variables, and those around them.
final class Scope {
  private var names: [(name: String, value: Item)] = []
  let outer: Scope?
  init(_ outer: Scope?) { self.outer = outer }

  func find(_ name: String) -> Item? {
    var scope: Scope? = self
    while let here = scope {
      if let entry = here.names.first(where: { $0.name == name }) { return entry.value }
      scope = here.outer
    }
    return nil
  }

  func set(_ name: String, _ value: Item) {
    if let place = names.firstIndex(where: { $0.name == name }) {
      names[place].value = value
    } else {
      names.append((name, value))
    }
  }

  func clear() { names = [] }
}

extension Item {
  var isUndefined: Bool { if case .undefined = self { true } else { false } }
  var isNone: Bool { if case .none = self { true } else { false } }
  var isText: Bool { if case .text = self { true } else { false } }

  /// What it is, in a reader's words.
  var kind: String {
    switch self {
    case .undefined: "an undefined value"
    case .none: "none"
    case .bool: "true or false"
    case .integer: "a whole number"
    case .float: "a number"
    case .text: "a text"
    case .markup: "a text marked safe"
    case .list: "a list"
    case .tuple: "a tuple"
    case .dictionary: "a dictionary"
    case .range: "a range"
    case .iterator(let iteration): "what '\(iteration.kind)' gives"
    case .view(let view): "a dictionary's \(view.part.rawValue)"
    case .namespace: "a namespace"
    case .macro: "a macro"
    case .function, .method: "a function"
    case .loop: "a loop"
    case .cycler: "a cycler"
    case .joiner: "a joiner"
    }
  }

  /// The number, where it is one; true and false are 1 and 0.
  var integer: Int? {
    switch self {
    case .integer(let number): number
    case .bool(let truth): truth ? 1 : 0
    default: nil
    }
  }
}

extension Item {
  /// What Python compares, hashes and measures: a text marked safe is as good as another there.
  var unmarked: Item { if case .markup(let text) = self { .text(text) } else { self } }

  /// Refuses a text marked safe where its escaping would show.
  func refuseMarkup() throws(Fault) {
    if case .markup = self { throw .notBuilt("going on with \(kind)") }
  }
}
