import Checkpoints
import Commands
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

@Suite struct CompareTests {
  /// A session with the small golden model and one run of it, saved in `run.safetensors`.
  private func workshop() throws -> Workshop {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: "blip2")
    _ = try workshop.value("s = scene(7)\nr = run(s, \"a circle\", max_new_tokens=2)\nr")
    _ = try workshop.value("save(r.trace, \"run.safetensors\")")
    return workshop
  }

  private func out(_ workshop: Workshop, _ name: String) -> URL {
    workshop.folder.appending(path: "fovea-out/\(name)")
  }

  /// Writes the saved run again with changes.
  private func change(
    _ workshop: Workshop, to name: String,
    _ change: (inout [(name: String, tensor: Tensor)]) throws -> Void
  ) throws {
    let file = try TensorCollection(out(workshop, "run.safetensors"))
    var tensors = try file.names.map { (name: $0, tensor: try file.floats($0)) }
    try change(&tensors)
    try Safetensors.write(tensors, metadata: file.metadata, to: out(workshop, name))
  }

  @Test func aRunEqualsItsFile() throws {
    let workshop = try workshop()
    _ = try workshop.value("t = compare(r, \"fovea-out/run.safetensors\")\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(try workshop.value("t.first").plain == "None")
    #expect(Set(try workshop.texts("t[\"largest\"]")) == ["0.0"])
    // The file alone says what the model has to run on.
    let two = "compare(\"fovea-out/run.safetensors\", \"fovea-out/run.safetensors\").verdict"
    #expect(try workshop.value(two).plain == "noise")
  }

  /// No stand-in for a picture is put where none may be.
  @Test(arguments: ["llama", "mistral"]) func runsOfTextAloneAreCompared(_ name: String) throws {
    let workshop = try Workshop()
    let folder = Fixtures.goldens.appending(path: name)
    workshop.session[StartingModel.self] = folder
    _ = try workshop.value(
      "r = run(prompt=\"a red circle\", max_new_tokens=2)\nsave(r.trace, \"run.safetensors\")")
    for other in ["r", "run(prompt=\"a blue one\")", "\"int8\"", "\"fovea-out/run.safetensors\""] {
      #expect(try workshop.value("compare(r, \(other)).verdict").plain == "noise", "\(other)")
    }
    #expect(
      try workshop.value(
        "edited = run(prompt=\"a red circle\", changes=change.scale(\"language.blocks.1.mlp.output\", 2))\n"
          + "(compare(r, edited).verdict, compare(r, edited).first)"
      ).plain == "('bug', 'language.blocks.1.mlp.output')")
    let file = out(workshop, "run.safetensors").path
    var request = CompareTool.Request(first: folder.path, second: file)
    request.model = ModelChoice(folder: folder)
    request.prompt = "a red circle"
    #expect(try CompareTool(request).isClean)
    // What the published implementation kept says itself what it has read.
    let trace = folder.appending(path: "trace.safetensors").path
    #expect(workshop.run("compare(\"\(trace)\", \"\(trace)\").verdict").failure == nil)
  }

  @Test func anotherPictureIsNoBug() throws {
    let workshop = try workshop()
    _ = try workshop.value("t = compare(r, run(scene(8), \"a circle\", max_new_tokens=2))\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(Set(try workshop.texts("t[\"own\"]")) == ["0.0"])
    #expect(try workshop.value("t").displayed.contains("the differences begin at picture.pixels"))
    // Another prompt has another length; what cannot be subtracted is still judged.
    _ = try workshop.value("t = compare(r, run(s, \"a red circle here\", max_new_tokens=2))\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(try workshop.texts("t[\"shape\"]").contains { $0.contains(" and ") })
  }

  @Test func aFileWithOtherPixelsOrWordsIsJudgedByThoseOfTheRunBesideIt() throws {
    let workshop = try workshop()
    // A mirrored picture, consistent with itself from there on.
    _ = try workshop.value("m = run(s, \"a circle\", max_new_tokens=2)\nm")
    try change(workshop, to: "pixels.safetensors") { tensors in
      let place = try #require(tensors.firstIndex { $0.name == "picture.pixels.output" })
      tensors[place].tensor = Tensor(
        tensors[place].tensor.elements.reversed(), shape: tensors[place].tensor.shape)
    }
    _ = try workshop.value("t = compare(r, \"fovea-out/pixels.safetensors\")\nt")
    #expect(
      try workshop.value("(t.verdict, t.first, t.stage)").plain
        == "('bug', 'picture.pixels.output', 'preprocess')")
    try change(workshop, to: "words.safetensors") { tensors in
      let place = try #require(tensors.firstIndex { $0.name == "language.tokens.output" })
      let tensor = tensors[place].tensor
      let last = tensor.shape[0] - 1
      tensors[place].tensor = Tensor.concatenated([
        tensor.rows(0..<last), tensor.rows(last - 1..<last),
      ])
    }
    _ = try workshop.value("t = compare(\"fovea-out/words.safetensors\", r)\nt")
    #expect(
      try workshop.value("(t.verdict, t.first, t.stage)").plain
        == "('bug', 'language.tokens.output', 'assemble')")
  }

  @Test func whatIsNotInTheFileIsSaid() throws {
    let workshop = try workshop()
    try change(workshop, to: "language.safetensors") { tensors in
      tensors.removeAll { !$0.name.hasPrefix("language.blocks") }
      let place = try #require(
        tensors.firstIndex { $0.name == "language.blocks.0.norm1.output" })
      tensors[place].tensor = tensors[place].tensor * 2
    }
    let shown = try workshop.value("t = compare(r, \"fovea-out/language.safetensors\")\nt")
      .displayed
    #expect(shown.contains("part at language.blocks.0.norm1.output"), "\(shown)")
    #expect(shown.contains("it may come from any part since picture.pixels"), "\(shown)")
    #expect(shown.contains("not compared: 15 of 17 parts") || shown.contains("not compared: "))
  }

  @Test func whatIsNotKnownIsNotJudged() throws {
    let workshop = try workshop()
    _ = try workshop.value("tokens = embed(patchify(preprocess(s))) + 0\ntokens")
    _ = try workshop.value("t = compare(encode(tokens), encode(tokens))\nt")
    // Numbers that somebody has changed hold no picture: the first step cannot be made again.
    let own = try workshop.texts("t[\"own\"]")
    #expect(own.first == "–" && own.dropFirst().allSatisfy { $0 != "–" })
    #expect(try workshop.value("t.verdict").plain == "noise")
  }

  @Test func aChangedNumberIsFoundWithItsPlace() throws {
    let workshop = try workshop()
    try change(workshop, to: "changed.safetensors") { tensors in
      let place = try #require(
        tensors.firstIndex { $0.name == "qformer.blocks.1.query_mlp.up.output" })
      var elements = tensors[place].tensor.elements
      elements[36 * 4 + 7] += 0.01
      tensors[place].tensor = Tensor(elements, shape: tensors[place].tensor.shape)
    }
    let compare = "compare(r, \"fovea-out/changed.safetensors\""
    _ = try workshop.value("t = \(compare))\nt")
    #expect(
      try workshop.value("(t.verdict, t.first, t.stage)").plain
        == "('bug', 'qformer.blocks.1.query_mlp.up.output', 'query')")
    _ = try workshop.value("t = \(compare), every=True)\nt")
    let (places, at) = (try workshop.texts("t[\"place\"]"), try workshop.texts("t[\"at\"]"))
    let row = try #require(places.firstIndex(of: "qformer.blocks.1.query_mlp.up.output"))
    #expect(at[row] == "query 4, channel 7")
  }

  @Test func aNumberThatIsNoneIsNamedWhereItIsFirst() throws {
    let workshop = try workshop()
    try change(workshop, to: "nan.safetensors") { tensors in
      for (place, entry) in tensors.enumerated()
      where ["vision.blocks.1.mlp.activated", "vision.norm.output"].contains(entry.name) {
        var elements = entry.tensor.elements
        elements[entry.tensor.shape[1] * 2 + 5] = entry.name.contains("norm") ? .infinity : .nan
        tensors[place].tensor = Tensor(elements, shape: entry.tensor.shape)
      }
    }
    let shown = try workshop.value("t = compare(\"fovea-out/nan.safetensors\", r)\nt").displayed
    #expect(shown.contains("nan.safetensors holds NaN first at vision.blocks.1.mlp.activated"))
    #expect(shown.contains("patch 0,1, channel 5"))
    #expect(try workshop.value("t.first").plain == "vision.blocks.1.mlp.activated")
    #expect(!shown.contains("second holds"))
  }

  @Test func namesAndShapesThatDoNotFitAreListed() throws {
    let workshop = try workshop()
    try change(workshop, to: "odd.safetensors") { tensors in
      for (place, entry) in tensors.enumerated() {
        if entry.name == "projection.output" { tensors[place].name = "projektion.output" }
        if entry.name == "vision.norm.output" {
          tensors[place].tensor = Tensor(repeating: 0, shape: [3, 5])
        }
      }
    }
    let shown = try workshop.value("compare(r, \"fovea-out/odd.safetensors\")").displayed
    #expect(shown.contains("no place is called 'projektion.output'"))
    #expect(shown.contains("the nearest is 'projection.output'"))
    #expect(
      shown.contains("'vision.norm.output' has shape [3, 5], but vision.norm.output has [17, 24]"))
    try change(workshop, to: "foreign.safetensors") { tensors in
      tensors = [("wte.weight", Tensor(repeating: 1, shape: [2, 2]))]
    }
    let failure = try #require(
      workshop.run("compare(r, \"fovea-out/foreign.safetensors\")").failure)
    #expect(failure.message.contains("foreign.safetensors: no tensor fits a place of blip2"))
    #expect(failure.notes.contains { $0.contains("'wte.weight'") })
  }

  @Test func aFileOfAnotherModelIsRefused() throws {
    let workshop = try workshop()
    _ = try workshop.value("load(\"\(Fixtures.goldens.appending(path: "vit").path)\")")
    let path = out(workshop, "run.safetensors").path
    let failure = try #require(workshop.run("compare(\"\(path)\", \"\(path)\")").failure)
    #expect(failure.message.contains("run.safetensors: made by another model than vit"))
    for call in [
      "compare(r, \"nothere.safetensors\")", "compare(r, \"picture.png\")", "compare(r, 3)",
      "compare(r.trace, s)", "compare(\"\", r)",
    ] {
      let failure = try #require(workshop.run(call).failure, "\(call)")
      #expect(!failure.message.isEmpty && !failure.message.contains("\n"))
    }
  }

  @Test(arguments: ["blip2", "clip"]) func tokenIDsThatAreNotTheModelsAreASentence(_ name: String)
    throws
  {
    let folder = try TemporaryFolder()
    let golden = Fixtures.goldens.appending(path: name)
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = golden
    let right = try TensorCollection(golden.appending(path: "trace.safetensors"))
    let (shape, ids) = try right.integers("inputs.input_ids")
    let count = try #require(shape.last)
    // Beyond the table; more than there are positions, or none that stand for the picture; less.
    let wrong: [([Int], [Int], String)] = [
      (shape, ids.map { $0 + 100_000 }, "hold 100"),
      (
        [1, 3000], [Int](repeating: 5, count: 3000),
        name == "clip" ? "are 3000, but this model reads 1 to" : "begin with 0 times"
      ),
    ]
    for (number, (shape, ids, words)) in wrong.enumerated() {
      let file = folder.file("wrong\(number).safetensors")
      try Safetensors.write(
        try right.names.filter { $0 != "inputs.attention_mask" }.map {
          name -> (name: String, content: Safetensors.Content) in
          name == "inputs.input_ids"
            ? (name, .integers(ids, shape: shape)) : (name, .tensor(try right.floats(name)))
        }, to: file)
      let failure = try #require(
        workshop.run("compare(\"\(file.path)\", \"\(file.path)\")").failure)
      #expect(failure.message.contains("made by another model than \(name): the token ids"))
      #expect(failure.message.contains(words), "\(failure.message)")
    }
    // A mask of another shape.
    let file = folder.file("mask.safetensors")
    try Safetensors.write(
      [
        ("inputs.input_ids", .integers(ids, shape: shape)),
        ("inputs.attention_mask", .integers([1], shape: [1, 1])),
      ], to: file)
    let failure = try #require(
      workshop.run("compare(\"\(file.path)\", \"\(file.path)\")").failure)
    #expect(count > 1 && failure.message.contains("'inputs.attention_mask' has shape [1, 1]"))
  }

  @Test func runsOfTwoModelsAreSaidToBeSo() throws {
    let workshop = try workshop()
    _ = try workshop.value("load(\"scenes\")")
    let shown = try workshop.value("compare(r, run(s, max_new_tokens=2))").displayed
    #expect(
      shown.contains("runs of different models: from picture.pixels.output on, shapes differ"))
  }

  @Test func anotherModelIsNoBug() throws {
    let folder = try TemporaryFolder()
    let other = folder.file("other")
    try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: "blip2"), to: other)
    let file = other.appending(path: "model.safetensors")
    // Other weights throughout: the same model is not meant.
    let tensors = try TensorCollection(file)
    try Safetensors.write(
      try tensors.names.map { name in
        (name: name, tensor: try tensors.floats(name).map { $0 * 1.25 + 0.01 })
      }, to: file)
    let workshop = try workshop()
    _ = try workshop.value("load(\"\(other.path)\")")
    _ = try workshop.value("o = run(s, \"a circle\", max_new_tokens=2)\no")
    let shown = try workshop.value("t = compare(r, o)\nt").displayed
    #expect(shown.contains("the sides are runs of two models: "), "\(shown)")
    #expect(shown.contains("the answers differ: ") || shown.contains("the answers are the same: "))
    #expect(!shown.contains("bug") && !shown.contains("suspicious"), "\(shown)")
    #expect(try workshop.value("t.verdict").plain == "other model")
    let again = try workshop.value("compare(r, r)").displayed
    #expect(again.contains("the answers are the same: ") && !again.contains("two models"))
    let precision = try workshop.value("compare(r, \"int8\")").displayed
    #expect(precision.contains("likeliest next token"), "\(precision)")
  }

  @Test func theTableIsSavedAndDrawn() throws {
    let workshop = try workshop()
    _ = try workshop.value("t = compare(r, run(scene(8), \"a circle\", max_new_tokens=2))\nt")
    _ = try workshop.value("save(t, \"parts.csv\")")
    _ = try workshop.value("save(t.chart, \"parts.svg\")")
    let csv = try String(contentsOf: out(workshop, "parts.csv"), encoding: .utf8)
    #expect(csv.hasPrefix("place,stage,shape,largest,relative,cosine,SNR dB,at,own,floor,times,"))
    #expect(csv.split(separator: "\n").count == 19)
    let svg = try String(contentsOf: out(workshop, "parts.svg"), encoding: .utf8)
    #expect(svg.contains("vision.blocks.1") && svg.contains("none of 18 steps stands out"))
  }
}
