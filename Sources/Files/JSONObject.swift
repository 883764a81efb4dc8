extension JSON {
  /// The members of an object, in the order they were written, found by name in constant time.
  public struct Object: Sendable {
    /// The names, in order.
    public let keys: [String]
    /// The values, one for each name.
    public let values: [JSON]
    private let table: KeyTable

    init(keys: [String], values: [JSON], table: KeyTable) {
      (self.keys, self.values, self.table) = (keys, values, table)
    }

    /// Members in order; of two with one name the later value stands at the earlier place.
    public init(_ members: [(String, JSON)] = []) {
      var keys: [String] = []
      var values: [JSON] = []
      var table = KeyTable()
      for (key, value) in members {
        if let place = table.insert(key, into: &keys) {
          values[place] = value
        } else {
          values.append(value)
        }
      }
      self.init(keys: keys, values: values, table: table)
    }

    /// How many members there are.
    public var count: Int { keys.count }
    /// Whether there is none.
    public var isEmpty: Bool { keys.isEmpty }

    /// The value called `key`, if there is one.
    public subscript(_ key: String) -> JSON? { table.find(key, in: keys).map { values[$0] } }

    /// The members, in order.
    public var members: [(key: String, value: JSON)] {
      zip(keys, values).map { (key: $0, value: $1) }
    }
  }
}

extension JSON {
  /// The same document with a value under the last of some keys, each in the object under the one before; what is
  /// missing on the way is made.
  public func setting(_ value: JSON, at path: some Collection<String>) -> JSON {
    guard let key = path.first else { return value }
    let inner = (self[key] ?? .null).setting(value, at: path.dropFirst())
    return .object(Object((object?.members ?? []).map { ($0.key, $0.value) } + [(key, inner)]))
  }
}

extension JSON.Object: Equatable {
  /// Whether both have the same members, in any order.
  public static func == (a: Self, b: Self) -> Bool {
    a.count == b.count && a.keys.indices.allSatisfy { b[a.keys[$0]] == a.values[$0] }
  }
}

/// Where each name stands in a list of names: a hash table over their UTF-8 bytes.
///
/// A `Dictionary` of strings would take two spellings of one character for the same name.
package struct KeyTable: Sendable {
  /// Places in the list plus one, 0 where empty; no slots at all while the list is short.
  private var slots: [Int32] = []
  private static let shortest = 8

  /// Starts empty.
  package init() {}

  /// Where `key` stands in `keys`, the list this table was built with.
  package func find(_ key: String, in keys: [String]) -> Int? {
    if slots.isEmpty { return keys.firstIndex { $0.hasSameBytes(as: key) } }
    return keys.withUnsafeBufferPointer { keys in
      slots.withUnsafeBufferPointer { slots in
        var slot = Self.hash(key) & (slots.count - 1)
        while slots[slot] != 0 {
          let place = Int(slots[slot]) - 1
          if keys[place].hasSameBytes(as: key) { return place }
          slot = (slot + 1) & (slots.count - 1)
        }
        return nil
      }
    }
  }

  /// Appends `key` to `keys`, or says where it already stands.
  package mutating func insert(_ key: String, into keys: inout [String]) -> Int? {
    if slots.isEmpty {
      if let place = keys.firstIndex(where: { $0.hasSameBytes(as: key) }) { return place }
      keys.append(key)
      if keys.count > Self.shortest { rebuild(keys, slotCount: 4 * Self.shortest) }
      return nil
    }
    var slot = Self.hash(key) & (slots.count - 1)
    while slots[slot] != 0 {
      let place = Int(slots[slot]) - 1
      if keys[place].hasSameBytes(as: key) { return place }
      slot = (slot + 1) & (slots.count - 1)
    }
    keys.append(key)
    slots[slot] = Int32(truncatingIfNeeded: keys.count)
    if keys.count > slots.count / 2 { rebuild(keys, slotCount: 4 * slots.count) }
    return nil
  }

  private mutating func rebuild(_ keys: [String], slotCount: Int) {
    slots = [Int32](repeating: 0, count: slotCount)
    for (place, key) in keys.enumerated() {
      var slot = Self.hash(key) & (slotCount - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slotCount - 1) }
      slots[slot] = Int32(truncatingIfNeeded: place + 1)
    }
  }

  /// Seeded afresh in every process, so that no file can be made to collide on purpose.
  private static func hash(_ key: String) -> Int {
    var hasher = Hasher()
    if key.utf8.withContiguousStorageIfAvailable({
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }) == nil {
      for byte in key.utf8 { hasher.combine(byte) }
    }
    return hasher.finalize()
  }
}
