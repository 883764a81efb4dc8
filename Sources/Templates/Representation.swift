extension Renderer {
  /// What Python's `str` gives.
  func written(_ item: Item) throws(Fault) -> Text {
    switch item {
    case .text(let text), .markup(let text): return text
    case .undefined: return []
    default: return try represented(item)
    }
  }

  /// What Python's `repr` gives.
  func represented(_ item: Item) throws(Fault) -> Text {
    var text = Text()
    try represent(item, into: &text)
    return text
  }

  private func represent(_ item: Item, into text: inout Text) throws(Fault) {
    try enter()
    defer { leave() }
    switch item {
    case .none: text += Text("None")
    case .bool(let truth): text += Text(truth ? "True" : "False")
    case .integer(let number): text += Text(String(number))
    case .float(let number): text += Number.written(number)
    case .text(let value):
      try charge(value.count)
      Self.quote(value, into: &text)
    case .list(let items): try represent(items.values, "[", "]", into: &text)
    case .tuple(let items):
      try represent(items.values, "(", items.values.count == 1 ? ",)" : ")", into: &text)
    case .dictionary(let dictionary): try represent(dictionary.pairs, into: &text)
    case .range(let range):
      text += Text("range(\(range.start), \(range.stop)")
      text += Text(range.step == 1 ? ")" : ", \(range.step))")
    case .view(let view):
      try represent(try view.items(), "dict_\(view.part.rawValue)([", "])", into: &text)
    case .namespace(let namespace):
      text += Text("<Namespace ")
      try represent(namespace.values.map { (key: $0.name, value: $0.value) }, into: &text)
      text.append(">")
    case .undefined: text += Text("Undefined")
    case .macro(let macro):
      text += Text(macro.definition.name.map { "<Macro '\($0)'>" } ?? "<Macro anonymous>")
    case .loop(let loop):
      text += Text("<LoopContext \(loop.index + 1)/\(try loop.length())>")
    default: throw .notBuilt("writing \(item.kind)")
    }
  }

  private func represent(
    _ items: [Item], _ opening: String, _ closing: String, into text: inout Text
  ) throws(Fault) {
    text += Text(opening)
    for (index, item) in items.enumerated() {
      if index > 0 { text += [",", " "] }
      try represent(item, into: &text)
    }
    text += Text(closing)
  }

  private func represent(
    _ pairs: [(key: Item, value: Item)], into text: inout Text
  ) throws(Fault) {
    text.append("{")
    for (index, pair) in pairs.enumerated() {
      if index > 0 { text += [",", " "] }
      try represent(pair.key, into: &text)
      text += [":", " "]
      try represent(pair.value, into: &text)
    }
    text.append("}")
  }

  /// A text between quotes, as Python chooses them.
  static func quote(_ value: Text, into text: inout Text) {
    let quote: Unicode.Scalar = value.contains("'") && !value.contains("\"") ? "\"" : "'"
    text.append(quote)
    for scalar in value {
      switch scalar {
      case quote, "\\": text += ["\\", scalar]
      case "\n": text += ["\\", "n"]
      case "\r": text += ["\\", "r"]
      case "\t": text += ["\\", "t"]
      default:
        if scalar.isPythonPrintable {
          text.append(scalar)
        } else {
          let (mark, length) =
            scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
          text += Text("\\\(mark)" + Number.hexadecimal(scalar.value, digits: length))
        }
      }
    }
    text.append(quote)
  }
}

/// How numbers are written.
enum Number {
  /// The shortest text that reads back equal, with Python's exponents.
  static func written(_ number: Double) -> Text {
    guard number.isFinite else {
      return Text(number.isNaN ? "nan" : number < 0 ? "-inf" : "inf")
    }
    let (digits, point) = digits(of: number.magnitude)
    let sign = number.sign == .minus ? "-" : ""
    if point > -4, point <= 16 {
      if point <= 0 {
        return Text(sign + "0." + String(repeating: "0", count: -point) + digits)
      }
      if digits.count <= point {
        return Text(
          sign + digits + String(repeating: "0", count: point - digits.count) + ".0")
      }
      return Text(sign + digits.prefix(point) + "." + digits.dropFirst(point))
    }
    let power = point - 1
    let shown = power.magnitude < 10 ? "0\(power.magnitude)" : "\(power.magnitude)"
    let rest = digits.dropFirst()
    return Text(
      sign + digits.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e" + (power < 0 ? "-" : "+")
        + shown)
  }

  /// The shortest digits, and how many stand before the point.
  private static func digits(of number: Double) -> (String, Int) {
    guard number != 0 else { return ("0", 1) }
    let parts = number.description.lowercased().split(separator: "e")
    let power = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(mantissa[0])
    var digits = whole + (mantissa.count > 1 ? String(mantissa[1]) : "")
    var point = whole.count + power
    while digits.hasPrefix("0"), digits.count > 1 {
      digits.removeFirst()
      point -= 1
    }
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    return (digits, point)
  }

  static func hexadecimal(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
