internal import Foundation
internal import Tensors

/// The part after the colon in `f"{x:>8.3f}"`, as in Python's format mini-language.
struct FormatSpecification {
  private var fill: Character = " "
  private var alignment: Character?
  private var sign: Character = "-"
  private var isAlternate = false
  private var width = 0
  private var grouping: Character?
  private var precision: Int?
  private var type: Character?
  private let text: String

  init(_ text: String) throws {
    self.text = text
    var rest = text[...]
    if let second = rest.dropFirst().first, "<>^=".contains(second), let first = rest.first {
      (fill, alignment) = (first, second)
      rest = rest.dropFirst(2)
    } else if let first = rest.first, "<>^=".contains(first) {
      alignment = first
      rest = rest.dropFirst()
    }
    if let first = rest.first, "+- ".contains(first) {
      sign = first
      rest = rest.dropFirst()
    }
    if rest.first == "#" {
      isAlternate = true
      rest = rest.dropFirst()
    }
    if rest.first == "0" {
      if alignment == nil { (fill, alignment) = ("0", "=") }
      rest = rest.dropFirst()
    }
    width = try Self.number(&rest, text) ?? 0
    if let first = rest.first, first == "," || first == "_" {
      grouping = first
      rest = rest.dropFirst()
    }
    if rest.first == "." {
      rest = rest.dropFirst()
      guard let digits = try Self.number(&rest, text) else { throw Self.wrong(text) }
      precision = digits
    }
    type = rest.first
    guard rest.count <= 1 else { throw Self.wrong(text) }
  }

  private static func number(_ rest: inout Substring, _ text: String) throws -> Int? {
    let digits = rest.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty else { return nil }
    rest = rest.dropFirst(digits.count)
    guard let number = Int(digits), number <= 10_000 else {
      throw RuntimeFailure(.value, "the format '\(text)' is wider than 10000 characters")
    }
    return number
  }

  private static func wrong(_ text: String) -> RuntimeFailure {
    RuntimeFailure(
      .value, "'\(text)' is no format",
      notes: ["a format is like >8, .3f, 05d, ,.2f, .1% or .2e; see help('language')"])
  }

  private func unfit(_ value: Value) -> RuntimeFailure {
    RuntimeFailure(
      .value,
      "the format '\(text)' does not fit \(Wording.article(value.typeName)) "
        + "\(value.typeName)")
  }

  func apply(_ value: Value) throws -> String {
    switch value {
    case .text(let text):
      guard type == nil || type == "s", alignment != "=", grouping == nil else {
        throw unfit(value)
      }
      let scalars = text.string.unicodeScalars
      let cut =
        precision.map { String(String.UnicodeScalarView(scalars.prefix($0))) } ?? text.string
      return padded(cut, sign: "", defaultAlignment: "<")
    case .integer, .bool:
      guard let number = value.integer else { throw unfit(value) }
      if case .bool(let truth) = value, type == nil, text.isEmpty {
        return truth ? "True" : "False"
      }
      return try integer(number, value)
    case .float(let number): return try float(number, value)
    default:
      if let tensor = value.tensor, tensor.count == 1 {
        return try float(Double(tensor.elements[0]), value)
      }
      guard text.isEmpty || (type == nil && precision == nil) else { throw unfit(value) }
      return padded(value.plain, sign: "", defaultAlignment: "<")
    }
  }

  private func integer(_ number: Int, _ value: Value) throws -> String {
    let radix: Int
    var prefix = ""
    switch type {
    case nil, "d", "n": radix = 10
    case "b": (radix, prefix) = (2, "0b")
    case "o": (radix, prefix) = (8, "0o")
    case "x": (radix, prefix) = (16, "0x")
    case "X": (radix, prefix) = (16, "0X")
    case "c":
      guard let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init) else {
        throw unfit(value)
      }
      return padded(String(scalar), sign: "", defaultAlignment: "<")
    default: return try float(Double(number), value)
    }
    guard precision == nil else { throw unfit(value) }
    let digits = String(number.magnitude, radix: radix, uppercase: type == "X")
    let body = (isAlternate ? prefix : "")
    return padded(
      grouped(digits, every: radix == 10 ? 3 : 4), sign: signText(number < 0) + body,
      defaultAlignment: ">")
  }

  private func float(_ number: Double, _ value: Value) throws -> String {
    let magnitude = number.magnitude
    var body: String
    switch type {
    case "f", "F": body = printf("f", magnitude, precision ?? 6)
    case "e", "E": body = printf("e", magnitude, precision ?? 6)
    case "g", "G", "n": body = printf("g", magnitude, max(precision ?? 6, 1))
    case "%": body = printf("f", magnitude * 100, precision ?? 6) + "%"
    case nil:
      if let precision {
        body = shortest(magnitude, max(precision, 1))
      } else {
        body = Representation.float(magnitude)
      }
    default: throw unfit(value)
    }
    if !magnitude.isFinite {
      body = (magnitude.isNaN ? "nan" : "inf") + (type == "%" ? "%" : "")
    }
    if type == "E" || type == "G" || type == "F" { body = body.uppercased() }
    if grouping != nil {
      let whole = body.prefix { ("0"..."9").contains($0) }
      body = grouped(String(whole), every: 3) + body.dropFirst(whole.count)
    }
    let negative = number.sign == .minus && !number.isNaN
    return padded(body, sign: signText(negative), defaultAlignment: ">")
  }

  private func printf(_ letter: String, _ number: Double, _ digits: Int) -> String {
    String(format: "%\(isAlternate ? "#" : "").\(digits)\(letter)", number)
  }

  /// No type but a precision: like `g`, but it always looks like a float.
  private func shortest(_ number: Double, _ digits: Int) -> String {
    let text = String(format: "%.\(digits)g", number)
    guard number.isFinite, !text.contains("e"), !text.contains(".") else { return text }
    guard text.count >= digits else { return text + ".0" }
    var mantissa = String(format: "%.\(digits - 1)e", number)
    guard let mark = mantissa.firstIndex(of: "e") else { return text }
    let exponent = mantissa[mark...]
    mantissa = String(mantissa[..<mark])
    while mantissa.contains("."), mantissa.hasSuffix("0") || mantissa.hasSuffix(".") {
      let last = mantissa.removeLast()
      if last == "." { break }
    }
    return mantissa + exponent
  }

  private func signText(_ isNegative: Bool) -> String {
    isNegative ? "-" : sign == "-" ? "" : String(sign)
  }

  private func grouped(_ digits: String, every count: Int) -> String {
    guard let grouping else { return digits }
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: count) { result.append(grouping) }
      result.append(digit)
    }
    return result
  }

  private func padded(_ body: String, sign: String, defaultAlignment: Character) -> String {
    let missing = width - sign.unicodeScalars.count - body.unicodeScalars.count
    guard missing > 0 else { return sign + body }
    func filling(_ count: Int) -> String { String(repeating: fill, count: count) }
    switch alignment ?? defaultAlignment {
    case "<": return sign + body + filling(missing)
    case "^": return filling(missing / 2) + sign + body + filling(missing - missing / 2)
    case "=": return sign + filling(missing) + body
    default: return filling(missing) + sign + body
    }
  }
}
