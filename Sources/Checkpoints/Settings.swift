public import Files
internal import FoundationEssentials

/// The members of a JSON object such as `config.json`, each read as what it must be.
///
/// Published configurations leave out what equals the reference's default, or write `null` for it:
/// both take the default that the caller gives. Without one the member has to be there. What is
/// wrong is named with the file, the whole key, what was found and what was expected.
public struct Settings: Sendable {
  /// The object, for what this does not read.
  public let json: JSON
  /// The file, as errors call it.
  public let file: String
  /// Where the object stands in the file: `vision_config`; empty for the whole file.
  public let path: String

  /// Reads the object `json`, the contents of `file`.
  ///
  /// - Throws: `.setting` if it is no object.
  public init(_ json: JSON, file: String) throws(CheckpointError) {
    (self.json, self.file, path) = (json, file, "")
    if json.object == nil { throw wrong("", "an object") }
  }

  private init(_ json: JSON, file: String, path: String) {
    (self.json, self.file, self.path) = (json, file, path)
  }

  /// Whether the member is there and not `null`.
  public func has(_ key: String) -> Bool { value(key) != nil }

  /// A whole number in `range`.
  public func integer(
    _ key: String, in range: ClosedRange<Int> = 1...1 << 30, default fallback: Int? = nil
  ) throws(CheckpointError) -> Int {
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let value = try value(key, fallback != nil, expected) else { return fallback ?? 0 }
    guard let number = value.int, range.contains(number) else { throw wrong(key, expected) }
    return number
  }

  /// A number in `range`.
  public func number(
    _ key: String, in range: ClosedRange<Double> = -1e30...1e30, default fallback: Double? = nil
  ) throws(CheckpointError) -> Double {
    let expected = "a number from \(range.lowerBound) to \(range.upperBound)"
    guard let value = try value(key, fallback != nil, expected) else { return fallback ?? 0 }
    guard let number = value.double, range.contains(number) else { throw wrong(key, expected) }
    return number
  }

  /// Text; one of `choices`, unless that is empty.
  public func text(
    _ key: String, among choices: [String] = [], default fallback: String? = nil
  ) throws(CheckpointError) -> String {
    let expected =
      choices.isEmpty
      ? "text" : choices.map { "\"\($0)\"" }.joined(separator: " or ")
    guard let value = try value(key, fallback != nil, expected) else { return fallback ?? "" }
    guard let text = value.text, choices.isEmpty || choices.contains(text) else {
      throw wrong(key, expected)
    }
    return text
  }

  /// `true` or `false`.
  public func flag(
    _ key: String, default fallback: Bool? = nil
  ) throws(CheckpointError) -> Bool {
    guard let value = try value(key, fallback != nil, "true or false") else {
      return fallback ?? false
    }
    guard let truth = value.bool else { throw wrong(key, "true or false") }
    return truth
  }

  /// An array of `count` numbers, or of any count.
  public func numbers(
    _ key: String, count: Int? = nil, default fallback: [Double]? = nil
  ) throws(CheckpointError) -> [Double] {
    let expected = count.map { "an array of \($0) numbers" } ?? "an array of numbers"
    guard let value = try value(key, fallback != nil, expected) else { return fallback ?? [] }
    let numbers = value.array?.compactMap(\.double) ?? []
    guard let entries = value.array, entries.count == numbers.count,
      count == nil || count == entries.count
    else { throw wrong(key, expected) }
    return numbers
  }

  /// An array of whole numbers in `range`; a single one counts as an array of one.
  public func integers(
    _ key: String, in range: ClosedRange<Int> = 0...1 << 30, default fallback: [Int]? = nil
  ) throws(CheckpointError) -> [Int] {
    let expected = "whole numbers from \(range.lowerBound) to \(range.upperBound)"
    guard let value = try value(key, fallback != nil, expected) else { return fallback ?? [] }
    let entries = value.array ?? [value]
    let numbers = entries.compactMap(\.int).filter(range.contains)
    guard entries.count == numbers.count else { throw wrong(key, expected) }
    return numbers
  }

  /// The object inside; one without members if it is not there.
  public func section(_ key: String) throws(CheckpointError) -> Settings {
    guard let value = value(key) else {
      return Settings(.object(JSON.Object()), file: file, path: full(key))
    }
    guard value.object != nil else { throw wrong(key, "an object") }
    return Settings(value, file: file, path: full(key))
  }

  /// The failure for a member that is not `expected`, for rules that join several members.
  public func wrong(_ key: String, _ expected: String) -> CheckpointError {
    let value = key.isEmpty ? json : json[key]
    return .setting(
      file: file, key: full(key), found: value.map(Self.worded) ?? "nothing", expected: expected)
  }

  private func full(_ key: String) -> String {
    path.isEmpty || key.isEmpty ? path + key : "\(path).\(key)"
  }

  private func value(_ key: String) -> JSON? {
    json[key].flatMap { $0.isNull ? nil : $0 }
  }

  private func value(
    _ key: String, _ hasDefault: Bool, _ expected: String
  ) throws(CheckpointError) -> JSON? {
    if let value = value(key) { return value }
    guard hasDefault else { throw wrong(key, expected) }
    return nil
  }

  private static func worded(_ value: JSON) -> String {
    switch value {
    case .array, .object: return value.kindName
    default:
      let text = value.written()
      return text.utf8.count <= 60 ? text : "\(value.kindName) of \(text.utf8.count) letters"
    }
  }
}

extension CheckpointFolder {
  /// `config.json`, or another JSON file that is an object, to be read member by member.
  public func settings(_ name: String = "config.json") throws(CheckpointError) -> Settings {
    try Settings(
      json(name), file: url.appending(path: name).path(percentEncoded: false))
  }
}
