/// Token strings and their ids, found in either direction in constant time.
///
/// All strings lie in one array of bytes; the table from string to id holds ids alone.
struct TokenTable: Sendable {
  /// Ids end below this, so that a file cannot ask for more memory than it is long.
  static let idLimit = 1 << 20

  /// Why a token was not taken.
  enum Refusal: Error {
    case idOutOfRange
    case idTaken(by: String)
    case tokenTaken(id: Int)
  }

  private var bytes: [UInt8] = []
  /// Where the token of an id starts in `bytes`, and how long it is; a length of -1 for none.
  private var starts: [UInt32] = []
  private var lengths: [Int32] = []
  /// Ids by the hash of their token, -1 where free; as many as a power of two.
  private var slots = [Int32](repeating: -1, count: 1024)
  /// How many tokens there are.
  private(set) var count = 0
  /// The longest token, in bytes.
  private(set) var longest = 0

  /// One more than the greatest id.
  var size: Int { starts.count }

  /// Makes room for about `count` tokens.
  mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(count * 8)
    starts.reserveCapacity(count)
    lengths.reserveCapacity(count)
    while slots.count < count * 2 { grow() }
  }

  /// Adds a token.
  mutating func insert(_ token: String, id: Int) throws(Refusal) {
    try check(id)
    var token = token
    try check(taken: token.withUTF8 { add($0, id: id) })
  }

  /// Adds the token with these bytes, which are UTF-8.
  mutating func insert(bytes token: [UInt8], id: Int) throws(Refusal) {
    try check(id)
    try check(taken: token.withUnsafeBufferPointer { add($0, id: id) })
  }

  private func check(_ id: Int) throws(Refusal) {
    guard id >= 0 && id < Self.idLimit else { throw .idOutOfRange }
    if has(id) { throw .idTaken(by: string(id) ?? "") }
  }

  private func check(taken: Int) throws(Refusal) {
    if taken >= 0 { throw .tokenTaken(id: taken) }
  }

  /// Adds a token with a new id; the id that the token has already, or -1.
  private mutating func add(_ utf8: UnsafeBufferPointer<UInt8>, id: Int) -> Int {
    let (slot, taken) = find(utf8, hash: Self.hash(utf8))
    guard taken < 0 else { return taken }
    while starts.count <= id {
      starts.append(0)
      lengths.append(-1)
    }
    starts[id] = UInt32(bytes.count)
    lengths[id] = Int32(utf8.count)
    bytes.append(contentsOf: utf8)
    slots[slot] = Int32(id)
    longest = max(longest, utf8.count)
    count += 1
    if count * 2 > slots.count { grow() }
    return -1
  }

  /// The id of a token.
  func id(_ token: String) -> Int? {
    var token = token
    return token.withUTF8 { id($0) }
  }

  /// The id of the token with these bytes.
  func id(_ token: UnsafeBufferPointer<UInt8>) -> Int? {
    id(token, hash: Self.hash(token))
  }

  /// The id of the token with these bytes, whose `hash` is known.
  func id(_ token: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
    let found = find(token, hash: hash).id
    return found < 0 ? nil : found
  }

  /// The id of the token whose bytes are those of two others, one after the other.
  func id(joining left: Int, _ right: Int) -> Int? {
    guard let left = bytes(left), let right = bytes(right), left.count + right.count <= longest
    else { return nil }
    var hash = Self.emptyHash
    for byte in left { hash = Self.hash(hash, then: byte) }
    for byte in right { hash = Self.hash(hash, then: byte) }
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & UInt64(mask))
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      let start = Int(starts[id])
      if Int(lengths[id]) == left.count + right.count,
        bytes[start..<start + left.count].elementsEqual(left),
        bytes[start + left.count..<start + Int(lengths[id])].elementsEqual(right)
      {
        return id
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// Whether an id has a token.
  func has(_ id: Int) -> Bool { id >= 0 && id < lengths.count && lengths[id] >= 0 }

  /// The token of an id.
  func string(_ id: Int) -> String? {
    bytes(id).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The token of an id, in bytes.
  func bytes(_ id: Int) -> ArraySlice<UInt8>? {
    guard has(id) else { return nil }
    let start = Int(starts[id])
    return bytes[start..<start + Int(lengths[id])]
  }

  /// The hash of nothing, to go on from with `hash(_:then:)`.
  static let emptyHash: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The hash of some bytes and one more (FNV-1a).
  static func hash(_ hash: UInt64, then byte: UInt8) -> UInt64 {
    (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
  }

  private static func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var hash = emptyHash
    for byte in bytes { hash = Self.hash(hash, then: byte) }
    return hash
  }

  /// The id of a token, or -1, and the slot where it is or would be.
  private func find(
    _ token: UnsafeBufferPointer<UInt8>, hash: UInt64
  ) -> (slot: Int, id: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & UInt64(mask))
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      if Int(lengths[id]) == token.count {
        let start = Int(starts[id])
        var same = 0
        while same < token.count && bytes[start + same] == token[same] { same += 1 }
        if same == token.count { return (slot, id) }
      }
      slot = (slot + 1) & mask
    }
    return (slot, -1)
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for id in lengths.indices where lengths[id] >= 0 {
      var hash = Self.emptyHash
      let start = Int(starts[id])
      for place in start..<start + Int(lengths[id]) {
        hash = Self.hash(hash, then: bytes[place])
      }
      var slot = Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & UInt64(mask))
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(id)
    }
  }
}
