import Tensors
import Testing
import Tracing

@Suite struct ComparisonTests {
  static let tap = Tap("output", .channel, says: "Numbers.")

  func trace(_ numbers: [(String, [Float])]) -> Trace {
    var trace = Trace.everything
    for (name, elements) in numbers {
      _ = trace.pass(Tensor(elements, shape: [elements.count]), Self.tap, at: Address(name))
    }
    return trace
  }

  @Test func equalTracesDoNotPart() {
    let run = trace([("a", [1, 2]), ("b", [3, .infinity, .nan])])
    let comparison = Comparison(run, run)
    #expect(comparison.firstApart(tolerance: 0) == nil)
    #expect(comparison.places.map(\.difference.signalToNoise) == [.infinity, .infinity])
  }

  @Test func theFirstPlaceThatPartsIsNamed() throws {
    let first = trace([("a", [1, 2]), ("b", [3, 4]), ("c", [9, 9])])
    let second = trace([("a", [1, 2]), ("b", [3, 8]), ("c", [0, 0]), ("d", [1])])
    let comparison = Comparison(first, second)
    let apart = try #require(comparison.firstApart(tolerance: 1e-6))
    #expect(apart.address == Address("b.output"))
    #expect(apart.difference.largest == 4)
    #expect(apart.difference.relative == 0.5)
    #expect(apart.difference.worstPlace == [1])
    #expect(comparison.onlyInSecond == [Address("d.output")])
  }

  @Test func aNumberAgainstNaNIsTheWorst() {
    let difference = Difference(Tensor([1, 2, .nan], shape: [3]), Tensor([9, 2, 3], shape: [3]))
    #expect(difference.largest.isNaN)
    #expect(difference.worstPlace == [2])
    #expect(!difference.isWithin(1000))
  }
}
