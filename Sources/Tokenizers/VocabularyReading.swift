internal import Files

extension TokenTable {
  /// Adds a token of a file, or says what contradicts it.
  mutating func insert(
    _ token: String, id: Int, _ files: TokenizerFiles, _ name: String, _ key: String
  ) throws {
    do { try insert(token, id: id) } catch {
      let (found, expected) =
        switch error {
        case .idOutOfRange: ("id \(id)", "ids from 0 to \(TokenTable.idLimit - 1)")
        case .idTaken(let other): ("id \(id), which is also \(other.quoted)'s", "one token an id")
        case .tokenTaken(let other):
          ("ids \(other) and \(id)", "the token once")
        }
      throw files.wrong(name, "\(key)[\(token.quoted)]", found, expected)
    }
  }
}

/// A model's tables while they are read.
struct VocabularyReading {
  let files: TokenizerFiles
  let name: String
  var tokens: TokenTable?
  var merges: MergeList?

  /// Reads an object of tokens and ids.
  mutating func readVocabulary(_ scanner: inout JSON.Scanner, key: String) throws {
    guard scanner.peek() == UInt8(ascii: "{") else {
      throw files.wrong(name, key, try scanner.value(depth: 8).kindName, "an object")
    }
    var tokens = TokenTable()
    tokens.reserve(1 << 13)
    try scanner.eachMember { token, scanner in
      guard let byte = scanner.peek(), byte == 0x2D || byte >= 0x30 && byte <= 0x39,
        case .integer(let id) = try scanner.number()
      else {
        throw files.wrong(
          name, "\(key)[\(token.quoted)]", scanner.found(), "a token's id, a whole number")
      }
      try tokens.insert(token, id: id, files, name, key)
    }
    guard tokens.count > 0 else { throw files.wrong(name, key, "no tokens", "one or more") }
    self.tokens = tokens
  }

  /// Reads an array of merges, each two strings or one with a space between.
  mutating func readMerges(_ scanner: inout JSON.Scanner, key: String) throws {
    guard scanner.peek() == UInt8(ascii: "[") else {
      throw files.wrong(name, key, try scanner.value(depth: 8).kindName, "an array")
    }
    var merges = MergeList()
    try scanner.eachEntry { scanner in
      let place = merges.count
      if scanner.peek() == UInt8(ascii: "\"") {
        try addMerge(try scanner.text(), to: &merges, name, "\(key)[\(place)]")
      } else {
        var parts: [String] = []
        try scanner.eachEntry { parts.append(try $0.text()) }
        guard parts.count == 2 else {
          throw files.wrong(name, "\(key)[\(place)]", "\(parts.count) strings", "two tokens")
        }
        merges.append(parts[0].utf8, parts[1].utf8)
      }
    }
    self.merges = merges
  }

  /// Reads `merges.txt`: a line a merge, after a first line that may name a version.
  mutating func readMerges(lines bytes: [UInt8], _ name: String) throws {
    var merges = MergeList()
    var start = bytes.startIndex
    var line = 0
    while start < bytes.endIndex {
      var end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
      let next = end + 1
      if end > start && bytes[end - 1] == 0x0D { end -= 1 }
      line += 1
      let isVersion = line == 1 && bytes[start..<end].starts(with: "#version".utf8)
      if !isVersion && end > start {
        try addMerge(
          String(decoding: bytes[start..<end], as: UTF8.self), to: &merges, name, "line \(line)")
      }
      start = next
    }
    self.merges = merges
  }

  private func addMerge(
    _ text: String, to merges: inout MergeList, _ name: String, _ key: String
  ) throws {
    let bytes = text.utf8
    guard let space = bytes.firstIndex(of: 0x20),
      !bytes[bytes.index(after: space)...].contains(0x20)
    else { throw files.wrong(name, key, text.quoted, "two tokens with a space between") }
    merges.append(bytes[..<space], bytes[bytes.index(after: space)...])
  }

  /// The merges by ids; `mergesName` and `key` say where they were read.
  func mergeTable(_ tokens: TokenTable, _ mergesName: String, _ key: String) throws -> MergeTable {
    let merges = merges ?? MergeList()
    var table = MergeTable(capacity: merges.count)
    for place in 0..<merges.count {
      let parts = merges.ids(place, tokens)
      guard let left = parts.left, let right = parts.right, let result = parts.result else {
        let (left, right) = merges.texts(place)
        let missing = parts.left == nil ? left : parts.right == nil ? right : left + right
        throw files.wrong(
          mergesName, "\(key)[\(place)]", "\(left.quoted) with \(right.quoted)",
          "tokens of the vocabulary, which has no \(missing.quoted)")
      }
      table.append(left, right, makes: result)
    }
    return table
  }
}

/// Merges as they are read: two tokens each, all in one array of bytes.
struct MergeList {
  private var bytes: [UInt8] = []
  /// Where each token ends: that of a left one is where the right one starts.
  private var ends: [Int] = []

  var count: Int { ends.count / 2 }

  mutating func append(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) {
    bytes.append(contentsOf: left)
    ends.append(bytes.count)
    bytes.append(contentsOf: right)
    ends.append(bytes.count)
  }

  /// The ids of two tokens and of the one that they make; nil for what is no token.
  func ids(_ place: Int, _ tokens: TokenTable) -> (left: Int?, right: Int?, result: Int?) {
    let start = place == 0 ? 0 : ends[place * 2 - 1]
    let (middle, end) = (ends[place * 2], ends[place * 2 + 1])
    return bytes.withUnsafeBufferPointer { bytes in
      func id(_ range: Range<Int>) -> Int? {
        tokens.id(UnsafeBufferPointer(rebasing: bytes[range]))
      }
      return (id(start..<middle), id(middle..<end), id(start..<end))
    }
  }

  /// Two tokens as the file spells them.
  func texts(_ place: Int) -> (String, String) {
    let start = place == 0 ? 0 : ends[place * 2 - 1]
    let (middle, end) = (ends[place * 2], ends[place * 2 + 1])
    return (
      String(decoding: bytes[start..<middle], as: UTF8.self),
      String(decoding: bytes[middle..<end], as: UTF8.self)
    )
  }
}
