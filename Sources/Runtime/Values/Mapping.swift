internal import Budget
internal import Synchronization

/// A dictionary that several names may share; keys keep the order they were added in.
public final class Mapping: Sendable {
  private struct Entries: Sendable {
    var keys: [Value] = []
    var values: [Value] = []
    var places: [Key: Int] = [:]
    /// Places whose entries were taken out.
    ///
    /// They stay until they are half of all or the order is asked for: to move up whatever comes after, for each, would take time by the square of the length.
    var holes: Set<Int> = []

    mutating func remove(_ key: Key) -> Value? {
      guard let place = places.removeValue(forKey: key) else { return nil }
      let value = values[place]
      (keys[place], values[place]) = (.none, .none)
      holes.insert(place)
      if 2 * holes.count > keys.count { closeUp() }
      return value
    }

    mutating func closeUp() {
      guard !holes.isEmpty else { return }
      var movedTo = Array(repeating: 0, count: keys.count)
      var next = 0
      for place in keys.indices where !holes.contains(place) {
        (keys[next], values[next]) = (keys[place], values[place])
        movedTo[place] = next
        next += 1
      }
      keys.removeLast(holes.count)
      values.removeLast(holes.count)
      places = places.mapValues { movedTo[$0] }
      holes = []
    }
  }
  private let storage: Mutex<Entries>

  /// An empty dictionary.
  public init() { storage = Mutex(Entries()) }

  /// A dictionary with text keys, in this order; a key given twice keeps its last value.
  public convenience init(_ entries: KeyValuePairs<String, Value>) {
    self.init()
    for (key, value) in entries { set(.text(key), Key(text: key), value) }
  }

  /// How many entries there are.
  public var count: Int { storage.withLock { $0.places.count } }
  /// The keys, in order.
  public var keys: [Value] { inOrder { $0.keys } }
  /// The values, in the keys' order.
  public var values: [Value] { inOrder { $0.values } }
  /// The keys and the values, in the same order: nothing is copied.
  var columns: (keys: [Value], values: [Value]) { inOrder { ($0.keys, $0.values) } }
  /// Keys with their values, in order.
  public var entries: [(key: Value, value: Value)] {
    let (keys, values) = columns
    return Array(zip(keys, values)).map { (key: $0.0, value: $0.1) }
  }

  private func inOrder<R: Sendable>(_ body: (Entries) -> R) -> R {
    storage.withLock { entries in
      entries.closeUp()
      return body(entries)
    }
  }

  /// The value of a text key.
  public subscript(_ key: String) -> Value? { self[Key(text: key)] }

  /// Sets the value of a key, which goes last if it is new.
  ///
  /// - Throws: `RuntimeFailure` where the key is of a kind that cannot be one, such as a list.
  public func set(_ key: Value, to value: Value) throws {
    let hashed = try Key(key)
    try askForRoom()
    set(key, hashed, value)
  }

  /// Asks for the memory of one more entry: two arrays and a table, which double when they are full.
  ///
  /// - Throws: `MemoryShortage`.
  func askForRoom() throws {
    let (count, capacity) = storage.withLock { ($0.keys.count, $0.keys.capacity) }
    guard count >= capacity else { return }
    try MemoryGate.take(
      8 * capacity, of: MemoryLayout<Value>.stride, for: "a dict of \(count + 1) entries")
  }

  /// The last `count` entries.
  func ending(_ count: Int) -> Mapping {
    let part = Mapping()
    for (key, value) in entries.suffix(count) {
      if let hashed = try? Key(key) { part.set(key, hashed, value) }
    }
    return part
  }

  /// Takes over another's entries.
  ///
  /// - Throws: `MemoryShortage`; `CancellationError`.
  func add(_ other: Mapping) throws {
    let (keys, values) = other.columns
    for place in keys.indices {
      if place & 0xFFF == 0 { try Stop.check() }
      try set(keys[place], to: values[place])
    }
  }

  subscript(_ key: Key) -> Value? {
    storage.withLock { entries in entries.places[key].map { entries.values[$0] } }
  }

  func set(_ key: Value, _ hashed: Key, _ value: Value) {
    // What was there is freed after the lock is given up.
    let old = storage.withLock { entries -> Value? in
      if let place = entries.places[hashed] {
        let old = entries.values[place]
        entries.values[place] = value
        return old
      }
      entries.places[hashed] = entries.keys.count
      entries.keys.append(key)
      entries.values.append(value)
      return nil
    }
    withExtendedLifetime(old) {}
  }

  func remove(_ key: Key) -> Value? {
    storage.withLock { $0.remove(key) }
  }

  func removeAll() {
    let old = storage.withLock { entries in
      let old = entries
      entries = Entries()
      return old
    }
    withExtendedLifetime(old) {}
  }

  deinit {
    storage.withLock { entries in
      Dismantling.free(&entries.keys)
      Dismantling.free(&entries.values)
      Dismantling.free(&entries.places)
    }
  }
}

/// A value as a key: equal numbers are one key whatever their type, as in Python.
enum Key: Hashable, Sendable {
  case none
  case integer(Int)
  case float(Double)
  case text(ExactText)
  case tuple([Key])
  case ellipsis

  init(text: String) { self = .text(ExactText(text: text)) }

  init(_ value: Value) throws {
    switch value {
    case .none: self = .none
    case .bool(let truth): self = .integer(truth ? 1 : 0)
    case .integer(let number): self = .integer(number)
    case .float(let number):
      self = Int(exactly: number).map { .integer($0) } ?? .float(number)
    case .text(let text): self = .text(ExactText(text: text.string))
    case .tuple(let values): self = .tuple(try values.map { try Key($0) })
    case .ellipsis: self = .ellipsis
    default:
      throw RuntimeFailure(
        .type, "a \(value.typeName) cannot be a key", hint: "keys are numbers, texts and tuples")
    }
  }
}

/// Text compared scalar by scalar: Swift calls composed and decomposed forms equal, Python does
/// not.
struct ExactText: Hashable, Sendable {
  let text: String

  static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
