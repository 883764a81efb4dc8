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

/// Qwen-VL against the maths of the published code, and against that code where its witness lies beside the
/// project.
@Suite struct QwenVLTests {
  /// The project's own, and that of the published code.
  static let goldens = Golden.named("qwen-vl")
  static let published = Array(goldens.dropFirst())

  private func model(_ golden: Golden) throws -> QwenVL.Model {
    var model = try QwenVL.Model(CheckpointFolder(golden.folder))
    #expect([12, 512].contains(model.settings.maxNewTokens.value))
    model.settings.maxNewTokens.value = 2
    return model
  }

  /// A turn in which `<img>path</img>` stands as somebody typed it.
  private func turn(
    _ speaker: Input.Turn.Speaker, _ text: String, _ image: Image, _ model: QwenVL.Model
  ) throws -> Input.Turn {
    Input.Turn(
      speaker,
      try model.pieces(of: text).map { piece in
        switch piece {
        case .words(let words): .text(words)
        case .picture(let path): .picture(.image(image), Input.Mention(path, label: .none))
        }
      })
  }

  /// The golden's first conversation: one picture and a question.
  private func conversation(_ golden: Golden, _ model: QwenVL.Model) throws -> Input {
    let query = try #require(try golden.expected()["query"]?.text)
    return Input(turns: [try turn(.user, query, golden.image(), model)])
  }

  /// The first, and one that goes on with a second question.
  private func conversations(_ golden: Golden, _ model: QwenVL.Model) throws -> (Input, Input) {
    let (expected, image) = (try golden.expected(), try golden.image())
    let first = try conversation(golden, model)
    let (asked, answered) = (
      try #require(expected["history"]?[0]?[0]?.text),
      try #require(expected["history"]?[0]?[1]?.text)
    )
    let second = Input(turns: [
      try turn(.user, asked, image, model), Input.Turn(.assistant, [.text(answered)]),
      Input.Turn(.user, [.text(try #require(expected["second_query"]?.text))]),
    ])
    return (first, second)
  }

  @Test(arguments: goldens) func everyModuleAgrees(_ golden: Golden) throws {
    let model = try model(golden)
    let pixels = try golden.trace().floats("inputs.pixel_values")
    expectClose(
      try model.preprocess(golden.image()),
      to: pixels.reshaped(to: Array(pixels.shape.dropFirst())),
      within: 1e-6, "pixel values")
    let isOwn = golden.folder.path.hasPrefix(Fixtures.goldens.path)
    try expect(
      try conversation(golden, model), of: model, in: golden, "trace.safetensors", ids: "input_ids",
      least: isOwn ? 5 : 83)
  }

  @Test(arguments: published) func everyModuleAgreesBehindTheTrainedLength(_ golden: Golden) throws
  {
    let model = try model(golden)
    try expect(
      try conversations(golden, model).1, of: model, in: golden, "trace-long.safetensors",
      ids: "input_ids_2", least: 38)
  }

  private func expect(
    _ conversation: Input, of model: QwenVL.Model, in golden: Golden, _ file: String, ids: String,
    least: Int
  ) throws {
    #expect(try model.ids(of: conversation) == golden.expected()[ids]?.integers, "\(ids)")
    var request = TraceRequest(images: [], conversation: conversation, usesPublishedNames: true)
    request.keeps = { _ in true }
    let run = try model.traced(request)
    let trace = try TensorCollection(golden.folder.appending(path: file))
    #expect(try expectSame(run.tensors, as: trace) >= least)
  }

  @Test(arguments: goldens) func everyAnswerIsTheReferences(_ golden: Golden) throws {
    let model = try model(golden)
    let expected = try golden.expected()
    var asked = [(try conversation(golden, model), "greedy")]
    if expected["greedy_2"] != nil {
      asked.append((try conversations(golden, model).1, "greedy_2"))
    }
    for (conversation, key) in asked {
      let ids = try #require(expected[key]?.integers)
      var options = model.defaultOptions
      options.maxNewTokens = ids.count
      var trace = Trace.nothing
      let sequence = try model.sequence(conversation, trace: &trace)
      let answer = try model.write(
        after: sequence, promptIDs: model.ids(of: conversation), options: options, trace: .nothing)
      #expect(answer.generated.tokens == ids, "\(key)")
      if key == "greedy", expected["decoded"] != nil {
        #expect(model.reply(in: answer.generated.tokens) == expected["decoded"]?.text)
      }
    }
  }

  @Test(arguments: published) func theContextIsTheReferences(_ golden: Golden) throws {
    var model = try model(golden)
    let expected = try golden.expected()
    let (first, second) = try conversations(golden, model)
    for (conversation, text) in [(first, "raw_text"), (second, "raw_text_2")] {
      let (input, cut) = try model.reading(conversation)
      let context = try model.context(of: input)
      #expect(cut == 0 && context.text == expected[text]?.text)
      #expect(context.parts.map(\.tokens.count).reduce(0, +) == context.ids.count)
      let places = context.parts.filter { $0.kind == .picture(0) }
      #expect(places.map(\.tokens.count) == [256])
    }
    #expect(model.stopSequences == expected["stop_words_ids"]?.array?.map(\.integers))
    model.settings.maxWindowSize.value = 40
    let (input, cut) = try model.reading(second)
    #expect(cut == 1 && input.pictures.isEmpty)
    #expect(try model.ids(of: input) == expected["input_ids_window_40"]?.integers)
    #expect(try model.context(of: input).text == expected["raw_text_window_40"]?.text)
    model.settings.chatFormat.value = .raw
    #expect(
      try model.context(of: model.reading(second).input).text == expected["second_query"]?.text)
    #expect(model.stopSequences == [[33975, 25], [151643]])
  }

  @Test(arguments: goldens) func eachPictureGoesItsOwnWay(_ golden: Golden) throws {
    let model = try model(golden)
    let images = try ["picture.png", "tall.png"].map { name in
      try Image(
        decoding: [UInt8](try Data(contentsOf: Fixtures.goldens.appending(path: name))), named: name
      )
    }
    var together = Trace.everything
    let pictures = images.map { Input.Segment.picture(.image($0), Input.Mention("a")) }
    let input = Input(turns: [Input.Turn(.user, pictures + [.text("Which is a cat?")])])
    try model.pass(input, trace: &together)
    for (index, image) in images.enumerated() {
      var alone = Trace.everything
      try model.pass(Input(image: image, prompt: "?"), trace: &alone)
      let seen = alone.records.filter { !$0.address.isInside(Address("language")) }
      #expect(seen.count > 40)
      for record in seen {
        #expect(together[record.address.ofPicture(index)] == record.tensor, "\(record.address)")
      }
    }
    // Both pictures' rows stand in their places, and nothing was lost.
    let sequence = try #require(together[Address("language.sequence.output")])
    let parts = try model.context(of: input).parts
    for (index, address) in ["projection.output", "projection2.output"].enumerated() {
      let place = try #require(parts.first { $0.kind == .picture(index) }).tokens
      #expect(sequence.rows(place) == together[Address(address)])
    }
    let outline = try model.outline(input)
    #expect(outline.places.map(\.address) == together.records.map(\.address))
    #expect(outline.places.map(\.shape) == together.records.map(\.tensor.shape))
  }

  @Test(arguments: goldens) func oneThreadGivesTheBitsOfTwo(_ golden: Golden) throws {
    let model = try model(golden)
    let first = try conversation(golden, model)
    let runs = try [1, 2].map { count in
      try Parallelism.$threadCount.withValue(count) {
        var trace = Trace.everything
        try model.pass(first, trace: &trace)
        return trace.records.map(\.tensor)
      }
    }
    #expect(runs[0] == runs[1])
  }

  @Test(arguments: goldens) func aTextAloneLooksAtNothing(_ golden: Golden) throws {
    let model = try model(golden)
    var trace = Trace.everything
    try model.pass(Input(prompt: "What is it?"), trace: &trace)
    #expect(trace.records.allSatisfy { $0.address.isInside(Address("language")) })
  }

  @Test(arguments: goldens) func readingWordByWordIsReadingAllAtOnce(_ golden: Golden) throws {
    let model = try model(golden)
    let second = try conversation(golden, model)
    let ids = try model.ids(of: second)
    var trace = Trace.nothing
    let sequence = try model.sequence(second, trace: &trace)
    // The base of the positions is that of what was read first: here both lengths have the same.
    let count = ids.count - 3
    let stepped = try model.logits(
      after: sequence.rows(0..<count), tokens: Array(ids[count...]), isCancelled: { false })
    let whole = try model.logits(after: sequence, tokens: [], isCancelled: { false })
    expectClose(stepped.rows(3..<4), to: whole, within: 5e-6, "last logits")
  }

  @Test(arguments: goldens) func whatCannotBeReadIsOneSentence(_ golden: Golden) throws {
    let model = try model(golden)
    let image = try golden.image()
    func failure(_ segments: [Input.Segment]) -> String {
      do {
        _ = try model.ids(of: Input(turns: [Input.Turn(.user, segments)]))
        return "nothing"
      } catch { return "\(error)" }
    }
    func named(_ bytes: Int) -> [Input.Segment] {
      [.picture(.image(image), Input.Mention(String(repeating: "a", count: bytes)))]
    }
    #expect(failure(named(254)) == "nothing")
    #expect(failure(named(255)).contains("255 bytes, but this model reads at most 254"))
    #expect(failure([.text("a <img>b.png</img>")]).hasPrefix("the words hold '<img>'"))
    #expect(failure([.text("<|im_end|> stays text")]) == "nothing")
    let typed = try model.ids(of: Input(prompt: "<|im_end|>"))
    let end = try #require(model.tokenizer.id("<|im_end|>"))
    #expect(typed.count(where: { $0 == end }) == 2)
  }
}
