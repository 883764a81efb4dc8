import Checkpoints
import Files
import Foundation
import Generation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

/// A member of a JSON file, what it is set to (nil removes it), and what the refusal must name.
struct WrongSetting: Sendable, CustomTestStringConvertible {
  let key: String
  let text: String?
  let words: [String]

  init(_ key: String, _ text: String?, _ words: String...) {
    (self.key, self.text, self.words) = (key, text, words)
  }

  var testDescription: String { "\(key) = \(text ?? "nothing")" }
}

@Suite struct BadConfigurationTests {
  static let wrong = [
    WrongSetting("model_type", #""llava""#, "config.json", "llava", "blip-2"),
    WrongSetting("model_type", nil, "has no model_type", "blip-2"),
    WrongSetting("vision_config.hidden_size", "25", "vision_config.hidden_size", "25", "3 heads"),
    WrongSetting("vision_config.hidden_size", "-24", "vision_config.hidden_size", "-24"),
    WrongSetting("vision_config.hidden_size", "0", "vision_config.hidden_size", "is 0"),
    WrongSetting("vision_config.hidden_size", "24.5", "vision_config.hidden_size", "24.5"),
    WrongSetting("vision_config.hidden_size", "9e300", "vision_config.hidden_size", "whole number"),
    WrongSetting("vision_config.hidden_size", "4611686018427387904", "vision_config.hidden_size"),
    WrongSetting("vision_config.hidden_size", #""24""#, "vision_config.hidden_size", "\"24\""),
    WrongSetting("vision_config.hidden_size", "null", "vision_config.hidden_size", "leave it out"),
    WrongSetting("vision_config.hidden_size", "2147483646", "patch_embedding"),
    WrongSetting("vision_config.num_attention_heads", "0", "num_attention_heads"),
    WrongSetting("vision_config.num_hidden_layers", "3", "encoder.layers.2"),
    WrongSetting("vision_config.num_hidden_layers", "1", "encoder.layers.1"),
    WrongSetting("vision_config.num_hidden_layers", "2147483647", "encoder.layers.2"),
    WrongSetting("vision_config.image_size", "5000", "image_size", "5000"),
    WrongSetting("vision_config.image_size", "11", "image_size", "11", "12"),
    WrongSetting("vision_config.patch_size", "1", "patch_embedding", "[24, 3, 12, 12]"),
    WrongSetting("vision_config.layer_norm_eps", "-1", "layer_norm_eps"),
    WrongSetting("vision_config.hidden_act", #""swish""#, "hidden_act", "swish", "gelu"),
    WrongSetting("vision_config.qkv_bias", "1", "qkv_bias", "true or false"),
    WrongSetting("vision_config", "[]", "vision_config", "an object"),
    WrongSetting("vision_config", nil, "size", "224 × 224"),
    WrongSetting("qformer_config", nil, "query_tokens", "[1, 6, 20]", "[1, 6, 768]"),
    WrongSetting("qformer_config.cross_attention_frequency", "0", "cross_attention_frequency"),
    WrongSetting("qformer_config.cross_attention_frequency", "1", "layer.1.crossattention"),
    WrongSetting("qformer_config.intermediate_size", "2147483648", "intermediate_query"),
    WrongSetting("qformer_config.hidden_size", "21", "qformer_config.hidden_size", "2 heads"),
    WrongSetting("text_config", nil, "language_projection", "[16, 20]", "[768, 20]"),
    WrongSetting("text_config.model_type", #""t5""#, "text_config.model_type", "t5", "opt"),
    WrongSetting("text_config.hidden_size", "15", "text_config.hidden_size", "2 heads"),
    WrongSetting("text_config.vocab_size", "335", "embed_tokens", "[336, 16]", "[335, 16]"),
    WrongSetting("text_config.vocab_size", "2147483648", "embed_tokens", "[336, 16]"),
    WrongSetting("text_config.vocab_size", "330", "image_token_index", "330"),
    WrongSetting("text_config.max_position_embeddings", "65", "embed_positions", "[67, 16]"),
    WrongSetting("text_config.eos_token_id", "336", "text_config.eos_token_id", "336"),
    WrongSetting("text_config.eos_token_id", "-1", "text_config.eos_token_id", "-1"),
    WrongSetting("text_config.bos_token_id", "336", "text_config.bos_token_id", "336"),
    WrongSetting("text_config.do_layer_norm_before", "false", "do_layer_norm_before"),
    WrongSetting("image_token_index", "336", "image_token_index", "336"),
    WrongSetting("image_token_index", "-1", "image_token_index", "-1"),
    WrongSetting("num_query_tokens", "7", "num_query_tokens", "is 6", "must be 7"),
    WrongSetting("num_query_tokens", "0", "num_query_tokens"),
    WrongSetting("num_query_tokens", "2147483648", "query_tokens"),
    WrongSetting(
      "architectures", #"["Blip2ForImageTextRetrieval"]"#, "use_qformer_text_input", "true"),
  ]

  @Test(arguments: wrong) func aWrongConfigurationIsRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set(wrong.key, to: wrong.text)
    checkpoint.refusal(naming: wrong.words)
  }

  @Test(arguments: ["", "{", "[]", "null", "{\"model_type\": \"blip-2\"", "\u{0}\u{1}"])
  func aConfigurationThatIsNoObjectIsRefused(_ text: String) throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.write(text, to: "config.json")
    checkpoint.refusal(naming: ["config.json"])
  }

  @Test func aConfigurationThatIsMissingIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.remove("config.json")
    checkpoint.refusal(naming: ["config.json", "model.safetensors"])
  }

  static let wrongPreprocessing = [
    WrongSetting("size", #"{"height": 32, "width": 32}"#, "size", "48"),
    WrongSetting("size", #"{"height": 48, "width": 47}"#, "size", "48"),
    WrongSetting("size", #"{"shortest_edge": 48}"#, "size", "height and width"),
    WrongSetting("size", "47", "size", "48"),
    WrongSetting("size.height", "-48", "size.height"),
    WrongSetting("resample", "7", "resample", "7", "bicubic"),
    WrongSetting("resample", #""bicubic""#, "resample"),
    WrongSetting("image_mean", "[0.5]", "image_mean", "3 numbers"),
    WrongSetting("image_mean", "[0.5, 0.5, 0.5, 0.5]", "image_mean", "3 numbers"),
    WrongSetting("image_mean", #"[0.5, "x", 0.5]"#, "image_mean"),
    WrongSetting("image_std", "[0.5, 0, 0.5]", "image_std", "above 0"),
    WrongSetting("do_resize", "false", "do_resize"),
    WrongSetting("do_normalize", "1", "do_normalize"),
    WrongSetting("rescale_factor", "-1", "rescale_factor"),
  ]

  @Test(arguments: wrongPreprocessing) func wrongPreprocessingIsRefusedByName(
    _ wrong: WrongSetting
  ) throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set(wrong.key, to: wrong.text, in: "preprocessor_config.json")
    checkpoint.refusal(naming: ["preprocessor_config.json"] + wrong.words)
  }

  @Test(arguments: ["336", "-1", "[202, 336]", #""x""#, "[]", "1.5"])
  func anEndTokenThatCannotBeWrittenIsRefused(_ text: String) throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set("eos_token_id", to: text, in: "generation_config.json")
    checkpoint.refusal(naming: ["generation_config.json", "eos_token_id", "335"])
  }
}

@Suite struct BadWeightsTests {
  static let tensor = "vision_model.encoder.layers.1.mlp.fc1.weight"  // [40, 24]

  @Test func aMissingTensorIsNamed() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.changeWeights { $0.removeAll { $0.name == Self.tensor } }
    checkpoint.refusal(naming: ["model.safetensors", Self.tensor, "missing"])
  }

  @Test func aRenamedTensorIsNamedWithItsNewName() throws {
    let checkpoint = try DamagedCheckpoint()
    let name = "vision_model.encoder.layers.1.mlp.dense1.weight"
    try checkpoint.changeWeights { all in
      let place = try #require(all.firstIndex { $0.name == Self.tensor })
      all[place].name = name
    }
    checkpoint.refusal(naming: [Self.tensor, name, "missing"])
  }

  @Test func anExtraTensorIsNamed() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.changeWeights { $0.append(("vision_model.extra", .tensor(Tensor(1)))) }
    checkpoint.refusal(naming: ["vision_model.extra", "no part of this model"])
  }

  @Test func aTransposedTensorIsRecognised() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.changeTensor(Self.tensor) { .tensor($0.transposed()) }
    checkpoint.refusal(naming: [Self.tensor, "[24, 40]", "[40, 24]", "transposed"])
  }

  @Test func aTensorOfAnotherRankIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.changeTensor(Self.tensor) { .tensor(Tensor($0.elements, shape: [960])) }
    checkpoint.refusal(naming: [Self.tensor, "[960]", "[40, 24]"])
  }

  @Test func integersAreNoWeights() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.changeTensor(Self.tensor) {
      .integers([Int](repeating: 1, count: 960), shape: $0.shape)
    }
    checkpoint.refusal(naming: [Self.tensor, "I64", "F16"])
  }

  @Test(arguments: [0, 4, 8, 100, 10_000, 90_000]) func aTruncatedFileIsRefused(
    _ count: Int
  ) throws {
    let checkpoint = try DamagedCheckpoint()
    let bytes = try Data(contentsOf: checkpoint.file("model.safetensors"))
    try bytes.prefix(count).write(to: checkpoint.file("model.safetensors"))
    checkpoint.refusal(naming: ["model.safetensors", "FV-ST-"])
  }

  @Test(arguments: [
    (#""shape":[40,24]"#, #""shape":[24,40]"#, ["[24, 40]", "[40, 24]"]),
    (#""shape":[40,24]"#, #""shape":[40,25]"#, ["FV-ST-13"]),
    (#""dtype":"F16""#, #""dtype":"F99""#, ["F99"]),
    (#""data_offsets":["#, #""data_offsets":[9"#, ["FV-ST-"]),
  ])
  func aHeaderThatLiesIsRefused(_ old: String, _ new: String, _ words: [String]) throws {
    let checkpoint = try DamagedCheckpoint()
    let url = checkpoint.file("model.safetensors")
    let bytes = [UInt8](try Data(contentsOf: url))
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    var header = String(decoding: bytes[8..<8 + length], as: UTF8.self)
    let start = try #require(header.range(of: Self.tensor)).upperBound
    let place = try #require(header.range(of: old, range: start..<header.endIndex))
    header.replaceSubrange(place, with: new)
    let count = header.utf8.count
    let size = (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    try Data(size + Array(header.utf8) + bytes[(8 + length)...]).write(to: url)
    checkpoint.refusal(naming: ["model.safetensors"] + words)
  }

  @Test func aPageThatWasFetchedInsteadIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.write("<!DOCTYPE html><html>not found</html>", to: "model.safetensors")
    checkpoint.refusal(naming: ["model.safetensors"])
  }

  @Test func aFolderWithPickleOnlyIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.remove("model.safetensors")
    try checkpoint.write("x", to: "pytorch_model.bin")
    checkpoint.refusal(naming: ["pytorch_model.bin", "safetensors"])
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func weightsThatAreNoNumbersAreCountedAndDoNotStopTheRun(_ number: Float) throws {
    let checkpoint = try DamagedCheckpoint()
    for name in [
      "vision_model.embeddings.patch_embedding.bias",
      "language_model.model.decoder.layers.0.fc1.bias",
    ] {
      try checkpoint.changeTensor(name) { .tensor(Tensor(repeating: number, shape: $0.shape)) }
    }
    let model = try checkpoint.read()
    var trace = Trace.everything
    let soft = try model.softPrompt(try Golden.named("blip2")[0].image(), trace: &trace)
    #expect(Summary(soft).nanCount == soft.count)
    let first = try #require(trace.records.first { Summary($0.tensor).range == nil })
    #expect(first.address.description.hasPrefix("vision.embedding.patch"))
    let ids = try model.promptIDs("a")
    let sequence = try model.assemble(soft, "a", trace: &trace)
    for change: (inout GenerationOptions) -> Void in [
      { _ in }, { $0.numBeams = 4 }, { $0.doSample = true },
      { ($0.doSample, $0.topP, $0.topK) = (true, 0.5, 3) },
      { ($0.repetitionPenalty, $0.noRepeatNgramSize, $0.minNewTokens) = (1.5, 2, 4) },
    ] {
      var options = model.defaultOptions
      change(&options)
      let answer = try model.write(
        after: sequence, promptIDs: ids, options: options, trace: .nothing)
      #expect(answer.generated.tokens.count <= 20)
    }
  }

  @Test func aMatcherWithoutNumbersSaysSo() throws {
    let checkpoint = try DamagedCheckpoint(of: "blip2-itm")
    try checkpoint.changeTensor("itm_head.bias") {
      .tensor(Tensor(repeating: .nan, shape: $0.shape))
    }
    let model = try checkpoint.read()
    var trace = Trace.nothing
    let tokens = try model.see(try Golden.named("blip2-itm")[0].image(), trace: &trace)
    let match = try #require(try model.match(tokens, texts: ["a circle"]).matches.first)
    #expect(match.probability.isNaN && match.similarity.isFinite)
  }
}

@Suite struct ShardTests {
  /// Splits the weights into two files by turns and writes their index.
  func shard(
    _ checkpoint: DamagedCheckpoint, total: Int? = nil, lie: [String: String] = [:]
  ) throws {
    let all = try checkpoint.weights()
    let bytes = try TensorCollection(checkpoint.file("model.safetensors")).byteCount
    var map: [String: String] = [:]
    for shard in 0..<2 {
      let name = "model-0000\(shard + 1)-of-00002.safetensors"
      let part = all.enumerated().filter { $0.offset % 2 == shard }.map(\.element)
      try Safetensors.write(part, to: checkpoint.file(name))
      for entry in part { map[entry.name] = name }
    }
    map.merge(lie) { $1 }
    let index: [String: Any] = ["metadata": ["total_size": total ?? bytes], "weight_map": map]
    try JSONSerialization.data(withJSONObject: index, options: .sortedKeys)
      .write(to: checkpoint.file("model.safetensors.index.json"))
    try checkpoint.remove("model.safetensors")
  }

  @Test(arguments: ["blip2", "blip2-itm"]) func shardsEqualTheSingleFile(_ name: String) throws {
    let checkpoint = try DamagedCheckpoint(of: name)
    let image = try Golden.named(name)[0].image()
    var (one, two) = (Trace.everything, Trace.everything)
    let single = try checkpoint.read()
    try shard(checkpoint)
    let sharded = try checkpoint.read()
    #expect(
      try single.run(Input(image: image), through: "query", trace: &one)
        == (try sharded.run(Input(image: image), through: "query", trace: &two)))
    #expect(one.records.map(\.tensor) == two.records.map(\.tensor))
    guard name == "blip2" else { return }
    let ids = try single.promptIDs("a")
    let answers = try [single, sharded].map { model in
      var trace = Trace.nothing
      let soft = try model.softPrompt(image, trace: &trace)
      return try model.write(
        after: try model.assemble(soft, "a", trace: &trace), promptIDs: ids,
        options: model.defaultOptions, trace: .nothing
      ).generated
    }
    #expect(answers[0] == answers[1])
  }

  @Test func aMissingShardIsNamed() throws {
    let checkpoint = try DamagedCheckpoint()
    try shard(checkpoint)
    try checkpoint.remove("model-00002-of-00002.safetensors")
    checkpoint.refusal(naming: ["model-00002-of-00002.safetensors"])
  }

  @Test func anIndexThatPointsToTheWrongShardIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    let names = try checkpoint.weights().map(\.name)
    try shard(checkpoint, lie: [names[0]: "model-00002-of-00002.safetensors"])
    checkpoint.refusal(naming: [
      names[0], "model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors",
    ])
  }

  @Test func anIndexThatNamesATensorNobodyHasIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try shard(checkpoint, lie: ["no.such.tensor": "model-00002-of-00002.safetensors"])
    checkpoint.refusal(naming: ["no.such.tensor"])
  }

  @Test func anIndexWithAWrongSizeIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try shard(checkpoint, total: 17)
    checkpoint.refusal(naming: ["17"])
  }

  @Test(arguments: ["../model.safetensors", "/etc/passwd", "model.bin", ""])
  func anIndexThatLeadsOutOfTheFolderIsRefused(_ name: String) throws {
    let checkpoint = try DamagedCheckpoint()
    let first = try #require(try checkpoint.weights().first).name
    try shard(checkpoint, lie: [first: name])
    checkpoint.refusal(naming: ["index.json"])
  }
}

@Suite struct BadTextTests {
  let golden = Golden.named("blip2")[0]

  @Test func aMissingTokenizerIsNamed() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.remove("tokenizer.json")
    checkpoint.refusal(naming: ["tokenizer.json", "vocab.json"])
  }

  @Test func aTokenWithoutARowIsRefusedWithBothNumbers() throws {
    let checkpoint = try DamagedCheckpoint()
    let text = try String(contentsOf: checkpoint.file("tokenizer.json"), encoding: .utf8)
    let entry =
      #"{"id": 400, "content": "<far>", "single_word": false, "lstrip": false, "#
      + #""rstrip": false, "normalized": false, "special": true},"#
    let place = try #require(text.range(of: #""added_tokens": ["#)).upperBound
    try checkpoint.write(
      text.replacingCharacters(in: place..<place, with: entry), to: "tokenizer.json")
    let model = try checkpoint.read()
    var trace = Trace.nothing
    let soft = Tensor(repeating: 0, shape: [6, 16])
    #expect(throws: ModelError.unknownToken(id: 400, rows: 336)) {
      try model.assemble(soft, "a <far> b", trace: &trace)
    }
    let message = ModelError.unknownToken(id: 400, rows: 336).description
    #expect(message.contains("400") && message.contains("336") && message.contains("tokenizer"))
    _ = try model.assemble(soft, "a b", trace: &trace)
  }

  @Test func idsThatTheTokenizerDoesNotKnowAreWrittenWithoutATrap() throws {
    let model = try golden.model()
    _ = model.text(of: [330, 335, 5, 99_999, -1])
    for id in [335, 99_999, -1] { #expect(model.tokenizer.token(id) == nil) }
  }

  @Test func theOlderLayoutOfATokenizerGivesTheSameIDs() throws {
    let checkpoint = try DamagedCheckpoint()
    let now = try checkpoint.read()
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: checkpoint.file("tokenizer.json")))
        as? [String: Any])
    let part = try #require(json["model"] as? [String: Any])
    let merges = try #require(part["merges"] as? [[String]])
    try JSONSerialization.data(withJSONObject: try #require(part["vocab"]))
      .write(to: checkpoint.file("vocab.json"))
    try checkpoint.write(
      "#version: 0.2\n" + merges.map { $0.joined(separator: " ") + "\n" }.joined(),
      to: "merges.txt")
    try checkpoint.remove("tokenizer.json")
    let old = try checkpoint.read()
    for text in [
      "", "Question: how many circles? Answer:", "  two  spaces ", "naïve ☃ 12345\n\ttab",
    ] {
      #expect(try old.promptIDs(text) == now.promptIDs(text), "\(text)")
      #expect(old.text(of: try old.promptIDs(text)) == now.text(of: try now.promptIDs(text)))
    }
    try checkpoint.write("#version: 0.2\na b c\n", to: "merges.txt")
    checkpoint.refusal(naming: ["merges.txt", "line 2"])
    try checkpoint.remove("merges.txt")
    checkpoint.refusal(naming: ["merges.txt"])
  }

  @Test func aPromptLongerThanTheContextIsRefusedWithNumbers() throws {
    let model = try golden.model()
    let prompt = String(repeating: "circle ", count: 100)
    var trace = Trace.nothing
    let sequence = try model.assemble(
      Tensor(repeating: 0, shape: [6, 16]), prompt, trace: &trace)
    let count = sequence.shape[0]
    #expect(count > 64)
    #expect(throws: ModelError.promptTooLong(tokens: count, limit: 64)) {
      try model.write(
        after: sequence, promptIDs: try model.promptIDs(prompt), options: model.defaultOptions,
        trace: .nothing)
    }
    let message = ModelError.promptTooLong(tokens: count, limit: 64).description
    #expect(message.contains("\(count)") && message.contains("64"))
  }

  @Test(arguments: [58, 57, 50, 1], [1, 3]) func anAnswerThatFillsTheContextStops(
    _ count: Int, _ beams: Int
  ) throws {
    let model = try golden.model()
    // Soft prompt and text: the model reads any sequence of embeddings.
    let elements = (0..<(6 + count) * 16).map { Float($0 * 37 % 101) / 101 - 0.5 }
    let sequence = Tensor(elements, shape: [6 + count, 16])
    var options = model.defaultOptions
    (options.maxNewTokens, options.numBeams, options.endTokens) = (Int.max, beams, [])
    let answer = try model.write(
      after: sequence, promptIDs: [2], options: options, trace: .nothing)
    // The last token is written, but not read: it needs no position.
    #expect(answer.generated.tokens.count == 64 - (6 + count) + 1)
    #expect(answer.generated.ending == .contextFull)
  }

  @Test func anEmptyPromptAsksForACaption() throws {
    let model = try golden.model()
    #expect(try model.promptIDs("") == [Int](repeating: 330, count: 6) + [2])
  }

  @Test(arguments: ["<image>", "what is <image>?", "<image><image>"])
  func theImageTokenInAPromptIsRefused(_ prompt: String) throws {
    let model = try golden.model()
    #expect(throws: ModelError.imageTokenInPrompt(token: "<image>")) {
      try model.promptIDs(prompt)
    }
  }

  @Test(arguments: ["</s>", "<pad></s><s>", "<unk>", "\u{0}", "\u{FFFD}\u{301}\u{301}"])
  func otherSpecialTokensInAPromptAreTheirIDs(_ prompt: String) throws {
    let model = try golden.model()
    let ids = try model.promptIDs(prompt)
    #expect(ids.allSatisfy { $0 >= 0 && $0 < 336 })
    var trace = Trace.nothing
    _ = try model.assemble(Tensor(repeating: 0, shape: [6, 16]), prompt, trace: &trace)
  }

  @Test func aSequenceWithoutRowsIsRefused() throws {
    let model = try golden.model()
    var trace = Trace.nothing
    #expect(throws: ModelError.self) {
      try model.write(
        after: Tensor([], shape: [0, 16]), promptIDs: [], options: model.defaultOptions,
        trace: .nothing)
    }
    #expect(throws: ModelError.self) {
      try model.run(stage: "query", on: Tensor([], shape: [0, 24]), trace: &trace)
    }
    #expect(throws: ModelError.self) {
      try model.run(stage: "project", on: Tensor([], shape: [0, 20]), trace: &trace)
    }
  }

  @Test func aTextLongerThanTheMatcherReadsIsRefused() throws {
    let model = try Golden.named("blip2-itm")[0].model()
    let tokens = Tensor(repeating: 0, shape: [17, 24])
    #expect(throws: ModelError.self) {
      try model.match(tokens, texts: [String(repeating: "circle ", count: 50)])
    }
    #expect(try model.match(tokens, texts: []).matches.isEmpty)
    #expect(try model.match(tokens, texts: ["", "a"]).matches.count == 2)
  }
}
