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

@Suite struct KeyValuesTests {
  private let headWidth = 20
  private let keyHeads = 2
  private let tokenCount = 150

  private func rows(_ seed: UInt64, _ count: Int, _ width: Int) -> Tensor {
    var noise = SmallNoise(seed: seed)
    return noise.tensor([count, width])
  }

  private func cache(
    _ keys: Tensor, _ values: Tensor, in pieces: [Int], _ type: ElementType = .float32
  ) -> KeyValues {
    var cache = KeyValues(headCount: keyHeads, headWidth: headWidth, type: type)
    var first = 0
    for piece in pieces {
      let rows = first..<first + piece
      cache.append(keys: Channels(keys, rows: rows), values: Channels(values, rows: rows))
      first += piece
    }
    return cache
  }

  @Test(arguments: Instructions.available)
  func aCacheGivesTheBitsOfRows(_ instructions: Instructions) {
    let (keys, values) = (rows(1, tokenCount, 40), rows(2, tokenCount, 40))
    for headCount in [2, 4, 14] {
      let queries = rows(3, 7, headCount * headWidth)
      for q in [7, 1] {
        let plain = HeadAttention(
          queries: Channels(queries, rows: 0..<q), keys: Channels(keys), values: Channels(values),
          headCount: headCount, keyHeadCount: keyHeads, scale: 0.3)
        for pieces in [[150], [1, 63, 64, 22], [64, 64, 22], [70, 1, 1, 78]] {
          let cached = HeadAttention(
            queries: Channels(queries, rows: 0..<q), cache: cache(keys, values, in: pieces),
            headCount: headCount, scale: 0.3)
          Instructions.$current.withValue(instructions) {
            let (a, b) = (
              plain.attend(keepingScores: true, keepingPattern: true),
              cached.attend(keepingScores: true, keepingPattern: true)
            )
            #expect(a.mixed == b.mixed && a.scores == b.scores && a.pattern == b.pattern)
            #expect(cached.scores() == a.scores)
            #expect(cached.mixed(by: cached.scores().softmax()) == a.mixed)
          }
        }
      }
    }
  }

  @Test func headsThatShareAKeyHeadAreHeadsWithACopyEach() {
    let (keys, values, queries) = (rows(4, 9, 40), rows(5, 9, 40), rows(6, 3, 80))
    func spread(_ x: Tensor) -> Tensor {
      let (a, b) = (x.columns(0..<20).transposed(), x.columns(20..<40).transposed())
      return Tensor.concatenated([a, a, b, b]).transposed()
    }
    for arithmetic in [nil, Arithmetic.float64] {
      Arithmetic.$override.withValue(arithmetic) {
        let shared = HeadAttention(
          queries: Channels(queries), keys: Channels(keys), values: Channels(values), headCount: 4,
          keyHeadCount: 2, scale: 0.5
        ).attend(keepingPattern: true)
        let own = HeadAttention(
          queries: Channels(queries), keys: Channels(spread(keys)),
          values: Channels(spread(values)), headCount: 4, scale: 0.5
        ).attend(keepingPattern: true)
        #expect(shared.mixed == own.mixed && shared.pattern == own.pattern)
      }
    }
  }

  @Test(arguments: Instructions.available)
  func sixteenBitsAreThoseOfRoundedRows(_ instructions: Instructions) {
    let (keys, values, queries) = (rows(7, 70, 40), rows(8, 70, 40), rows(9, 2, 40))
    Instructions.$current.withValue(instructions) {
      let rounded = HeadAttention(
        queries: Channels(queries), keys: Channels(keys.roundedToBFloat16()),
        values: Channels(values.roundedToBFloat16()), headCount: 2, scale: 1)
      let short = HeadAttention(
        queries: Channels(queries), cache: cache(keys, values, in: [60, 10], .bfloat16),
        headCount: 2, scale: 1)
      #expect(short.attend().mixed == rounded.attend().mixed)
    }
  }

  @Test func whatIsReadOfACacheIsCounted() {
    let (keys, values) = (rows(12, 70, 40), rows(13, 70, 40))
    for (type, size) in [(ElementType.float32, 4), (.bfloat16, 2)] {
      let heads = HeadAttention(
        queries: Channels(rows(14, 1, 80)), cache: cache(keys, values, in: [70], type),
        headCount: 4, scale: 1)
      let work = Work.counting { heads.attend() }.work
      let empty = KeyValues(headCount: 2, headWidth: 20, type: type)
      #expect(empty.byteCount(tokenCount: 64) == 2 * 64 * (20 + 32) * size)
      #expect(empty.byteCount(tokenCount: 65) == 2 * empty.byteCount(tokenCount: 64))
      #expect(work.cacheBytes == 2 * 70 * 40 * size && work.readBytes == work.cacheBytes)
    }
  }

  @Test func continuationsThatPartDoNotSeeEachOther() {
    let (keys, values) = (rows(10, 80, 40), rows(11, 80, 40))
    let start = cache(keys, values, in: [66])
    var (one, other) = (start, start)
    one.append(keys: Channels(keys, rows: 66..<67), values: Channels(values, rows: 66..<67))
    other.append(keys: Channels(keys, rows: 79..<80), values: Channels(values, rows: 79..<80))
    #expect(start.tokenCount == 66 && one.tokenCount == 67 && other.tokenCount == 67)
    #expect(start.keys == keys.rows(0..<66) && start.values == values.rows(0..<66))
    #expect(one.keys == keys.rows(0..<67) && one.values == values.rows(0..<67))
    #expect(other.keys.rows(66..<67) == keys.rows(79..<80))
    #expect(other.values.rows(66..<67) == values.rows(79..<80))
  }
}
