internal import Synchronization

/// The arithmetic that a stretch of code did, counted where products are computed, so that a
/// benchmark never declares a model's sizes a second time.
public final class Work: Sendable {
  /// How much was done.
  public struct Amount: Sendable, Equatable {
    /// Floating-point operations of matrix products: a multiply-add counts as two.
    public var operations = 0
    /// Those of them whose factors were both bfloat16.
    public var bfloat16Operations = 0
    /// Bytes of stored weights that were read, each product reading its weights once.
    public var weightBytes = 0
    /// Bytes of keys and values in caches that attention read.
    public var cacheBytes = 0
    /// All bytes that do not depend on how many rows are computed at once.
    public var readBytes: Int { weightBytes + cacheBytes }
    /// No work.
    public init() {}

    /// What `first` did beyond `second`.
    public static func - (first: Amount, second: Amount) -> Amount {
      var rest = first
      rest.operations -= second.operations
      rest.bfloat16Operations -= second.bfloat16Operations
      rest.weightBytes -= second.weightBytes
      rest.cacheBytes -= second.cacheBytes
      return rest
    }
  }

  @TaskLocal private static var current: Work?
  private let amount = Mutex(Amount())

  private init() {}

  /// Runs `body` and tells what it gave and the products it computed.
  public static func counting<R>(_ body: () throws -> R) rethrows -> (result: R, work: Amount) {
    let work = Work()
    let result = try $current.withValue(work) { try body() }
    return (result, work.amount.withLock { $0 })
  }

  /// Notes a product; costs next to nothing where nobody counts.
  static func note(
    operations: Int, weightBytes: Int = 0, cacheBytes: Int = 0, isBFloat16: Bool = false
  ) {
    guard let current else { return }
    current.amount.withLock {
      $0.operations += operations
      if isBFloat16 { $0.bfloat16Operations += operations }
      $0.weightBytes += weightBytes
      $0.cacheBytes += cacheBytes
    }
  }
}
