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

/// A BLIP-2 whose language model is a LLaMA, whole and in two folders, against the reference implementation.
@Suite struct ZiyaTests {
  static let goldens = Golden.named("ziya")

  /// One of the golden's questions: the text behind the picture, and what the reference made of it.
  private struct Case {
    let text: String
    let format: GenerationSettings.ChatFormat
    let ids: [Int]
    let greedy: [Int]
    /// Probabilities of the first token by the processors that were used: how many are above zero, and
    /// some or all of them.
    let sampling: [(name: String, kept: Int, probabilities: [Int: Double])]
  }

  private func cases(_ golden: Golden) throws -> [Case] {
    try #require(try golden.expected()["cases"]?.array).map { json in
      func drawn(
        _ name: String, _ json: JSON
      ) -> (name: String, kept: Int, probabilities: [Int: Double]) {
        let list = json.array ?? json["top5"]?.array ?? []
        return (
          name, json["kept"]?.int ?? list.count,
          Dictionary(uniqueKeysWithValues: list.map { ($0[0]?.int ?? -1, $0[1]?.double ?? -1) })
        )
      }
      let sampling = try #require(json["sampling"])
      let format: GenerationSettings.ChatFormat =
        try json["chat_format"]?.text.map {
          try #require(GenerationSettings.ChatFormat(rawValue: $0))
        } ?? (json["bos"]?.bool == true ? .humanBot : .humanBotWithoutBegin)
      return Case(
        text: try #require(json["text"]?.text), format: format,
        ids: try #require(json["input_ids"]?.integers),
        greedy: try #require(json["greedy"]?.integers),
        sampling: sampling.array == nil
          ? (sampling.object?.members ?? []).map { drawn($0.key, $0.value) }
          : [drawn("temperature_0_7_top_p_0_1_repetition_1_18", sampling)])
    }
  }

  private func models(_ golden: Golden) throws -> [BLIP2.Model] {
    let parts = try CheckpointFolder(
      golden.folder.appending(path: "visual"), language: golden.folder.appending(path: "llm"))
    return [try golden.model(), try BLIP2.Model(parts)]
  }

  @Test(arguments: goldens) func everyModuleAgreesWholeAndInTwoFolders(_ golden: Golden) throws {
    let trace = try golden.trace()
    let image = try golden.image()
    let pixels = try trace.floats("inputs.pixel_values")
    let first = try #require(try cases(golden).first)
    for model in try models(golden) {
      #expect(model.notes == [])
      expectClose(
        try model.preprocess(image), to: pixels.reshaped(to: Array(pixels.shape.dropFirst())),
        within: 1e-6, "pixel values")
      var request = TraceRequest(images: [image], prompt: first.text, usesPublishedNames: true)
      request.keeps = { _ in true }
      let run = try model.traced(request)
      #expect(try expectSame(run.tensors, as: trace) >= 140)
      for stage in ["vision_model", "qformer", "language_projection", "language_model"] {
        var worst: Float = 0
        for tensor in run.tensors where tensor.name.hasPrefix(stage) && trace[tensor.name] != nil {
          worst = max(worst, relativeDifference(tensor.tensor, try trace.floats(tensor.name)))
        }
        print("golden ziya: \(stage) differs by \(worst) at most")
      }
    }
  }

  @Test(arguments: goldens) func everyAnswerIsTheReferences(_ golden: Golden) throws {
    for var model in try models(golden) {
      for one in try cases(golden) {
        model.settings.chatFormat.value = one.format
        let input = Input(image: try golden.image(), prompt: one.text)
        #expect(try model.ids(of: input) == one.ids)
        var trace = Trace.nothing
        let sequence = try model.sequence(input, trace: &trace)
        var options = model.defaultOptions
        (options.maxNewTokens, options.minNewTokens) = (one.greedy.count, one.greedy.count)
        let answer = try model.write(
          after: sequence, promptIDs: one.ids, options: options, trace: .nothing)
        #expect(answer.generated.tokens == one.greedy, "\(one.text)")
      }
    }
  }

  @Test(arguments: goldens) func tokensAreDrawnWithTheReferencesProbabilities(
    _ golden: Golden
  ) throws {
    for var model in try models(golden) {
      for one in try cases(golden) {
        model.settings.chatFormat.value = one.format
        var trace = Trace.nothing
        let sequence = try model.sequence(
          Input(image: try golden.image(), prompt: one.text), trace: &trace)
        let logits = try model.logits(after: sequence, tokens: [], isCancelled: { false })
        for (name, kept, expected) in one.sampling {
          var options = model.defaultOptions
          (options.doSample, options.temperature, options.topK) = (true, 0.7, 0)
          options.topP = name.contains("top_p_0_1") ? 0.1 : 0.9
          if name.contains("repetition_1_18") { options.repetitionPenalty = 1.18 }
          let counted = model.penalizedIDs(of: one.ids)
          let found = options.process(
            logits.reshaped(logits.count), sequence: counted, promptLength: counted.count
          ).softmax().elements
          #expect(found.count { $0 > 0 } == kept, "\(one.text), \(name)")
          #expect(expected.count >= 5 || kept < 5)
          for (id, probability) in expected {
            #expect(
              abs(Double(found[id]) - probability) < 2e-5 * max(probability, 1e-2),
              "\(one.text), \(name): token \(id)")
          }
        }
      }
    }
  }

  /// The turns of a conversation become the text that the golden's third case was made of.
  @Test(arguments: goldens) func aHistoryIsLaidOutWithLineBreaks(_ golden: Golden) throws {
    var model = try models(golden)[1]
    // All of the history has room beside the answer.
    model.settings.maxNewTokens.value = 2
    let one = try #require(try cases(golden).last)
    let lines = one.text.components(separatedBy: "\n")
    func words(_ line: String) -> String { String(line.split(separator: ":", maxSplits: 1)[1]) }
    let image = try golden.image()
    let conversation = Input(turns: [
      Input.Turn(.user, [.picture(.image(image)), .text(words(lines[0]))]),
      Input.Turn(.assistant, [.text(words(lines[1]))]),
      Input.Turn(.user, [.text(words(lines[2]))]),
    ])
    let (input, cut) = try model.reading(conversation)
    #expect(cut == 0)
    #expect(try model.ids(of: input) == one.ids)
    let context = try model.context(of: input)
    #expect(context.ids == one.ids && context.text == one.text)
    #expect(context.parts.map(\.kind).prefix(3) == [.picture(0), .frame, .words])
    #expect(context.parts.count { $0.kind == .words } == 3)
    #expect(context.parts.last.map { $0.tokens.upperBound } == one.ids.count)
    for (part, next) in zip(context.parts, context.parts.dropFirst()) {
      #expect(part.tokens.upperBound == next.tokens.lowerBound)
    }
    // In the other formats the begin token or the history falls away.
    model.settings.chatFormat.value = .humanBotWithoutBegin
    let queries = model.configuration.queryCount
    #expect(
      try model.ids(of: model.reading(conversation).input)
        == Array(one.ids[..<queries]) + Array(one.ids[(queries + 1)...]))
    model.settings.chatFormat.value = .raw
    #expect(model.words(of: try model.reading(conversation).input) == words(lines[2]))
  }

  @Test func whatFallsOffAWindowIsTheOldest() throws {
    let golden = Self.goldens[0]
    var model = try models(golden)[0]
    model.settings.maxNewTokens.value = 8
    let question = "how many circles are there in the picture?"
    var turns = [Input.Turn(.user, [.picture(.image(try golden.image())), .text(question)])]
    for _ in 0..<5 {
      turns += [
        Input.Turn(.assistant, [.text("three")]), Input.Turn(.user, [.text(question)]),
      ]
    }
    let (input, cut) = try model.reading(Input(turns: turns))
    #expect(cut > 0 && cut < 6)
    let ids = try model.ids(of: input)
    #expect(ids.count <= 88)
    #expect(model.words(of: input).hasPrefix("<human>:how"))
    #expect(model.words(of: input).hasSuffix("\n<human>:\(question)\n<bot>:"))
  }
}

/// Two folders that are no model together.
@Suite struct TwoFolderTests {
  private func refused(
    _ visual: URL, _ language: URL?, naming words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
      try Family.read(CheckpointFolder(visual, language: language))
    }
    let message = error.map { "\($0)" } ?? ""
    #expect(!message.isEmpty && !message.contains("\n"), sourceLocation: sourceLocation)
    for word in words {
      #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation)
    }
  }

  private let ziya = Fixtures.goldens.appending(path: "ziya")
  private var visual: URL { ziya.appending(path: "visual") }
  private var llm: URL { ziya.appending(path: "llm") }

  @Test func aVisualPartAloneSaysWhatIsMissing() throws {
    try refused(visual, nil, naming: "visual", "no language model", "--language FOLDER")
  }

  @Test func aLanguageFolderThatIsNotThereIsNamed() throws {
    try refused(visual, ziya.appending(path: "lmm"), naming: "lmm", "no such folder")
  }

  @Test func aModelWithALanguageModelTakesNoOther() throws {
    try refused(ziya, llm, naming: "has one of its own", "leave language out")
    let goldens = Fixtures.goldens
    try refused(goldens.appending(path: "clip"), llm, naming: "clip", "is of the family CLIP")
    try refused(goldens.appending(path: "llama"), llm, naming: "llama", "is of the family LLaMA")
    try refused(goldens.appending(path: "blip2-itm"), llm, naming: "retrieval checkpoint")
  }

  @Test func aLanguageModelOfAnotherWidthIsRefused() throws {
    try refused(
      visual, Fixtures.goldens.appending(path: "llama"),
      naming: "llama: the language model reads 36 channels", "has 20", "trained with")
    // Where the configuration says nothing, the projection does.
    let copy = try DamagedCheckpoint(of: "ziya/visual")
    try copy.set("text_config", to: nil)
    try refused(
      copy.folder, Fixtures.goldens.appending(path: "llama"), naming: "reads 36 channels", "has 20")
    #expect(throws: Never.self) { try Family.read(CheckpointFolder(copy.folder, language: llm)) }
  }

  /// Whose vocabulary is too small is told by its own file.
  @Test func aVocabularyWithoutThePicturesTokenIsNamed() throws {
    let copy = try DamagedCheckpoint(of: "ziya/visual")
    try copy.set("image_token_index", to: "336")
    try refused(
      copy.folder, llm, naming: "'image_token_index' is 336", "below vocab_size of",
      "llm/config.json, 336", "that it was trained with")
  }

  @Test func aLanguageModelThatIsNoneIsRefused() throws {
    try refused(
      visual, Fixtures.goldens.appending(path: "vit"), naming: "config.json", "model_type",
      "'opt' or 'llama'")
  }

  @Test func tokenizersThatDisagreeAreToldApart() throws {
    let copy = try DamagedCheckpoint(of: "ziya/visual")
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try FileManager.default.copyItem(at: llm.appending(path: name), to: copy.file(name))
    }
    // The same once more is no disagreement.
    #expect(throws: Never.self) { try Family.read(CheckpointFolder(copy.folder, language: llm)) }
    let text = try String(contentsOf: copy.file("tokenizer.json"), encoding: .utf8)
    try copy.write(
      text.replacing("\"<unk>\"", with: "\"<nothing>\""), to: "tokenizer.json")
    try refused(
      copy.folder, llm, naming: "token 3", "'<nothing>'", "'<unk>'", llm.path, "remove")
  }

  @Test func theLanguageModelsSettingsAreItsOwn() throws {
    let copy = try DamagedCheckpoint(of: "ziya/llm")
    try copy.write(#"{"eos_token_id": 17, "max_new_tokens": 9}"#, to: "generation_config.json")
    let model = try BLIP2.Model(CheckpointFolder(visual, language: copy.folder))
    #expect(model.settings.endTokens.value == [17] && model.settings.maxNewTokens.value == 9)
    try copy.write(#"{"chat_format": "chatml"}"#, to: "generation_config.json")
    try refused(visual, copy.folder, naming: "chat_format", "chatml", "'human-bot'", "'raw'")
  }

  @Test func bothFoldersAreKeptInThePrecisionThatIsAskedFor() throws {
    let load = try ModelLoad(
      CheckpointFolder(visual, language: llm),
      precisions: ["language": .int8, "vision": .bfloat16])
    let kept = Dictionary(uniqueKeysWithValues: load.parts.map { ($0.name, $0.text) })
    #expect(kept["language"]?.hasPrefix("int8") == true, "\(kept)")
    let vision =
      Instructions.current.takeFloat16AsBFloat16 ? "float16 multiplied in bfloat16" : "bfloat16"
    #expect(kept["vision"]?.hasPrefix(vision) == true, "\(kept)")
    #expect(kept["projection"]?.hasPrefix("float16") == true, "\(kept)")
  }
}
