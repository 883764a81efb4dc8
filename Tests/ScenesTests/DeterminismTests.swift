import Files
import Images
import Scenes
import Tensors
import Testing

/// FNV-1a, 64 bits.
private func hash(_ bytes: [UInt8]) -> UInt64 {
  bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

struct DeterminismTests {
  private static let known: [(seed: UInt64, hash: UInt64)] = [
    (1, 6_074_792_172_787_793_280), (2, 4_666_585_029_300_122_658),
    (3, 3_427_527_436_651_328_906), (1000, 10_862_350_888_775_559_871),
    (UInt64.max, 4_490_257_905_314_432_931),
  ]

  @Test(arguments: known)
  func aSeedGivesTheSamePixelsForEver(seed: UInt64, expected: UInt64) {
    #expect(hash(Scene(seed: seed).painted().image.pixels) == expected)
  }

  @Test func aSeedGivesTheSameTextsForEver() {
    var text = ""
    for seed in UInt64(0)..<50 { text += Scene(seed: seed).json.written() }
    #expect(hash(Array(text.utf8)) == 2_738_597_073_354_452_209)
  }

  @Test func splitMixGivesItsPublishedNumbers() {
    // The first outputs for the seed 1234567, as published with the reference implementation.
    var random = SplitMix64(seed: 1_234_567)
    #expect(random.next() == 6_457_827_717_110_365_317)
    #expect(random.next() == 3_203_168_211_198_807_973)
    #expect(random.next() == 9_817_491_932_198_370_423)
  }

  @Test func numbersStayInTheirRangeAndReachItsEnds() {
    var random = SplitMix64(seed: 5)
    let drawn = Set((0..<2000).map { _ in random.number(in: -3...4) })
    #expect(drawn == Set(-3...4))
  }

  @Test func differentSeedsGiveDifferentPictures() {
    let hashes = Set((UInt64(0)..<12).map { hash(Scene(seed: $0).painted().image.pixels) })
    #expect(hashes.count == 12)
  }
}
