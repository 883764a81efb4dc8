import Tensors
import TestSupport
import Testing

@Suite struct HeadAttentionTests {
  /// Queries, tokens, channels and heads: whole tiles and ragged ones.
  static let sizes = [
    (1, 1, 4, 1), (1, 70, 24, 3), (2, 17, 10, 2), (7, 64, 32, 2), (13, 81, 66, 3),
  ]

  /// Attention inside a wider matrix, as one layer for queries, keys and values makes it.
  private func attention(
    _ size: (Int, Int, Int, Int), mask: Tensor? = nil, queries: Range<Int>? = nil,
    tokens: Range<Int>? = nil
  ) -> HeadAttention {
    let (q, t, width, headCount) = size
    var noise = SmallNoise(seed: UInt64(q * 100 + t))
    let all = noise.tensor([max(q, t), 3 * width])
    return HeadAttention(
      queries: Channels(all, rows: queries ?? 0..<q, channels: 0..<width),
      keys: Channels(all, rows: tokens ?? 0..<t, channels: width..<2 * width),
      values: Channels(all, rows: tokens ?? 0..<t, channels: 2 * width..<3 * width),
      headCount: headCount, scale: 0.7, mask: mask)
  }

  private func causal(_ q: Int, _ t: Int) -> Tensor {
    Tensor(
      (0..<q * t).map { $0 % t <= $0 / t + t - q ? Float($0 % 3) : -.infinity }, shape: [q, t])
  }

  @Test(arguments: Instructions.available, sizes)
  func attentionFollowsItsDefinition(_ instructions: Instructions, _ size: (Int, Int, Int, Int)) {
    for mask in [nil, causal(size.0, size.1)] {
      let heads = attention(size, mask: mask)
      let exact = Arithmetic.$override.withValue(.float64) {
        heads.attend(keepingScores: true, keepingPattern: true)
      }
      let found = Instructions.$current.withValue(instructions) {
        heads.attend(keepingScores: true, keepingPattern: true)
      }
      let isSeen = { (x: Tensor?) in x?.map { $0.isFinite ? $0 : -1e3 } ?? Tensor(0) }
      expectClose(isSeen(found.scores), to: isSeen(exact.scores), within: 1e-6, "scores")
      expectClose(isSeen(found.pattern), to: isSeen(exact.pattern), within: 1e-6, "pattern")
      expectClose(found.mixed, to: exact.mixed, within: 2e-6, "mixed")
    }
  }

  @Test(arguments: Instructions.available, sizes)
  func lookingChangesNoBit(_ instructions: Instructions, _ size: (Int, Int, Int, Int)) {
    Instructions.$current.withValue(instructions) {
      let heads = attention(size, mask: causal(size.0, size.1))
      let unseen = heads.attend()
      #expect(unseen.scores == nil && unseen.pattern == nil)
      let seen = heads.attend(keepingScores: true, keepingPattern: true)
      #expect(seen.mixed == unseen.mixed)
      #expect(heads.attend(keepingPattern: true).pattern == seen.pattern)
      let scores = heads.scores()
      #expect(scores == seen.scores)
      #expect(scores.softmax() == seen.pattern)
      #expect(heads.mixed(by: scores.softmax()) == unseen.mixed)
    }
  }

  @Test(arguments: Instructions.available)
  func aQueryHasTheSameBitsWhateverIsComputedWithIt(_ instructions: Instructions) {
    let size = (20, 45, 48, 3)
    Instructions.$current.withValue(instructions) {
      let all = attention(size).attend(keepingPattern: true)
      for rows in [0..<1, 4..<6, 4..<9, 19..<20] {
        #expect(attention(size, queries: rows).attend().mixed == all.mixed.rows(rows), "\(rows)")
      }
      for threads in [1, 2, 7] {
        let found = Parallelism.$threadCount.withValue(threads) { attention(size).attend() }
        #expect(found.mixed == all.mixed)
      }
      // What is masked behind the last token that is seen does not show.
      let masked = (0..<45).map { $0 < 18 ? 0 : -Float.infinity }
      let one = attention(size, mask: Tensor(masked, shape: [1, 45]), queries: 3..<4).attend()
      #expect(one.mixed == attention(size, queries: 3..<4, tokens: 0..<18).attend().mixed)
    }
  }

  @Test(arguments: Instructions.available)
  func aQueryThatSeesNothingGathersNothing(_ instructions: Instructions) {
    let mask = Tensor([0, -.infinity, 0, -.infinity], shape: [2, 2])
    let all = Tensor([1, 2, .nan, 3], shape: [2, 2])
    let dark = Tensor(repeating: -.infinity, shape: [1, 2])
    Instructions.$current.withValue(instructions) {
      let clean = Tensor([1, 2, 5, 3], shape: [2, 2])
      let views = (Channels(clean), Channels(clean))
      let nothing = HeadAttention(
        queries: views.0, keys: views.0, values: views.1, headCount: 1, scale: 1, mask: dark)
      #expect(nothing.attend().mixed.elements == [0, 0, 0, 0])
      // A value that is no number shows even under a weight of zero, as in the reference.
      let spoiled = HeadAttention(
        queries: views.0, keys: views.0, values: Channels(all), headCount: 1, scale: 1, mask: mask)
      let mixed = spoiled.attend().mixed.elements
      #expect(mixed[0].isNaN && mixed[1] == 2 && mixed[2].isNaN && mixed[3] == 2)
    }
  }
}
