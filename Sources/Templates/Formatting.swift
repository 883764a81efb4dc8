extension Renderer {
  /// Python's `format % values`.
  func percent(_ format: Text, _ values: Item) throws(Fault) -> Item {
    var text = Text()
    var rest = format[...]
    var items: [Item]
    if case .tuple(let given) = values { items = given.values } else { items = [values] }
    var next = 0
    var usedNames = false
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        text.append(scalar)
        continue
      }
      var value: Item?
      if rest.first == "(" {
        guard let end = rest.firstIndex(of: ")") else { throw .value("a name has no ')'") }
        let name = Text(rest[(rest.startIndex + 1)..<end])
        rest = rest[(end + 1)...]
        guard case .dictionary(let dictionary) = values else {
          throw .value("'%(…)' needs a dictionary, not \(values.kind)")
        }
        guard let found = try dictionary[.text(name)] else {
          throw .value("there is no '\(name.string)' for '%(…)'")
        }
        value = found
        usedNames = true
      }
      var specification = FormatSpecification()
      while let flag = rest.first, "-+ 0#".unicodeScalars.contains(flag) {
        switch flag {
        case "-": specification.alignment = "<"
        case "+": specification.sign = "+"
        case " ": if specification.sign != "+" { specification.sign = " " }
        case "0": specification.isZeroPadded = true
        default: throw .notBuilt("'#' in a format")
        }
        rest.removeFirst()
      }
      if rest.first == "*" { throw .notBuilt("'*' in a format") }
      specification.width = try takeNumber(&rest)
      if rest.first == "." {
        rest.removeFirst()
        specification.precision = try takeNumber(&rest) ?? 0
      }
      while let letter = rest.first, "hlL".unicodeScalars.contains(letter) { rest.removeFirst() }
      guard let kind = rest.popFirst() else { throw .value("a format ends behind '%'") }
      if kind == "%" {
        text.append("%")
        continue
      }
      if value == nil {
        guard next < items.count else { throw .value("there are too few values for a format") }
        value = items[next]
        next += 1
      }
      guard let value else { continue }
      text += try formatted(value, specification, kind)
    }
    if !usedNames, next < items.count {
      switch values {
      case .dictionary, .list, .range, .view, .undefined: items = []
      default: throw .value("there are too many values for a format")
      }
    }
    try charge(text.count)
    return .text(text)
  }

  private func takeNumber(_ rest: inout ArraySlice<Unicode.Scalar>) throws(Fault) -> Int? {
    var number: Int?
    while let digit = rest.first, ("0"..."9").contains(digit) {
      number = (number ?? 0) * 10 + Int(digit.value - 48)
      guard number ?? 0 <= 1_000_000 else { throw .limit("a width in a format is too large") }
      rest.removeFirst()
    }
    return number
  }

  private func formatted(
    _ value: Item, _ specification: FormatSpecification, _ kind: Unicode.Scalar
  ) throws(Fault) -> Text {
    var specification = specification
    func body(_ sign: String, _ digits: Text) throws(Fault) -> Text {
      if specification.isZeroPadded, specification.alignment == nil {
        specification.fill = "0"
        specification.alignment = "="
      }
      return try specification.padded(sign: Text(sign), digits, default: ">", in: self)
    }
    switch kind {
    case "s", "r", "a":
      if kind == "a" { throw .notBuilt("'%a' in a format") }
      var text = try kind == "s" ? written(value) : represented(value)
      if let precision = specification.precision { text = Text(text.prefix(precision)) }
      return try specification.padded(sign: [], text, default: ">", in: self)
    case "c":
      if case .text(let text) = value, text.count == 1 {
        return try specification.padded(sign: [], text, default: ">", in: self)
      }
      guard let number = value.integer,
        let scalar = UInt32(exactly: number).flatMap(Unicode.Scalar.init)
      else { throw .value("'%c' takes one character") }
      return try specification.padded(sign: [], [scalar], default: ">", in: self)
    case "d", "i", "u", "x", "X", "o":
      if case .undefined(let value) = value { throw value.fault }
      guard let numeric = Numeric(value) else {
        throw .value("'%\(kind)' takes a number, not \(value.kind)")
      }
      var number: Int
      switch numeric {
      case .integer(let whole): number = whole
      case .float(let float):
        guard "diu".unicodeScalars.contains(kind) else {
          throw .value("'%\(kind)' takes a whole number")
        }
        guard float.isFinite, let whole = Int(exactly: float.rounded(.towardZero)) else {
          throw Self.tooLarge
        }
        number = whole
      }
      let radix = kind == "o" ? 8 : "xX".unicodeScalars.contains(kind) ? 16 : 10
      var digits = String(number.magnitude, radix: radix, uppercase: kind == "X")
      if let precision = specification.precision, digits.count < precision {
        digits = String(repeating: "0", count: precision - digits.count) + digits
      }
      let sign = number < 0 ? "-" : specification.sign.map(String.init) ?? ""
      return try body(sign, Text(digits))
    case "f", "F", "e", "E", "g", "G":
      if case .undefined(let value) = value { throw value.fault }
      guard let number = Numeric(value)?.double else {
        throw .value("'%\(kind)' takes a number, not \(value.kind)")
      }
      guard kind == "f" || kind == "F" else { throw .notBuilt("'%\(kind)' in a format") }
      let sign = number.sign == .minus ? "-" : specification.sign.map(String.init) ?? ""
      return try body(
        sign, try Number.fixed(number.magnitude, digits: specification.precision ?? 6))
    default: throw .value("'%\(kind)' is no format")
    }
  }

  // MARK: - str.format

  /// Python's `text.format(…)`.
  func format(_ text: Text, _ arguments: Arguments) throws(Fault) -> Text {
    var result = Text()
    var rest = text[...]
    var (automatic, manual) = (0, false)
    while let scalar = rest.popFirst() {
      if scalar == "}" {
        guard rest.popFirst() == "}" else { throw .value("a single '}' stands in a format") }
        result.append("}")
        continue
      }
      guard scalar == "{" else {
        result.append(scalar)
        continue
      }
      if rest.first == "{" {
        rest.removeFirst()
        result.append("{")
        continue
      }
      guard let end = rest.firstIndex(of: "}") else { throw .value("a '{' has no '}'") }
      let field = Text(rest[..<end])
      rest = rest[(end + 1)...]
      guard !field.contains("{") else { throw .notBuilt("a format within a format") }
      let colon = field.firstIndex(of: ":")
      let head = Text(field[..<(colon ?? field.count)])
      let specification = colon.map { Text(field[($0 + 1)...]) } ?? []
      let mark = head.firstIndex(of: "!")
      let path = Text(head[..<(mark ?? head.count)])
      guard !path.contains(where: { ".[".unicodeScalars.contains($0) }) else {
        throw .notBuilt("an attribute or element in a format")
      }
      let item: Item
      if path.isEmpty || path.allSatisfy({ ("0"..."9").contains($0) }) {
        if path.isEmpty {
          guard !manual else { throw .value("a format counts its fields by itself or not at all") }
        } else {
          guard automatic == 0 else {
            throw .value("a format counts its fields by itself or not at all")
          }
          manual = true
        }
        let index = path.isEmpty ? automatic : Int(path.string) ?? Int.max
        if path.isEmpty { automatic += 1 }
        guard index < arguments.positional.count else {
          throw .value("there are too few values for a format")
        }
        item = arguments.positional[index]
      } else {
        let name = path.string
        guard let found = arguments.keywords.first(where: { $0.name == name })?.value else {
          throw .value("there is no '\(name)' for a format")
        }
        item = found
      }
      var value = item
      if let mark {
        switch Text(head[(mark + 1)...]).string {
        case "s": value = .text(try written(item))
        case "r": value = .text(try represented(item))
        default: throw .notBuilt("'!\(Text(head[(mark + 1)...]).string)' in a format")
        }
      }
      result += try format(value, specification)
      try charge(result.count)
    }
    return result
  }

  private func format(_ item: Item, _ specification: Text) throws(Fault) -> Text {
    if specification.isEmpty { return try written(item) }
    var parsed = FormatSpecification()
    var rest = specification[...]
    func isAlignment(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { "<>^=".unicodeScalars.contains($0) } ?? false
    }
    if rest.count > 1, isAlignment(rest[rest.startIndex + 1]) {
      parsed.fill = rest.removeFirst()
      parsed.alignment = rest.removeFirst()
    } else if isAlignment(rest.first) {
      parsed.alignment = rest.removeFirst()
    }
    if let sign = rest.first, "+- ".unicodeScalars.contains(sign) {
      rest.removeFirst()
      if sign != "-" { parsed.sign = sign }
    }
    if rest.first == "0" {
      rest.removeFirst()
      if parsed.alignment == nil { (parsed.fill, parsed.alignment) = ("0", "=") }
    }
    parsed.width = try takeNumber(&rest)
    if rest.first == "." {
      rest.removeFirst()
      guard let precision = try takeNumber(&rest) else {
        throw .value("a format's '.' needs digits")
      }
      parsed.precision = precision
    }
    let kind = rest.popFirst()
    guard rest.isEmpty else { throw .notBuilt("'\(specification.string)' in a format") }
    switch (item, kind) {
    case (.text(let text), nil), (.text(let text), "s"?):
      guard parsed.alignment != "=", parsed.sign == nil else {
        throw .notBuilt("'\(specification.string)' for a text")
      }
      let cut = parsed.precision.map { Text(text.prefix($0)) } ?? text
      return try parsed.padded(sign: [], cut, default: "<", in: self)
    case (.integer(let number), nil), (.integer(let number), "d"?):
      guard parsed.precision == nil else { throw .value("a whole number takes no precision") }
      let sign = number < 0 ? "-" : parsed.sign.map(String.init) ?? ""
      return try parsed.padded(
        sign: Text(sign), Text("\(number.magnitude)"), default: ">", in: self)
    case (.integer, "f"?), (.float, "f"?):
      let number = Numeric(item)?.double ?? 0
      let sign = number.sign == .minus ? "-" : parsed.sign.map(String.init) ?? ""
      let digits = try Number.fixed(number.magnitude, digits: parsed.precision ?? 6)
      return try parsed.padded(sign: Text(sign), digits, default: ">", in: self)
    default: throw .notBuilt("'\(specification.string)' for \(item.kind)")
    }
  }
}

/// How a value is laid out in a format.
struct FormatSpecification {
  var fill: Unicode.Scalar = " "
  var alignment: Unicode.Scalar?
  var sign: Unicode.Scalar?
  var width: Int?
  var precision: Int?
  var isZeroPadded = false

  func padded(
    sign: Text, _ body: Text, default normal: Unicode.Scalar, in renderer: Renderer
  ) throws(Fault) -> Text {
    let missing = max(0, (width ?? 0) - sign.count - body.count)
    try renderer.charge(missing + body.count)
    func fill(_ count: Int) -> Text { Array(repeating: self.fill, count: count) }
    switch alignment ?? normal {
    case "<": return sign + body + fill(missing)
    case "^": return fill(missing / 2) + sign + body + fill(missing - missing / 2)
    case "=": return sign + fill(missing) + body
    default: return fill(missing) + sign + body
    }
  }
}

extension Number {
  /// A number that is not negative with so many digits behind the point, rounded as it is exactly: a tie that
  /// its binary digits show goes to the even digit.
  static func fixed(_ number: Double, digits: Int) throws(Fault) -> Text {
    guard number.isFinite else { return Text(number.isNaN ? "nan" : "inf") }
    guard digits <= 300, number < 1e30 else { throw .notBuilt("so long a number in a format") }
    // The number is significand * 2^exponent, exactly; its decimal digits are made one by one.
    var whole = number.rounded(.down)
    var rest = number - whole
    var head = Text()
    if whole == 0 { head = ["0"] }
    while whole > 0 {
      let digit = whole.truncatingRemainder(dividingBy: 10)
      head.append(Unicode.Scalar(UInt8(48 + digit)))
      // Exact: the remainder is taken away first, and what is left is a multiple of ten below 2^100.
      whole = ((whole - digit) / 10).rounded()
    }
    var all = Text(head.reversed())
    // `rest` has at most 1074 binary digits: tenfold steps stay exact as a list of decimal digits.
    var fraction = Fraction(rest)
    for _ in 0..<digits { all.append(Unicode.Scalar(UInt8(48 + fraction.nextDigit()))) }
    rest = 0
    if fraction.roundsUp(after: all.last.map { Int($0.value) - 48 } ?? 0) {
      var place = all.count - 1
      while place >= 0, all[place] == "9" {
        all[place] = "0"
        place -= 1
      }
      if place < 0 {
        all.insert("1", at: 0)
      } else {
        all[place] = Unicode.Scalar(UInt8(all[place].value) + 1)
      }
    }
    guard digits > 0 else { return all }
    let point = all.count - digits
    return Text(all[..<point]) + ["."] + all[point...]
  }

  /// A binary fraction below 1, exactly: 32 bits a word, the largest first.
  private struct Fraction {
    private var words: [UInt32] = []

    init(_ number: Double) {
      var rest = number
      while rest > 0 {
        rest *= 4_294_967_296
        let word = rest.rounded(.down)
        words.append(UInt32(word))
        rest -= word
      }
    }

    mutating func nextDigit() -> UInt32 {
      var carry: UInt64 = 0
      for index in words.indices.reversed() {
        let product = UInt64(words[index]) * 10 + carry
        words[index] = UInt32(truncatingIfNeeded: product)
        carry = product >> 32
      }
      return UInt32(carry)
    }

    /// Whether what is left is more than a half, or a half behind an odd digit.
    func roundsUp(after last: Int) -> Bool {
      guard let first = words.first, first >= 1 << 31 else { return false }
      return first > 1 << 31 || words.dropFirst().contains { $0 != 0 } || last % 2 == 1
    }
  }
}
