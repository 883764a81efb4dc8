internal import CKernels
internal import Synchronization

/// Where a session asks before anything that a line can make large: tensors, lists, texts, tables,
/// pictures.
///
/// Small things cost an addition: the system is asked only when what was counted since the last
/// question has grown to a step. What is refused was not begun, so the session goes on.
public final class MemoryGate: Sendable {
  /// The gate of the session that runs; without one, what the system has.
  @TaskLocal public static var current = MemoryGate()

  private struct State {
    var limit: Int?
    /// What the process held when the limit was set.
    var heldBefore = 0
    /// How much may be counted until the system is asked again.
    var step = largestStep / 16
  }
  private let state = Mutex(State())
  /// Bytes that were counted since the system was asked.
  private let counted = Atomic<Int>(0)

  private static let largestStep = 256 << 20
  /// What is left alone for what nobody counts: stacks, the allocator's margins, messages.
  private static let reserve = 32 << 20

  /// A gate without a limit of its own.
  public init() {}

  /// The most that may be taken from now on, in bytes; nil for what can be had, `Int.max` for no
  /// question but that for the process's own limit.
  public var limit: Int? {
    get { state.withLock { $0.limit } }
    set {
      let held = newValue == nil ? 0 : AvailableMemory.own
      state.withLock { ($0.limit, $0.heldBefore) = (newValue, held) }
    }
  }

  /// How much can still be taken.
  public var available: Int {
    let (limit, heldBefore) = state.withLock { ($0.limit, $0.heldBefore) }
    // Beyond the limit on its addresses a process ends, whatever a person allows.
    let hard = max(0, (AvailableMemory.addressSpace ?? .max) - Self.reserve)
    guard let limit else { return min(hard, max(0, AvailableMemory.byteCount - Self.reserve)) }
    guard limit < .max else { return hard }
    return min(hard, max(0, limit - max(0, AvailableMemory.own - heldBefore)))
  }

  /// Counts what is going to be made, and refuses what there is no room for.
  ///
  /// - Parameters:
  ///   - byteCount: all that is held at once while it is made, beyond what is there already.
  ///   - what: what is made, such as `a tensor of shape [2, 3]`.
  /// - Throws: `MemoryShortage`; nothing was made then.
  public func take(_ byteCount: Int, for what: @autoclosure () -> String) throws(MemoryShortage) {
    let sum = counted.load(ordering: .relaxed).addingReportingOverflow(byteCount)
    let step = state.withLock { $0.step }
    guard sum.overflow || sum.partialValue >= step else {
      counted.add(max(0, byteCount), ordering: .relaxed)
      return
    }
    // Many small things are refused as what they are together.
    let isSmall = byteCount < 1 << 20
    let estimate = MemoryEstimate([
      isSmall ? .init("small values, many of them", 4 << 20) : .init(what(), byteCount)
    ])
    var available = available
    if estimate.byteCount > available {
      // What was freed may still be kept for the next to be made.
      ck_return_freed_memory()
      available = self.available
    }
    guard estimate.byteCount <= available else {
      throw MemoryShortage(
        subject: "this", estimate: estimate, available: available,
        suggestion: "set variables that are not needed any more to None, work on less at a time, "
          + "or set another limit with memory(…)")
    }
    counted.store(0, ordering: .relaxed)
    let left = available - estimate.byteCount
    state.withLock { $0.step = min(Self.largestStep, max(4 << 20, left / 16)) }
  }

  /// Asks the gate of the session that runs.
  ///
  /// - Throws: `MemoryShortage`; nothing was made then.
  public static func take(
    _ byteCount: Int, for what: @autoclosure () -> String
  ) throws(MemoryShortage) {
    try current.take(byteCount, for: what())
  }

  /// Asks for `count` things of `size` bytes; a product that no number holds is refused.
  ///
  /// - Throws: `MemoryShortage`; nothing was made then.
  public static func take(
    _ count: Int, of size: Int, for what: @autoclosure () -> String
  ) throws(MemoryShortage) {
    let (product, overflow) = count.multipliedReportingOverflow(by: size)
    try current.take(overflow ? .max : product, for: what())
  }
}
