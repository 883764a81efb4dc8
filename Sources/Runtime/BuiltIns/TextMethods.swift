internal import Budget

/// The methods of `str`.
enum TextMethods {
  static let names = [
    "capitalize", "center", "count", "endswith", "find", "index", "isalpha", "isdigit", "isspace",
    "join", "ljust", "lower", "lstrip", "replace", "rjust", "rstrip", "split", "splitlines",
    "startswith", "strip", "title", "upper", "zfill",
  ]

  static func method(_ text: String, _ name: String) -> Callable? {
    switch name {
    case "upper":
      return Callable(name, "All letters large.") { _ in
        .text(try Texts.mapped(text) { $0.uppercased() })
      }
    case "lower":
      return Callable(name, "All letters small.") { _ in
        .text(try Texts.mapped(Texts.withFinalSigmas(text)) { $0.lowercased() })
      }
    case "capitalize":
      return Callable(name, "The first letter large.") { _ in
        let text = try Texts.withFinalSigmas(text)
        return .text(
          text.prefix(1).uppercased()
            + (try Texts.mapped(String(text.dropFirst())) { $0.lowercased() }))
      }
    case "title":
      return Callable(name, "Each word's first letter large.") { _ in .text(try titled(text)) }
    case "strip", "lstrip", "rstrip":
      return Callable(
        name, "Without spaces, or `chars`, at its ends.",
        .optional(.text("chars", "What to take away."))
      ) { _, characters in
        .text(
          try Texts.stripped(text, characters, left: name != "rstrip", right: name != "lstrip"))
      }
    case "split":
      return Callable(
        name, "Its parts between separators.", .optional(.text("sep", "Spaces where it is None.")),
        .integer("maxsplit", default: -1, "How often to cut at most.")
      ) { _, separator, limit in
        // A piece takes a value and, where it is longer than a few bytes, its own memory.
        try [Value].askForRoom(of: text.utf8.count / 2 + 1)
        guard let separator else { return try texts(Texts.splitAtSpace(text, limit: limit)) }
        guard !separator.isEmpty else {
          throw ArgumentFailure(parameter: "sep", "must not be empty")
        }
        return try texts(Texts.split(text, by: separator, limit: limit))
      }
    case "splitlines":
      return Callable(name, "Its lines.") { _ in
        try [Value].askForRoom(of: text.utf8.count / 2 + 1)
        return try texts(Texts.splitLines(text))
      }
    case "join":
      return Callable(name, "Joins texts, itself in between.", .any("iterable", "The texts.")) {
        session, value in
        let parts = try Sequences.values(of: value, limit: session.limits.elements)
        try MemoryGate.take(parts.count, of: 16, for: "\(parts.count) texts to join")
        let texts = try parts.indices.map { place in
          if place & 0xFFF == 0 { try Stop.check() }
          let part = parts[place]
          guard let text = part.text else {
            throw ArgumentFailure(
              parameter: "iterable", "must hold texts only, not \(part.inMessage)",
              note: "make texts of the values: [str(x) for x in …]")
          }
          return text
        }
        let count =
          texts.reduce(0) { $0 + $1.utf8.count } + max(0, texts.count - 1) * text.utf8.count
        try Arithmetic.checkCount(count, session)
        try MemoryGate.take(2 * count, for: "a text of \(count) bytes")
        return .text(try Texts.joined(texts, by: text))
      }
    case "replace":
      return Callable(
        name, "With one text replaced by another.", .text("old", "What goes."),
        .text("new", "What comes."), .integer("count", default: -1, "How often at most.")
      ) { session, old, new, count in
        try Arithmetic.checkCount(
          text.utf8.count + (text.utf8.count / max(1, old.utf8.count) + 1)
            * max(0, new.utf8.count - old.utf8.count),
          session)
        // The pieces in between are texts of their own.
        try MemoryGate.take(
          text.utf8.count / max(1, old.utf8.count) + 1, of: 32, for: "the pieces of a text")
        return .text(try Texts.replaced(text, old, new, limit: count))
      }
    default: return searching(text, name) ?? asking(text, name)
    }
  }

  private static func searching(_ text: String, _ name: String) -> Callable? {
    switch name {
    case "startswith", "endswith":
      return Callable(
        name, "Whether it begins or ends so.", .list(of: .text("prefix", "The text, or several."))
      ) {
        _, parts in
        .bool(
          parts.contains { part in
            name == "startswith"
              ? text.utf8.starts(with: part.utf8)
              : text.utf8.reversed().starts(with: part.utf8.reversed())
          })
      }
    case "find", "index":
      return Callable(name, "Where a text first stands in it.", .text("sub", "The text.")) {
        _, part in
        let found = Texts.find(part, in: text)
        if found == nil, name == "index" {
          throw RuntimeFailure(.value, "\(Value.text(part).inMessage) does not stand in this text")
        }
        return .integer(found ?? -1)
      }
    case "count":
      return Callable(name, "How often a text stands in it.", .text("sub", "The text.")) {
        _, part in
        .integer(
          part.isEmpty
            ? text.unicodeScalars.count + 1 : try count(of: part, in: text))
      }
    default: return nil
    }
  }

  private static func asking(_ text: String, _ name: String) -> Callable? {
    func asks(_ test: @escaping @Sendable (Unicode.Scalar) -> Bool) -> Callable {
      Callable(name, "Whether all of it is of that kind.") { _ in
        .bool(try !text.isEmpty && Texts.scalars(of: text).allInParts(test))
      }
    }
    switch name {
    case "isdigit":
      return asks { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
    case "isalpha": return asks { $0.properties.generalCategory.isLetter }
    case "isspace": return asks { Texts.isSpace($0) }
    case "ljust", "rjust", "center", "zfill":
      return Callable(
        name, "Filled up to a width.", .integer("width", in: 0...100_000, "How many characters."),
        .text("fillchar", default: " ", "What fills it.")
      ) { _, width, fill in
        let missing = max(0, width - text.unicodeScalars.count)
        func filling(_ count: Int) -> String { String(repeating: fill, count: count) }
        switch name {
        case "ljust": return .text(text + filling(missing))
        case "rjust": return .text(filling(missing) + text)
        case "zfill":
          let signed = text.hasPrefix("-") || text.hasPrefix("+")
          return .text(
            text.prefix(signed ? 1 : 0) + String(repeating: "0", count: missing)
              + text.dropFirst(signed ? 1 : 0))
        default:
          let left = missing / 2 + (missing & width & 1)
          return .text(filling(left) + text + filling(missing - left))
        }
      }
    default: return nil
    }
  }

  /// Texts as a list.
  private static func texts(_ pieces: [String]) throws -> Value {
    .newList(try [Value].made(pieces.count) { .text(pieces[$0]) })
  }

  private static func count(of part: String, in text: String) throws -> Int {
    let (whole, part) = (Array(text.utf8), Array(part.utf8))
    var (count, start) = (0, 0)
    while let place = Texts.find(part, in: whole, from: start) {
      (count, start) = (count + 1, place + part.count)
      if count & 0xFFF == 0 { try Stop.check() }
    }
    return count
  }

  private static func titled(_ text: String) throws -> String {
    var result = ""
    var begins = true
    for (place, character) in try Texts.withFinalSigmas(text).enumerated() {
      if place & 0xFFF == 0 { try Stop.check() }
      result += begins ? character.uppercased() : character.lowercased()
      begins = !character.isLetter
    }
    return result
  }
}

extension [Unicode.Scalar] {
  /// Whether all fit.
  fileprivate func allInParts(_ fits: (Unicode.Scalar) -> Bool) throws -> Bool {
    for place in indices {
      if place & 0xFFFF == 0 { try Stop.check() }
      if !fits(self[place]) { return false }
    }
    return true
  }
}

extension Unicode.GeneralCategory {
  fileprivate var isLetter: Bool {
    switch self {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }
}
