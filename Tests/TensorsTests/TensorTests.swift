import Tensors
import TestSupport
import Testing

@Suite struct TensorTests {
  static let counting = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])

  @Test func permutingMovesEveryElement() {
    let permuted = Self.counting.permuted(2, 0, 1)
    #expect(permuted.shape == [4, 2, 3])
    for a in 0..<2 {
      for b in 0..<3 { for c in 0..<4 { #expect(permuted[c, a, b] == Self.counting[a, b, c]) } }
    }
  }

  @Test(arguments: [
    ([2, 3], [3], [2, 3]), ([2, 1], [1, 4], [2, 4]), ([], [5], [5]),
    ([4, 1, 2], [3, 1], [4, 3, 2]),
  ]) func shapesBroadcastByNumPysRule(a: [Int], b: [Int], expected: [Int]) {
    #expect(Tensor.broadcast(a, b) == expected)
    #expect(
      (Tensor(repeating: 2, shape: a) * Tensor(repeating: 3, shape: b))
        == Tensor(repeating: 6, shape: expected))
  }

  @Test func shapesThatDoNotFitDoNotBroadcast() { #expect(Tensor.broadcast([2, 3], [2]) == nil) }

  @Test func reductionsFoldTheirAxis() {
    #expect(Self.counting.sum(axis: 1).elements == [12, 15, 18, 21, 48, 51, 54, 57])
    #expect(Self.counting.mean(axis: 2).shape == [2, 3])
    #expect(Self.counting.argmax(axis: 0) == Tensor(repeating: 1, shape: [3, 4]))
    #expect(Tensor([1, 7, 7], shape: [3]).argmax(axis: 0).elements == [1])
  }

  @Test func aSummaryLeavesOutWhatIsNotFinite() {
    let summary = Summary(Tensor([1, .nan, 3, .infinity, -.infinity], shape: [5]), binCount: 2)
    #expect(summary.range == 1...3)
    #expect(summary.mean == 2)
    #expect(summary.nanCount == 1 && summary.infinityCount == 2)
    #expect(summary.histogram == [1, 1])
    #expect(Summary(Tensor([.nan], shape: [1])).range == nil)
  }
}
