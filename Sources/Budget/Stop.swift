internal import Synchronization

/// Somebody's wish that what runs ends, which the deepest loops can ask about.
///
/// Loops that cannot throw return early and leave their results unfinished; whoever began the work
/// asks again when they are back and throws the results away, as a session does after every call.
public final class Stop: Sendable {
  /// The wish that the work of this task listens to; nil where nobody can stop it.
  @TaskLocal public static var current: Stop?

  private let flag = Atomic<Bool>(false)

  /// Nobody has asked yet.
  public init() {}

  /// Asks what runs to end.
  public func request() { flag.store(true, ordering: .relaxed) }

  /// Takes the request back, before something else runs.
  public func clear() { flag.store(false, ordering: .relaxed) }

  /// Whether what runs was asked to end.
  public var isRequested: Bool { flag.load(ordering: .relaxed) }

  /// Whether the work of this task was asked to end.
  public static var isRequested: Bool { current?.isRequested ?? false }

  /// - Throws: `CancellationError` where the work of this task was asked to end.
  public static func check() throws(CancellationError) {
    if isRequested { throw CancellationError() }
  }

  /// Calls `body` with one part of `0..<count` after the other until all are done or the work is
  /// asked to end.
  ///
  /// - Parameter size: the numbers of a part, few enough for some milliseconds.
  @inlinable
  public static func parts(
    of count: Int, size: Int = 1 << 18, _ body: (Range<Int>) throws -> Void
  ) rethrows {
    let stop = current
    var start = 0
    while start < count, stop?.isRequested != true {
      let end = count - start > size ? start + size : count
      try body(start..<end)
      start = end
    }
  }
}
