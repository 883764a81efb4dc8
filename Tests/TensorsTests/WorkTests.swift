import Tensors
import Testing

@Suite struct WorkTests {
  private let rows = Tensor([Float](repeating: 1, count: 6), shape: [2, 3])
  private let weight = StoredTensor(Tensor([Float](repeating: 1, count: 12), shape: [4, 3]))

  @Test func aProductCountsTwoOperationsAMultiplyAddAndItsWeightsOnce() {
    let (result, work) = Work.counting { rows.matmulTransposed(weight) }
    #expect(result.shape == [2, 4])
    #expect(work.operations == 2 * 2 * 4 * 3)
    #expect(work.weightBytes == 48)
  }

  @Test func attentionCountsScoresAndMixingOfAllHeads() {
    let tokens = Tensor([Float](repeating: 1, count: 5 * 6), shape: [5, 6])
    let heads = HeadAttention(
      queries: Channels(tokens), keys: Channels(tokens), values: Channels(tokens), headCount: 2,
      scale: 1)
    let work = Work.counting { heads.mixed(by: heads.scores()) }.work
    #expect(work.operations == 2 * (2 * 5 * 5 * 3) * 2)
    #expect(work.weightBytes == 0)
  }

  @Test func nestedCountsAreTheirOwn() {
    let outer = Work.counting {
      _ = rows.matmulTransposed(weight)
      return Work.counting { rows.matmulTransposed(weight) }.work
    }
    #expect(outer.result == outer.work)
  }
}
