internal import Glibc

/// Where the time of a run went, in seconds.
public struct IndexTimes: Sendable {
  /// From the beginning to the end.
  public private(set) var total = 0.0
  /// While the model worked; pictures were read at the same time.
  public internal(set) var model = 0.0
  /// While the model had to wait for pictures.
  public internal(set) var waiting = 0.0
  /// What reading, decoding and shrinking took of the processor's time, all threads together.
  public internal(set) var reading = 0.0

  /// While pictures were linked with their neighbours.
  public internal(set) var linking = 0.0

  private let began = ContinuousClock.now

  init() {}

  /// Adds the time that `body` takes to one of the numbers.
  mutating func timing<R>(
    _ part: WritableKeyPath<IndexTimes, Double>, _ body: () throws -> R
  ) rethrows -> R {
    let start = ContinuousClock.now
    defer { self[keyPath: part] += (ContinuousClock.now - start) / .seconds(1) }
    return try body()
  }

  mutating func end() { total = (ContinuousClock.now - began) / .seconds(1) }

  /// What this thread has had of the processor.
  static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
