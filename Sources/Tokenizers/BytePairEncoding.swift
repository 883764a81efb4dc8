internal import Budget

/// Byte-level byte pair encoding: a word starts as its bytes, and the pair of neighbours that comes
/// first among the merges becomes one token, until no pair does (Sennrich et al., 2016).
struct BytePairEncoding: Sendable {
  let tokens: TokenTable
  private let merges: MergeTable
  /// The token of each byte, then of each byte at the end of a word; -1 where there is none.
  private let symbols: [Int32]
  private let unknown: Int32?
  private let fusesUnknown: Bool
  private let takesWholeWords: Bool
  /// What the last symbol of a word ends in, `</w>` for CLIP.
  let wordEnd: String

  /// Puts the parts together.
  ///
  /// - Parameters:
  ///   - unknown: stands for a byte that no token spells; without one such bytes are left out.
  ///   - takesWholeWords: whether a word that is a token needs no merges.
  init(
    tokens: TokenTable, merges: MergeTable, unknown: Int?, fusesUnknown: Bool,
    takesWholeWords: Bool, wordEnd: String
  ) {
    (self.tokens, self.merges) = (tokens, merges)
    self.unknown = unknown.map(Int32.init)
    (self.fusesUnknown, self.takesWholeWords) = (fusesUnknown, takesWholeWords)
    self.wordEnd = wordEnd
    let names = ByteAlphabet.scalars.map { String(Character($0)) }
    let ends = wordEnd.isEmpty ? names : names.map { $0 + wordEnd }
    symbols = (names + ends).map { Int32(tokens.id($0) ?? -1) }
  }

  /// Space that is used again for every word.
  struct Workspace {
    fileprivate var ids: [Int32] = []
    fileprivate var previous: [Int32] = []
    fileprivate var next: [Int32] = []
    fileprivate var heap = RankHeap()
  }

  /// Appends the ids of one word.
  func encode(_ word: ArraySlice<UInt8>, into ids: inout [Int], _ space: inout Workspace) {
    if takesWholeWords, let id = tokens.id(spelled(word)) {
      ids.append(id)
      return
    }
    start(word, &space)
    merge(&space)
    var place = space.ids.isEmpty ? -1 : 0
    while place >= 0 {
      ids.append(Int(space.ids[place]))
      place = Int(space.next[place])
    }
  }

  /// The word as the vocabulary spells it, without what ends a word: so the reference looks for it.
  private func spelled(_ word: ArraySlice<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in word { text.append(ByteAlphabet.scalars[Int(byte)]) }
    return String(text)
  }

  /// Lays out the word's bytes as a list of tokens.
  private func start(_ word: ArraySlice<UInt8>, _ space: inout Workspace) {
    space.ids.removeAll(keepingCapacity: true)
    var lastIsUnknown = false
    for (offset, byte) in word.enumerated() {
      let isLast = offset == word.count - 1
      let symbol = symbols[Int(byte) + (isLast ? 256 : 0)]
      if symbol >= 0 {
        space.ids.append(symbol)
      } else if let unknown, !(fusesUnknown && lastIsUnknown) {
        space.ids.append(unknown)
      }
      lastIsUnknown = symbol < 0
    }
    let count = Int32(space.ids.count)
    space.previous.removeAll(keepingCapacity: true)
    space.next.removeAll(keepingCapacity: true)
    for place in 0..<count {
      space.previous.append(place - 1)
      space.next.append(place + 1 < count ? place + 1 : -1)
    }
  }

  /// Merges until nothing merges; each merge costs the logarithm of the word's length.
  private func merge(_ space: inout Workspace) {
    space.heap.removeAll()
    for place in space.ids.indices.dropLast() {
      if place & 0xFFFF == 0xFFFF, Stop.isRequested { return }
      consider(Int32(place), &space)
    }
    var steps = 0
    while let (rank, place) = space.heap.pop() {
      steps += 1
      if steps & 0xFFFF == 0, Stop.isRequested { return }
      let left = Int(place)
      let right = Int(space.next[left])
      // Either of the two may have been merged with another since; -1 marks one that is gone.
      guard space.ids[left] >= 0, right >= 0,
        let now = merges.rank(space.ids[left], space.ids[right]),
        merges.results[Int(now)] == merges.results[Int(rank)]
      else { continue }
      space.ids[left] = merges.results[Int(now)]
      space.ids[right] = -1
      let after = space.next[right]
      space.next[left] = after
      if after >= 0 {
        space.previous[Int(after)] = place
        consider(place, &space)
      }
      if space.previous[left] >= 0 { consider(space.previous[left], &space) }
    }
  }

  /// Notes that the token at `place` and the one after it could merge.
  private func consider(_ place: Int32, _ space: inout Workspace) {
    let right = Int(space.next[Int(place)])
    if let rank = merges.rank(space.ids[Int(place)], space.ids[right]) {
      space.heap.push(rank: rank, place: place)
    }
  }
}

/// Possible merges, the lowest rank first, of equals the leftmost.
private struct RankHeap {
  /// Rank in the high half, place in the low half: one comparison orders both.
  private var entries: [UInt64] = []

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  mutating func push(rank: Int32, place: Int32) {
    let entry = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(UInt32(bitPattern: place))
    var hole = entries.count
    entries.append(entry)
    while hole > 0 {
      let parent = (hole - 1) / 2
      guard entry < entries[parent] else { break }
      entries[hole] = entries[parent]
      hole = parent
    }
    entries[hole] = entry
  }

  mutating func pop() -> (rank: Int32, place: Int32)? {
    guard let top = entries.first, let last = entries.popLast() else { return nil }
    let count = entries.count
    if count > 0 {
      var hole = 0
      while true {
        var child = 2 * hole + 1
        guard child < count else { break }
        if child + 1 < count && entries[child + 1] < entries[child] { child += 1 }
        guard entries[child] < last else { break }
        entries[hole] = entries[child]
        hole = child
      }
      entries[hole] = last
    }
    return (Int32(truncatingIfNeeded: top >> 32), Int32(truncatingIfNeeded: top))
  }
}
