import Checkpoints
import Files
import Foundation
import Generation
import Tensors
import TestSupport
import Testing

/// Next-token probabilities of transformers' own logits processors.
@Suite struct LogitsTests {
  static let cases: [(name: String, options: GenerationOptions)] = {
    func options(_ change: (inout GenerationOptions) -> Void) -> GenerationOptions {
      var options = GenerationOptions(endTokens: [4])
      options.doSample = true
      options.topK = 0
      change(&options)
      return options
    }
    return [
      ("temperature_0.7", options { $0.temperature = 0.7 }),
      ("top_k_5", options { $0.topK = 5 }),
      ("top_p_0.1", options { $0.topP = 0.1 }),
      ("top_p_0.9", options { $0.topP = 0.9 }),
      ("temp_0.7_top_p_0.5", options { ($0.temperature, $0.topP) = (0.7, 0.5) }),
      (
        "temp_1.3_k_20_p_0.8",
        options { ($0.temperature, $0.topK, $0.topP) = (1.3, 20, 0.8) }
      ),
      ("repetition_1.5", options { $0.repetitionPenalty = 1.5 }),
      ("no_repeat_ngram_2", options { $0.noRepeatNgramSize = 2 }),
      ("min_length_10_eos_4", options { $0.minLength = 10 }),
    ]
  }()

  @Test(.enabled(if: Fixtures.shared != nil), arguments: cases.indices)
  func probabilitiesEqualTheReference(index: Int) throws {
    let folder = try #require(Fixtures.shared).appending(path: "goldens/logits")
    let file = try TensorCollection(folder.appending(path: "cases.safetensors"))
    let sequence = try file.integers("input_ids").elements
    let logits = try file.floats("logits").reshaped(50)
    let (name, options) = Self.cases[index]
    let found = options.process(logits, sequence: sequence, promptLength: sequence.count).softmax()
    let expected = try file.floats("\(name).probabilities").reshaped(50)
    for token in 0..<50 {
      #expect(abs(found[token] - expected[token]) <= 1e-6, "\(name), token \(token)")
    }
  }
}
