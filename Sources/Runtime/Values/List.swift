internal import Glibc
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

  deinit {
    let values = storage.withLock { values in
      let taken = values
      values = []
      return taken
    }
    Dismantling.free(values)
  }
}

/// Frees nested containers one after the other: each freeing the next would need a stack as deep
/// as the nesting.
enum Dismantling {
  /// What waits to be freed, by the thread that frees.
  private static let waiting = Mutex<[pthread_t: [[Value]]]>([:])

  /// Lets go of what a container held.
  static func free(_ values: [Value]) {
    guard values.contains(where: \.isContainer) else { return }
    let own = pthread_self()
    let isFirst = waiting.withLock { waiting in
      guard waiting[own] == nil else {
        // A container further out is being freed on this thread, and frees these when it is done.
        waiting[own]?.append(values)
        return false
      }
      waiting[own] = [values]
      return true
    }
    guard isFirst else { return }
    while let next = waiting.withLock({ $0[own]?.popLast() }) { withExtendedLifetime(next) {} }
    waiting.withLock { $0[own] = nil }
  }
}

extension Value {
  var isContainer: Bool {
    switch self {
    case .list, .tuple, .dictionary: true
    default: false
    }
  }
}
