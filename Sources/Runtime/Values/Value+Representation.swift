internal import Budget
internal import Language
internal import Tensors

extension Value {
  /// The value as it would be typed: Python's `repr`.
  public var represented: String { Representation.begun(self, quoted: true) }

  /// The value as `print` writes it: Python's `str`.
  public var plain: String { Representation.begun(self, quoted: false) }

  /// The value after "not" in a message: short, and saying what it is.
  public var inMessage: String {
    switch self {
    case .tensor(let tensor, _): return "a tensor of shape \(tensor.shape)"
    case .function(let function): return "the function \(function.name)"
    case .command(let command): return "the command \(command.name)"
    case .object(let object as DiscreteTensor):
      return "a \(object.kind.noun) of shape \(object.numbers.shape)"
    case .object(let object): return "\(Wording.article(object.typeName)) \(object.typeName)"
    case .list(let list) where list.count > 20: return "a list of \(list.count) elements"
    case .tuple(let values) where values.count > 20: return "a tuple of \(values.count) elements"
    case .dictionary(let mapping) where mapping.count > 20: return "a dict of \(mapping.count) keys"
    default:
      // A character has many bytes at most where somebody made it so.
      let text = Representation.begun(self, quoted: true, limit: 1000)
      guard text.count > 60 || text.utf8.count > 1000 else { return text }
      return "\(Wording.article(typeName)) \(typeName) \(text.prefix(50))…".bounded()
    }
  }
}

/// Writes values as Python does, into one text that grows at its end.
struct Representation {
  /// Containers being written, outermost first: one inside itself is written as `[...]`.
  private var open: [ObjectIdentifier] = []
  private var out = ""
  /// With how many bytes writing ends early.
  private let limit: Int
  /// How many bytes may be written until memory is asked for again.
  private var room = 1 << 20
  private var steps = 0

  private init(limit: Int) { self.limit = limit }

  /// The value in full.
  ///
  /// - Throws: `MemoryShortage`; `CancellationError` where the session was asked to stop.
  static func text(of value: Value, quoted: Bool, _ session: Session) throws -> String {
    if let text = value.text, !quoted { return text }
    var writer = Representation(limit: .max)
    try writer.write(value, quoted: quoted)
    return writer.out
  }

  /// The value as far as it can be written: to its end, to `limit` bytes and a little more, or to
  /// where the session was asked to stop.
  static func begun(_ value: Value, quoted: Bool, limit: Int = .max) -> String {
    if let text = value.text, !quoted, limit == .max { return text }
    var writer = Representation(limit: limit)
    try? writer.write(value, quoted: quoted)
    return writer.out
  }

  private var isFull: Bool { out.utf8.count > limit }

  /// Asks now and then whether to go on, and for the memory of what is written.
  private mutating func step() throws {
    steps += 1
    if steps & 0x3FF == 0 { try Stop.check() }
    guard out.utf8.count >= room else { return }
    try MemoryGate.take(4 * room, for: "a text of \(out.utf8.count) bytes")
    room *= 2
  }

  private mutating func write(_ value: Value, quoted: Bool) throws {
    try step()
    switch value {
    case .none: out += "None"
    case .bool(let truth): out += truth ? "True" : "False"
    case .integer(let number): out += number.description
    case .float(let number): out += Self.float(number)
    case .text(let text): if quoted { try quote(text.string) } else { out += text.string }
    case .list(let list):
      let id = ObjectIdentifier(list)
      guard !open.contains(id), open.count < 200 else { return out += "[...]" }
      open.append(id)
      defer { open.removeLast() }
      try write(list.values, between: "[", "]")
    case .tuple(let values): try write(values, between: "(", values.count == 1 ? ",)" : ")")
    case .dictionary(let mapping):
      let id = ObjectIdentifier(mapping)
      guard !open.contains(id), open.count < 200 else { return out += "{...}" }
      open.append(id)
      defer { open.removeLast() }
      out += "{"
      let (keys, values) = (mapping.keys, mapping.values)
      for place in 0..<min(keys.count, values.count) {
        if isFull { return }
        if place > 0 { out += ", " }
        try write(keys[place], quoted: true)
        out += ": "
        try write(values[place], quoted: true)
      }
      out += "}"
    case .range(let range):
      out += "range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))")
    case .slice(let slice):
      let parts = [slice.start, slice.stop, slice.step].map { $0.map { "\($0)" } ?? "None" }
      out += "slice(\(parts.joined(separator: ", ")))"
    case .ellipsis: out += "Ellipsis"
    case .tensor(let tensor, _): out += "Tensor" + "\(tensor.shape)"
    case .function(let function):
      out += function.isType ? "<class '\(function.name)'>" : "<function \(function.name)>"
    case .command(let command): out += "<command \(command.name)>"
    case .object(let object): out += object.brief
    }
  }

  private mutating func write(_ values: [Value], between start: String, _ end: String) throws {
    out += start
    for place in values.indices {
      if isFull { return }
      if place > 0 { out += ", " }
      try write(values[place], quoted: true)
    }
    out += end
  }

  /// A float as Python's `repr` writes it: shortest digits, an exponent from 1e16 and below 1e-4.
  static func float(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    // Between these Swift writes the same.
    if number.magnitude >= 1e-4, number.magnitude < 0x1p53 { return number.description }
    let (digits, exponent) = shortest(number.magnitude)
    let sign = number.sign == .minus ? "-" : ""
    if number == 0 { return sign + "0.0" }
    if exponent < -4 || exponent >= 16 {
      let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
      let power = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
      return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power)"
    }
    if exponent < 0 {
      return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits
    }
    if digits.count <= exponent + 1 {
      return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) + ".0"
    }
    return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
  }

  /// The shortest decimal digits that give the number back, and the power of ten of the first.
  private static func shortest(_ number: Double) -> (digits: String, exponent: Int) {
    var mantissa = "\(number)"
    var exponent = 0
    if let mark = mantissa.firstIndex(of: "e") {
      exponent = Int(mantissa[mantissa.index(after: mark)...]) ?? 0
      mantissa = String(mantissa[..<mark])
    }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(parts[0])
    var digits = whole + (parts.count > 1 ? parts[1] : "")
    exponent += whole.count - 1
    while digits.hasPrefix("0"), digits.count > 1 {
      digits.removeFirst()
      exponent -= 1
    }
    while digits.hasSuffix("0"), digits.count > 1 { digits.removeLast() }
    return (digits, exponent)
  }

  /// Text in quotes as Python's `repr` writes it.
  private mutating func quote(_ text: String) throws {
    let (hasSingle, hasDouble) = (text.utf8.contains(0x27), text.utf8.contains(0x22))
    let mark: Unicode.Scalar = hasSingle && !hasDouble ? "\"" : "'"
    out.unicodeScalars.append(mark)
    for scalar in text.unicodeScalars {
      switch scalar {
      case mark, "\\": out += "\\\(scalar)"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default:
        if Self.isPrintable(scalar) {
          out.unicodeScalars.append(scalar)
        } else {
          let hex = String(scalar.value, radix: 16)
          let (letter, width) =
            scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
          out += "\\\(letter)" + String(repeating: "0", count: width - hex.count) + hex
        }
      }
      try step()
      if isFull { return }
    }
    out.unicodeScalars.append(mark)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return scalar.value >= 0x20 && scalar.value < 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }
}

extension Wording {
  static func article(_ noun: String) -> String {
    "aeiouAEIOU".contains(noun.prefix(1)) && !noun.isEmpty ? "an" : "a"
  }

  static func nearest(_ name: String, _ names: [String]) -> String? {
    NearestName.hint(name, among: names)
  }
}
