import Tensors
import TestSupport
import Testing
import Tracing

@Suite struct RolloutTests {
  @Test func identityAttentionRollsOutToIdentity() {
    let identity = Tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], shape: [1, 3, 3])
    #expect(attentionRollout([identity, identity]) == identity.reshaped(3, 3))
  }

  @Test func threeTokensByHand() {
    // Everybody looks at token 0 in the first block, at token 1 in the second.
    let first = Tensor([1, 0, 0, 1, 0, 0, 1, 0, 0], shape: [1, 3, 3])
    let second = Tensor([0, 1, 0, 0, 1, 0, 0, 1, 0], shape: [1, 3, 3])
    // A1 = [[1,0,0],[.5,.5,0],[.5,0,.5]], A2 = [[.5,.5,0],[0,1,0],[0,.5,.5]]; the rollout is A2 A1.
    let expected = Tensor([0.75, 0.25, 0, 0.5, 0.5, 0, 0.5, 0.25, 0.25], shape: [3, 3])
    expectClose(attentionRollout([first, second]), to: expected, within: 1e-7)
  }

  @Test func everyRowSumsToOne() {
    var noise = SmallNoise(seed: 3)
    let patterns = (0..<4).map { _ in noise.tensor([2, 5, 5]).softmax() }
    for sum in attentionRollout(patterns).sum(axis: 1).elements { #expect(abs(sum - 1) < 1e-6) }
  }
}
