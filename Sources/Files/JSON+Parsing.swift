public import FoundationEssentials

extension JSON {
  /// The most bytes that are parsed unless a caller says otherwise: 256 MiB.
  public static let defaultLimit = 1 << 28

  /// Parses `bytes` as RFC 8259 says, and nothing laxer.
  ///
  /// Two members of one name, trailing commas, comments, `NaN`, halves of surrogate pairs, bytes
  /// that are not UTF-8, a byte order mark and anything after the value are failures.
  ///
  /// - Parameters:
  ///   - limit: the most bytes.
  ///   - depth: the most arrays and objects inside one another.
  public init(
    parsing bytes: [UInt8], limit: Int = defaultLimit, depth: Int = 64
  ) throws(Failure) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try JSON(scanning: bytes, limit: limit, depth: depth)
    }
  }

  /// Parses `text`; see `init(parsing:limit:depth:)` of bytes.
  public init(
    parsing text: String, limit: Int = defaultLimit, depth: Int = 64
  ) throws(Failure) {
    try self.init(parsing: Array(text.utf8), limit: limit, depth: depth)
  }

  /// Parses `data`; see `init(parsing:limit:depth:)` of bytes.
  public init(
    parsing data: Data, limit: Int = defaultLimit, depth: Int = 64
  ) throws(Failure) {
    try self.init(parsing: [UInt8](data), limit: limit, depth: depth)
  }

  /// Reads and parses a file; a failure names it, with line and column.
  public init(
    file: URL, limit: Int = defaultLimit, depth: Int = 64
  ) throws(FileFailure) {
    let bytes = try WholeFile.read(file, limit: limit)
    do {
      try self.init(parsing: bytes, limit: limit, depth: depth)
    } catch {
      throw FileFailure(file.path(percentEncoded: false), .notJSON(error))
    }
  }

  private init(
    scanning bytes: UnsafeBufferPointer<UInt8>, limit: Int, depth: Int
  ) throws(Failure) {
    guard bytes.count <= limit else {
      throw Failure(
        message: "\(bytes.count) bytes of JSON, at most \(limit) are read", offset: 0, line: 1,
        column: 1)
    }
    var scanner = try Scanner(bytes)
    // The parser calls itself; 512 levels fit the smallest stack a thread has.
    self = try scanner.value(depth: min(depth, 512))
    if scanner.peek() != nil {
      throw scanner.failure("the value has ended, but \(scanner.found()) follows")
    }
  }
}

extension JSON.Scanner {
  /// The value that comes next, with at most `depth` arrays and objects inside one another.
  package mutating func value(depth: Int) throws(JSON.Failure) -> JSON {
    guard let byte = peek() else { throw failure("the text ends where a value should be") }
    switch byte {
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "{"): return .object(try members(depth: depth))
    case UInt8(ascii: "["): return .array(try entries(depth: depth))
    case UInt8(ascii: "-"), 0x30...0x39: return try number()
    default:
      if take(word: "true") { return .bool(true) }
      if take(word: "false") { return .bool(false) }
      if take(word: "null") { return .null }
      throw failure("expected a value, found \(found())")
    }
  }

  private mutating func entries(depth: Int) throws(JSON.Failure) -> [JSON] {
    guard depth > 0 else { throw failure("arrays and objects are nested too deeply") }
    _ = take("[")
    var entries: [JSON] = []
    if take("]") { return entries }
    while true {
      entries.append(try value(depth: depth - 1))
      if take(",") { continue }
      if take("]") { return entries }
      throw failure("expected ',' or ']', found \(found())")
    }
  }

  private mutating func members(depth: Int) throws(JSON.Failure) -> JSON.Object {
    guard depth > 0 else { throw failure("arrays and objects are nested too deeply") }
    _ = take("{")
    var keys: [String] = []
    var values: [JSON] = []
    var table = KeyTable()
    if take("}") { return JSON.Object() }
    while true {
      guard peek() == UInt8(ascii: "\"") else {
        throw failure("expected a member's name in quotes, found \(found())")
      }
      let place = position
      let key = try string()
      guard take(":") else { throw failure("expected ':', found \(found())") }
      guard table.insert(key, into: &keys) == nil else {
        throw failure("a second member is called '\(key.withVisibleControls)'", at: place)
      }
      values.append(try value(depth: depth - 1))
      if take(",") { continue }
      if take("}") { return JSON.Object(keys: keys, values: values, table: table) }
      throw failure("expected ',' or '}', found \(found())")
    }
  }
}
