internal import CKernels
internal import Foundation

/// What this machine can do at most with the threads it may use, measured.
public struct MachinePeaks: Sendable, Equatable {
  /// The processor's name.
  public let processor: String
  /// The instructions that products use.
  public let instructions: String
  /// Float32 operations a second, from registers; a multiply-add counts as two.
  ///
  /// With AMX a third of the bfloat16 operations where that is more: a float32 number is three of
  /// bfloat16.
  public let float32Operations: Double
  /// Bfloat16 operations a second with float32 sums, from registers.
  public let bfloat16Operations: Double
  /// Bytes a second that all threads together read from memory.
  public let readBandwidth: Double

  /// Measures for about a second; the best of several tries counts, of reading the middle one:
  /// other machines on the same memory come and go.
  public static func measured() -> MachinePeaks {
    let float32 = rate { ck_peak_float32(500_000) }
    let bfloat16 = rate { ck_peak_bfloat16(500_000) }
    let hasTiles = Instructions.best == .amx
    return MachinePeaks(
      processor: processorName, instructions: Instructions.best.description,
      float32Operations: hasTiles ? max(float32, bfloat16 / 3) : float32,
      bfloat16Operations: bfloat16, readBandwidth: measuredBandwidth())
  }

  /// The same with the higher of its read bandwidth and what is measured now.
  ///
  /// Between the two lies what is set against them.
  public func measuredAgain() -> MachinePeaks {
    MachinePeaks(
      processor: processor, instructions: instructions, float32Operations: float32Operations,
      bfloat16Operations: bfloat16Operations,
      readBandwidth: max(readBandwidth, Self.measuredBandwidth()))
  }

  /// Amount a second that `body` does on every thread at once, at best; `body` tells how much one
  /// call does.
  private static func rate(of body: @Sendable () -> Int) -> Double {
    let amount = body() * Parallelism.threadCount
    let times = times { Parallelism.forEach(Parallelism.threadCount) { _ in _ = body() } }
    return Double(amount) / times[0]
  }

  /// At least five times in seconds, the shortest first.
  ///
  /// It goes on for a third of a second: threads that just woke may share a core until the system
  /// moves one of them.
  private static func times(of body: () -> Void) -> [Double] {
    let begin = ContinuousClock.now
    var times: [Double] = []
    while times.count < 5 || begin.duration(to: .now) < .milliseconds(333) {
      let start = ContinuousClock.now
      body()
      times.append(start.duration(to: .now) / .seconds(1))
    }
    return times.sorted()
  }

  /// Bytes a second, over an area several times as large as a processor's caches.
  private static func measuredBandwidth() -> Double {
    let count = 1 << 29
    let area = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 4096)
    defer { area.deallocate() }
    area.initializeMemory(as: UInt8.self, repeating: 1, count: count)
    let shared = Shared(pointer: UnsafeRawPointer(area))
    let (pieces, piece) = (count >> 20, 1 << 20)
    let times = times {
      Parallelism.forEach(pieces) { ck_read(shared.pointer + $0 * piece, piece) }
    }
    return Double(count) / times[times.count / 2]
  }

  private static var processorName: String {
    let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let name = lines.split(separator: "\n").first { $0.hasPrefix("model name") }
      .flatMap { $0.split(separator: ":").last }
    return name?.trimmingCharacters(in: .whitespaces) ?? "unknown processor"
  }
}
