import Commands
import Files
import Foundation
import Images
import Language
import Runtime
import Synchronization
import TestSupport
import Testing

/// A checkpoint with one number that is none.
struct PlantedNumber: Sendable, CustomTestStringConvertible {
  let model: String
  let tensor: String
  /// Where it shows first.
  let place: String
  /// The lines that must name it.
  let commands: [String]

  var testDescription: String { "\(model): \(tensor)" }

  init(_ model: String, _ tensor: String, at place: String, _ commands: [String]) {
    (self.model, self.tensor, self.place, self.commands) = (model, tensor, place, commands)
  }

  /// As float16, in which the checkpoints are stored.
  static let numbers: [(name: String, bits: UInt16)] = [
    ("NaN", 0x7E00), ("+Inf", 0x7C00), ("-Inf", 0xFC00),
  ]

  private static let stages = "patchify(preprocess(scene(7)))"
  private static let ofPicture = [
    "embed_image(scene(7))", "embed_image([scene(7), scene(8)])",
    "classify(scene(7), [\"a\", \"b\"])", "similarity([scene(7)], [\"a\"])",
    "word_map(scene(7), \"a\")", "run(scene(7))",
  ]
  private static let ofText = [
    "embed_text(\"a b\")", "embed_text([\"a b\", \"a b c\"])",
    "classify(scene(7), [\"a b\", \"c\"])",
    "similarity([scene(7)], [\"a b\"])", "word_map(scene(7), \"a b\")",
    "project_text(read(\"a b\"))",
  ]
  private static let ofAnswer = [
    "run(scene(7), max_new_tokens=2)", "decode(project(query(encode(embed(\(stages))))))",
    "decode(project(query(encode(embed(\(stages))))), num_beams=2, max_new_tokens=3)",
  ]

  static let all: [PlantedNumber] = [
    PlantedNumber(
      "clip", "vision_model.encoder.layers.0.self_attn.q_proj.weight",
      at: "vision.blocks.0.attention", ofPicture),
    PlantedNumber(
      "clip", "vision_model.encoder.layers.1.mlp.fc2.bias", at: "vision.blocks.1.mlp", ofPicture),
    PlantedNumber(
      "clip", "vision_model.embeddings.position_embedding.weight", at: "vision.embedding",
      ofPicture + ["embed(\(stages))"]),
    PlantedNumber("clip", "visual_projection.weight", at: "joint.image_projection", ofPicture),
    PlantedNumber(
      "clip", "text_model.encoder.layers.0.self_attn.v_proj.weight", at: "text.blocks.0.attention",
      ofText),
    PlantedNumber("clip", "text_projection.weight", at: "joint.text_projection", ofText),
    PlantedNumber(
      "vit", "vit.encoder.layer.1.output.dense.bias", at: "vision.blocks.1.mlp",
      ["classify(scene(7))", "run(scene(7))", "encode(embed(\(stages)))"]),
    PlantedNumber(
      "vit", "classifier.bias", at: "classifier", ["classify(scene(7))", "run(scene(7))"]),
    PlantedNumber(
      "blip2", "qformer.encoder.layer.2.crossattention.output.dense.weight",
      at: "qformer.blocks.2.cross_attention", ofAnswer + ["query(encode(embed(\(stages))))"]),
    PlantedNumber(
      "blip2", "language_projection.bias", at: "projection",
      ofAnswer + ["project(query(encode(embed(\(stages)))))"]),
    PlantedNumber(
      "blip2", "language_model.model.decoder.layers.1.self_attn.k_proj.weight",
      at: "language.blocks.1.attention",
      ofAnswer + [
        "next_token(assemble(project(query(encode(embed(\(stages))))), \"a\"))"
      ]),
    PlantedNumber(
      "blip2-itm", "vision_projection.weight", at: "retrieval", ["match(scene(7), [\"a circle\"])"]),
    PlantedNumber(
      "blip2-itm", "qformer.encoder.layer.1.attention.output.dense.weight",
      at: "qformer.blocks.1.attention", ["match(scene(7), \"a circle\")"]),
  ]
}

@Suite struct BrokenNumberTests {
  /// A copy of a golden model with the first number of a tensor changed.
  private func plant(_ planted: PlantedNumber, _ bits: UInt16) throws -> ConvertedCheckpoint {
    let checkpoint = try ConvertedCheckpoint(
      Fixtures.goldens.appending(path: planted.model))
    try checkpoint.change(planted.tensor) { _, bytes in
      bytes.replaceSubrange(0..<2, with: [UInt8(bits & 0xFF), UInt8(bits >> 8)])
    }
    return checkpoint
  }

  @Test(arguments: PlantedNumber.all)
  func everyCommandNamesTheFirstPlaceOfANumberThatIsNone(_ planted: PlantedNumber) throws {
    for (name, bits) in PlantedNumber.numbers {
      let checkpoint = try plant(planted, bits)
      for command in planted.commands {
        let said = Mutex("")
        let session = Session(
          commands: Commands.all, notes: { text in said.withLock { $0 += text } })
        session[StartingModel.self] = checkpoint.url
        let result = session.run(Source(name: "cell", text: command))
        #expect(result.succeeded, "\(name), \(command): \(String(describing: result.failure))")
        let words = said.withLock { $0 }
        #expect(
          words.contains(" first at \(planted.place)"), "\(name), \(command): \(words)")
        let notes = words.split(separator: "\n").filter {
          $0.contains(" first at \(planted.place)")
        }
        #expect(Set(notes).count == notes.count, "\(name), \(command): \(words)")
        #expect(session[BrokenResults.self])
      }
    }
  }

  @Test(arguments: [
    "classify(scene(7), [\"a\", \"b\"])", "similarity([scene(7)], [\"a\"], softmax=True)",
  ])
  func aScaleThatIsNoNumberIsNamed(_ command: String) throws {
    let checkpoint = try plant(PlantedNumber("clip", "logit_scale", at: "", []), 0x7E00)
    let said = Mutex("")
    let session = Session(
      commands: Commands.all, notes: { text in said.withLock { $0 += text } })
    session[StartingModel.self] = checkpoint.url
    #expect(session.run(Source(name: "cell", text: command)).succeeded)
    let words = said.withLock { $0 }
    #expect(
      words.contains(
        "NaN as what cosines are multiplied by, which comes from its weight logit_scale"),
      "\(words)")
    #expect(!words.contains("nowhere") && session[BrokenResults.self])
  }

  @Test func modelsOfFiniteNumbersAreNotSpokenOf() throws {
    for planted in PlantedNumber.all {
      let said = Mutex("")
      let session = Session(
        commands: Commands.all, notes: { text in said.withLock { $0 += text } })
      session[StartingModel.self] = Fixtures.goldens.appending(path: planted.model)
      for command in planted.commands {
        #expect(session.run(Source(name: "cell", text: command)).succeeded)
      }
      #expect(!said.withLock { $0 }.contains("first at") && !session[BrokenResults.self])
    }
  }

  @Test func numbersOfAPersonsOwnAreToldApartFromTheModels() throws {
    let said = Mutex("")
    let session = Session(
      commands: Commands.all, notes: { text in said.withLock { $0 += text } })
    let text = "x = patchify(preprocess(scene(7))) * float(\"nan\")\nembed(x)"
    #expect(session.run(Source(name: "cell", text: text)).succeeded)
    #expect(
      said.withLock { $0 }.contains("was given numbers with NaN or infinity, first at [0, 0]"))
    #expect(!session[BrokenResults.self])
  }

  @Test func anIndexAndAnEvaluationAreRefusedWithTheFirstPlace() throws {
    let planted = PlantedNumber.all[1]
    let checkpoint = try plant(planted, 0x7E00)
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = checkpoint.url
    _ = try workshop.value("save(scene(7), \"pictures/7.png\")\n1")
    let failure = try #require(workshop.run("index(\"fovea-out/pictures\")").failure)
    #expect("\(failure)".contains("NaN first at vision.blocks.1.mlp"))
    #expect((failure.underlying as? any HasExitCode)?.exitCode == ExitCode.badData)
    var evaluation = try Evaluation(ModelChoice(folder: checkpoint.url))
    #expect {
      try evaluation.run(count: 1, seed: 1)
    } throws: {
      "\($0)".contains("NaN first at vision.blocks.1.mlp")
        && ($0 as? any HasExitCode)?.exitCode == ExitCode.badData
    }
  }

  @Test func aTraceIsWrittenAndItsFirstBrokenPlaceNamed() throws {
    let checkpoint = try plant(PlantedNumber.all[6], 0x7C00)
    let folder = try TemporaryFolder()
    let picture = folder.file("7.png")
    try WholeFile.write(Bench.picture.png(), to: picture)
    var broken = ""
    let count = try TraceTool(ModelChoice(folder: checkpoint.url)).write(
      images: [picture], prompt: "", texts: [], names: .fovea, keep: "*",
      to: folder.file("trace.safetensors"), broken: { broken = $0 })
    #expect(count > 10 && broken.contains("infinity first at vision.blocks.1.mlp"))
    #expect(
      try Bench(ModelChoice(folder: checkpoint.url), options: .init())
        .brokenPlace(on: Bench.picture)?.contains("infinity first at vision.blocks.1.mlp") == true)
  }
}
