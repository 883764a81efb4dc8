import Tensors
import TestSupport
import Testing

/// The product by its definition, added in double precision.
private func definition(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
  var result: [Float] = []
  for i in 0..<m {
    for j in 0..<n {
      result.append(Float((0..<k).reduce(0.0) { $0 + Double(a[i, $1]) * Double(b[$1, j]) }))
    }
  }
  return Tensor(result, shape: [m, n])
}

@Suite struct ProductsTests {
  @Test(arguments: [(1, 7, 300), (3, 64, 5), (130, 33, 257), (2, 1, 1), (5, 129, 600)])
  func productsFollowTheDefinition(m: Int, k: Int, n: Int) {
    var noise = SmallNoise(seed: UInt64(m * 1000 + n))
    let (a, b) = (noise.tensor([m, k]), noise.tensor([k, n]))
    let expected = definition(a, b)
    expectClose(a.matmul(b), to: expected, within: 2e-6)
    expectClose(a.matmulTransposed(b.transposed()), to: expected, within: 2e-6)
    expectClose(a.matmulTransposed(StoredTensor(b.transposed())), to: expected, within: 2e-6)
  }

  @Test func oneThreadEqualsTwo() {
    var noise = SmallNoise(seed: 5)
    let (a, b) = (noise.tensor([300, 90]), noise.tensor([700, 90]))
    let results = [1, 2, 3, 8].map { threads in
      Parallelism.$threadCount.withValue(threads) {
        [
          a.matmulTransposed(b), a.matmulTransposed(StoredTensor(b)),
          a.rows(0..<1).matmulTransposed(StoredTensor(b)),
          HeadAttention(
            queries: Channels(a), keys: Channels(a), values: Channels(a), headCount: 3, scale: 1
          ).scores(),
        ]
      }
    }
    for result in results { #expect(result == results[0]) }
  }

  @Test func headsAreProductsOfTheirChannels() {
    var noise = SmallNoise(seed: 6)
    let (q, k, v) = (noise.tensor([4, 12]), noise.tensor([6, 12]), noise.tensor([6, 12]))
    let heads = HeadAttention(
      queries: Channels(q), keys: Channels(k), values: Channels(v), headCount: 3, scale: 0.5)
    let scores = heads.scores()
    let pattern = scores.softmax()
    let mixed = heads.mixed(by: pattern)
    for head in 0..<3 {
      let channels = head * 4..<head * 4 + 4
      let expected = definition(q.columns(channels), k.columns(channels).transposed()) * 0.5
      expectClose(scores.row(head), to: expected, within: 1e-6, "scores of head \(head)")
      expectClose(
        mixed.columns(channels), to: definition(pattern.row(head), v.columns(channels)),
        within: 1e-6, "mix of head \(head)")
    }
  }
}
