/// What stands behind `|`.
enum Filters {
  /// jinja2's own, with transformers' `tojson`.
  static let known: Set = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e",
    "escape", "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent",
    "int",
    "join", "last", "length", "list", "lower", "items", "map", "min", "max", "pprint", "random",
    "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "slice",
    "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper",
    "urlencode", "urlize", "wordcount", "wordwrap", "xmlattr", "tojson",
  ]
}

extension Renderer {
  func filter(_ name: String, _ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    func none() throws(Fault) { _ = try arguments.taken([], by: name) }
    func text() throws(Fault) -> Text {
      if name != "safe" { try item.refuseMarkup() }
      let text = try written(item)
      try charge(text.count)
      return text
    }
    switch name {
    case "upper":
      try none()
      return .text(try text().uppercased)
    case "lower":
      try none()
      return .text(try text().lowercased)
    case "capitalize":
      try none()
      return .text(try text().capitalized)
    case "string":
      try none()
      if case .markup = item { return item }
      return .text(try text())
    case "safe":
      try none()
      return .markup(try text())
    case "title":
      try none()
      return .text(Self.titled(try text()))
    case "trim":
      return .text(try strip(try text(), try arguments.taken(["chars"], by: name)[0], by: name))
    case "replace":
      let given = try arguments.taken(["old", "new", "count"], required: 2, by: name)
      let count = given[2] ?? .none
      return .text(
        try replace(
          try text(), try written(given[0] ?? .none), try written(given[1] ?? .none),
          count.isNone ? -1 : try number(count, by: name)))
    case "indent": return .text(try indented(item, arguments))
    case "center":
      let width = try number(try arguments.taken(["width"], by: name)[0] ?? .integer(80), by: name)
      return .text(try justified(try text(), width, " ", "center"))
    case "truncate": return try truncated(item, arguments)
    case "wordcount":
      try none()
      var (count, isInWord) = (0, false)
      let words = try text()
      for scalar in words {
        let isWord = scalar == "_" || scalar.isPythonLetter || scalar.isPythonNumeric
        if isWord, !isInWord { count += 1 }
        isInWord = isWord
      }
      return .integer(count)
    case "e", "escape", "forceescape":
      try none()
      throw .notBuilt("the filter '\(name)'")
    case "format":
      guard arguments.positional.isEmpty || arguments.keywords.isEmpty else {
        throw .value("'format' takes values with names or without, not both")
      }
      let values: Item
      if arguments.keywords.isEmpty {
        values = try .tuple(arguments.positional)
      } else {
        values = .dictionary(
          try Dictionary(arguments.keywords.map { (.text($0.name), $0.value) }))
      }
      return try percent(try text(), values)
    case "tojson": return .text(try json(item, arguments))
    case "default", "d":
      let given = try arguments.taken(["default_value", "boolean"], by: name)
      var isMissing = item.isUndefined
      if try truth(given[1] ?? .bool(false)) { isMissing = try !truth(item) }
      return isMissing ? given[0] ?? .text([]) : item
    case "int": return try whole(item, arguments)
    case "float":
      let fallback = try arguments.taken(["default"], by: name)[0] ?? .float(0)
      if case .undefined(let value) = item { throw value.fault }
      return float(item).map { .float($0) } ?? fallback
    case "abs":
      try none()
      switch Numeric(item) {
      case .integer(let number)?:
        guard number != Int.min else { throw Self.tooLarge }
        return .integer(abs(number))
      case .float(let number)?: return .float(number.magnitude)
      case nil: throw .value("'abs' takes a number, not \(item.kind)")
      }
    case "round": return try rounded(item, arguments)
    case "attr":
      let given = try arguments.taken(["name"], required: 1, by: name)[0]
      let attribute = try self.text(given, by: name).string
      if case .undefined(let value) = item { throw value.fault }
      return try ownAttribute(attribute, of: item)
        ?? .undefined(Undefined("\(item.kind) has no attribute '\(attribute)'"))
    default: return try sequenceFilter(name, item, arguments)
    }
  }

  /// The filter's own capitals: behind spaces, dashes and opening brackets.
  private static func titled(_ text: Text) -> Text {
    func isBreak(_ scalar: Unicode.Scalar) -> Bool {
      scalar.isPythonSpace || "-({[<".unicodeScalars.contains(scalar)
    }
    var (result, word) = (Text(), Text())
    func close(_ word: Text) -> Text {
      word.isEmpty ? [] : Text([word[0]]).uppercased + Text(word.dropFirst()).lowercased
    }
    for scalar in text {
      if isBreak(scalar) {
        result += close(word)
        word = []
        result.append(scalar)
      } else {
        word.append(scalar)
      }
    }
    return result + close(word)
  }

  private func indented(_ item: Item, _ arguments: Arguments) throws(Fault) -> Text {
    let given = try arguments.taken(["width", "first", "blank"], by: "indent")
    let indent: Text
    if case .text(let text)? = given[0] {
      indent = text
    } else {
      let width = try number(given[0] ?? .integer(4), by: "indent")
      try charge(max(0, width))
      indent = Array(repeating: " ", count: max(0, width))
    }
    let first = try truth(given[1] ?? .bool(false))
    let blank = try truth(given[2] ?? .bool(false))
    let lines = (try text(item, by: "indent") + ["\n"]).lines()
    let (size, overflow) = lines.count.multipliedReportingOverflow(by: indent.count)
    try charge(overflow ? Int.max : size)
    var result = Text()
    for (index, line) in lines.enumerated() {
      if index > 0 {
        result.append("\n")
        if blank || !line.isEmpty { result += indent }
      }
      result += line
    }
    return first ? indent + result : result
  }

  private func truncated(_ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    let given = try arguments.taken(["length", "killwords", "end", "leeway"], by: "truncate")
    let length = try number(given[0] ?? .integer(255), by: "truncate")
    let end = try self.text(given[2] ?? .text("..."), by: "truncate")
    let leeway = given[3].map { $0.isNone } ?? true ? 5 : try number(given[3], by: "truncate")
    guard length >= end.count, leeway >= 0 else {
      throw .value("'truncate' needs a length of at least \(end.count), and a leeway of at least 0")
    }
    // Whatever has a length is given back where it is short enough; only texts are cut.
    if let count = self.length(of: item),
      count <= length.addingReportingOverflow(leeway).partialValue
    {
      return item
    }
    let head = Text(try text(item, by: "truncate").prefix(length - end.count))
    if try truth(given[1] ?? .bool(false)) { return .text(head + end) }
    return .text(head.splitLast(at: [" "], limit: 1)[0] + end)
  }

  private func json(_ item: Item, _ arguments: Arguments) throws(Fault) -> Text {
    let given = try arguments.taken(
      ["ensure_ascii", "indent", "separators", "sort_keys"], by: "tojson")
    var json = JSONText(renderer: self)
    json.ensuresASCII = try truth(given[0] ?? .bool(false))
    json.sortsKeys = try truth(given[3] ?? .bool(false))
    switch given[1] ?? .none {
    case .none: break
    case .text(let text): json.indent = text
    case let indent:
      let width = try number(indent, by: "tojson")
      try charge(max(0, width))
      json.indent = Array(repeating: " ", count: max(0, width))
    }
    if json.indent != nil { json.itemSeparator = [","] }
    if let separators = given[2], !separators.isNone {
      let pair = try values(of: separators)
      guard pair.count == 2 else { throw .value("'tojson' takes two separators") }
      json.itemSeparator = try text(pair[0], by: "tojson")
      json.keySeparator = try text(pair[1], by: "tojson")
    }
    try json.write(item)
    try charge(json.text.count)
    return json.text
  }

  // MARK: - Numbers

  private func float(_ item: Item) -> Double? {
    if let number = Numeric(item) { return number.double }
    guard case .text(let text) = item else { return nil }
    let digits = text.stripped().filter { $0 != "_" }.string.lowercased()
    let isUnderlined = text.contains("_")
    guard !isUnderlined || Self.hasGoodUnderlines(text.stripped()) else { return nil }
    let body = digits.hasPrefix("-") || digits.hasPrefix("+") ? String(digits.dropFirst()) : digits
    switch body {
    case "inf", "infinity": return digits.hasPrefix("-") ? -.infinity : .infinity
    case "nan": return .nan
    default: break
    }
    guard !body.isEmpty,
      body.utf8.allSatisfy({ (48...57).contains($0) || "e+-.".utf8.contains($0) })
    else { return nil }
    // Swift reads neither ".5" without a digit nor "5.": Python reads both.
    var padded = body.hasPrefix(".") ? "0" + body : body
    if body == "." || body.hasPrefix(".e") { return nil }
    if let point = padded.firstIndex(of: ".") {
      let next = padded.index(after: point)
      if next == padded.endIndex || padded[next] == "e" { padded.insert("0", at: next) }
    }
    guard let number = Double(padded) else { return nil }
    return digits.hasPrefix("-") ? -number : number
  }

  /// Whether underscores stand between digits alone.
  private static func hasGoodUnderlines(_ text: Text) -> Bool {
    func isDigit(_ index: Int) -> Bool {
      text.indices.contains(index) && ("0"..."9").contains(text[index])
    }
    return text.indices.allSatisfy { text[$0] != "_" || isDigit($0 - 1) && isDigit($0 + 1) }
  }

  private func whole(_ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    let given = try arguments.taken(["default", "base"], by: "int")
    let fallback = given[0] ?? .integer(0)
    let base = try number(given[1] ?? .integer(10), by: "int")
    if case .undefined(let value) = item { throw value.fault }
    if case .text(let text) = item {
      guard base == 10 else { throw .notBuilt("'int' with another base than 10") }
      let stripped = text.stripped()
      guard stripped.allSatisfy({ $0.value < 128 }) else {
        if stripped.contains(where: \.isPythonDecimal) {
          throw .notBuilt("'int' of digits outside ASCII")
        }
        return fallback
      }
      let body =
        stripped.first == "-" || stripped.first == "+" ? Text(stripped.dropFirst()) : stripped
      if !body.isEmpty, body.allSatisfy({ ("0"..."9").contains($0) || $0 == "_" }),
        Self.hasGoodUnderlines(body)
      {
        guard let number = Int(stripped.filter { $0 != "_" }.string) else { throw Self.tooLarge }
        return .integer(number)
      }
    } else if let number = item.integer {
      return .integer(number)
    }
    guard let number = float(item) else { return fallback }
    if case .float = item, number.isInfinite { return fallback }
    guard number.isFinite else { return fallback }
    guard let whole = Int(exactly: number.rounded(.towardZero)) else { throw Self.tooLarge }
    return .integer(whole)
  }

  private func rounded(_ item: Item, _ arguments: Arguments) throws(Fault) -> Item {
    let given = try arguments.taken(["precision", "method"], by: "round")
    let precision = try number(given[0] ?? .integer(0), by: "round")
    let method = try text(given[1] ?? .text("common"), by: "round").string
    guard ["common", "ceil", "floor"].contains(method) else {
      throw .value("'round' knows 'common', 'ceil' and 'floor', not '\(method)'")
    }
    if case .undefined(let value) = item { throw value.fault }
    guard let number = Numeric(item) else {
      throw .value("'round' takes a number, not \(item.kind)")
    }
    if method != "common" {
      guard (0...15).contains(precision) else { throw .notBuilt("'round' to so many digits") }
      var scale = 1.0
      for _ in 0..<precision { scale *= 10 }
      let value = number.double * scale
      guard value.isFinite else { throw .value("'round' takes a finite number") }
      return .float((method == "ceil" ? value.rounded(.up) : value.rounded(.down)) / scale)
    }
    switch number {
    case .integer(let whole):
      guard precision >= 0 else { throw .notBuilt("'round' to tens") }
      return .integer(whole)
    case .float(let value):
      guard precision >= 0, precision <= 300, value.magnitude < 1e30 else {
        throw .notBuilt("'round' of such a number")
      }
      let text = try Number.fixed(value.magnitude, digits: precision).string
      return .float((Double(text) ?? 0) * (value.sign == .minus ? -1 : 1))
    }
  }
}
