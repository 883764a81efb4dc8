import Checkpoints
import Files
import Foundation
import Generation
import Images
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

@testable import Models

/// Idefics2 against transformers' own processor and model.
@Suite struct Idefics2Tests {
  /// The project's own, which splits pictures, and one without splitting where it lies beside the project.
  static let goldens = Golden.named("idefics2")
  static let own = goldens[0]

  private func model(_ golden: Golden) throws -> Idefics2.Model {
    try Idefics2.Model(CheckpointFolder(golden.folder))
  }

  private func images(_ golden: Golden) throws -> [Image] {
    try (golden.expected()["images"]?.array ?? []).compactMap(\.text).map { name in
      try Image(
        decoding: [UInt8](try Data(contentsOf: golden.images.appending(path: name))), named: name)
    }
  }

  /// Messages as the processor's chat template takes them, with pictures in the places of images.
  private func conversation(_ messages: JSON?, _ images: [Image]) throws -> Input {
    var next = images.makeIterator()
    return Input(
      turns: try (messages?.array ?? []).map { message throws in
        let role = try #require(message["role"]?.text)
        let speaker = try #require(Input.Turn.Speaker(rawValue: role))
        return Input.Turn(
          speaker,
          try (message["content"]?.array ?? []).map { item throws in
            if let text = item["text"]?.text { return .text(text) }
            guard let image = next.next() else { throw ModelError.emptyPrompt }
            return .picture(.image(image))
          })
      })
  }

  private func conversation(_ golden: Golden) throws -> Input {
    try conversation(golden.expected()["messages"], images(golden))
  }

  private func ids(_ json: JSON?) -> [Int] {
    let first = json?[0]?.integers ?? []
    return first.isEmpty ? json?.integers ?? [] : first
  }

  /// The largest difference of the tensors that belong to each stage, relative to each one's largest number.
  private func print(_ found: [PublishedTensor], beside golden: TensorCollection) throws {
    let stages = [
      "vision": "model.vision_model", "projection": "model.connector.modality_projection",
      "resampler": "model.connector.perceiver_resampler", "language": "model.text_model",
      "head": "lm_head",
    ]
    for (stage, prefix) in stages.sorted(by: { $0.key < $1.key }) {
      var (largest, at, count) = (Float(0), "-", 0)
      for tensor in found where tensor.name.hasPrefix(prefix) && golden[tensor.name] != nil {
        let difference = relativeDifference(tensor.tensor, try golden.floats(tensor.name))
        count += 1
        if difference > largest { (largest, at) = (difference, tensor.name) }
      }
      Swift.print("golden: \(stage) \(count) tensors, largest \(largest) at \(at)")
    }
  }

  @Test(arguments: goldens) func everyModuleAgrees(_ golden: Golden) throws {
    let model = try model(golden)
    let conversation = try conversation(golden)
    let context = try model.context(of: conversation)
    #expect(context.text == (try golden.expected()["prompt"]?.text))
    #expect(context.ids == ids(try golden.expected()["input_ids"]))
    var request = TraceRequest(images: [], conversation: conversation, usesPublishedNames: true)
    request.keeps = { _ in true }
    let run = try model.traced(request)
    let trace = try golden.trace()
    // The processor's pixels to the bit, what fills the batch up too.
    let pixels = try trace.floats("inputs.pixel_values")
    let ours = try #require(run.tensors.first { $0.name == "inputs.pixel_values" }).tensor
    #expect(ours == pixels.reshaped(to: Array(pixels.shape.dropFirst())), "pixel values")
    try print(run.tensors, beside: trace)
    let compared = try expectSame(run.tensors, as: trace)
    #expect(compared == trace.names.count { !$0.hasPrefix("inputs.") } && compared > 100)
  }

  @Test(arguments: goldens) func everyAnswerIsTheReferences(_ golden: Golden) throws {
    let model = try model(golden)
    let conversation = try conversation(golden)
    let read = try model.ids(of: conversation)
    var expected = ids(try golden.expected()["greedy"])
    if expected.starts(with: read) { expected.removeFirst(read.count) }
    #expect(expected.count == 12)
    var options = GenerationOptions(endTokens: [])
    options.maxNewTokens = expected.count
    for fillsUp in [false, true] {
      var input = conversation
      input.fillsUp = fillsUp
      var trace = Trace.nothing
      let answer = try model.write(
        after: model.sequence(input, trace: &trace), promptIDs: read, options: options,
        trace: .nothing)
      #expect(answer.generated.tokens == expected)
    }
  }

  @Test func otherPromptsAreCutAsTheReferenceCutsThem() throws {
    var model = try model(Self.own)
    let image = try images(Self.own)[0]
    for other in try Self.own.expected()["others"]?.array ?? [] {
      let prompt = try #require(other["prompt"]?.text)
      let pictures = [Image](
        repeating: image, count: prompt.components(separatedBy: "<image>").count - 1)
      let conversation = try conversation(other["messages"], pictures)
      model.pictureSettings = try model.pictureSettings.splitting(true)
      var context = try model.context(of: conversation)
      #expect(context.text == prompt)
      #expect(context.ids == other["split_ids"]?.integers, "\(prompt)")
      #expect(context.parts.map(\.tokens.count).reduce(0, +) == context.ids.count)
      model.pictureSettings = try model.pictureSettings.splitting(false)
      context = try model.context(of: conversation)
      #expect(context.ids == other["whole_ids"]?.integers, "\(prompt)")
    }
  }

  @Test func aContextSaysWhatEachTokenIs() throws {
    let model = try model(Self.own)
    let context = try model.context(of: conversation(Self.own))
    func text(_ part: ChatContext.Part) -> String {
      model.tokenizer.decode(Array(context.ids[part.tokens]), skipSpecialTokens: false)
        .trimmingCharacters(in: .whitespaces)
    }
    let words = context.parts.filter { $0.kind == .words }.map(text)
    #expect(words == ["What is in the picture?", "a red circle.", "And here?"])
    let places = context.parts.compactMap { part -> [Int]? in
      guard case .picture(let picture, let view) = part.kind else { return nil }
      return [picture, view ?? -1, part.tokens.count]
    }
    #expect(places == (0..<10).map { [$0 / 5, $0 % 5, 4] })
  }

  @Test func theBucketsOfPositionsAreBothPublishedOnes() throws {
    let expected = try Self.own.expected()
    let newer = try #require(expected["buckets"]?.array)
    for (index, buckets) in newer.enumerated() {
      let count = index + 1
      let older = expected["older_buckets"]?["\(count)"] ?? buckets
      typealias Rounding = Idefics2.PositionRounding
      #expect(Rounding.newer.buckets(count: count, sides: 70) == buckets.integers, "\(count)")
      #expect(Rounding.older.buckets(count: count, sides: 70) == older.integers, "\(count)")
    }
    #expect(newer.count == 70 && expected["older_buckets"]?.object?.count == 2)
  }

  @Test func picturesAreMadeAsLargeAsTheReferenceMakesThem() throws {
    let sizes = try #require(try Self.own.expected()["sizes"]?.array)
    let preprocessing = try Preprocessing(target: .longestEdge(980, atLeast: 378))
    for size in sizes.map(\.integers) {
      let made = try preprocessing.resizedSize(of: PixelSize(width: size[0], height: size[1]))
      #expect(made == PixelSize(width: size[2], height: size[3]), "\(size)")
    }
    #expect(sizes.count == 300)
    let model = try model(Self.own)
    let views = try Self.own.expected()["views"]?.array?.map(\.integers)
    var found: [PixelSize] = []
    for image in try images(Self.own) {
      for view in 0..<5 { found.append(try model.way(of: image.size, view: view).input) }
    }
    #expect(found.map { [$0.height, $0.width] } == views)
  }

  @Test func eachViewGoesItsOwnWay() throws {
    let model = try model(Self.own)
    let images = try images(Self.own)
    var together = Trace.everything
    let input = try conversation(Self.own)
    try model.pass(input, trace: &together)
    for (index, place) in model.views(of: input).enumerated() {
      var alone = Trace.everything
      let view = Input.Picture.view(of: images[place.pictureIndex], number: place.number)
      try model.pass(Input(picture: view, prompt: "?"), trace: &alone)
      let seen = alone.records.filter { !$0.address.isInside(Address("language")) }
      #expect(seen.count > 60)
      for record in seen {
        #expect(together[record.address.ofPicture(index)] == record.tensor, "\(record.address)")
      }
    }
    let outline = try model.outline(input)
    #expect(outline.places.map(\.address) == together.records.map(\.address))
    #expect(outline.places.map(\.shape) == together.records.map(\.tensor.shape))
  }

  @Test func whatFillsUpChangesNothingThatIsSeen() throws {
    let model = try model(Self.own)
    var input = try conversation(Self.own)
    var (plain, filled) = (Trace.everything, Trace.everything)
    try model.pass(input, trace: &plain)
    input.fillsUp = true
    try model.pass(input, trace: &filled)
    for view in 0..<10 {
      let grid = try model.patches(of: input, at: view)
      let seen = (0..<grid.count).filter { grid.isSeen($0) }
      for name in ["vision.blocks.0.output", "vision.norm.output", "projection.output"] {
        let address = Address(name).ofPicture(view)
        let (ours, theirs) = (try #require(plain[address]), try #require(filled[address]))
        #expect(ours.shape[0] == seen.count && theirs.shape[0] == grid.count)
        for (row, patch) in seen.enumerated() {
          expectClose(
            theirs.rows(patch..<patch + 1), to: ours.rows(row..<row + 1), within: 1e-5, name)
        }
      }
      let rows = Address("resampler.norm.output").ofPicture(view)
      expectClose(
        try #require(filled[rows]), to: try #require(plain[rows]), within: 1e-5, "\(rows)")
    }
    let outline = try model.outline(input)
    #expect(outline.places.map(\.shape) == filled.records.map(\.tensor.shape))
  }

  @Test func oneThreadGivesTheBitsOfTwo() throws {
    let model = try model(Self.own)
    let input = try conversation(Self.own)
    let runs = try [1, 2].map { count in
      try Parallelism.$threadCount.withValue(count) {
        var trace = Trace.everything
        try model.pass(input, trace: &trace)
        return trace.records.map(\.tensor)
      }
    }
    #expect(runs[0] == runs[1])
  }

  @Test func aTextAloneLooksAtNothing() throws {
    let model = try model(Self.own)
    var trace = Trace.everything
    try model.pass(Input(prompt: "What is it?"), trace: &trace)
    #expect(trace.records.allSatisfy { $0.address.isInside(Address("language")) })
  }

  @Test func aBatchsPaddingIsDropped() throws {
    let model = try model(Self.own)
    let trace = try Self.own.trace()
    let pixels = try trace.floats("inputs.pixel_values")
    let views = try #require(try Self.own.expected()["views"]?.array?.map(\.integers))
    let (height, width) = (pixels.shape[3], pixels.shape[4])
    // Two pictures of nothing behind the ten, as in a batch with a longer entry.
    let padded = Tensor(
      pixels.elements + [Float](repeating: 0, count: 2 * 3 * height * width),
      shape: [12, 3, height, width])
    var mask = [Int](repeating: 0, count: 12 * height * width)
    for (view, size) in views.enumerated() {
      for row in 0..<size[0] {
        for column in 0..<size[1] { mask[(view * height + row) * width + column] = 1 }
      }
    }
    let found = try Input.pictures(inBatch: padded, mask: mask)
    #expect(found.count == 10)
    var (own, batch) = (Trace.everything, Trace.everything)
    let input = try conversation(Self.own)
    try model.pass(input, trace: &own)
    try model.pass(
      Input(turns: [
        Input.Turn(
          .user,
          found.map { Input.Segment.picture($0) }
            + [.tokens(try model.ids(of: input), attended: 104)])
      ]), trace: &batch)
    #expect(batch.records.map(\.address) == own.records.map(\.address))
    for (ours, theirs) in zip(own.records, batch.records) {
      #expect(ours.tensor == theirs.tensor, "\(ours.address)")
    }
  }

  @Test func whatCannotBeReadIsOneSentence() throws {
    let model = try model(Self.own)
    let image = try images(Self.own)[0]
    let picture = Input.Segment.picture(.image(image))
    func failure(_ segments: [Input.Segment]) -> String {
      do {
        let input = Input(turns: [Input.Turn(.user, segments)])
        _ = try model.ids(of: input)
        _ = try model.outline(input)
        return "nothing"
      } catch { return "\(error)" }
    }
    #expect(failure([.text("a <image> of "), picture]) == "nothing")
    let more = failure([picture, picture, .text("one <image>")])
    #expect(more.hasPrefix("the words hold 1 '<image>', but 2 pictures go with them"), "\(more)")
    let fewer = failure([.text("<image> and <image>"), picture])
    #expect(fewer.hasPrefix("the words hold 2 '<image>', but 1 picture goes"), "\(fewer)")
    let none = failure([.text("<image>?")])
    #expect(none.hasPrefix("the words hold 1 '<image>', but 0 pictures"), "\(none)")
    let mark = failure([.text("so<end_of_utterance>\nAssistant: yes")])
    #expect(mark.hasPrefix("the words hold '<end_of_utterance>', which marks turns"), "\(mark)")
    let thin = Image(width: 1, height: 5000, pixels: [UInt8](repeating: 9, count: 15000))
    let narrow = failure([.picture(.image(thin))])
    #expect(narrow.contains("a picture of 1 × 5000 pixels has no quarters"), "\(narrow)")
    #expect(!narrow.contains("\n"))
    // The whole of it can be looked at.
    let whole = Input(picture: .view(of: thin, number: 4), prompt: "?")
    #expect(throws: Never.self) { try model.ids(of: whole) }
    let ids = failure([picture, .tokens([1, model.configuration.imageToken], attended: 2)])
    #expect(ids.contains("hold <image> 1 times") && ids.contains("20"), "\(ids)")
  }

  /// The folder's own template lays turns out; the published one where it has none.
  @Test func turnsAreLaidOutByTheFoldersTemplate() throws {
    let picture = Input.Segment.picture(.image(try images(Self.own)[0]))
    let input = Input(turns: [
      Input.Turn(.user, [picture, .text(" What? ")]), Input.Turn(.assistant, [.text("A cat.")]),
      Input.Turn(.user, [.text("User"), picture]),
    ])
    func context(_ template: String?) throws -> ChatContext {
      let checkpoint = try DamagedCheckpoint(of: "idefics2")
      try checkpoint.remove("chat_template.jinja")
      if let template { try checkpoint.write(template, to: "chat_template.jinja") }
      return try #require(try checkpoint.readAny().chatting).context(of: input)
    }
    let own = try model(Self.own).context(of: input)
    let published = try context(nil)
    #expect(published == own)
    #expect(
      published.text
        == "User:<image> What? <end_of_utterance>\nAssistant: A cat.<end_of_utterance>\nUser: User<image>"
        + "<end_of_utterance>\nAssistant:")
    // Another layout: what is said is found in it.
    let other = try context(
      "{% for m in messages %}[{{ m.role }}]{% for c in m.content %}{{ c.text if c.type == 'text' else '<image>' }}"
        + "{% endfor %}{% endfor %}[assistant]")
    #expect(other.text == "[user]<image> What? [assistant]A cat.[user]User<image>[assistant]")
    let words = other.parts.filter { $0.kind == .words }
    #expect(words.map(\.turn) == [0, 1, 2] && words.map(\.speaker) == [.user, .assistant, .user])
    #expect(own.parts.filter { $0.kind == .words }.map(\.turn) == [0, 1, 2])
    // One that changes what is said: the tokens are its own, and pictures have their places.
    let trimmed = try context(
      "{% for m in messages %}{% for c in m.content %}{{ c.text | trim | upper if c.type == 'text' else '<image>' }}"
        + "{% endfor %}{% endfor %}")
    #expect(trimmed.text == "<image>WHAT?A CAT.USER<image>")
    #expect(trimmed.parts.contains { if case .picture(1, _) = $0.kind { true } else { false } })
  }

  @Test(arguments: [
    ("{% for m in messages %}{{ m.content }}{% endif %}", "chat_template.jinja:1:"),
    ("\n{{ raise_exception('roles must alternate') }}", "chat_template.jinja:2:"),
    ("no pictures", "the words hold 0 '<image>', but 1 picture goes with them"),
  ])
  func aTemplateThatDoesNotDoIsOneSentence(_ template: String, _ words: String) throws {
    let checkpoint = try DamagedCheckpoint(of: "idefics2")
    try checkpoint.write(template, to: "chat_template.jinja")
    let picture = Input.Segment.picture(.image(try images(Self.own)[0]))
    do {
      let model = try checkpoint.readAny()
      _ = try model.chatting?.context(of: Input(turns: [Input.Turn(.user, [picture])]))
      Issue.record("this template is none: \(template)")
    } catch {
      #expect("\(error)".contains(words) && !"\(error)".contains("\n"), "\(error)")
    }
  }

  @Test func tagsAreThePlacesOfPictures() throws {
    let model = try model(Self.own)
    let images = try images(Self.own).map { Input.Segment.picture(.image($0)) }
    let tagged = try model.context(
      of: Input(turns: [
        Input.Turn(.user, images + [.text("<image>first, then <image>second")])
      ]))
    let placed = try model.context(
      of: Input(turns: [
        Input.Turn(.user, [images[0], .text("first, then "), images[1], .text("second")])
      ]))
    #expect(tagged == placed)
  }
}
