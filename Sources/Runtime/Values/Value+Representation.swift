internal import Language
internal import Tensors

extension Value {
  /// The value as it would be typed: Python's `repr`.
  public var represented: String { Representation().text(of: self, quoted: true) }

  /// The value as `print` writes it: Python's `str`.
  public var plain: String { Representation().text(of: self, quoted: false) }

  /// The value after "not" in a message: short, and saying what it is.
  public var inMessage: String {
    switch self {
    case .tensor(let tensor, _): return "a tensor of shape \(tensor.shape)"
    case .function(let function): return "the function \(function.name)"
    case .command(let command): return "the command \(command.name)"
    case .object(let object): return "\(Wording.article(object.typeName)) \(object.typeName)"
    case .list(let list) where list.count > 20: return "a list of \(list.count) elements"
    case .tuple(let values) where values.count > 20: return "a tuple of \(values.count) elements"
    case .dictionary(let mapping) where mapping.count > 20: return "a dict of \(mapping.count) keys"
    default:
      let text = represented
      guard text.count > 60 else { return text }
      return "\(Wording.article(typeName)) \(typeName) \(text.prefix(50))…"
    }
  }
}

/// Writes values as Python does.
struct Representation {
  /// Containers being written, outermost first: one inside itself is written as `[...]`.
  private var open: [ObjectIdentifier] = []

  func text(of value: Value, quoted: Bool) -> String {
    var writer = self
    return writer.write(value, quoted: quoted)
  }

  private mutating func write(_ value: Value, quoted: Bool) -> String {
    switch value {
    case .none: return "None"
    case .bool(let truth): return truth ? "True" : "False"
    case .integer(let number): return "\(number)"
    case .float(let number): return Self.float(number)
    case .text(let text): return quoted ? Self.quote(text) : text
    case .list(let list):
      let id = ObjectIdentifier(list)
      guard !open.contains(id), open.count < 200 else { return "[...]" }
      open.append(id)
      defer { open.removeLast() }
      return "[" + list.values.map { write($0, quoted: true) }.joined(separator: ", ") + "]"
    case .tuple(let values):
      if values.count == 1 { return "(" + write(values[0], quoted: true) + ",)" }
      return "(" + values.map { write($0, quoted: true) }.joined(separator: ", ") + ")"
    case .dictionary(let mapping):
      let id = ObjectIdentifier(mapping)
      guard !open.contains(id), open.count < 200 else { return "{...}" }
      open.append(id)
      defer { open.removeLast() }
      let entries = mapping.entries.map {
        write($0.key, quoted: true) + ": " + write($0.value, quoted: true)
      }
      return "{" + entries.joined(separator: ", ") + "}"
    case .range(let range):
      return "range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))")
    case .slice(let slice):
      let parts = [slice.start, slice.stop, slice.step].map { $0.map { "\($0)" } ?? "None" }
      return "slice(\(parts.joined(separator: ", ")))"
    case .ellipsis: return "Ellipsis"
    case .tensor(let tensor, _): return "Tensor" + "\(tensor.shape)"
    case .function(let function):
      return function.isType ? "<class '\(function.name)'>" : "<function \(function.name)>"
    case .command(let command): return "<command \(command.name)>"
    case .object(let object): return object.brief
    }
  }

  /// A float as Python's `repr` writes it: shortest digits, an exponent from 1e16 and below 1e-4.
  static func float(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
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
  static func quote(_ text: String) -> String {
    let mark: Unicode.Scalar = text.contains("'") && !text.contains("\"") ? "\"" : "'"
    var result = String(mark)
    for scalar in text.unicodeScalars {
      switch scalar {
      case mark, "\\": result += "\\\(scalar)"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      default:
        if isPrintable(scalar) {
          result.unicodeScalars.append(scalar)
        } else {
          let hex = String(scalar.value, radix: 16)
          let (letter, width) =
            scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
          result += "\\\(letter)" + String(repeating: "0", count: width - hex.count) + hex
        }
      }
    }
    return result + String(mark)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == " " { return true }
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
