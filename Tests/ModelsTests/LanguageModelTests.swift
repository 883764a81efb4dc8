import Checkpoints
import Files
import Foundation
import Generation
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

/// Language models that read text alone, against the reference implementation.
@Suite struct LanguageModelTests {
  static let own = ["llama", "mistral"]
  /// The project's own, and one with a published vocabulary where it lies beside the project.
  static let goldens =
    own.map { Golden(folder: Fixtures.goldens.appending(path: $0), images: Fixtures.goldens) }
    + [Fixtures.shared].compactMap { $0 }.map {
      Golden(folder: $0.appending(path: "goldens/llama"), images: $0)
    }

  private func model(_ name: String) throws -> LLaMA.Model {
    try LLaMA.Model(CheckpointFolder(Fixtures.goldens.appending(path: name)))
  }

  private func ids(_ value: JSON?) -> [Int] {
    value?[0]?.integers.isEmpty == false ? value?[0]?.integers ?? [] : value?.integers ?? []
  }

  @Test(arguments: goldens) func everyModuleAgrees(_ golden: Golden) throws {
    let model = try LLaMA.Model(CheckpointFolder(golden.folder))
    let expected = try golden.expected()
    let prompt = try #require(expected["prompt"]?.text ?? expected["text"]?.text)
    #expect(try model.promptIDs(prompt) == ids(expected["input_ids"]))
    var request = TraceRequest(images: [], prompt: prompt, usesPublishedNames: true)
    request.keeps = { _ in true }
    let run = try model.traced(request)
    let trace = try golden.trace()
    #expect(try expectSame(run.tensors, as: trace) >= 33)
    let found = try #require(run.integers.first { $0.name == "inputs.input_ids" })
    #expect(found.values == ids(expected["input_ids"]))
  }

  @Test func aHeadThatDiffersFromTheTableIsTheHead() throws {
    let checkpoint = try DamagedCheckpoint(of: "llama")
    let table = try #require(
      try checkpoint.weights().first { $0.name == "model.embed_tokens.weight" })
    // The same once more is no head of its own.
    try checkpoint.changeWeights { $0.append(("lm_head.weight", table.content)) }
    let tied = try #require(try checkpoint.readAny() as? LLaMA.Model)
    #expect(tied.decoder.shape.isTied && tied.notes.isEmpty)
    try checkpoint.changeTensor("lm_head.weight") { tensor in
      .tensor(Tensor(tensor.elements.map { -$0 }, shape: tensor.shape))
    }
    let own = try #require(try checkpoint.readAny() as? LLaMA.Model)
    #expect(!own.decoder.shape.isTied)
    #expect(own.notes.contains { $0.contains("lm_head.weight") && $0.contains("differs") })
    let logits = try [tied, own].map { model in
      var trace = Trace.nothing
      var state = model.decoder.start
      let sequence = try model.sequence(Input(prompt: "a b"), trace: &trace)
      return try model.decoder.read(sequence, after: &state, trace: &trace).elements
    }
    #expect(logits[0].map { -$0 } == logits[1])
    // The table may be stored under the head's name alone.
    try checkpoint.changeWeights { all in
      all.removeAll { $0.name == "lm_head.weight" }
      all = all.map { $0.name == table.name ? ("lm_head.weight", $0.content) : $0 }
    }
    let renamed = try #require(try checkpoint.readAny() as? LLaMA.Model)
    #expect(renamed.decoder.shape.isTied && renamed.notes.isEmpty)
  }

  @Test(arguments: goldens) func everyAnswerIsTheReferences(_ golden: Golden) throws {
    let model = try LLaMA.Model(CheckpointFolder(golden.folder))
    let expected = try golden.expected()
    let prompt = try #require(expected["prompt"]?.text ?? expected["text"]?.text)
    let promptIDs = try model.promptIDs(prompt)
    var trace = Trace.nothing
    let sequence = try model.sequence(Input(prompt: prompt), trace: &trace)
    for (key, beams) in [("greedy", 1), ("beams", 3)] where expected[key] != nil {
      var whole = ids(expected[key])
      if whole.starts(with: promptIDs) { whole.removeFirst(promptIDs.count) }
      var options = model.defaultOptions
      (options.maxNewTokens, options.numBeams) = (whole.count, beams)
      if beams == 1 { options.minNewTokens = whole.count }
      let answer = try model.write(
        after: sequence, promptIDs: promptIDs, options: options, trace: .nothing)
      #expect(answer.generated.tokens == whole, "\(key)")
    }
  }

  @Test(arguments: own) func readingWordByWordIsReadingAllAtOnce(_ name: String) throws {
    let model = try model(name)
    let ids = try model.promptIDs("how many shapes are there in the picture?")
    func embedded(_ ids: ArraySlice<Int>) throws -> Tensor {
      var trace = Trace.nothing
      return try model.sequence(Input(tokenIDs: Array(ids)), trace: &trace)
    }
    let stepped = try model.logits(
      after: embedded(ids.prefix(3)), tokens: Array(ids.dropFirst(3)), isCancelled: { false })
    for count in [3, 4, 9, ids.count] {
      let whole = try model.logits(
        after: embedded(ids.prefix(count)), tokens: [], isCancelled: { false })
      expectClose(stepped.rows(count - 3..<count - 2), to: whole, within: 5e-6, "\(count) tokens")
    }
  }

  @Test(arguments: own) func oneThreadGivesTheBitsOfTwo(_ name: String) throws {
    let model = try model(name)
    func run() throws -> Trace {
      var trace = Trace.everything
      try model.pass(Input(prompt: "a red circle"), trace: &trace)
      return trace
    }
    let (one, two) = (
      try Parallelism.$threadCount.withValue(1) { try run() },
      try Parallelism.$threadCount.withValue(2) { try run() }
    )
    #expect(one.records.map(\.tensor) == two.records.map(\.tensor))
  }

  @Test func aTokenSeesAsManyAsTheWindowHolds() throws {
    let model = try model("mistral")
    var trace = Trace.everything
    try model.pass(Input(prompt: "how many shapes are there?"), trace: &trace)
    let pattern = try #require(trace[Address("language.blocks.0.attention.pattern")])
    let count = pattern.shape[2]
    #expect(count > 8)
    for query in 0..<count {
      let row = pattern.row(0).row(query).elements
      for key in 0..<count {
        #expect((row[key] > 0) == (key <= query && query - key < 6), "\(query) looks at \(key)")
      }
    }
  }

  @Test(arguments: own, ["bfloat16", "float16", "int8", "int4"])
  func everyPrecisionWrites(_ name: String, _ precision: String) throws {
    let folder = try CheckpointFolder(Fixtures.goldens.appending(path: name))
    let load = try ModelLoad(
      folder, precisions: ["language": try #require(Precision(rawValue: precision))])
    let model = try #require(load.model.writing)
    var trace = Trace.nothing
    let prompt = "a small blue square"
    let sequence = try model.sequence(Input(prompt: prompt), trace: &trace)
    let stored = try #require(try ModelLoad(folder).model.writing)
    let tokens = try model.promptIDs(prompt)
    let (ours, exact) = (
      try model.logits(after: sequence, tokens: tokens, isCancelled: { false }),
      try stored.logits(after: sequence, tokens: tokens, isCancelled: { false })
    )
    let isFinite = ours.elements.allSatisfy(\.isFinite)
    #expect(isFinite)
    #expect(relativeDifference(ours, exact) < (precision == "int4" ? 0.6 : 0.1))
  }

  @Test func apartFromTextNothingIsRead() throws {
    let model = try model("llama")
    var trace = Trace.nothing
    #expect(throws: ModelError.emptyPrompt) {
      try model.sequence(Input(tokenIDs: []), trace: &trace)
    }
    let pixels = Tensor(repeating: 0, shape: [3, 4, 4])
    #expect(throws: ModelError.self) {
      try model.sequence(Input(picture: .pixels(pixels), prompt: "a"), trace: &trace)
    }
    #expect(throws: ModelError.unknownToken(id: 331, rows: 331)) {
      try model.sequence(Input(tokenIDs: [331]), trace: &trace)
    }
    let long = String(repeating: "circle ", count: 96)
    let error = #expect(throws: ModelError.self) {
      try model.sequence(Input(prompt: long), trace: &trace)
    }
    #expect(try #require(error).description.contains("room for 96"))
  }
}

@Suite struct LanguageConfigurationTests {
  static let wrong = [
    WrongSetting("rope_parameters.rope_type", #""llama3""#, "rope_parameters.rope_type", "llama3"),
    WrongSetting("rope_parameters.rope_type", #""yarn""#, "rope_type", "yarn", "not built"),
    WrongSetting("rope_parameters.rope_theta", "0", "rope_parameters.rope_theta", "is 0"),
    WrongSetting("bos_token_id", "99999999", "bos_token_id", "vocab_size"),
    WrongSetting(
      "rope_scaling", #"{"type": "dynamic", "factor": 2}"#, "rope_scaling.type", "dynamic"),
    WrongSetting("rope_scaling", #"{"rope_type": "linear"}"#, "rope_scaling.rope_type", "linear"),
    WrongSetting("rope_scaling", "2", "rope_scaling", "an object"),
    WrongSetting("num_key_value_heads", "3", "num_key_value_heads", "is 3", "4 heads"),
    WrongSetting("num_attention_heads", "0", "num_attention_heads"),
    WrongSetting("head_dim", "9", "head_dim", "even"),
    WrongSetting("head_dim", "12", "q_proj", "[40, 36]", "[48, 36]"),
    WrongSetting("hidden_act", #""geglu""#, "hidden_act", "geglu", "silu"),
    WrongSetting("pretraining_tp", "2", "pretraining_tp", "slices"),
    WrongSetting("num_local_experts", "8", "num_local_experts", "experts"),
    WrongSetting("num_experts_per_tok", "2", "num_experts_per_tok", "experts"),
    WrongSetting("norm_type", #""foo""#, "norm_type", "rms_norm"),
    WrongSetting("clip_qkv", "3", "clip_qkv", "clipped"),
    WrongSetting("mlp_bias", "false", "mlp.", "bias"),
    WrongSetting("attention_bias", #""yes""#, "attention_bias", "true or false"),
    WrongSetting("intermediate_size", "53", "gate_proj", "[52, 36]", "[53, 36]"),
    WrongSetting("num_hidden_layers", "3", "layers.2"),
    WrongSetting("num_hidden_layers", "1000000000", "layers.2", "so are 9999 others", "no more"),
    WrongSetting("tie_word_embeddings", "false", "lm_head"),
    WrongSetting("eos_token_id", "331", "eos_token_id", "0 to 330"),
    WrongSetting("rms_norm_eps", "-1", "rms_norm_eps"),
    WrongSetting("model_type", #""mixtral""#, "mixtral", "llama", "mistral"),
  ]

  @Test(arguments: wrong) func aSettingThatIsNotBuiltIsNamed(_ setting: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint(of: "llama")
    try checkpoint.set(setting.key, to: setting.text)
    // The library writes `rope_parameters`; older files have the other key alone.
    let error = #expect(throws: (any Error).self) { try checkpoint.readAny() }
    let message = "\(try #require(error))"
    for word in setting.words { #expect(message.contains(word), "\(message) lacks \(word)") }
  }

  @Test func olderSpellingsAreRead() throws {
    let checkpoint = try DamagedCheckpoint(of: "llama")
    try checkpoint.set("rope_parameters", to: nil)
    try checkpoint.set("rope_theta", to: "500000.0")
    try checkpoint.set("rope_scaling", to: "null")
    let old = try #require(try checkpoint.readAny() as? LLaMA.Model)
    let new = try LLaMA.Model(CheckpointFolder(Fixtures.goldens.appending(path: "llama")))
    #expect(old.configuration == new.configuration)
    try checkpoint.set("rope_theta", to: nil)
    let other = try #require(try checkpoint.readAny() as? LLaMA.Model)
    #expect(
      other.configuration != new.configuration, "the base is 10000 where nothing says another")
  }
}
