/// Which pairs of neighbouring tokens become one, and in which order.
struct MergeTable: Sendable {
  private var keys: [UInt64] = []
  private var ranks: [Int32] = []
  /// The token that the merge of a rank makes.
  private(set) var results: [Int32] = []

  /// Makes room for `count` merges.
  init(capacity count: Int) {
    var slots = 16
    while slots < count * 2 { slots *= 2 }
    keys = [UInt64](repeating: .max, count: slots)
    ranks = [Int32](repeating: -1, count: slots)
    results.reserveCapacity(count)
  }

  /// Adds the next merge; of two alike the later one holds, as in the reference.
  ///
  /// - Precondition: there are fewer than the capacity.
  mutating func append(_ left: Int, _ right: Int, makes result: Int) {
    let key = Self.key(Int32(left), Int32(right))
    let slot = self.slot(key)
    keys[slot] = key
    ranks[slot] = Int32(results.count)
    results.append(Int32(result))
  }

  /// The rank of the merge of two tokens; nil if they stay two.
  func rank(_ left: Int32, _ right: Int32) -> Int32? {
    let slot = self.slot(Self.key(left, right))
    return ranks[slot] < 0 ? nil : ranks[slot]
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Where `key` is or would be.
  private func slot(_ key: UInt64) -> Int {
    let mask = keys.count - 1
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[slot] != key && ranks[slot] >= 0 { slot = (slot + 1) & mask }
    return slot
  }
}
