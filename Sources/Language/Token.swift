/// The smallest pieces of a text.
struct Token: Sendable {
  let kind: Kind
  let range: SourceRange

  enum Kind: Sendable, Equatable {
    case newline, indent, dedent, end
    case name(String)
    case keyword(Keyword)
    /// A whole number without its sign; up to 2⁶³, which only a minus sign makes valid.
    case integer(UInt64)
    case float(Double)
    case text(String)
    case formatted([FormattedPiece])
    case symbol(Symbol)
    /// `%name` or `%%name`, as it is written; what follows on the line are tokens of their own.
    case magic(String)
    /// Something that was reported already.
    case invalid
  }
}

/// A part of an f-string before its expressions are parsed.
indirect enum FormattedPiece: Sendable, Equatable {
  case text(String)
  case field(
    expression: SourceRange, conversion: Character?, format: [FormattedPiece], showsSource: String?)
}

/// Words with a meaning of their own.
enum Keyword: String, Sendable {
  case none = "None"
  case yes = "True"
  case no = "False"
  case and, or, not, `in`, `is`, `if`, `elif`, `else`, `for`, `while`, `break`, `continue`
  case define = "def"
  case `return`, lambda, assert, pass
  case delete = "del"
  // Python's, and out here.
  case `class`, `import`, from, `try`, except, finally, raise, with, yield, async, await, global
  case nonlocal
  case `as`

  /// Whether it opens a statement and never stands inside an expression.
  var opensStatement: Bool {
    switch self {
    case .while, .break, .continue, .define, .return, .assert, .pass, .class, .import, .try, .with,
      .global, .nonlocal, .delete, .raise, .except, .finally, .elif:
      true
    default: false
    }
  }

  /// What to say where the language has no such thing.
  var refusal: (name: String, hint: String)? {
    switch self {
    case .class: ("class", "keep values in a dict")
    case .import, .from: (rawValue, "all commands are there already; see help()")
    case .try, .except, .finally: (rawValue, "an error stops the cell and keeps the session")
    case .raise: ("raise", "write assert condition, \"message\"")
    case .with: ("with", "commands open and close their files themselves")
    case .yield: ("yield", "return a list")
    case .async, .await: (rawValue, "commands run one after the other")
    case .global, .nonlocal: (rawValue, "return the value instead")
    case .as: ("as", "assign to a name instead")
    default: nil
    }
  }
}

/// Operators and punctuation.
enum Symbol: String, Sendable, CaseIterable {
  case plus = "+"
  case minus = "-"
  case star = "*"
  case slash = "/"
  case doubleSlash = "//"
  case percent = "%"
  case power = "**"
  case at = "@"
  case less = "<"
  case greater = ">"
  case lessEqual = "<="
  case greaterEqual = ">="
  case equal = "=="
  case notEqual = "!="
  case assign = "="
  case plusAssign = "+="
  case minusAssign = "-="
  case starAssign = "*="
  case slashAssign = "/="
  case doubleSlashAssign = "//="
  case percentAssign = "%="
  case powerAssign = "**="
  case atAssign = "@="
  case open = "("
  case close = ")"
  case openBracket = "["
  case closeBracket = "]"
  case openBrace = "{"
  case closeBrace = "}"
  case comma = ","
  case colon = ":"
  case semicolon = ";"
  case dot = "."
  case ellipsis = "..."
  case question = "?"
  case ampersand = "&"
  case pipe = "|"
  case caret = "^"
  case tilde = "~"
  case ampersandAssign = "&="
  case pipeAssign = "|="
  case caretAssign = "^="
  // Python's, and out here.
  case arrow = "->"
  case walrus = ":="
  case shiftLeft = "<<"
  case shiftRight = ">>"
  case shiftLeftAssign = "<<="
  case shiftRightAssign = ">>="

  /// What to write instead of an operator that the language does not have.
  var refusalHint: String? {
    switch self {
    case .shiftLeft, .shiftRight, .shiftLeftAssign, .shiftRightAssign: "multiply by a power of 2"
    case .walrus: "assign on a line of its own"
    case .arrow: "leave the type out"
    default: nil
    }
  }

  /// By first byte, longest first.
  static let byFirstByte: [UInt8: [(bytes: [UInt8], symbol: Symbol)]] = {
    var table: [UInt8: [(bytes: [UInt8], symbol: Symbol)]] = [:]
    for symbol in allCases {
      let bytes = Array(symbol.rawValue.utf8)
      table[bytes[0], default: []].append((bytes, symbol))
    }
    return table.mapValues { entries in entries.sorted { $0.bytes.count > $1.bytes.count } }
  }()
}
