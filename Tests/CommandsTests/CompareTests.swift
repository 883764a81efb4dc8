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

  private func texts(_ workshop: Workshop, _ expression: String) throws -> [String] {
    guard case .list(let list) = try workshop.value(expression) else { return [] }
    return list.values.map(\.plain)
  }

  @Test func aRunEqualsItsFile() throws {
    let workshop = try workshop()
    _ = try workshop.value("t = compare(r, \"fovea-out/run.safetensors\")\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(try workshop.value("t.first").plain == "None")
    #expect(Set(try texts(workshop, "t[\"largest\"]")) == ["0.0"])
    // The file alone says what the model has to run on.
    let two = "compare(\"fovea-out/run.safetensors\", \"fovea-out/run.safetensors\").verdict"
    #expect(try workshop.value(two).plain == "noise")
  }

  @Test func anotherPictureIsNoBug() throws {
    let workshop = try workshop()
    _ = try workshop.value("t = compare(r, run(scene(8), \"a circle\", max_new_tokens=2))\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(Set(try texts(workshop, "t[\"own\"]")) == ["0.0"])
    #expect(try workshop.value("t").displayed.contains("the differences begin at picture.pixels"))
    // Another prompt has another length; what cannot be subtracted is still judged.
    _ = try workshop.value("t = compare(r, run(s, \"a red circle here\", max_new_tokens=2))\nt")
    #expect(try workshop.value("t.verdict").plain == "noise")
    #expect(try texts(workshop, "t[\"shape\"]").contains { $0.contains(" and ") })
  }

  @Test func whatIsNotKnownIsNotJudged() throws {
    let workshop = try workshop()
    _ = try workshop.value("tokens = embed(patchify(preprocess(s)))\ntokens")
    _ = try workshop.value("t = compare(encode(tokens), encode(tokens))\nt")
    // The result of a stage does not hold its picture: the first step cannot be made again.
    let own = try texts(workshop, "t[\"own\"]")
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
    let (places, at) = (try texts(workshop, "t[\"place\"]"), try texts(workshop, "t[\"at\"]"))
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

  @Test func runsOfTwoModelsAreSaidToBeSo() throws {
    let workshop = try workshop()
    _ = try workshop.value("load(\"scenes\")")
    let shown = try workshop.value("compare(r, run(s, max_new_tokens=2))").displayed
    #expect(
      shown.contains("runs of different models: from picture.pixels.output on, shapes differ"))
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
