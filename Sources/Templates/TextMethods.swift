extension Renderer {
  /// A method of a text, with Python's name, arguments and result.
  func call(
    _ name: String, of text: Text, _ arguments: Arguments
  ) throws(Fault) -> Item {
    try charge(text.count)
    func none() throws(Fault) { _ = try arguments.taken([], by: name) }
    func all(_ test: (Unicode.Scalar) -> Bool) throws(Fault) -> Item {
      try none()
      return .bool(!text.isEmpty && text.allSatisfy(test))
    }
    switch name {
    case "upper":
      try none()
      return .text(text.uppercased)
    case "lower":
      try none()
      return .text(text.lowercased)
    case "capitalize":
      try none()
      return .text(text.capitalized)
    case "title":
      try none()
      return .text(text.titled)
    case "swapcase":
      try none()
      return .text(
        text.indices.flatMap { index -> Text in
          text[index].properties.isUppercase
            ? text.lowered(at: index) : Text(text[index].properties.uppercaseMapping)
        })
    case "strip", "lstrip", "rstrip":
      let given = try arguments.taken([""], by: name)[0]
      return .text(
        try strip(text, given, left: name != "rstrip", right: name != "lstrip", by: name))
    case "split", "rsplit": return try split(text, fromEnd: name == "rsplit", arguments, name)
    case "splitlines":
      let given = try arguments.taken(["keepends"], by: name)[0] ?? .bool(false)
      return try .list(text.lines(keepingEnds: try truth(given)).map { .text($0) })
    case "startswith", "endswith":
      let given = try arguments.taken(["", "", ""], required: 1, by: name)
      let part = try range(of: text, given[1], given[2], by: name)
      guard let part else { return .bool(false) }
      let candidates: [Item]
      if case .tuple(let items)? = given[0] {
        candidates = items.values
      } else {
        candidates = [given[0] ?? .none]
      }
      for candidate in candidates {
        let other = try self.text(candidate, by: name)
        if name == "startswith"
          ? part.starts(with: other) : part.reversed().starts(with: other.reversed())
        {
          return .bool(true)
        }
      }
      return .bool(false)
    case "find", "index", "rfind", "rindex", "count":
      let given = try arguments.taken(["", "", ""], required: 1, by: name)
      let other = try self.text(given[0], by: name)
      let (start, stop) = try bounds(text.count, given[1], given[2], by: name)
      if name == "count" {
        guard start <= stop else { return .integer(0) }
        return .integer(
          other.isEmpty ? stop - start + 1 : Text(text[start..<stop]).split(at: other).count - 1)
      }
      let place =
        start <= stop
        ? name.hasPrefix("r")
          ? text.findLast(other, from: start, to: stop) : text.find(other, from: start, to: stop)
        : nil
      guard let place else {
        if name.hasSuffix("find") { return .integer(-1) }
        throw .value("the text that '\(name)' looks for is not there")
      }
      return .integer(place)
    case "replace":
      let given = try arguments.taken(["", "", ""], required: 2, by: name)
      return .text(
        try replace(
          text, try self.text(given[0], by: name), try self.text(given[1], by: name),
          try number(given[2] ?? .integer(-1), by: name)))
    case "join":
      let given = try arguments.taken([""], required: 1, by: name)[0] ?? .none
      var result = Text()
      for (index, item) in try values(of: given).enumerated() {
        if index > 0 { result += text }
        result += try self.text(item, by: name)
        try charge(text.count)
      }
      try charge(result.count)
      return .text(result)
    case "removeprefix", "removesuffix":
      let other = try self.text(try arguments.taken([""], required: 1, by: name)[0], by: name)
      if name == "removeprefix" {
        return .text(text.starts(with: other) ? Text(text.dropFirst(other.count)) : text)
      }
      let ends = !other.isEmpty && text.reversed().starts(with: other.reversed())
      return .text(ends ? Text(text.dropLast(other.count)) : text)
    case "partition", "rpartition":
      let other = try self.text(try arguments.taken([""], required: 1, by: name)[0], by: name)
      guard !other.isEmpty else { throw .value("'\(name)' needs a text that is not empty") }
      let place = name == "partition" ? text.find(other) : text.findLast(other)
      guard let place else {
        return try .tuple(
          name == "partition"
            ? [.text(text), .text([]), .text([])] : [.text([]), .text([]), .text(text)])
      }
      return try .tuple([
        .text(Text(text[..<place])), .text(other), .text(Text(text[(place + other.count)...])),
      ])
    case "ljust", "rjust", "center":
      let given = try arguments.taken(["", ""], required: 1, by: name)
      let fill = given[1] == nil ? [" "] : try self.text(given[1], by: name)
      guard fill.count == 1 else { throw .value("'\(name)' fills with one character") }
      let width = try number(given[0], by: name)
      return .text(try justified(text, width, fill[0], name))
    case "zfill":
      let width = try number(try arguments.taken([""], required: 1, by: name)[0], by: name)
      let zeros = max(0, width - text.count)
      try charge(zeros)
      let sign = text.first == "-" || text.first == "+" ? 1 : 0
      return .text(
        Text(text.prefix(sign)) + Array(repeating: "0", count: zeros) + text.dropFirst(sign))
    case "expandtabs":
      let size = try number(try arguments.taken(["tabsize"], by: name)[0] ?? .integer(8), by: name)
      var (result, column) = (Text(), 0)
      for scalar in text {
        if scalar == "\t" {
          let count = size > 0 ? size - column % size : 0
          try charge(count)
          result += Array(repeating: " ", count: count)
          column += count
        } else {
          result.append(scalar)
          column = scalar == "\n" || scalar == "\r" ? 0 : column + 1
        }
      }
      return .text(result)
    case "isspace": return try all(\.isPythonSpace)
    case "isalpha": return try all(\.isPythonLetter)
    case "isdecimal": return try all(\.isPythonDecimal)
    case "isdigit": return try all(\.isPythonDigit)
    case "isnumeric": return try all(\.isPythonNumeric)
    case "isalnum": return try all { $0.isPythonLetter || $0.isPythonNumeric }
    case "isascii":
      try none()
      return .bool(text.allSatisfy { $0.value < 128 })
    case "isprintable":
      try none()
      return .bool(text.allSatisfy(\.isPythonPrintable))
    case "islower":
      try none()
      return .bool(text.isLower)
    case "isupper":
      try none()
      return .bool(text.isUpper)
    case "format": return .text(try format(text, arguments))
    default: throw .notBuilt("the method '\(name)' of a text")
    }
  }

  func text(_ item: Item?, by name: String) throws(Fault) -> Text {
    switch item ?? .none {
    case .text(let text): return text
    case .markup: throw .notBuilt("going on with a text marked safe")
    case .undefined(let value): throw value.fault
    case let item: throw .value("'\(name)' takes a text, not \(item.kind)")
    }
  }

  func number(_ item: Item?, by name: String) throws(Fault) -> Int {
    if case .undefined(let value)? = item { throw value.fault }
    guard let number = item?.integer else {
      throw .value("'\(name)' takes a whole number, not \((item ?? .none).kind)")
    }
    return number
  }

  func strip(
    _ text: Text, _ given: Item?, left: Bool = true, right: Bool = true, by name: String
  ) throws(Fault) -> Text {
    guard let given, !given.isNone else { return text.stripped(left: left, right: right) }
    let set = Set(try self.text(given, by: name))
    return text.stripped({ set.contains($0) }, left: left, right: right)
  }

  func replace(_ text: Text, _ old: Text, _ new: Text, _ count: Int) throws(Fault) -> Text {
    if new.count > old.count {
      let places = old.isEmpty ? text.count + 1 : text.count / old.count
      let (growth, overflow) = places.multipliedReportingOverflow(by: new.count)
      // Only what could be large is counted beforehand.
      if overflow || growth > 1 << 20 {
        let found = old.isEmpty ? places : text.split(at: old).count - 1
        let (size, over) = found.multipliedReportingOverflow(by: new.count)
        try charge(over ? Int.max : size)
      }
    }
    let result = text.replacing(old, with: new, count: count)
    try charge(result.count)
    return result
  }

  private func split(
    _ text: Text, fromEnd: Bool, _ arguments: Arguments, _ name: String
  ) throws(Fault) -> Item {
    let given = try arguments.taken(["sep", "maxsplit"], by: name)
    let limit = try number(given[1] ?? .integer(-1), by: name)
    let parts: [Text]
    if let separator = given[0], !separator.isNone {
      let separator = try self.text(separator, by: name)
      guard !separator.isEmpty else { throw .value("'\(name)' needs a text that is not empty") }
      parts =
        fromEnd
        ? text.splitLast(at: separator, limit: limit) : text.split(at: separator, limit: limit)
    } else {
      parts = fromEnd ? text.lastWords(limit: limit) : text.words(limit: limit)
    }
    try charge(8 * parts.count)
    return try .list(parts.map { .text($0) })
  }

  private func bounds(
    _ count: Int, _ start: Item?, _ stop: Item?, by name: String
  ) throws(Fault) -> (Int, Int) {
    func clamp(_ item: Item?, _ missing: Int) throws(Fault) -> Int {
      guard let item, !item.isNone else { return missing }
      let number = try number(item, by: name)
      return number < 0 ? max(0, number + count) : number
    }
    return (try clamp(start, 0), min(count, try clamp(stop, count)))
  }

  private func range(
    of text: Text, _ start: Item?, _ stop: Item?, by name: String
  ) throws(Fault) -> Text? {
    let (start, stop) = try bounds(text.count, start, stop, by: name)
    return start <= stop ? Text(text[start..<stop]) : nil
  }

  func justified(
    _ text: Text, _ width: Int, _ fill: Unicode.Scalar, _ name: String
  ) throws(Fault) -> Text {
    let missing = width - text.count
    guard missing > 0 else { return text }
    try charge(missing)
    // Python's own rounding: the odd one goes left where the width is odd.
    let left = name == "ljust" ? 0 : name == "rjust" ? missing : missing / 2 + (missing & width & 1)
    return Array(repeating: fill, count: left) + text
      + Array(repeating: fill, count: missing - left)
  }
}

extension [Unicode.Scalar] {
  /// Words with a capital, as Python's `str.title`: a word goes on as long as letters with case do.
  var titled: Text {
    var result = Text()
    var isInWord = false
    for (index, scalar) in enumerated() {
      result += isInWord ? lowered(at: index) : Text(scalar.properties.titlecaseMapping)
      isInWord = scalar.properties.isCased
    }
    return result
  }

  var isLower: Bool {
    contains { $0.properties.isLowercase }
      && allSatisfy {
        !$0.properties.isUppercase && $0.properties.generalCategory != .titlecaseLetter
      }
  }

  var isUpper: Bool {
    contains { $0.properties.isUppercase }
      && allSatisfy {
        !$0.properties.isLowercase && $0.properties.generalCategory != .titlecaseLetter
      }
  }
}
