/// Byte-pair encoding over bytes, as in GPT-2 and OPT (Sennrich et al. 2016; Radford et al. 2019).
struct ByteLevelBPE: Tokenizer {
  /// What two neighbouring tokens become, and how early.
  struct Merge: Sendable {
    let rank: Int32
    let result: Int32
  }

  let vocabulary: Vocabulary
  let added: AddedTokens
  let surroundings: Surroundings
  let addsPrefixSpace: Bool
  /// The id of each byte's token.
  private let byteIDs: [Int32]
  private let merges: [UInt64: Merge]

  /// Builds the tables.
  ///
  /// - Parameter pairs: the two tokens of each merge, the earliest first.
  init(
    vocabulary: Vocabulary, pairs: [(String, String)], added: AddedTokens,
    surroundings: Surroundings, addsPrefixSpace: Bool, file: String
  ) throws(TokenizerError) {
    (self.vocabulary, self.added, self.surroundings) = (vocabulary, added, surroundings)
    self.addsPrefixSpace = addsPrefixSpace
    var bytes: [Int32] = []
    for byte in UInt8.min...UInt8.max {
      guard let id = vocabulary.id(ByteAlphabet.spelling(byte)) else {
        throw TokenizerError(
          file: file, place: "vocab", found: "no token for byte \(byte)",
          expected: "'\(ByteAlphabet.spelling(byte))', so that any text can be written")
      }
      bytes.append(Int32(id))
    }
    byteIDs = bytes
    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(pairs.count)
    for (rank, pair) in pairs.enumerated() {
      guard let left = vocabulary.id(pair.0), let right = vocabulary.id(pair.1),
        let result = vocabulary.id(pair.0 + pair.1)
      else {
        throw TokenizerError(
          file: file, place: "merges, number \(rank)", found: "'\(pair.0)' and '\(pair.1)'",
          expected: "two tokens of the vocabulary that join to a third")
      }
      let key = Self.key(Int32(left), Int32(right))
      if merges[key] == nil { merges[key] = Merge(rank: Int32(rank), result: Int32(result)) }
    }
    self.merges = merges
  }

  var vocabularySize: Int { vocabulary.size(with: added) }
  func token(_ id: Int) -> String? { added.contents[id] ?? vocabulary.token(id) }
  func id(_ token: String) -> Int? {
    added.entries.first { $0.content == token }?.id ?? vocabulary.id(token)
  }
  func isSpecial(_ id: Int) -> Bool { added.specialIDs.contains(id) }

  func encode(_ text: String, addSpecialTokens: Bool) -> [Int] {
    var ids: [Int] = []
    for part in added.split(text) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let text):
        var piece = text
        if addsPrefixSpace, piece.first != " " { piece = " " + piece }
        var scanner = WordScanner(piece)
        while let word = scanner.next() { merge(word, into: &ids) }
      }
    }
    return addSpecialTokens ? surroundings.prefix + ids + surroundings.suffix : ids
  }

  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String {
    var bytes: [UInt8] = []
    for id in ids {
      if skipSpecialTokens && isSpecial(id) { continue }
      guard let token = token(id) else { continue }
      bytes += ByteAlphabet.bytes(of: token) ?? Array(token.utf8)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Joins the neighbours with the earliest merge, leftmost first, until none is left.
  private func merge(_ word: [UInt8], into ids: inout [Int]) {
    var tokens = word.map { byteIDs[Int($0)] }
    if tokens.count == 1 {
      ids.append(Int(tokens[0]))
      return
    }
    // A linked list of what is left and a heap of merges to try: n log n for any text.
    let end = tokens.count
    var next = Array(1...end)
    var previous = Array(-1..<end - 1)
    var heap = MergeHeap()
    func consider(_ left: Int, _ heap: inout MergeHeap) {
      guard left >= 0, next[left] < end else { return }
      if let merge = merges[Self.key(tokens[left], tokens[next[left]])] {
        heap.push(rank: merge.rank, place: Int32(left), result: merge.result)
      }
    }
    for place in 0..<end - 1 { consider(place, &heap) }
    while let top = heap.pop() {
      let left = Int(top.place)
      guard tokens[left] >= 0, next[left] < end,
        let merge = merges[Self.key(tokens[left], tokens[next[left]])], merge.rank == top.rank
      else { continue }  // One of the two was joined to another neighbour meanwhile.
      let right = next[left]
      tokens[left] = merge.result
      tokens[right] = -1
      next[left] = next[right]
      if next[right] < end { previous[next[right]] = left }
      consider(previous[left], &heap)
      consider(left, &heap)
    }
    var place = 0
    while place < end {
      ids.append(Int(tokens[place]))
      place = next[place]
    }
  }
}

/// Merges to try, the earliest first, the leftmost of equals first.
private struct MergeHeap {
  struct Entry {
    let rank, place, result: Int32
    func isBefore(_ other: Entry) -> Bool {
      rank < other.rank || (rank == other.rank && place < other.place)
    }
  }
  private var entries: [Entry] = []

  mutating func push(rank: Int32, place: Int32, result: Int32) {
    entries.append(Entry(rank: rank, place: place, result: result))
    var child = entries.count - 1
    while child > 0, entries[child].isBefore(entries[(child - 1) / 2]) {
      entries.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  mutating func pop() -> Entry? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    if entries.isEmpty { return top }
    entries[0] = last
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].isBefore(entries[smallest]) {
        smallest = child
      }
      if smallest == parent { return top }
      entries.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
