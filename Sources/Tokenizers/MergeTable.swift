/// Which pairs of neighbouring tokens become one, and in which order.
struct MergeTable: Sendable {
  /// What two tokens become, and when.
  struct Merge: Sendable {
    /// The lower, the sooner.
    let rank: Int32
    let result: Int32
  }

  private var keys: [UInt64] = []
  /// Of each slot; a rank of -1 where it is free.
  private var merges: [Merge] = []
  private var count = 0

  /// Makes room for `count` merges.
  init(capacity count: Int) {
    var slots = 16
    while slots < count * 2 { slots *= 2 }
    keys = [UInt64](repeating: .max, count: slots)
    merges = [Merge](repeating: Merge(rank: -1, result: -1), count: slots)
  }

  /// Adds the next merge; of two alike the later one holds, as in the reference.
  ///
  /// - Precondition: there are fewer than the capacity.
  /// - Parameter rank: of merges with one rank the leftmost in a text is made first; nil for a rank
  ///   after all others.
  mutating func append(_ left: Int, _ right: Int, makes result: Int, rank: Int? = nil) {
    let key = Self.key(Int32(left), Int32(right))
    let slot = self.slot(key)
    keys[slot] = key
    merges[slot] = Merge(rank: Int32(rank ?? count), result: Int32(result))
    count += 1
  }

  /// The merge of two tokens; nil if they stay two.
  func merge(_ left: Int32, _ right: Int32) -> Merge? {
    let merge = merges[slot(Self.key(left, right))]
    return merge.rank < 0 ? nil : merge
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Where `key` is or would be.
  private func slot(_ key: UInt64) -> Int {
    let mask = keys.count - 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[slot] != key && merges[slot].rank >= 0 { slot = (slot + 1) & mask }
    return slot
  }
}
