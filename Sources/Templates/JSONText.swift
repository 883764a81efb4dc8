/// Writes values as Python's `json.dumps` does.
struct JSONText {
  let renderer: Renderer
  var ensuresASCII = false
  /// What a level is indented by; nil for one line.
  var indent: Text?
  var (itemSeparator, keySeparator): (Text, Text) = ([",", " "], [":", " "])
  var sortsKeys = false
  private(set) var text = Text()

  init(renderer: Renderer) { self.renderer = renderer }

  mutating func write(_ item: Item, level: Int = 0) throws(Fault) {
    try renderer.enter()
    defer { renderer.leave() }
    switch item {
    case .none: text += Text("null")
    case .bool(let truth): text += Text(truth ? "true" : "false")
    case .integer(let number): text += Text(String(number))
    case .float(let number): text += Self.number(number)
    case .text(let value), .markup(let value):
      try renderer.charge(value.count)
      quote(value)
    case .list(let items), .tuple(let items):
      try write(items.values.count, "[", "]", level) { (writer, index) throws(Fault) in
        try writer.write(items.values[index], level: level + 1)
      }
    case .dictionary(let dictionary):
      var pairs: [(Text, Item)] = []
      var order = Array(dictionary.pairs)
      if sortsKeys { order = try renderer.sorted(order) { $0.key } }
      for (key, value) in order { pairs.append((try name(key), value)) }
      try write(pairs.count, "{", "}", level) { (writer, index) throws(Fault) in
        writer.quote(pairs[index].0)
        writer.text += writer.keySeparator
        try writer.write(pairs[index].1, level: level + 1)
      }
    default: throw .value("\(item.kind) cannot be written as JSON")
    }
  }

  private static func number(_ number: Double) -> Text {
    number.isNaN
      ? Text("NaN")
      : number.isInfinite ? Text(number < 0 ? "-Infinity" : "Infinity") : Number.written(number)
  }

  private func name(_ key: Item) throws(Fault) -> Text {
    switch key {
    case .text(let text), .markup(let text): return text
    case .none: return Text("null")
    case .bool(let truth): return Text(truth ? "true" : "false")
    case .integer(let number): return Text(String(number))
    case .float(let number): return Self.number(number)
    default: throw .value("\(key.kind) cannot be a name in JSON")
    }
  }

  private mutating func write(
    _ count: Int, _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ level: Int,
    _ entry: (inout Self, Int) throws(Fault) -> Void
  ) throws(Fault) {
    text.append(opening)
    for index in 0..<count {
      if index > 0 { text += itemSeparator }
      try breakLine(level + 1)
      try entry(&self, index)
    }
    if count > 0 { try breakLine(level) }
    text.append(closing)
  }

  private mutating func breakLine(_ level: Int) throws(Fault) {
    guard let indent else { return }
    try renderer.charge(1 + indent.count * level)
    text.append("\n")
    for _ in 0..<level { text += indent }
  }

  private mutating func quote(_ value: Text) {
    text.append("\"")
    for scalar in value {
      switch scalar {
      case "\"", "\\": text += ["\\", scalar]
      case "\n": text += ["\\", "n"]
      case "\r": text += ["\\", "r"]
      case "\t": text += ["\\", "t"]
      case "\u{8}": text += ["\\", "b"]
      case "\u{C}": text += ["\\", "f"]
      default:
        if scalar.value < 0x20 || ensuresASCII && scalar.value > 0x7E {
          for unit in String(scalar).utf16 {
            text += Text("\\u" + Number.hexadecimal(UInt32(unit), digits: 4))
          }
        } else {
          text.append(scalar)
        }
      }
    }
    text.append("\"")
  }
}
