internal import Synchronization
internal import Tensors

/// What has run in a session, and what it gave.
struct Past: Sendable {
  /// What one entry gave.
  struct Result: Sendable {
    let number: Int
    let value: Value
  }

  /// Every text, in order.
  var texts: [String] = []
  /// What texts have shown, in order.
  var results: [Result] = []
  /// The names that hide something, which was said.
  var hiding: Set<String> = []

  /// More than this is not kept alive by results alone, the last three apart.
  private static let heldByteLimit = 256 << 20

  /// Keeps what an entry has shown; old results that are large go.
  mutating func keep(_ value: Value, of number: Int) {
    results.append(Result(number: number, value: value))
    var held = results.dropLast(3).reduce(0) { $0 + $1.value.heldByteCount }
    while results.count > 3, held > Self.heldByteLimit || results.count > 1000 {
      held -= results.removeFirst().value.heldByteCount
    }
  }
}

extension Session {
  /// Counts an entry that ran elsewhere as one of its own: `In` has its text, `_` its result.
  public func remember(_ text: String, giving value: Value) {
    past.withLock { past in
      past.texts.append(text)
      past.keep(value, of: past.texts.count)
    }
  }

  /// Does something whose texts and results nobody is to see: `_`, In and Out know nothing of them.
  package func unseen<R>(_ body: () throws -> R) rethrows -> R {
    let before = past.withLock { $0 }
    defer {
      // What is given up is freed after the lock is.
      let unseen = past.withLock { past in
        let unseen = past
        past = before
        return unseen
      }
      withExtendedLifetime(unseen) {}
    }
    return try body()
  }

  /// Keeps a value as `_` though the entry that runs gives none, as one that is stopped.
  public func keepResult(_ value: Value) {
    past.withLock { $0.keep(value, of: $0.texts.count) }
  }

  /// What IPython's names for entries stand for: `_`, `__`, `___`, `_3`, `Out`, `In`; nil for others and
  /// where there is no such result.
  func entry(called name: String) -> Value? {
    let past = past.withLock { $0 }
    switch name {
    case "_", "__", "___": return past.results.dropLast(name.count - 1).last?.value
    case "In": return .texts([""] + past.texts)
    case "Out":
      let mapping = Mapping()
      for result in past.results { try? mapping.set(.integer(result.number), to: result.value) }
      return .dictionary(mapping)
    default:
      return Self.entryNumber(in: name).flatMap { number in
        past.results.last { $0.number == number }?.value
      }
    }
  }

  /// The number in `_3`; nil for other names.
  static func entryNumber(in name: String) -> Int? {
    guard name.first == "_", name.dropFirst().allSatisfy(\.isASCII) else { return nil }
    return Int(name.dropFirst()).flatMap { $0 > 0 ? $0 : nil }
  }
}

extension Value {
  /// About how many bytes it keeps alive.
  fileprivate var heldByteCount: Int {
    switch self {
    case .tensor(let tensor, _): 4 * tensor.count
    case .object(let object): object.heldByteCount
    case .text(let text): text.string.utf8.count
    case .list(let list):
      list.values.prefix(100).reduce(list.count * MemoryLayout<Value>.stride) {
        $0 + ($1.tensor.map { 4 * $0.count } ?? 0)
      }
    default: 0
    }
  }
}
