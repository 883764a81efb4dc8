import Tensors
import Testing
import Tracing

@Suite struct DifferenceTests {
  @Test func equalNumbersDifferNowhere() {
    for numbers in [[Float(1), 2, 5], [3, .infinity, .nan]] {
      let tensor = Tensor(numbers, shape: [3])
      let difference = Difference(tensor, tensor)
      #expect(difference.largest == 0 && difference.relative == 0)
      #expect(difference.cosine == 1 && difference.signalToNoise == .infinity)
    }
  }

  @Test func theLargestDifferenceIsNamedWithItsPlace() {
    let difference = Difference(
      Tensor([3, 4, 1, 2], shape: [2, 2]), Tensor([3, 4, 1, 8], shape: [2, 2]))
    #expect(difference.largest == 6)
    #expect(difference.relative == 0.75)
    #expect(difference.worstPlace == [1, 1])
  }

  @Test func aNumberAgainstNaNIsTheWorst() {
    for broken in [Float.nan, .infinity] {
      let difference = Difference(
        Tensor([1, 2, broken], shape: [3]), Tensor([1, 2, 3], shape: [3]))
      #expect(!difference.largest.isFinite)
      #expect(difference.worstPlace == [2])
      #expect(difference.signalToNoise == -.infinity && difference.cosine.isNaN)
    }
  }
}
