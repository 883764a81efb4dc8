internal import Synchronization

/// A list that several names may share.
public final class List: Sendable {
  private let storage: Mutex<[Value]>

  /// A list of `values`.
  public init(_ values: [Value] = []) { storage = Mutex(values) }

  /// What it holds now.
  public var values: [Value] {
    get { storage.withLock { $0 } }
    set { storage.withLock { $0 = newValue } }
  }

  /// How many values it holds.
  public var count: Int { storage.withLock { $0.count } }

  /// Adds values at its end, after asking for their memory.
  ///
  /// - Throws: `MemoryShortage`; it is as it was then.
  func append(contentsOf more: [Value]) throws {
    // Asked under the lock of its own values; whoever else grows it waits.
    try storage.withLock { values in
      try values.askForRoom(for: more.count)
      values += more
    }
  }

  /// Changes it in place.
  public func change<R: Sendable>(_ body: (inout [Value]) throws -> R) rethrows -> R {
    try storage.withLock { try body(&$0) }
  }

  /// Takes nested lists apart one after the other: each freeing the next would need a stack as
  /// deep as the nesting.
  deinit {
    var pending = storage.withLock { $0 }
    storage.withLock { $0 = [] }
    Value.dismantle(&pending)
  }
}

extension Value {
  /// Frees containers without recursion.
  static func dismantle(_ pending: inout [Value]) {
    guard pending.contains(where: { $0.isContainer }) else { return }
    while let value = pending.popLast() {
      switch value {
      case .tuple(let values): pending += values.filter(\.isContainer)
      case .list(var list):
        if isKnownUniquelyReferenced(&list) {
          pending += list.change { values in
            let taken = values.filter(\.isContainer)
            values = []
            return taken
          }
        }
      case .dictionary(var mapping):
        if isKnownUniquelyReferenced(&mapping) { pending += mapping.takeContainers() }
      default: break
      }
    }
  }

  var isContainer: Bool {
    switch self {
    case .list, .tuple, .dictionary: true
    default: false
    }
  }
}
