import Checkpoints
import Commands
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

@Suite struct PrecisionCompareTests {
  private static let blip2 = Fixtures.goldens.appending(path: "blip2")

  /// A session with a run of the golden model, or of the one that ships.
  private func workshop(shipped: Bool = false) throws -> Workshop {
    let workshop = try Workshop()
    if !shipped { workshop.session[StartingModel.self] = Self.blip2 }
    _ = try workshop.value("s = scene(7)\nr = run(s, \"a circle\", max_new_tokens=2)\nr")
    return workshop
  }

  /// The golden checkpoint with numbers that no half precision has, one tensor changed.
  private func checkpoint(
    _ folder: TemporaryFolder, _ name: String, changing key: String = "",
    _ change: (Tensor) -> Tensor = { $0 }
  ) throws -> URL {
    let url = folder.url.appending(path: name)
    try FileManager.default.copyItem(at: Self.blip2, to: url)
    let file = url.appending(path: "model.safetensors")
    let tensors = try TensorCollection(file)
    var noise = SmallNoise(seed: 5)
    try Safetensors.write(
      try tensors.names.map { name in
        var tensor = try tensors.floats(name)
        tensor = tensor.map { $0 * (1 + noise.next() * 0.01) }
        return (name: name, tensor: name == key ? change(tensor) : tensor)
      }, to: file)
    return url
  }

  @Test(arguments: ["float16", "bfloat16", "int8", "int4"], [false, true])
  func aRunAgainInLowerPrecisionIsNoise(precision: String, shipped: Bool) throws {
    let workshop = try workshop(shipped: shipped)
    _ = try workshop.value("t = compare(r, \"\(precision)\")\nt")
    let times = try workshop.texts("t[\"times\"]").compactMap(Double.init)
    print("precision: \(precision) \(shipped ? "shipped" : "golden"): \(times.max() ?? -1)")
    #expect(Set(try workshop.texts("t[\"verdict\"]")) == ["noise"])
    // The other way around the same model judges.
    let back = "compare(run(s, \"a circle\", max_new_tokens=2), r).verdict"
    _ = try workshop.value("p = r.trace\np")
    let path = shipped ? "scenes" : Self.blip2.path
    _ = try workshop.value("load(\"\(path)\", dtype=\"\(precision)\")")
    #expect(try workshop.value(back).plain == "noise")
  }

  @Test func eachPartMayHaveItsOwn() throws {
    let workshop = try workshop(shipped: true)
    _ = try workshop.value(
      "t = compare(r, {\"vision\": \"int8\", \"language\": \"int4\"})\nt")
    #expect(Set(try workshop.texts("t[\"verdict\"]")) == ["noise"])
    let (stages, own) = (try workshop.texts("t[\"stage\"]"), try workshop.texts("t[\"own\"]"))
    for (stage, own) in zip(stages, own) where stage == "query" || stage == "project" {
      #expect(own == "0.0")
    }
    #expect(zip(stages, own).contains { $0 == "decode" && (Double($1) ?? 0) > 1e-3 })
  }

  /// What is wrong, its tensor, and the place that must be named.
  static let faults: [(key: String, place: String, change: @Sendable (Tensor) -> Tensor)] = [
    (
      "vision_model.encoder.layers.1.self_attn.projection.weight",
      "vision.blocks.1.attention.output_projection.output", { $0.transposed() }
    ),
    ("query_tokens", "qformer.norm.output", { $0 * -1 }),
    ("language_projection.bias", "projection.output", { $0 * 0 }),
    (
      "language_model.model.decoder.layers.0.fc2.weight", "language.blocks.0.mlp.down.output",
      { $0 * 0.3 }
    ),
  ]

  @Test(arguments: ["float16", "bfloat16", "int8"], faults.indices)
  func aFaultIsFoundThroughTheRoundingOfItsPrecision(precision: String, fault: Int) throws {
    let folder = try TemporaryFolder()
    let (key, place, change) = Self.faults[fault]
    let right = try checkpoint(folder, "right")
    let wrong = try checkpoint(folder, "wrong", changing: key, change)
    let workshop = try Workshop()
    _ = try workshop.value("s = scene(7)\nload(\"\(right.path)\")")
    _ = try workshop.value("a = run(s, \"a circle\", max_new_tokens=2)\na")
    _ = try workshop.value("load(\"\(right.path)\", dtype=\"\(precision)\")")
    _ = try workshop.value("c = run(s, \"a circle\", max_new_tokens=2)\nc")
    #expect(try workshop.value("compare(c, a).verdict").plain == "noise")
    _ = try workshop.value("load(\"\(wrong.path)\", dtype=\"\(precision)\")")
    _ = try workshop.value("b = run(s, \"a circle\", max_new_tokens=2)\nb")
    for pair in ["a, b", "b, a"] {
      _ = try workshop.value("t = compare(\(pair))\nt")
      #expect(try workshop.value("t.first").plain == place, "\(precision) \(key)")
    }
  }

  @Test func aDumpOfTheReferenceInHalfPrecisionIsNoise() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.blip2
    let file = Self.blip2.appending(path: "trace-bfloat16.safetensors").path
    let picture = Fixtures.goldens.appending(path: "picture.png").path
    _ = try workshop.value(
      "r = run(\"\(picture)\", \"Question: how many circles? Answer:\", max_new_tokens=1)\nr")
    _ = try workshop.value("t = compare(r, \"\(file)\")\nt")
    print("precision: reference in bfloat16: \(try workshop.texts("t[\"times\"]"))")
    #expect(Set(try workshop.texts("t[\"verdict\"]")) == ["noise"])
  }

  @Test func theBillIsSortedByDamageAByte() throws {
    let workshop = try workshop(shipped: true)
    _ = try workshop.value(
      "t = bill(s, \"Question: how many shapes are there? Answer:\")\nt")
    let parts = try workshop.texts("t[\"part\"]")
    #expect(Set(parts) == ["vision", "qformer", "projection", "language"])
    let damage = try workshop.texts("t[\"nats a GB saved\"]").compactMap(Double.init)
    #expect(damage == damage.sorted() && damage.count == parts.count)
    let saved = try workshop.texts("t[\"saved MB\"]").compactMap(Double.init)
    #expect(saved.allSatisfy { $0 > 0 })
    // The file is in float16 already.
    _ = try workshop.value("t = bill(s, precisions=[\"float16\"])\nt")
    #expect(try workshop.texts("t[\"part\"]").isEmpty)
    #expect(try workshop.value("t").displayed.contains("nothing would be saved"))
  }

  @Test func whatDoesNotFitIsSaidUnderTheBill() throws {
    let workshop = try workshop(shipped: true)
    _ = try workshop.value(
      "memory(\"7MB\")\nt = bill(s, precisions=[\"int8\", \"int4\"], max_new_tokens=1)\nt")
    #expect(try workshop.value("t").displayed.contains("would be taken by all parts in int8"))
    #expect(try workshop.texts("t.answers[\"all parts in\"]") == ["as stored", "int4"])
    #expect(Set(try workshop.texts("t[\"precision\"]")) == ["int8", "int4"])
  }

  @Test func aPartThatBreaksIsTheLastOfTheBill() throws {
    let folder = try TemporaryFolder()
    // Too large for float16: infinite there, and no number after the next norm.
    let url = try checkpoint(
      folder, "large", changing: "qformer.encoder.layer.0.output_query.dense.weight"
    ) { $0.map { $0 + 1e6 } }
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = url
    _ = try workshop.value("s = scene(7)\nt = bill(s, precisions=[\"float16\"])\nt")
    #expect(try workshop.texts("t[\"part\"]").last == "qformer")
    #expect(try workshop.texts("t[\"divergence\"]").last == "inf")
    #expect(try workshop.texts("t[\"nats a GB saved\"]").last == "inf")
  }

  @Test func anotherSizeOfPicturesStaysWhenTheModelIsReadAgain() throws {
    let workshop = try workshop()
    _ = try workshop.value("resize(72)\nr = run(s, \"a circle\", max_new_tokens=2)\nr")
    for other in ["\"int8\"", "\"bfloat16\"", "r"] {
      _ = try workshop.value("t = compare(r, \(other))\nt")
      #expect(try workshop.value("t.verdict").plain == "noise")
      #expect(try workshop.texts("t[\"shape\"]").first == "[3, 72, 72]")
    }
    _ = try workshop.value("load(\"\(Self.blip2.path)\", dtype=\"bfloat16\")\nresize(72)")
    let both = "compare(r, run(s, \"a circle\", max_new_tokens=2)).verdict"
    #expect(try workshop.value(both).plain == "noise")
    let answer = try workshop.value("run(s, \"a circle\", max_new_tokens=4).text").represented
    #expect(
      try workshop.value("bill(s, \"a circle\", precisions=[\"int8\"], max_new_tokens=4)").displayed
        .contains(answer.dropFirst().dropLast()))
  }

  @Test func aPrecisionThatCannotBeIsASentence() throws {
    let workshop = try workshop()
    for (call, words) in [
      ("compare(r, \"int7\")", ["second", "int8"]),
      ("compare(r, {\"visoin\": \"int8\"})", ["second", "visoin"]),
      ("compare(r, {\"vision\": 8})", ["second"]),
      ("compare(encode(embed(patchify(preprocess(s))) + 0), \"int8\")", ["second", "run"]),
      ("bill(s, precisions=[\"int7\"])", ["precisions", "int7"]),
    ] as [(String, [String])] {
      let failure = try #require(workshop.run(call).failure, "\(call)")
      for word in words {
        #expect("\(failure)".contains(word), "\(call): \(failure)")
      }
    }
    _ = try workshop.value("load(\"\(Fixtures.goldens.appending(path: "clip").path)\")")
    let failure = try #require(workshop.run("bill(s)").failure)
    #expect(failure.message.contains("bill needs a model that writes or knows classes"))
    _ = try workshop.value("load(\"\(Fixtures.goldens.appending(path: "vit").path)\")")
    #expect(try workshop.texts("bill(s, precisions=[\"int8\"])[\"part\"]") == ["vision"])
  }
}
