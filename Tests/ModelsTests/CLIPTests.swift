import Checkpoints
import Files
import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

extension Golden {
  /// The pictures of a pack that has several.
  func imageBatch() throws -> [Image] {
    try #require(try expected()["images"]?.array).compactMap(\.text).map { name in
      try Image(
        decoding: [UInt8](try Data(contentsOf: images.appending(path: name))), named: name)
    }
  }

  func texts() throws -> [String] {
    try #require(try expected()["texts"]?.array).compactMap(\.text)
  }

  /// Rows of numbers.
  func matrix(_ key: String) throws -> Tensor {
    let rows = try #require(try expected()[key]?.array).map {
      ($0.array ?? []).compactMap(\.double)
    }
    return Tensor(rows.flatMap { $0.map { Float($0) } }, shape: [rows.count, rows[0].count])
  }
}

@Suite struct CLIPTests {
  private func embedder(_ folder: URL) throws -> any EmbeddingModel {
    try #require(try Family.read(CheckpointFolder(folder)).embedding)
  }

  private func request(_ golden: Golden) throws -> TraceRequest {
    TraceRequest(
      images: try golden.imageBatch(), texts: try golden.texts(), usesPublishedNames: true)
  }

  @Test(arguments: Golden.named("clip")) func everyModuleOfBothTowersAgrees(
    _ golden: Golden
  ) throws {
    let model = try embedder(golden.folder)
    let trace = try golden.trace()
    let run = try model.traced(try request(golden))
    let pixels = try trace.floats("inputs.pixel_values")
    let found = try #require(run.tensors.first { $0.name == "inputs.pixel_values" })
    expectClose(found.tensor, to: pixels, within: 1e-6, "pixel values")
    #expect(try expectSame(run.tensors, as: trace) > 70)
    for name in ["inputs.input_ids", "inputs.attention_mask"] {
      let ours = try #require(run.integers.first { $0.name == name })
      #expect(ours.values == (try trace.integers(name).elements), "\(name)")
    }
  }

  @Test(arguments: Golden.named("clip")) func probabilitiesAreTheReferences(
    _ golden: Golden
  ) throws {
    let model = try embedder(golden.folder)
    let images = try model.embed(images: try golden.imageBatch()).unitRows()
    let texts = try model.embed(texts: try golden.texts()).unitRows()
    let found = (images.matmulTransposed(texts) * model.similarityScale).softmax()
    let expected = try golden.matrix("probabilities")
    #expect(found.shape == expected.shape)
    for (a, b) in zip(found.elements, expected.elements) { #expect(abs(a - b) < 1e-5) }
    let ids = try #require(try golden.expected()["input_ids"]?.array)
    for (text, filled) in zip(try golden.texts(), ids) {
      let ours = try model.textIDs(text)
      #expect(ours == Array(filled.integers.prefix(ours.count)))
    }
  }

  @Test(arguments: Golden.named("clip")) func aBatchGivesWhatEachGivesAlone(
    _ golden: Golden
  ) throws {
    let model = try embedder(golden.folder)
    let pictures = try golden.imageBatch()
    let batch = [0, 1, 1, 0, 1].map { pictures[$0] }
    var traces = batch.map { _ in Trace.nothing }
    expectClose(
      try model.embed(images: batch), to: try model.embed(images: batch, traces: &traces),
      within: 1e-5, "pictures")
    let texts = try golden.texts() + ["a", ""]
    traces = texts.map { _ in Trace.nothing }
    expectClose(
      try model.embed(texts: texts), to: try model.embed(texts: texts, traces: &traces),
      within: 1e-5, "texts")
    #expect(try model.embed(images: []).shape == [0, model.embeddingWidth])
    var asked = 0
    #expect(throws: Cancelled.self) {
      try model.embed(images: batch) {
        asked += 1
        return asked == 2
      }
    }
    #expect(asked == 2)
    #expect(try model.embed(texts: []).shape == [0, model.embeddingWidth])
  }

  @Test func theEndTokenOfOlderFilesMeansTheHighestID() throws {
    let golden = Golden.named("clip")[0]
    let texts = try golden.texts()
    let usual = try embedder(golden.folder).embed(texts: texts)
    expectClose(usual, to: try golden.matrix("text_features"), within: 1e-5)
    let older = try DamagedCheckpoint(of: "clip")
    try older.set("text_config.eos_token_id", to: "2")
    let found = try embedder(older.folder).embed(texts: texts)
    expectClose(found, to: try golden.matrix("text_features_eos_2"), within: 1e-5)
    // The text whose last word has a higher id than the end token is the one that changes.
    #expect(relativeDifference(found.rows(2..<3), usual.rows(2..<3)) > 0.1)
  }

  @Test func otherSizesInterpolateThePositions() throws {
    let golden = Golden.named("clip")[0]
    let seer = try #require(try Family.read(CheckpointFolder(golden.folder)).seeing)
    let model = try #require(try seer.resized(to: 72).embedding)
    #expect(model.patches.rowCount == 6)
    expectClose(
      try model.embed(images: try golden.imageBatch()), to: try golden.matrix("image_features_72"),
      within: 1e-5)
  }

  @Test func openCLIPsNamesGiveTheSameTrace() throws {
    let golden = Golden.named("clip")[0]
    let model = try embedder(Fixtures.goldens.appending(path: "clip-open"))
    let run = try model.traced(try request(golden))
    let trace = try golden.trace()
    // Texts are filled up with another token there, and the highest id stands for them.
    let texts = trace.names.filter { $0.hasPrefix("text") || $0.hasPrefix("logits") }
    #expect(try expectSame(run.tensors, as: trace, leaving: Set(texts)) > 34)
    #expect(run.integers[0].values.suffix(2) == [0, 0])

    let older = try DamagedCheckpoint(of: "clip")
    try older.set("text_config.eos_token_id", to: "2")
    for text in try golden.texts() {
      let request = TraceRequest(
        images: [try golden.imageBatch()[0]], texts: [text], usesPublishedNames: true)
      let expected = try embedder(older.folder).traced(request).tensors
      let found = try model.traced(request).tensors
      #expect(expected.count > 70 && found.count == expected.count)
      for tensor in expected {
        let ours = try #require(found.first { $0.name == tensor.name }, "\(tensor.name)")
        expectClose(ours.tensor, to: tensor.tensor, within: 1e-5, tensor.name)
      }
    }
  }

  @Test(arguments: ["vision_cfg", "text_cfg"], ["1e300", "1e-300", "0", "1e9"])
  func aRatioThatMakesNoWidthIsRefused(_ section: String, _ ratio: String) throws {
    let checkpoint = try DamagedCheckpoint(of: "clip-open")
    try checkpoint.set(
      "model_cfg.\(section).mlp_ratio", to: ratio, in: "open_clip_config.json")
    let error = #expect(throws: ModelError.self) { try embedder(checkpoint.folder) }
    let said = "\(try #require(error))"
    #expect(said.contains("model_cfg.\(section).mlp_ratio"), "\(said)")
    #expect(said.contains("a number that makes 1 to 2147483648 channels"), "\(said)")
  }

  @Test(arguments: Precision.allCases)
  func openCLIPsProjectionsHaveThePrecisionAskedFor(_ precision: Precision) throws {
    let url = Fixtures.goldens.appending(path: "clip-open")
    let stored = try ModelLoad(CheckpointFolder(url))
    let load = try ModelLoad(CheckpointFolder(url), precisions: ["joint": precision])
    func projection(_ load: ModelLoad) throws -> PartWeights {
      try #require(load.parts.first { $0.name == "joint" })
    }
    // The file is in float16, which is exact in float32.
    let isExact = precision == .float32 || precision == .float16
    let staysInTheFile =
      isExact || precision == .bfloat16 && Instructions.current.takeFloat16AsBFloat16
    #expect(try projection(stored).text.hasPrefix("float16, "))
    let names = try projection(load).encodings.map(\.name).joined()
    #expect(
      staysInTheFile
        ? names == "float16" : names.contains(precision.rawValue.prefix { $0 != "-" }))
    let texts = try Golden.named("clip")[0].texts()
    let (exact, rounded) = (
      try #require(stored.model.embedding).embed(texts: texts),
      try #require(load.model.embedding).embed(texts: texts)
    )
    let largest = (exact - rounded).elements.map(abs).max() ?? 0
    #expect((largest == 0) == isExact)
    #expect(largest < 0.2 * (exact.elements.map(abs).max() ?? 0))
  }

  @Test func aTextTowerUnderItsOwnPrefixReadsAlike() throws {
    let golden = Golden.named("clip")[0]
    let checkpoint = try DamagedCheckpoint(of: "clip-open")
    try FileManager.default.moveItem(
      at: checkpoint.file("open_clip_model.safetensors"),
      to: checkpoint.file("model.safetensors"))
    try checkpoint.changeWeights { all in
      all = all.map {
        let isText = !$0.name.hasPrefix("visual") && $0.name != "logit_scale"
        return (isText ? "text.\($0.name)" : $0.name, $0.content)
      }
    }
    #expect(
      try embedder(checkpoint.folder).embed(texts: try golden.texts())
        == (try embedder(Fixtures.goldens.appending(path: "clip-open"))
          .embed(texts: try golden.texts())))
  }

  @Test func sentenceTransformersFolderIsRead() throws {
    let temporary = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "clip"), to: temporary.file("0_CLIPModel"))
    try Data(
      #"[{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]"#
        .utf8
    ).write(to: temporary.file("modules.json"))
    try Data("{}".utf8).write(to: temporary.file("config_sentence_transformers.json"))
    let golden = Golden.named("clip")[0]
    expectClose(
      try embedder(temporary.url).embed(texts: try golden.texts()),
      to: try golden.matrix("text_features"), within: 1e-5)
    #expect(try ModelLoad(CheckpointFolder(temporary.url)).notes.isEmpty)
    try Data(
      #"[{"path": "0_CLIPModel", "type": "x.CLIPModel"}, {"path": "1", "type": "x.Normalize"}]"#
        .utf8
    ).write(to: temporary.file("modules.json"))
    let notes = try ModelLoad(CheckpointFolder(temporary.url)).notes
    #expect(notes.count == 1 && notes[0].contains("modules.json ends in Normalize"))
    for (text, words) in [
      (#"[{"path": "", "type": "sentence_transformers.models.Transformer"}]"#, "CLIPModel"),
      (#"[{"path": "../x", "type": "sentence_transformers.models.CLIPModel"}]"#, "path"),
      ("[]", "absent"),
    ] {
      try Data(text.utf8).write(to: temporary.file("modules.json"))
      do {
        _ = try Family.read(CheckpointFolder(temporary.url))
        Issue.record("\(text) should be refused")
      } catch { #expect("\(error)".contains(words) && "\(error)".contains("modules.json")) }
    }
  }

  @Test func lookingChangesNothing() throws {
    let golden = Golden.named("clip")[0]
    let model = try embedder(golden.folder)
    let pictures = try golden.imageBatch()
    var (all, none) = (pictures.map { _ in Trace.everything }, pictures.map { _ in Trace.nothing })
    #expect(
      try model.embed(images: pictures, traces: &all)
        == (try model.embed(images: pictures, traces: &none)))
    #expect(all.allSatisfy { $0.records.count > 20 } && none.allSatisfy { $0.records.isEmpty })
  }

  @Test func stagesOneByOneEqualTheWholeRun() throws {
    let golden = Golden.named("clip")[0]
    let model = try embedder(golden.folder)
    let image = try golden.imageBatch()[1]
    var trace = Trace.nothing
    var one = [Trace.nothing]
    #expect(
      try model.run(Input(image: image), through: "project", trace: &trace)
        == (try model.embed(images: [image], traces: &one)))
    let text = try golden.texts()[0]
    let stages = model.stages.filter { $0.branch == .text }
    #expect(stages.map(\.name) == ["read", "project_text"])
    let input = Input(prompt: text)
    let read = try stages[0].run(nil, of: input, trace: &trace)
    #expect(
      try stages[1].run(read, of: input, trace: &trace)
        == (try model.embed(texts: [text], traces: &one)))
  }

  @Test func textsSeeOnlyWhatCameBefore() throws {
    let model = try embedder(Golden.named("clip")[0].folder)
    var traces = [Trace.everything]
    _ = try model.embed(texts: ["two triangles and one cross"], traces: &traces)
    let pattern = try #require(traces[0][Address("text.blocks.1.attention.pattern")])
    let count = pattern.shape[1]
    for head in 0..<pattern.shape[0] {
      for query in 0..<count {
        for key in query + 1..<max(count, query + 1) { #expect(pattern[head, query, key] == 0) }
      }
    }
    #expect(count > 4)
  }

  @Test func everyPatchIsProjectedAsTheClassTokenIs() throws {
    let golden = Golden.named("clip")[0]
    let model = try embedder(golden.folder)
    let trace = try golden.trace()
    let seen = try trace.floats("vision_model").row(0)  // [T, D]
    let found = try model.projectPatches(seen)
    #expect(found.shape == [16, 12])
    // The first token moved to a patch's place is projected to the picture's own embedding.
    let moved = Tensor.concatenated([seen.rows(1..<2), seen.rows(0..<1), seen.rows(2..<17)])
    expectClose(
      try model.projectPatches(moved).rows(0..<1),
      to: try trace.floats("visual_projection").rows(0..<1),
      within: 1e-4)
  }

  @Test func aTextThatIsTooLongIsRefused() throws {
    let model = try embedder(Golden.named("clip")[0].folder)
    let text = String(repeating: "circle ", count: 19)
    #expect(throws: ModelError.textTooLong(text: text, tokens: 21, limit: 20)) {
      try model.embed(texts: [text])
    }
    #expect(try model.textIDs(String(repeating: "circle ", count: 18)).count == 20)
  }

  /// Texts of more than 20 tokens, the ids that transformers' CLIPTokenizer makes of them with
  /// truncation=True and max_length=20 (OpenCLIP's tokenizer cuts alike), and what
  /// `get_text_features` gives for those.
  static let long: [(text: String, ids: [Int], features: [Float])] = [
    (
      String(repeating: "circle ", count: 30), [604] + [Int](repeating: 603, count: 18) + [605],
      [
        0.530832, -0.796408, -2.62091, -0.420585, -0.980125, 0.860738, -1.08265, -0.0476801,
        1.45483, 0.590206, 1.26256, 0.76568,
      ]
    ),
    (
      "A photograph of two large yellow triangles, three small crosses (and one star) beside a "
        + "circle's edge: unbelievable!",
      [
        604, 320, 79, 71, 78, 83, 78, 70, 81, 64, 79, 327, 555, 597, 590, 600, 598, 267, 580, 605,
      ],
      [
        -0.55136, -0.186859, 2.39734, -1.34676, 0.875692, 0.419043, 1.62356, 1.38729, -1.96705,
        1.17546, 0.244621, 0.769687,
      ]
    ),
    (
      String(repeating: "čtyři žluté trojúhelníky a 漢字 🎨 ", count: 3),
      [
        604, 128, 235, 83, 88, 129, 247, 328, 129, 122, 75, 84, 83, 127, 358, 83, 523, 73, 127,
        605,
      ],
      [
        0.77484, -0.067044, -0.752086, -1.41259, 0.299681, -0.202714, -0.194627, 1.25602, 0.231262,
        0.026947, 1.86617, 0.798163,
      ]
    ),
  ]

  @Test func aTextThatMayBeCutKeepsItsEndToken() throws {
    let model = try embedder(Golden.named("clip")[0].folder).cuttingTexts
    for (text, ids, features) in Self.long {
      #expect(try model.textIDs(text) == ids)
      expectClose(
        try model.embed(texts: [text]), to: Tensor(features, shape: [1, 12]), within: 1e-5)
    }
    // Texts that fit are as they were, and a resized model goes on cutting.
    let short = "two triangles and one cross"
    let usual = try embedder(Golden.named("clip")[0].folder)
    #expect(try model.textIDs(short) == usual.textIDs(short))
    let resized = try #require(try model.resized(to: 72).embedding)
    #expect(try resized.textIDs(Self.long[0].text) == Self.long[0].ids)
  }

  static let wrong = [
    WrongSetting("text_config.hidden_size", "17", "text_config.hidden_size", "2 heads"),
    WrongSetting("text_config.vocab_size", "600", "token_embedding", "[608, 16]", "[600, 16]"),
    WrongSetting("text_config.max_position_embeddings", "77", "position_embedding", "[20, 16]"),
    WrongSetting("text_config.num_hidden_layers", "3", "text_model.encoder.layers.2"),
    WrongSetting("vision_config.num_hidden_layers", "1", "vision_model.encoder.layers.1"),
    WrongSetting("vision_config.patch_size", "16", "patch_embedding", "[24, 3, 12, 12]"),
    WrongSetting("vision_config.hidden_act", #""tanh""#, "vision_config.hidden_act", "quick_gelu"),
    WrongSetting("projection_dim", "16", "projection", "[12, "),
    WrongSetting("text_config", "[]", "text_config", "an object"),
  ]

  @Test(arguments: wrong) func aWrongConfigurationIsRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    try checkpoint.set(wrong.key, to: wrong.text)
    checkpoint.refusal(naming: wrong.words)
  }

  static let wrongOpen = [
    WrongSetting("model_cfg", "null", "model_cfg"),
    WrongSetting("model_cfg.embed_dim", "16", "visual.proj", "[24, 12]", "[24, 16]"),
    WrongSetting("model_cfg.vision_cfg.width", "25", "width", "8"),
    WrongSetting("model_cfg.vision_cfg.timm_model_name", #""x""#, "timm_model_name"),
    WrongSetting("model_cfg.text_cfg.hf_model_name", #""x""#, "hf_model_name"),
    WrongSetting("model_cfg.multimodal_cfg", #"{"width": 8}"#, "multimodal_cfg"),
    WrongSetting("model_cfg.vision_cfg.act_kwargs", #"{"approximate": "tanh"}"#, "act_kwargs"),
    WrongSetting("model_cfg.vision_cfg.attentional_pool", "true", "attentional_pool", "false"),
    WrongSetting("model_cfg.vision_cfg.pool_type", #""avg""#, "pool_type", "'tok'"),
    WrongSetting("model_cfg.text_cfg.no_causal_mask", "true", "no_causal_mask", "false"),
    WrongSetting("model_cfg.text_cfg.pool_type", #""last""#, "pool_type", "'argmax'"),
    WrongSetting("model_cfg.text_cfg.norm_kwargs", #"{"eps": 1e-6}"#, "norm_kwargs"),
    WrongSetting("model_cfg.text_cfg.layers", "3", "transformer.resblocks.2"),
    WrongSetting("preprocess_cfg.interpolation", #""nearest""#, "interpolation"),
    WrongSetting("preprocess_cfg.std", "[1, 0, 1]", "std", "above 0"),
    WrongSetting("preprocess_cfg.resize_mode", #""longest""#, "resize_mode"),
  ]

  @Test(arguments: wrongOpen) func aWrongOpenCLIPConfigurationIsRefusedByName(
    _ wrong: WrongSetting
  ) throws {
    let checkpoint = try DamagedCheckpoint(of: "clip-open")
    try checkpoint.set(wrong.key, to: wrong.text, in: "open_clip_config.json")
    checkpoint.refusal(
      naming: ["open_clip_config.json"].filter { _ in
        wrong.words.allSatisfy { !$0.hasPrefix("[") && !$0.contains("resblocks") }
      } + wrong.words)
  }

  static let wrongPreprocessing = [
    WrongSetting("crop_size", #"{"height": 40, "width": 48}"#, "crop_size", "48"),
    WrongSetting("do_center_crop", "false", "do_center_crop", "48"),
    WrongSetting("size", #"{"shortest_edge": 0}"#, "shortest_edge"),
    WrongSetting("resample", "9", "resample", "bicubic"),
  ]

  @Test(arguments: wrongPreprocessing) func wrongPreprocessingIsRefusedByName(
    _ wrong: WrongSetting
  ) throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    try checkpoint.set(wrong.key, to: wrong.text, in: "preprocessor_config.json")
    checkpoint.refusal(naming: ["preprocessor_config.json"] + wrong.words)
  }

  @Test func bareNumbersAndAbsentFilesMeanTheSamePreprocessing() throws {
    let expected = try DamagedCheckpoint(of: "clip").readSeeing().preprocessing
    let older = try DamagedCheckpoint(of: "clip")
    try older.set("size", to: "48", in: "preprocessor_config.json")
    try older.set("crop_size", to: "48", in: "preprocessor_config.json")
    #expect(try older.readSeeing().preprocessing == expected)
    let none = try DamagedCheckpoint(of: "clip")
    try none.remove("preprocessor_config.json")
    #expect(try none.readSeeing().preprocessing == expected)
  }
}
