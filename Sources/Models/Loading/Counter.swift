internal import Synchronization

/// A number that several threads add to.
final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  /// Adds, and gives the sum.
  func add(_ amount: Int) -> Int { value.add(amount, ordering: .relaxed).newValue }
}
