/// Tokens that are found in the text before anything else looks at it.
struct AddedTokens: Sendable {
  struct Entry: Sendable {
    let content: String
    let id: Int
    let isSpecial: Bool
    let stripsLeft: Bool
    let stripsRight: Bool
  }

  /// A part of a text: an added token, or what lies between them.
  enum Part: Equatable {
    case text(Substring)
    case token(Int)
  }

  let entries: [Entry]
  /// By id.
  let contents: [Int: String]
  let specialIDs: Set<Int>
  /// By first byte, longest first.
  private let byFirstByte: [[(bytes: [UInt8], entry: Int)]]

  init(_ entries: [Entry]) {
    self.entries = entries
    contents = Dictionary(entries.map { ($0.id, $0.content) }) { first, _ in first }
    specialIDs = Set(entries.filter(\.isSpecial).map(\.id))
    var table = [[(bytes: [UInt8], entry: Int)]](repeating: [], count: 256)
    for (index, entry) in entries.enumerated() {
      let bytes = Array(entry.content.utf8)
      if let first = bytes.first { table[Int(first)].append((bytes, index)) }
    }
    byFirstByte = table.map { $0.sorted { $0.bytes.count > $1.bytes.count } }
  }

  /// Cuts `text` at the added tokens in it: the leftmost first, the longest of those that start
  /// at one place.
  func split(_ text: String) -> [Part] {
    var parts: [Part] = []
    let utf8 = text.utf8
    var start = utf8.startIndex
    var place = start
    while place < utf8.endIndex {
      guard let found = match(utf8, at: place) else {
        utf8.formIndex(after: &place)
        continue
      }
      var (from, to) = (place, utf8.index(place, offsetBy: found.bytes.count))
      let entry = entries[found.entry]
      if entry.stripsLeft { from = Self.skipSpaces(before: from, down: start, text) }
      if entry.stripsRight { to = Self.skipSpaces(after: to, text) }
      if start < from { parts.append(.text(text[start..<from])) }
      parts.append(.token(entry.id))
      start = to
      place = to
    }
    if start < utf8.endIndex { parts.append(.text(text[start...])) }
    return parts
  }

  private func match(
    _ utf8: String.UTF8View, at place: String.Index
  ) -> (bytes: [UInt8], entry: Int)? {
    byFirstByte[Int(utf8[place])].first { utf8[place...].starts(with: $0.bytes) }
  }

  private static func skipSpaces(
    before index: String.Index, down limit: String.Index, _ text: String
  ) -> String.Index {
    var index = index
    while index > limit {
      let previous = text.unicodeScalars.index(before: index)
      guard text.unicodeScalars[previous].properties.isWhitespace else { break }
      index = previous
    }
    return index
  }

  private static func skipSpaces(after index: String.Index, _ text: String) -> String.Index {
    var index = index
    while index < text.endIndex, text.unicodeScalars[index].properties.isWhitespace {
      text.unicodeScalars.formIndex(after: &index)
    }
    return index
  }
}
