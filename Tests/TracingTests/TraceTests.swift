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

  /// By 0 all becomes 0, but for what is masked in scores.
  @Test func whatIsMaskedStaysSo() {
    let scores = Tap("scores", .head, .query, .key, says: "Scores.")
    let numbers = Tensor([1, -.infinity, .nan, 2], shape: [1, 2, 2])
    for factor: Float in [0, -1, 2] {
      var trace = Trace.everything
      trace.alterations[Self.place / "scores"] = [Alteration(at: [nil, nil, nil], .scale(factor))]
      let passed = trace.pass(numbers, scores, at: Self.place).elements
      #expect(passed[0] == factor && passed[1] == -.infinity && passed[3] == 2 * factor)
      #expect(factor != 0 || passed[2] == 0)
    }
    var trace = Trace.everything
    trace.alterations[Self.place / "output"] = [Alteration(at: [nil, nil], .scale(0))]
    let broken = Tensor([-.infinity, .infinity, .nan, 2], shape: [2, 2])
    #expect(trace.pass(broken, Self.tap, at: Self.place).elements == [0, 0, 0, 0])
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
