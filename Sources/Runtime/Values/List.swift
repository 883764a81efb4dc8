internal import Budget
internal import Glibc
internal import Synchronization

/// A list that several names may share.
public final class List: Sendable {
  /// The values, after places at the front whose values were taken out.
  ///
  /// Those are kept until they are half of all: a queue would take time by the square of its length if
  /// all others moved up for each.
  private struct Elements: Sendable {
    var array: [Value]
    var emptyCount = 0

    var count: Int { array.count - emptyCount }

    /// The values alone.
    var values: [Value] {
      mutating get {
        closeUp()
        return array
      }
    }

    mutating func closeUp() {
      guard emptyCount > 0 else { return }
      array.removeFirst(emptyCount)
      emptyCount = 0
    }

    mutating func remove(at index: Int) -> Value {
      guard index == 0, count > 1 else { return array.remove(at: emptyCount + index) }
      let value = array[emptyCount]
      array[emptyCount] = .none
      emptyCount += 1
      if 2 * emptyCount > array.count { closeUp() }
      return value
    }
  }
  private let storage: Mutex<Elements>

  /// A list of `values`.
  public init(_ values: [Value] = []) { storage = Mutex(Elements(array: values)) }

  /// What it holds now.
  public var values: [Value] {
    get { storage.withLock { $0.values } }
    set { storage.withLock { $0 = Elements(array: newValue) } }
  }

  /// How many values it holds.
  public var count: Int { storage.withLock { $0.count } }

  /// Value `index`, which must be from 0 to below `count`.
  subscript(_ index: Int) -> Value { storage.withLock { $0.array[$0.emptyCount + index] } }

  /// Value `index`; nil where it has no such now.
  func value(at index: Int) -> Value? {
    storage.withLock { index < $0.count ? $0.array[$0.emptyCount + index] : nil }
  }

  /// Puts another value in the place of value `index` and gives the old one.
  func replace(at index: Int, with value: Value) -> Value {
    storage.withLock { elements in
      let old = elements.array[elements.emptyCount + index]
      elements.array[elements.emptyCount + index] = value
      return old
    }
  }

  /// Takes value `index` out; the first and the last are taken in constant time.
  func remove(at index: Int) -> Value { storage.withLock { $0.remove(at: index) } }

  /// Adds values at its end, after asking for their memory.
  ///
  /// - Throws: `MemoryShortage`, `CancellationError`; it is as it was then.
  func append(contentsOf more: [Value]) throws {
    // Asked under the lock of its own values; whoever else grows it waits.
    try storage.withLock { elements in
      try elements.array.askForRoom(for: more.count)
      let count = elements.array.count
      do {
        try elements.array.append(inParts: more)
      } catch {
        elements.array.removeSubrange(count...)
        throw error
      }
    }
  }

  /// Changes it in place.
  public func change<R: Sendable>(_ body: (inout [Value]) throws -> R) rethrows -> R {
    try storage.withLock { elements in
      elements.closeUp()
      return try body(&elements.array)
    }
  }

  deinit {
    storage.withLock { Dismantling.free(&$0.array) }
  }
}

/// Frees nested containers one after the other: each freeing the next would need a stack as deep
/// as the nesting.
enum Dismantling {
  /// What waits to be freed, by the thread that frees.
  private static let waiting = Mutex<[pthread_t: [[Value]]]>([:])

  /// Lets go of what a container held.
  ///
  /// Once the session was asked to stop, many values are freed on another thread: freeing millions
  /// takes longer than a person waits for the prompt.
  static func free(_ values: inout [Value]) {
    if values.count > 1 << 14, Stop.isRequested,
      freeElsewhere(&values, leaving: [], { freeHere(&$0) })
    {
      return
    }
    freeHere(&values)
  }

  /// Lets go of a dictionary's table, whose keys are flat.
  static func free(_ places: inout [Key: Int]) {
    if places.count > 1 << 14, Stop.isRequested {
      _ = freeElsewhere(&places, leaving: [:]) { $0 = [:] }
    }
  }

  /// False where the system has no thread.
  private static func freeElsewhere<Held: Sendable>(
    _ held: inout Held, leaving nothing: Held, _ free: @escaping @Sendable (inout Held) -> Void
  ) -> Bool {
    let remains = Remains(held, nothing)
    held = nothing
    do {
      try DeepThread.start {
        var held = remains.take()
        free(&held)
      }
      return true
    } catch {
      held = remains.take()
      return false
    }
  }

  /// Values on their way to the thread that frees them, and nowhere else.
  private final class Remains<Held: Sendable>: Sendable {
    private let held: Mutex<Held>
    private let nothing: Held
    init(_ held: Held, _ nothing: Held) {
      self.held = Mutex(held)
      self.nothing = nothing
    }

    func take() -> Held {
      held.withLock { held in
        defer { held = nothing }
        return held
      }
    }
  }

  private static func freeHere(_ values: inout [Value]) {
    guard values.contains(where: \.isContainer) else { return values = [] }
    let own = pthread_self()
    // Where a container further out is being freed on this thread, that frees these when it is done.
    let isFirst = waiting.withLock { [values] waiting in
      let isFirst = waiting[own] == nil
      waiting[own, default: []].append(values)
      return isFirst
    }
    values = []
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
