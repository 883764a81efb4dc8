package import Budget
internal import Dispatch
internal import Synchronization

/// A result that is being worked out on another thread.
package final class Later<Value: Sendable>: Sendable {
  private let result = Mutex<Value?>(nil)
  private let done = DispatchSemaphore(value: 0)

  /// Begins.
  ///
  /// - Throws: where the system has no thread for it.
  package init(_ work: @escaping @Sendable () -> Value) throws(ThreadShortage) {
    try DeepThread.start {
      let value = work()
      self.result.withLock { $0 = value }
      self.done.signal()
    }
  }

  /// Waits for it, unless `checkpoint` throws; to be asked once.
  package func value(_ checkpoint: () throws -> Void) rethrows -> Value? {
    while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut { try checkpoint() }
    return result.withLock { $0 }
  }

  /// Waits for it; nil where `isStopped` says so first.
  ///
  /// The work then goes on for nobody.
  package func value(unless isStopped: () -> Bool) -> Value? {
    try? value { if isStopped() { throw CancellationError() } }
  }
}
