internal import Files

/// What a header says of one tensor.
public struct TensorEntry: Sendable, Equatable {
  /// The tensor's name in the file.
  public let name: String
  /// The number format.
  public let type: StoredType
  /// The length of each axis, outermost first.
  public let shape: [Int]
  /// Its place, counted from the first byte after the header.
  let bytes: Range<Int>

  /// How many elements there are.
  public var count: Int { shape.reduce(1, *) }
  /// How many bytes they take.
  public var byteCount: Int { bytes.count }
}

/// The header of a safetensors file, read in one pass and checked.
struct SafetensorsHeader {
  let entries: [TensorEntry]
  /// Tensors of formats that are not read.
  let unread: [UnreadTensor]
  let metadata: [String: String]
  /// What is allowed, but strange.
  let warnings: [String]
  /// The entries' names, and where each stands.
  let names: [String]
  let table: KeyTable

  static let sizeLimit = 100_000_000
  static let tensorLimit = 1_000_000
  static let rankLimit = 16
  static let nameLimit = 4096
  static let dimensionLimit = 1 << 48

  /// Where and why a header is wrong.
  struct Failure: Error {
    let offset: Int?
    let rule: FormatRule
    let detail: String
  }

  /// Reads `bytes`, the header without its length; `dataSize` bytes follow it in the file.
  init(_ bytes: [UInt8], dataSize: Int) throws(Failure) {
    let reader = try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try HeaderReader(bytes)
    }
    (entries, metadata, warnings) = (reader.entries, reader.metadata, reader.warnings)
    (names, table, unread) = (reader.names, reader.table, reader.unread)
    try Self.check(reader.spans, dataSize: dataSize)
  }

  /// Tensors fill the data from its first byte to its last, side by side.
  private static func check(_ spans: [HeaderReader.Span], dataSize: Int) throws(Failure) {
    var order = Array(spans.indices)
    let isSorted = zip(spans, spans.dropFirst()).allSatisfy {
      ($0.bytes.lowerBound, $0.bytes.upperBound) <= ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    if !isSorted {
      order.sort {
        let (a, b) = (spans[$0].bytes, spans[$1].bytes)
        return (a.lowerBound, a.upperBound, $0) < (b.lowerBound, b.upperBound, $1)
      }
    }
    var end = 0
    var previous: Int?
    for index in order {
      let entry = spans[index]
      // Functions, because words are needed only when something is wrong.
      func name() -> String { "tensor '\(entry.name.withVisibleControls)'" }
      func before() -> String? {
        previous.map { "tensor '\(spans[$0].name.withVisibleControls)'" }
      }
      if entry.bytes.lowerBound < end {
        throw Failure(
          offset: entry.start, rule: .overlap,
          detail: """
            \(name()) starts at data byte \(entry.bytes.lowerBound), inside \(before() ?? "another"), \
            which ends at \(end)
            """)
      }
      if entry.bytes.lowerBound > end {
        throw Failure(
          offset: entry.start, rule: .hole,
          detail: """
            \(name()) starts at data byte \(entry.bytes.lowerBound), but \
            \(before().map { "\($0) before it" } ?? "what is before it") ends at \(end)
            """)
      }
      end = entry.bytes.upperBound
      previous = index
      if end > dataSize {
        throw Failure(
          offset: entry.start, rule: .truncated,
          detail: """
            \(name()) ends at data byte \(end), but the file has \(dataSize); \
            it was cut off, fetch it again
            """)
      }
    }
    if end < dataSize {
      throw Failure(
        offset: nil, rule: .trailingBytes,
        detail: "the tensors end at data byte \(end), but the file has \(dataSize)")
    }
  }
}
