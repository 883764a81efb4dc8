import Files
import Testing

@testable import Budget

@Suite struct MemoryGateTests {
  @Test func whatIsLargerThanAllThereIsIsRefusedWithBothNumbers() throws {
    let gate = MemoryGate()
    let failure = #expect(throws: MemoryShortage.self) {
      try gate.take(1 << 50, for: "a tensor of shape [1, 2]")
    }
    #expect(failure?.exitCode == ExitCode.outOfMemory)
    let words = failure?.description ?? ""
    for part in ["a tensor of shape [1, 2] 1126 TB", "can be had", "memory(…)"] {
      #expect(words.contains(part), "\(words)")
    }
    try gate.take(1000, for: "little")
  }

  @Test func aProductThatNoNumberHoldsIsRefused() {
    #expect(throws: MemoryShortage.self) { try MemoryGate.take(.max, of: 40, for: "a list") }
  }

  @Test func aLimitCountsFromWhatWasHeldWhenItWasSet() throws {
    let gate = MemoryGate()
    gate.limit = 200_000_000
    try gate.take(100_000_000, for: "half")
    #expect(throws: MemoryShortage.self) { try gate.take(250_000_000, for: "more") }
    gate.limit = .max
    try gate.take(250_000_000, for: "more")
    gate.limit = nil
    try gate.take(250_000_000, for: "more")
  }

  @Test func manySmallThingsAreRefusedTogether() {
    let gate = MemoryGate()
    gate.limit = 1
    #expect(throws: MemoryShortage.self) {
      for _ in 0..<100_000 { try gate.take(10_000, for: "small") }
    }
  }

  @Test func aDeepThreadHasItsStackAndTheStopOfItsTask() throws {
    let stop = Stop()
    stop.request()
    try Stop.$current.withValue(stop) {
      try DeepThread.run(stackSize: 64 << 20) {
        #expect(Stop.isRequested)
        #expect(depth(100_000) == 100_000)
      }
    }
    #expect(!Stop.isRequested)
  }

  @Test func aThreadWithoutRoomIsAnErrorInOneLine() {
    let failure = #expect(throws: ThreadShortage.self) {
      try DeepThread.run(stackSize: 1 << 55) {}
    }
    #expect(failure?.exitCode == 71)
    #expect(failure?.description.contains("ulimit -u") == true)
  }

  private func depth(_ left: Int) -> Int { left == 0 ? 0 : 1 + depth(left - 1) }
}
