internal import Budget

/// Byte pair encoding: a word starts as its bytes or characters, and the pair of neighbours that comes
/// first among the merges becomes one token, until no pair does (Sennrich et al., 2016).
struct BytePairEncoding: Sendable {
  /// Which pairs merge, and in which order.
  enum Merges: Sendable {
    /// Those of a list.
    case listed(MergeTable)
    /// Those that spell a token, the token with the least id first.
    case byRank
  }

  let tokens: TokenTable
  private let merges: Merges
  private let symbols: WordSymbols
  /// Words that are found here need no merges.
  private let wholeWords: TokenTable?
  /// Tokens that are taken apart again when all is merged.
  private let unused: Set<Int32>

  /// Puts the parts together.
  init(
    tokens: TokenTable, merges: Merges, symbols: WordSymbols, wholeWords: TokenTable? = nil,
    unused: Set<Int32> = []
  ) {
    (self.tokens, self.merges, self.symbols) = (tokens, merges, symbols)
    (self.wholeWords, self.unused) = (wholeWords, unused)
  }

  /// Space that is used again for every word.
  struct Workspace {
    fileprivate var ids: [Int32] = []
    fileprivate var previous: [Int32] = []
    fileprivate var next: [Int32] = []
    fileprivate var heap = RankHeap()
    /// The two parts that an unused token was last made of.
    fileprivate var parts: [Int32: (Int32, Int32)] = [:]
  }

  /// Appends the ids of one word.
  func encode(_ word: ArraySlice<UInt8>, into ids: inout [Int], _ space: inout Workspace) {
    if let wholeWords, let id = symbols.wholeWord(word, in: wholeWords) {
      ids.append(id)
      return
    }
    start(word, &space)
    merge(&space)
    // A word of millions of bytes takes long to be merged.
    if word.count > 1 << 16, Stop.isRequested { return }
    var place = space.ids.isEmpty ? -1 : 0
    while place >= 0 {
      append(space.ids[place], to: &ids, space)
      place = Int(space.next[place])
    }
  }

  private func append(_ id: Int32, to ids: inout [Int], _ space: Workspace) {
    guard !unused.isEmpty, unused.contains(id), let (left, right) = space.parts[id] else {
      ids.append(Int(id))
      return
    }
    append(left, to: &ids, space)
    append(right, to: &ids, space)
  }

  /// Lays out what the word is made of as a list of tokens.
  private func start(_ word: ArraySlice<UInt8>, _ space: inout Workspace) {
    space.ids.removeAll(keepingCapacity: true)
    if !unused.isEmpty { space.parts.removeAll() }
    symbols.append(word, to: &space.ids, tokens)
    let count = Int32(space.ids.count)
    space.previous.removeAll(keepingCapacity: true)
    space.next.removeAll(keepingCapacity: true)
    for place in 0..<count {
      if place & 0xFFFF == 0xFFFF, Stop.isRequested { return space.ids.removeAll() }
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
        let merge = merge(space.ids[left], space.ids[right]), merge.rank == rank
      else { continue }
      space.ids[left] = merge.result
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

  /// The merge of two tokens; nil if they stay two.
  private func merge(_ left: Int32, _ right: Int32) -> MergeTable.Merge? {
    switch merges {
    case .listed(let table): table.merge(left, right)
    case .byRank:
      tokens.id(joining: Int(left), Int(right)).map {
        MergeTable.Merge(rank: Int32($0), result: Int32($0))
      }
    }
  }

  /// Notes that the token at `place` and the one after it could merge.
  private func consider(_ place: Int32, _ space: inout Workspace) {
    let (left, right) = (space.ids[Int(place)], space.ids[Int(space.next[Int(place)])])
    guard let merge = merge(left, right) else { return }
    space.heap.push(rank: merge.rank, place: place)
    if unused.contains(merge.result) { space.parts[merge.result] = (left, right) }
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
