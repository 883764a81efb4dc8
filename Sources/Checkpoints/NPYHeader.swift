internal import Files

/// The header of a `.npy` file: a Python dictionary of three keys, read by a grammar of its own.
struct NPYHeader {
  private(set) var type = StoredType.float32
  /// What a type that is not read is called; nil for one that is.
  private(set) var unreadType: String?
  private(set) var isBigEndian = false
  private(set) var isFortran = false
  private(set) var shape: [Int] = []
  let dataStart: Int

  /// NumPy's own limit.
  private static let sizeLimit = 10_000
  /// The most bytes of a file that a header takes.
  static let longest = sizeLimit + 12
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  private let path: String
  private let bytes: [UInt8]
  private var position: Int
  private var typeStart = 0

  /// Reads the header at the beginning of `content`, of which what follows need not be there.
  init(_ content: [UInt8], path: String) throws(CheckpointError) {
    self.path = path
    guard content.starts(with: Self.magic), content.count >= 10 else {
      throw .malformed(
        path: path, offset: 0, rule: .npyMagic,
        detail: "this is no .npy file: its first bytes differ")
    }
    let lengthSize = content[6] == 1 ? 2 : 4
    guard (1...3).contains(content[6]), content[7] == 0, content.count >= 8 + lengthSize else {
      throw .malformed(
        path: path, offset: 6, rule: .npyHeader,
        detail: "format version \(content[6]).\(content[7]), this reads 1.0, 2.0 and 3.0")
    }
    let length = (0..<lengthSize).reduce(0) { $0 | Int(content[8 + $1]) << (8 * $1) }
    let start = 8 + lengthSize
    guard length <= Self.sizeLimit, length <= content.count - start else {
      throw .malformed(
        path: path, offset: 8, rule: .npyHeader,
        detail: """
          a header of \(length) bytes in a file of \(content.count), at most \(Self.sizeLimit) are \
          read
          """)
    }
    dataStart = start + length
    bytes = Array(content[..<dataStart])
    position = start
    try readDictionary()
  }

  /// How many bytes the elements take.
  ///
  /// - Throws: `.malformed` beyond 64 bits; strides of the others must not overflow where one axis
  ///   is 0.
  func byteCount() throws(CheckpointError) -> Int {
    var room = type.size
    for length in shape {
      let (product, overflow) = room.multipliedReportingOverflow(by: max(1, length))
      guard !overflow else {
        throw .malformed(
          path: path, offset: nil, rule: .npySize,
          detail: "shape \(shape) has too many elements")
      }
      room = product
    }
    return shape.contains(0) ? 0 : room
  }

  /// - Throws: `.malformed` where `found` bytes follow the header, and not as many as it says.
  func check(byteCount found: Int) throws(CheckpointError) {
    let size = try byteCount()
    guard found == size else {
      throw .malformed(
        path: path, offset: dataStart, rule: .npySize,
        detail: """
          shape \(shape) of \(type.rawValue) needs \(size) bytes, the file has \(found)\
          \(found < size ? "; it was cut off" : "")
          """)
    }
  }

  /// A version 1.0 header, with the data at a multiple of 64 bytes.
  static func bytes(type: String, shape: [Int]) -> [UInt8] {
    let lengths = shape.map(String.init).joined(separator: ", ")
    let tuple = shape.count == 1 ? "(\(lengths),)" : "(\(lengths))"
    var text = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(tuple), }"
    let unpadded = magic.count + 4 + text.utf8.count + 1
    text += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = text.utf8.count
    return magic + [
      1, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8),
    ]
      + Array(text.utf8)
  }

  private mutating func readDictionary() throws(CheckpointError) {
    try expect("{")
    var seen: Set<String> = []
    while !take("}") {
      let key = try string()
      try expect(":")
      guard seen.insert(key).inserted else { throw failure("a second '\(key)'") }
      switch key {
      case "descr": try readType()
      case "fortran_order": isFortran = try truth()
      case "shape": shape = try tuple()
      default: throw failure("an unknown key '\(key.withVisibleControls)'")
      }
      if !take(",") {
        try expect("}")
        break
      }
    }
    guard seen.count == 3 else {
      throw failure("the header must have descr, fortran_order and shape")
    }
    guard peek() == nil else { throw failure("something follows the dictionary") }
  }

  private mutating func readType() throws(CheckpointError) {
    typeStart = position
    guard let byte = peek(), byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") else {
      try skipRecords()
      unreadType = "records"
      return
    }
    let text = try string()
    isBigEndian = text.hasPrefix(">")
    let types: [String: StoredType] = [
      "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool, "i1": .int8, "u1": .uint8,
      "i2": .int16, "u2": .uint16, "i4": .int32, "u4": .uint32, "i8": .int64, "u8": .uint64,
    ]
    guard let order = text.first, "<>|=".contains(order), let type = types[String(text.dropFirst())]
    else {
      unreadType = Self.unreadNames[String(text.dropFirst())] ?? text.withVisibleControls
      return
    }
    self.type = type
  }

  private static let unreadNames = [
    "c8": "complex64", "c16": "complex128", "f16": "float128", "O": "Python objects",
  ]

  /// - Throws: `.malformed` for a type that is not read.
  func requireRead() throws(CheckpointError) {
    guard let unreadType else { return }
    let reason =
      unreadType == Self.unreadNames["O"]
      ? "pickled objects can run programs" : "only plain numbers are read"
    throw .malformed(
      path: path, offset: typeStart, rule: .npyType,
      detail: "type '\(unreadType)' is not read: \(reason)")
  }

  /// Passes over the list of an array's records.
  private mutating func skipRecords() throws(CheckpointError) {
    try expect("[")
    var depth = 1
    while depth > 0 {
      guard let byte = peek() else { throw failure("a list without end") }
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\""): _ = try string()
      case UInt8(ascii: "["), UInt8(ascii: "("): (depth, position) = (depth + 1, position + 1)
      case UInt8(ascii: "]"), UInt8(ascii: ")"): (depth, position) = (depth - 1, position + 1)
      default: position += 1
      }
    }
  }

  private mutating func tuple() throws(CheckpointError) -> [Int] {
    try expect("(")
    var lengths: [Int] = []
    while !take(")") {
      var length: Int?
      while let byte = peekExactly(), (0x30...0x39).contains(byte) {
        let (ten, overflow) = (length ?? 0).multipliedReportingOverflow(by: 10)
        let (next, overflow2) = ten.addingReportingOverflow(Int(byte) - 0x30)
        guard !overflow, !overflow2 else { throw failure("a length beyond 64 bits") }
        length = next
        position += 1
      }
      guard let length, length <= 1 << 48, lengths.count < 32 else {
        throw failure("shape must hold at most 32 lengths from 0 to 2^48")
      }
      lengths.append(length)
      // Python 2 marked long integers so.
      if peekExactly() == UInt8(ascii: "L") { position += 1 }
      if !take(",") {
        try expect(")")
        break
      }
      _ = peek()
    }
    return lengths
  }

  private mutating func truth() throws(CheckpointError) -> Bool {
    _ = peek()
    for (word, value) in [("True", true), ("False", false)]
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("fortran_order must be True or False")
  }

  private mutating func string() throws(CheckpointError) -> String {
    guard let quote = peek(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw failure("expected a string")
    }
    let start = position + 1
    guard let end = bytes[start...].firstIndex(of: quote) else {
      throw failure("a string without end")
    }
    position = end + 1
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  private mutating func peek() -> UInt8? {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) {
      position += 1
    }
    return peekExactly()
  }

  private func peekExactly() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Character) -> Bool {
    guard let byte = peek(), byte == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Character) throws(CheckpointError) {
    guard take(character) else { throw failure("expected '\(character)'") }
  }

  private func failure(_ detail: String) -> CheckpointError {
    .malformed(path: path, offset: position, rule: .npyHeader, detail: "header: \(detail)")
  }
}
