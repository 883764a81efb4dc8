internal import Glibc

/// A thread that the system did not give.
public struct ThreadShortage: Error, Equatable, CustomStringConvertible {
  /// What the system said.
  public let reason: String
  /// The bytes of stack that were asked for.
  public let stackSize: Int

  /// The sentence shown to people.
  public var description: String {
    "no thread can be started (\(reason)): end other programs, or allow this one more threads and "
      + "memory (ulimit -u, ulimit -v; its stack takes \(stackSize.asByteCount) of addresses)"
  }
}

/// A thread with a stack of a chosen size, for work that calls itself deeply.
public enum DeepThread {
  /// Runs `body` on a new thread and waits for it.
  ///
  /// The body gets this task's `Stop` and `MemoryGate`; of other task values it knows nothing.
  /// - Throws: `ThreadShortage` where the system has no thread or no room for its stack.
  public static func run(
    stackSize: Int, _ body: @escaping @Sendable () -> Void
  ) throws(ThreadShortage) {
    pthread_join(try make(stackSize: stackSize, body), nil)
  }

  /// Runs `body` on a new thread, beside whoever calls.
  ///
  /// - Throws: `ThreadShortage` where the system has no thread or no room for its stack.
  public static func start(
    stackSize: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
  ) throws(ThreadShortage) {
    pthread_detach(try make(stackSize: stackSize, body))
  }

  private static func make(
    stackSize: Int, _ body: @escaping @Sendable () -> Void
  ) throws(ThreadShortage) -> pthread_t {
    let (stop, gate) = (Stop.current, MemoryGate.current)
    let work = Work {
      Stop.$current.withValue(stop) { MemoryGate.$current.withValue(gate) { body() } }
    }
    var attributes = pthread_attr_t()
    var thread = pthread_t()
    var failure = pthread_attr_init(&attributes)
    if failure == 0 {
      failure = pthread_attr_setstacksize(&attributes, stackSize)
      let context = Unmanaged.passRetained(work)
      if failure == 0 {
        failure = pthread_create(
          &thread, &attributes,
          { context in
            guard let context else { return nil }
            let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
            work.body()
            return nil
          }, context.toOpaque())
      }
      if failure != 0 { context.release() }
      pthread_attr_destroy(&attributes)
    }
    guard failure == 0 else {
      throw ThreadShortage(reason: String(cString: strerror(failure)), stackSize: stackSize)
    }
    return thread
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
