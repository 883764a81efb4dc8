internal import Files

/// The one pass over a safetensors header.
struct HeaderReader {
  typealias Failure = SafetensorsHeader.Failure

  private(set) var entries: [TensorEntry] = []
  /// Tensors of formats that are not read.
  private(set) var unread: [UnreadTensor] = []
  /// Where all tensors lie, read or not.
  private(set) var spans: [Span] = []
  private(set) var metadata: [String: String] = [:]
  private(set) var warnings: [String] = []
  private(set) var names: [String] = []
  private(set) var table = KeyTable()
  private var unreadNames: Set<String> = []
  private var scanner: JSON.Scanner

  /// Where a tensor lies in the data, and its name in the header, for failures that are found later.
  struct Span {
    let name: String
    let bytes: Range<Int>
    let start: Int
  }

  /// A format by its name in the header.
  private enum Format {
    case read(StoredType)
    case unread(header: String, name: String, bits: Int)

    var bits: Int {
      switch self {
      case .read(let type): 8 * type.size
      case .unread(_, _, let bits): bits
      }
    }
    var headerName: String {
      switch self {
      case .read(let type): type.rawValue
      case .unread(let header, _, _): header
      }
    }
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) {
    do { scanner = try JSON.Scanner(bytes) } catch { throw Self.syntax(error) }
    guard scanner.take("{") else {
      throw fail(.headerSyntax, "the header must start with '{', found \(scanner.found())")
    }
    var hasMetadata = false
    if !scanner.take("}") {
      repeat {
        let start = position
        let name = try string("a tensor's name")
        try colon()
        if name == "__metadata__" {
          guard !hasMetadata else {
            throw fail(.duplicateField, "a second __metadata__", at: start)
          }
          hasMetadata = true
          try readMetadata()
        } else {
          try readTensor(name, start: start)
        }
      } while try another("}")
    }
    if scanner.peek() != nil {
      throw fail(.headerSyntax, "the header has ended, but \(scanner.found()) follows")
    }
  }

  private mutating func readMetadata() throws(Failure) {
    if scanner.peek() == UInt8(ascii: "n"), scanner.take(word: "null") { return }
    guard scanner.take("{") else {
      throw fail(.metadata, "__metadata__ must be an object, found \(scanner.found())")
    }
    if scanner.take("}") { return }
    repeat {
      let start = position
      let key = try string("a name in __metadata__")
      try colon()
      guard scanner.peek() == UInt8(ascii: "\"") else {
        throw fail(
          .metadata,
          "__metadata__ '\(key.withVisibleControls)' must be a string, found \(scanner.found())")
      }
      guard metadata.updateValue(try string("text"), forKey: key) == nil else {
        throw fail(
          .duplicateField, "a second '\(key.withVisibleControls)' in __metadata__", at: start)
      }
    } while try another("}")
  }

  private mutating func readTensor(_ name: String, start: Int) throws(Failure) {
    guard name.utf8.count <= SafetensorsHeader.nameLimit else {
      throw fail(
        .limit,
        "a tensor's name of \(name.utf8.count) bytes, at most \(SafetensorsHeader.nameLimit)",
        at: start)
    }
    guard spans.count < SafetensorsHeader.tensorLimit else {
      throw fail(.limit, "more than \(SafetensorsHeader.tensorLimit) tensors", at: start)
    }
    guard table.find(name, in: names) == nil, !unreadNames.contains(name) else {
      throw fail(.duplicateTensor, "a second \(Self.shown(name))", at: start)
    }
    guard scanner.take("{") else {
      throw fail(.wrongField, "\(Self.shown(name)) must be an object, found \(scanner.found())")
    }
    var type: Format?
    var shape: [Int]?
    var offsets: [Int]?
    if !scanner.take("}") {
      repeat {
        let place = position
        let field = try string("a field's name")
        try colon()
        let isSecond: Bool
        switch field {
        case "dtype":
          isSecond = type != nil
          type = try readType(name)
        case "shape":
          isSecond = shape != nil
          shape = try readNumbers(
            name, "shape", most: SafetensorsHeader.rankLimit,
            largest: SafetensorsHeader.dimensionLimit, rule: .dimension)
        case "data_offsets":
          isSecond = offsets != nil
          offsets = try readNumbers(
            name, "data_offsets", most: 2, largest: .max, rule: .offsets)
        default:
          isSecond = false
          // The header is at most four levels deep; two of them are open here.
          do { _ = try scanner.value(depth: 2) } catch { throw Self.syntax(error) }
          if warnings.count < 100 {
            warnings.append(
              "\(Self.shown(name)) has an unknown field '\(field.withVisibleControls)'")
          }
        }
        if isSecond {
          throw fail(.duplicateField, "\(Self.shown(name)): a second \(field)", at: place)
        }
      } while try another("}")
    }
    guard let type, let shape, let offsets else {
      let missing = type == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
      throw fail(.missingField, "\(Self.shown(name)) has no \(missing)", at: start)
    }
    try add(name, type, shape, offsets, start: start)
  }

  private mutating func add(
    _ name: String, _ format: Format, _ shape: [Int], _ offsets: [Int],
    start: Int
  ) throws(Failure) {
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw fail(
        .offsets,
        "\(Self.shown(name)): data_offsets must be two numbers in order, found \(offsets)",
        at: start
      )
    }
    // An axis of length 0 counts as 1: strides of the others must not overflow either.
    // Counted in bits where an element does not take whole bytes.
    let unitsPerByte = format.bits.isMultiple(of: 8) ? 1 : 8
    var room = format.bits * unitsPerByte / 8
    var size = room
    for length in shape {
      let (product, overflow) = room.multipliedReportingOverflow(by: max(1, length))
      guard !overflow else {
        throw fail(
          .overflow, "\(Self.shown(name)): shape \(shape) has too many elements", at: start)
      }
      room = product
      size *= length
    }
    let (needed, rest) = size.quotientAndRemainder(dividingBy: unitsPerByte)
    guard rest == 0, offsets[1] - offsets[0] == needed else {
      throw fail(
        .sizeMismatch,
        """
        \(Self.shown(name)): data_offsets \(offsets) hold \(offsets[1] - offsets[0]) bytes, but shape \
        \(shape) of \(format.headerName) needs \(needed)\(rest == 0 ? "" : " and \(rest) bits")
        """, at: start)
    }
    let bytes = offsets[0]..<offsets[1]
    switch format {
    case .read(let type):
      _ = table.insert(name, into: &names)
      entries.append(TensorEntry(name: name, type: type, shape: shape, bytes: bytes))
    case .unread(_, let type, _):
      unreadNames.insert(name)
      unread.append(UnreadTensor(name: name, type: type, shape: shape))
    }
    spans.append(Span(name: name, bytes: bytes, start: start))
  }

  private mutating func readType(_ name: String) throws(Failure) -> Format {
    guard scanner.peek() == UInt8(ascii: "\"") else {
      throw fail(
        .wrongField, "\(Self.shown(name)): dtype must be a string, found \(scanner.found())")
    }
    let place = position
    let typeName = try string("a type")
    if let type = StoredType(rawValue: typeName) { return .read(type) }
    if let type = StoredType.unread[typeName] {
      return .unread(header: typeName, name: type.name, bits: type.bits)
    }
    let known = StoredType.allCases.map(\.rawValue).joined(separator: " ")
    throw fail(
      .unknownType,
      "\(Self.shown(name)): there is no type '\(typeName.withVisibleControls)'; there are \(known)",
      at: place)
  }

  private mutating func readNumbers(
    _ name: String, _ field: String, most: Int, largest: Int, rule: FormatRule
  ) throws(Failure) -> [Int] {
    guard scanner.take("[") else {
      throw fail(
        .wrongField, "\(Self.shown(name)): \(field) must be an array, found \(scanner.found())")
    }
    var numbers: [Int] = []
    if scanner.take("]") { return numbers }
    repeat {
      guard let byte = scanner.peek(), byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte)
      else {
        throw fail(
          rule, "\(Self.shown(name)): \(field) must hold whole numbers, found \(scanner.found())")
      }
      let place = position
      let value: JSON
      do { value = try scanner.number() } catch { throw Self.syntax(error) }
      guard byte != UInt8(ascii: "-") else {
        throw fail(rule, "\(Self.shown(name)): \(field) holds a negative number", at: place)
      }
      guard case .integer(let number) = value, number <= largest else {
        throw fail(
          rule,
          "\(Self.shown(name)): \(field) holds a number that is not whole or larger than \(largest)",
          at: place)
      }
      guard numbers.count < most else {
        throw fail(
          rule == .dimension ? .limit : rule,
          "\(Self.shown(name)): \(field) holds more than \(most) numbers",
          at: place)
      }
      numbers.append(number)
    } while try another("]")
    return numbers
  }

  /// Called only when something is wrong: most of a large header's time would go there.
  private static func shown(_ name: String) -> String { "tensor '\(name.withVisibleControls)'" }

  private var position: Int { scanner.position }

  private mutating func string(_ what: String) throws(Failure) -> String {
    guard scanner.peek() == UInt8(ascii: "\"") else {
      throw fail(.headerSyntax, "expected \(what) in quotes, found \(scanner.found())")
    }
    do { return try scanner.string() } catch { throw Self.syntax(error) }
  }

  private mutating func colon() throws(Failure) {
    guard scanner.take(":") else {
      throw fail(.headerSyntax, "expected ':', found \(scanner.found())")
    }
    // What follows starts here, without white space, so that failures point at it.
    _ = scanner.peek()
  }

  /// Whether a comma promises more; otherwise the list has to close.
  private mutating func another(_ closing: Unicode.Scalar) throws(Failure) -> Bool {
    if scanner.take(",") {
      _ = scanner.peek()
      return true
    }
    guard scanner.take(closing) else {
      throw fail(.headerSyntax, "expected ',' or '\(closing)', found \(scanner.found())")
    }
    return false
  }

  private func fail(_ rule: FormatRule, _ detail: String, at offset: Int? = nil) -> Failure {
    Failure(offset: offset ?? scanner.position, rule: rule, detail: detail)
  }

  private static func syntax(_ failure: JSON.Failure) -> Failure {
    Failure(offset: failure.offset, rule: .headerSyntax, detail: "header: \(failure.message)")
  }
}
