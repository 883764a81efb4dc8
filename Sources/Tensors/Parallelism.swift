internal import Budget
internal import CKernels
internal import Foundation

/// How many threads arithmetic may use; results do not depend on it.
public enum Parallelism {
  /// The limit for the current task: all cores, or `FOVEA_THREADS`, unless set with `withValue`.
  @TaskLocal public static var threadCount: Int =
    ProcessInfo.processInfo.environment["FOVEA_THREADS"].flatMap(count(written:))
    ?? ProcessInfo.processInfo.activeProcessorCount

  /// How many threads the value of `FOVEA_THREADS` allows, never more than 256; nil for what is no
  /// positive whole number.
  public static func count(written text: String) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    let number = Int(text) ?? .max
    return number > 0 ? min(number, 256) : nil
  }

  /// Calls `body` once for each index below `count`, on several threads where that is allowed.
  ///
  /// `body` must write only to places that belong to its index. A loop inside a loop, or one that
  /// starts while another task's is running, runs on the thread it is on. Once the task's `Stop` is
  /// requested no further index begins, and what they would have written is left as it is.
  package static func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
    let threads = min(threadCount, count)
    let stop = Stop.current
    guard threads > 1 else {
      for index in 0..<count where stop?.isRequested != true { body(index) }
      return
    }
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: Loop(body: body, stop: stop)) { loop in
        ck_parallel(
          count, threads,
          { context, index in
            guard let loop = context?.assumingMemoryBound(to: Loop.self) else { return }
            if loop.pointee.stop?.isRequested != true { loop.pointee.body(index) }
          }, UnsafeMutableRawPointer(mutating: loop))
      }
    }
  }

  private struct Loop {
    let body: @Sendable (Int) -> Void
    let stop: Stop?
  }
}
