import Checkpoints
import Files
import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tracing

@Suite struct ViTTests {
  @Test(arguments: Golden.named("vit")) func everyModuleAgrees(_ golden: Golden) throws {
    let model = try Family.read(CheckpointFolder(golden.folder))
    let trace = try golden.trace()
    let pixels = try trace.floats("inputs.pixel_values")
    let run = try model.traced(
      TraceRequest(images: [try golden.image()], usesPublishedNames: true))
    let found = try #require(run.tensors.first { $0.name == "inputs.pixel_values" })
    expectClose(found.tensor, to: pixels, within: 1e-6, "pixel values")
    #expect(try expectSame(run.tensors, as: trace) > 45)
  }

  @Test(arguments: Golden.named("vit")) func probabilitiesAndLabelsAreTheReferences(
    _ golden: Golden
  ) throws {
    let model = try Family.read(CheckpointFolder(golden.folder))
    let classifier = try #require(model.classifying)
    let expected = try golden.expected()
    var trace = Trace.nothing
    let found = try classifier.classify(try golden.image(), trace: &trace).softmax().elements
    if let numbers = expected["probabilities"]?.array?.compactMap(\.double) {
      #expect(classifier.labels == expected["labels"]?.array?.compactMap(\.text))
      #expect(numbers.count == found.count)
      for (a, b) in zip(found, numbers) { #expect(abs(Double(a) - b) < 1e-5) }
    } else {
      let top = try #require(expected["top"]?.array)
      #expect(top.count == found.count)
      let order = found.indices.sorted { found[$0] > found[$1] }
      for (place, entry) in zip(order, top) {
        #expect(classifier.labels[place] == entry[0]?.text)
        #expect(abs(Double(found[place]) - (entry[1]?.double ?? -1)) < 1e-5)
      }
    }
  }

  @Test(arguments: [24, 56, 80]) func otherSizesInterpolateThePositionsAsTheReferenceDoes(
    _ size: Int
  ) throws {
    let golden = Golden.named("vit")[0]
    // Whatever size came before: the stored positions are interpolated, not those in use.
    let model = try #require(try Family.read(CheckpointFolder(golden.folder)).seeing).resized(
      to: 16
    )
    .resized(to: size)
    let table = try golden.trace().floats("inputs.positions.\(size)")
    expectClose(
      model.positionEmbeddings, to: table.reshaped(to: Array(table.shape.dropFirst())),
      within: 1e-6, "positions")
    var trace = Trace.nothing
    let found = try #require(model.classifying).classify(try golden.image(), trace: &trace)
    let expected = try #require(try golden.expected()["logits_\(size)"]?.array)
      .compactMap { $0.double.map { Float($0) } }
    expectClose(found, to: Tensor(expected, shape: [expected.count]), within: 1e-5, "logits")
  }

  @Test(arguments: [0, 4, 41, 520]) func aSizeWithoutWholePatchesIsRefused(_ size: Int) throws {
    let model = try #require(
      try Family.read(CheckpointFolder(Golden.named("vit")[0].folder)).seeing)
    #expect(throws: ModelError.badSize(found: size, patchSize: 8)) { try model.resized(to: size) }
  }

  /// Renames the weights of a copy of the small model.
  private func renamed(_ change: (String) -> String?) throws -> DamagedCheckpoint {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.changeWeights { all in
      all = all.compactMap { entry in change(entry.name).map { ($0, entry.content) } }
    }
    return checkpoint
  }

  private func logits(_ model: any FamilyModel) throws -> Tensor {
    var trace = Trace.nothing
    return try #require(model.classifying).classify(
      try Golden.named("vit")[0].image(), trace: &trace)
  }

  @Test func newerNamesAndVeryOldOnesReadAlike() throws {
    let published = try DamagedCheckpoint(of: "vit").readAny()
    let newer = try renamed {
      $0.replacing("encoder.layer.", with: "layers.")
        .replacing("attention.attention.query", with: "attention.q_proj")
        .replacing("attention.attention.key", with: "attention.k_proj")
        .replacing("attention.attention.value", with: "attention.v_proj")
        .replacing("attention.output.dense", with: "attention.o_proj")
        .replacing("intermediate.dense", with: "mlp.fc1")
        .replacing(/(\d)\.output\.dense/) { "\($0.output.1).mlp.fc2" }
    }
    let old = try renamed { name in
      guard name.contains("layernorm") else { return name }
      return name.replacing("weight", with: "gamma").replacing("bias", with: "beta")
    }
    #expect(try newer.weights().contains { $0.name == "vit.layers.2.mlp.fc2.weight" })
    #expect(try old.weights().contains { $0.name == "vit.layernorm.gamma" })
    let expected = try logits(published)
    #expect(try logits(newer.readAny()) == expected)
    #expect(try logits(old.readAny()) == expected)
  }

  @Test func anEncoderAloneKnowsNoClasses() throws {
    let bare = try renamed {
      $0.hasPrefix("classifier") ? nil : String($0.dropFirst("vit.".count))
    }
    try bare.set("architectures", to: #"["ViTModel"]"#)
    let model = try bare.readSeeing()
    #expect(model.classifying == nil && model.stages.map(\.name).last == "encode")
    #expect(model.kind.contains("without a classifier"))
    var trace = Trace.nothing
    let image = try Golden.named("vit")[0].image()
    let seen = try model.see(image, trace: &trace)
    let whole = try DamagedCheckpoint(of: "vit").readSeeing()
    var all = Trace.everything
    try whole.pass(Input(image: image), trace: &all)
    #expect(all[Address("vision.norm.output")] == seen)
  }

  static let wrong = [
    WrongSetting("hidden_size", "25", "hidden_size", "3 heads"),
    WrongSetting("hidden_act", #""swish""#, "hidden_act", "quick_gelu"),
    WrongSetting("patch_size", "41", "image_size", "41"),
    WrongSetting("num_channels", "1", "num_channels", "3"),
    WrongSetting("num_hidden_layers", "4", "encoder.layer.3"),
    WrongSetting("num_hidden_layers", "2", "encoder.layer.2"),
    WrongSetting("id2label", #"{"0": "a", "2": "b"}"#, "id2label"),
    WrongSetting("id2label", #"{"0": "a", "1": null}"#, "id2label"),
    WrongSetting("id2label", #"{"0": "a", "1": "b"}"#, "classifier", "[5, 24]", "[2, 24]"),
    WrongSetting("qkv_bias", "false", "query.bias"),
    WrongSetting("image_size", "48", "preprocessor_config.json", "48 × 48, as image_size in"),
  ]

  @Test(arguments: wrong) func aWrongConfigurationIsRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set(wrong.key, to: wrong.text)
    checkpoint.refusal(naming: wrong.words)
  }

  @Test func textsAndOtherPartsAreRefused() throws {
    let model = try DamagedCheckpoint(of: "vit").readAny()
    #expect(model.textTokenizer == nil)
    #expect(model.writing == nil && model.matching == nil && model.embedding == nil)
    #expect(throws: ModelError.self) {
      try model.traced(
        TraceRequest(
          images: [try Golden.named("vit")[0].image()], texts: ["a"], usesPublishedNames: true))
    }
  }
}
