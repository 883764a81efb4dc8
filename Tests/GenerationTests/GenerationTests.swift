import Foundation
import Generation
import Tensors
import TestSupport
import Testing

/// A language of eight tokens in which what follows depends on the last two.
private struct ToyModel: NextTokenModel {
  let table: Tensor
  let room: Int?
  init(seed: UInt64, room: Int? = nil) {
    var noise = SmallNoise(seed: seed)
    table = noise.tensor([64, 8]) * 3
    self.room = room
  }
  func start() -> (logits: Tensor, state: [Int]) { (table.row(9), [1, 1]) }
  func advance(_ state: inout [Int], by token: Int) -> Tensor {
    state = [state[1], token]
    return table.row(state[0] * 8 + state[1])
  }
}

@Suite struct GenerationTests {
  func options(_ change: (inout GenerationOptions) -> Void = { _ in }) -> GenerationOptions {
    var options = GenerationOptions(endTokens: [0])
    change(&options)
    return options
  }

  @Test func greedyTakesTheLikeliestToken() throws {
    let answer = try generate(with: ToyModel(seed: 1), promptIDs: [1], options: options())
    for step in answer.steps {
      #expect(step.token == step.candidates[0].token)
      #expect(step.probability == step.candidates[0].probability)
    }
    #expect(answer.steps.map(\.token) == answer.tokens)
  }

  @Test func oneSeedDrawsOneAnswer() throws {
    func drawn(_ seed: UInt64) throws -> [Int] {
      try generate(
        with: ToyModel(seed: 2), promptIDs: [1],
        options: options { ($0.doSample, $0.seed, $0.temperature) = (true, seed, 2) }
      ).tokens
    }
    #expect(try drawn(7) == drawn(7))
    #expect(try Set((0..<20).map { try drawn($0) }).count > 5)
  }

  @Test func drawnTokensFollowTheirProbabilities() throws {
    let model = ToyModel(seed: 3)
    let expected = model.start().logits.softmax().elements
    var counts = [Int](repeating: 0, count: 8)
    for seed in 0..<4000 {
      let answer = try generate(
        with: model, promptIDs: [1],
        options: options { ($0.doSample, $0.seed, $0.maxNewTokens) = (true, UInt64(seed), 1) })
      counts[answer.tokens[0]] += 1
    }
    for token in 0..<8 { #expect(abs(Float(counts[token]) / 4000 - expected[token]) < 0.04) }
  }

  /// The best answer of at most three tokens, found by trying all.
  private func exhaustive(_ model: ToyModel, lengthPenalty: Double) -> (
    tokens: [Int], score: Double
  ) {
    var best: (tokens: [Int], score: Double) = ([], -.infinity)
    func follow(_ tokens: [Int], _ state: [Int], _ logits: Tensor, _ sum: Double) {
      let probabilities = logits.softmax().elements
      for token in 0..<8 {
        let (next, score) = (tokens + [token], sum + log(Double(probabilities[token])))
        if token == 0 || next.count == 3 {
          let final = score / pow(Double(next.count), lengthPenalty)
          if final > best.score { best = (next, final) }
        } else {
          var state = state
          let logits = model.advance(&state, by: token)
          follow(next, state, logits, score)
        }
      }
    }
    let (logits, state) = model.start()
    follow([], state, logits, 0)
    return best
  }

  @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func manyBeamsFindTheBestAnswer(seed: UInt64) throws
  {
    let model = ToyModel(seed: seed)
    let best = exhaustive(model, lengthPenalty: 1)
    let answer = try generate(
      with: model, promptIDs: [1],
      options: options {
        ($0.numBeams, $0.maxNewTokens, $0.earlyStopping) = (64, 3, .never)
      })
    #expect(answer.tokens == best.tokens)
    #expect(abs(Double(answer.score ?? 0) - best.score) < 1e-4)
  }

  @Test func anEndTokenEndsAndMinimumLengthForbidsIt() throws {
    for seed in 0..<30 {
      let model = ToyModel(seed: UInt64(seed))
      let free = try generate(with: model, promptIDs: [1], options: options())
      if let end = free.tokens.firstIndex(of: 0) {
        #expect(end == free.tokens.count - 1)
        #expect(free.ending == .endToken)
      }
      let forced = try generate(
        with: model, promptIDs: [1], options: options { $0.minNewTokens = 6 })
      #expect(!forced.tokens.prefix(6).contains(0))
    }
  }

  @Test func anAnswerStopsWhereTheModelIsFull() throws {
    let answer = try generate(
      with: ToyModel(seed: 1, room: 3), promptIDs: [1], options: options { $0.minNewTokens = 20 })
    #expect(answer.tokens.count == 4)
    #expect(answer.ending == .contextFull)
  }

  @Test func badOptionsAreNamed() {
    let bad = options { $0.temperature = 0 }
    let error = #expect(throws: GenerationOptionsError.self) { try bad.validate() }
    #expect(error?.description == "temperature must be greater than 0, not 0.0")
  }
}
