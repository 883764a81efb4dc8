internal import Glibc

/// A JSON document as a value.
///
/// Integers stay integers, objects keep the order of their members, and strings compare by their
/// bytes: two spellings of `é` are two strings, as the tokenizers' vocabularies need.
public enum JSON: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction or exponent that fits an `Int`.
  case integer(Int)
  /// Any other number.
  case number(Double)
  /// Text.
  case string(String)
  /// Values in order.
  case array([JSON])
  /// Named values in order.
  case object(Object)
}

extension JSON {
  /// The member called `key`, if this is an object that has one.
  public subscript(_ key: String) -> JSON? { object?[key] }

  /// The entry at `index`, if this is an array that long.
  public subscript(_ index: Int) -> JSON? {
    guard case .array(let entries) = self, entries.indices.contains(index) else { return nil }
    return entries[index]
  }

  /// The text, if this is a string.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  /// The number, if this is an integer; `1.0` is none.
  public var int: Int? { if case .integer(let number) = self { number } else { nil } }
  /// The number, if this is one.
  public var double: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }
  /// The truth value, if this is one.
  public var bool: Bool? { if case .bool(let truth) = self { truth } else { nil } }
  /// The entries, if this is an array.
  public var array: [JSON]? { if case .array(let entries) = self { entries } else { nil } }
  /// The members, if this is an object.
  public var object: Object? { if case .object(let members) = self { members } else { nil } }
  /// Whether this is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }

  /// What kind of value this is, in a reader's words.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "true or false"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

extension JSON: Equatable {
  /// Whether two documents say the same: strings byte by byte, members in any order.
  ///
  /// An integer and a number are different even where they are as large.
  public static func == (a: JSON, b: JSON) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.integer(let x), .integer(let y)): x == y
    case (.number(let x), .number(let y)): x == y
    case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
    case (.array(let x), .array(let y)): x == y
    case (.object(let x), .object(let y)): x == y
    default: false
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral text: String) { self = .string(text) }
  /// An integer.
  public init(integerLiteral number: Int) { self = .integer(number) }
  /// A number.
  public init(floatLiteral number: Double) { self = .number(number) }
  /// A truth value.
  public init(booleanLiteral truth: Bool) { self = .bool(truth) }
  /// An array.
  public init(arrayLiteral entries: JSON...) { self = .array(entries) }
  /// An object.
  public init(dictionaryLiteral members: (String, JSON)...) { self = .object(Object(members)) }
}

extension String {
  /// Whether the two have the same UTF-8 bytes; `==` also holds between different spellings.
  func hasSameBytes(as other: String) -> Bool {
    let same = utf8.withContiguousStorageIfAvailable { a in
      other.utf8.withContiguousStorageIfAvailable { b in
        guard a.count == b.count, let x = a.baseAddress, let y = b.baseAddress else {
          return a.count == b.count
        }
        return memcmp(x, y, a.count) == 0
      }
    }
    return (same ?? nil) ?? utf8.elementsEqual(other.utf8)
  }
}
