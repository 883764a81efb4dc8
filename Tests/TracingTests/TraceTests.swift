import Tensors
import Testing
import Tracing

@Suite struct TraceTests {
  static let tap = Tap("output", .token, .channel, says: "Numbers.")
  static let place = Address("vision.blocks.3")
  static let numbers = Tensor([1, 2, 3, 4], shape: [2, 2])

  @Test func lookingChangesNothing() {
    var everything = Trace.everything
    var nothing = Trace.nothing
    #expect(everything.pass(Self.numbers, Self.tap, at: Self.place) == Self.numbers)
    #expect(nothing.pass(Self.numbers, Self.tap, at: Self.place) == Self.numbers)
    #expect(everything[Self.place / "output"] == Self.numbers)
    #expect(nothing.records.isEmpty)
  }

  @Test func anEditChangesWhatPassesAndWhatIsKept() {
    var trace = Trace(edits: [Self.place / "output": { $0 * 2 }]) { _ in true }
    let doubled = Tensor([2, 4, 6, 8], shape: [2, 2])
    #expect(trace.pass(Self.numbers, Self.tap, at: Self.place) == doubled)
    #expect(trace[Self.place / "output"] == doubled)
  }

  @Test func onlyWhatWasChosenIsKept() {
    var trace = Trace { $0.matches("*.3.output") }
    _ = trace.pass(Self.numbers, Self.tap, at: Address("vision.blocks.2"))
    _ = trace.pass(Self.numbers, Self.tap, at: Self.place)
    #expect(trace.records.map(\.address) == [Self.place / "output"])
  }

  @Test func aCancelledRunStops() {
    var trace = Trace.nothing
    trace.isCancelled = { true }
    #expect(throws: Cancelled.self) { try trace.checkCancellation() }
  }

  @Test(arguments: [
    ("vision.*", true), ("*pattern", true), ("vision.blocks.3.attention.pattern", true),
    ("vision.blocks.?.attention.pattern", true), ("*.4.*", false), ("vision", false), ("*", true),
    ("", false), ("*blocks*attention*", true),
  ]) func globsFitAddresses(glob: String, fits: Bool) {
    #expect(Address("vision.blocks.3.attention.pattern").matches(glob) == fits)
  }

  @Test func addressesSortNumbersAsNumbers() {
    let sorted = ["a.10.x", "a.2.x", "a.2"].map { Address($0) }.sorted()
    #expect(sorted.map(\.description) == ["a.2", "a.2.x", "a.10.x"])
  }
}
