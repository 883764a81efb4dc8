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
  /// Left and right of each merge, one after the other.
  var merges: [String]?

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
    var merges: [String] = []
    try scanner.eachEntry { scanner in
      let place = merges.count / 2
      if scanner.peek() == UInt8(ascii: "\"") {
        try addMerge(try scanner.text(), to: &merges, name, "\(key)[\(place)]")
      } else {
        try scanner.eachEntry { merges.append(try $0.text()) }
        if merges.count != place * 2 + 2 {
          throw files.wrong(
            name, "\(key)[\(place)]", "\(merges.count - place * 2) strings", "two tokens")
        }
      }
    }
    self.merges = merges
  }

  /// Reads `merges.txt`: a line a merge, after a first line that may name a version.
  mutating func readMerges(lines bytes: [UInt8], _ name: String) throws {
    var merges: [String] = []
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
    _ text: String, to merges: inout [String], _ name: String, _ key: String
  ) throws {
    let scalars = text.unicodeScalars
    guard let space = scalars.firstIndex(of: " "),
      !scalars[scalars.index(after: space)...].contains(" ")
    else { throw files.wrong(name, key, text.quoted, "two tokens with a space between") }
    merges.append(String(scalars[..<space]))
    merges.append(String(scalars[scalars.index(after: space)...]))
  }

  /// The merges by ids; `mergesName` and `key` say where they were read.
  func mergeTable(_ tokens: TokenTable, _ mergesName: String, _ key: String) throws -> MergeTable {
    let merges = merges ?? []
    var table = MergeTable(capacity: merges.count / 2)
    for place in stride(from: 0, to: merges.count - 1, by: 2) {
      let (left, right) = (merges[place], merges[place + 1])
      func id(_ token: String) throws -> Int {
        guard let id = tokens.id(token) else {
          throw files.wrong(
            mergesName, "\(key)[\(place / 2)]", "\(left.quoted) with \(right.quoted)",
            "tokens of the vocabulary, which has no \(token.quoted)")
        }
        return id
      }
      table.append(try id(left), try id(right), makes: try id(left + right))
    }
    return table
  }
}
