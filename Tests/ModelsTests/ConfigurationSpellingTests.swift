import Checkpoints
import Foundation
import Images
import Layers
import Tensors
import TestSupport
import Testing
import Tracing

@testable import Models

/// Spellings and layouts of configurations that the reference reads.
@Suite struct ConfigurationSpellingTests {
  private func vit(_ changes: [(String, String?)]) throws -> ViT.Model {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    for (key, text) in changes { try checkpoint.set(key, to: text) }
    return try #require(try checkpoint.readAny() as? ViT.Model)
  }

  @Test func sidesMayBeListsOfTwo() throws {
    let usual = try vit([])
    let size = usual.patches.imageSize
    let model = try vit([
      ("image_size", "[\(size), \(size)]"),
      ("patch_size", "[\(usual.patches.patchSize), \(usual.patches.patchSize)]"),
    ])
    #expect(model.configuration == usual.configuration)
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set("image_size", to: "[\(size), \(size + 1)]")
    checkpoint.refusal(naming: ["image_size", "squares"])
  }

  @Test func labelsMayBeNumbersInAnyOrder() throws {
    let count = try vit([]).labels.count
    let names = (0..<count).reversed().map { "\"\($0)\": \($0 + 100)" }.joined(separator: ", ")
    #expect(try vit([("id2label", "{\(names)}")]).labels == (0..<count).map { "\($0 + 100)" })
  }

  /// The reference takes the number, and refuses where the weights have another.
  @Test func aNumberOfClassesThatTheNamesContradictCounts() throws {
    let count = try vit([]).labels.count
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set("num_labels", to: "\(count + 2)")
    checkpoint.refusal(naming: ["classifier", "[\(count + 2)", "[\(count)"])
    try checkpoint.set("num_labels", to: "\(count)")
    try checkpoint.set("id2label", to: #"{"0": "one"}"#)
    let model = try #require(try checkpoint.readAny() as? ViT.Model)
    #expect(model.labels == (0..<count).map { "LABEL_\($0)" })
    #expect(model.notes.contains { $0.contains("num_labels in config.json is \(count), but") })
  }

  @Test(arguments: [
    ("vit", "hidden_act"), ("vit", "qkv_bias"), ("clip", "text_config.hidden_act"),
    ("clip", "vision_config.hidden_act"), ("blip2", "vision_config.qkv_bias"),
    ("llama", "attention_bias"), ("clip", "logit_scale_init_value"),
    ("vit", "num_attention_heads"), ("vit", "layer_norm_eps"), ("vit", "num_channels"),
    ("vit", "image_size"), ("clip", "projection_dim"), ("clip", "text_config.hidden_size"),
    ("blip2", "num_query_tokens"), ("blip2", "text_config.ffn_dim"), ("llama", "rms_norm_eps"),
    ("llama", "rope_parameters.rope_theta"),
  ])
  func nullIsNoValueWhereTheReferenceRefusesIt(_ model: String, _ key: String) throws {
    let checkpoint = try DamagedCheckpoint(of: model)
    try checkpoint.set(key, to: "null")
    checkpoint.refusal(naming: ["config.json", key, "null"])
  }

  @Test(arguments: [
    ("llama", "num_key_value_heads"), ("llama", "pretraining_tp"), ("vit", "num_labels"),
    ("clip", "text_config.projection_dim"), ("blip2", "text_config.word_embed_proj_dim"),
  ])
  func nullIsTheDefaultWhereTheReferenceTakesIt(_ model: String, _ key: String) throws {
    let checkpoint = try DamagedCheckpoint(of: model)
    try checkpoint.set(key, to: "null")
    _ = try checkpoint.readAny()
  }

  @Test func aScaleThatIsNoNumberIsRefused() throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    try checkpoint.set("logit_scale_init_value", to: "\"x\"")
    checkpoint.refusal(naming: ["logit_scale_init_value", "x", "a number"])
    try checkpoint.set("logit_scale_init_value", to: "-1.5")
    #expect(try checkpoint.readAny().family == "CLIP")
  }

  @Test func anEndTokenBeyondTheVocabularyIsSaid() throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    try checkpoint.set("text_config.eos_token_id", to: "1000000000")
    let notes = try ModelLoad(CheckpointFolder(checkpoint.folder)).notes
    #expect(
      notes.contains {
        $0.contains("text_config.eos_token_id in config.json is 1000000000, beyond the vocabulary")
      })
  }

  @Test(arguments: [
    (nil, ClassScores.softmax), ("single_label_classification", .softmax),
    ("multi_label_classification", .logistic), ("regression", .none),
  ])
  func theProblemSaysHowClassesAreScored(_ problem: String?, _ scores: ClassScores) throws {
    #expect(try vit([("problem_type", problem.map { "\"\($0)\"" })]).scores == scores)
  }

  @Test func anUnknownProblemIsRefused() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set("problem_type", to: "\"detection\"")
    checkpoint.refusal(naming: ["problem_type", "detection", "multi_label_classification"])
  }

  @Test func severalEndTokensComeFromEitherFile() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set("text_config.eos_token_id", to: "[2, 5]")
    try checkpoint.remove("generation_config.json")
    #expect(try checkpoint.read().settings.endTokens.value == [2, 5])
  }

  // MARK: timm

  /// The golden ViT as timm names and stores it.
  private func timm(_ change: (inout [String: Any]) -> Void = { _ in }) throws -> DamagedCheckpoint
  {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    let sizes = try vit([]).configuration.vision
    let labels = try vit([]).labels
    try checkpoint.changeWeights { all in
      var renamed: [DamagedCheckpoint.NamedContent] = []
      var parts: [String: [Tensor]] = [:]
      for (name, content) in all {
        guard case .stored(let stored) = content else { continue }
        guard let address = Self.address(name) else { continue }
        if let part = ["query", "key", "value"].firstIndex(where: { address.contains(".\($0).") }) {
          let fused = address.replacing(
            #/\.(query|key|value)\./#, with: ".qkv.")
          parts[fused, default: [Tensor](repeating: Tensor([0], shape: [1]), count: 3)][part] =
            stored.tensor
          continue
        }
        renamed.append((try #require(ViT.timmNames.key(.init(address))), content))
      }
      for (address, tensors) in parts.sorted(by: { $0.key < $1.key }) {
        let rows = tensors.map { $0.rank == 1 ? $0.reshaped($0.count, 1) : $0 }
        let joined = Tensor.concatenated(rows)
        renamed.append(
          (
            try #require(ViT.timmNames.key(.init(address))),
            .tensor(tensors[0].rank == 1 ? joined.reshaped(joined.count) : joined)
          ))
      }
      all = renamed
    }
    var json: [String: Any] = [
      "architecture": "vit_tiny_patch16_224", "num_classes": labels.count, "label_names": labels,
      "global_pool": "token",
      "model_args": [
        "img_size": sizes.imageSize, "patch_size": sizes.patchSize, "embed_dim": sizes.width,
        "depth": sizes.blockCount, "num_heads": sizes.headCount,
        "mlp_ratio": Double(sizes.hiddenWidth) / Double(sizes.width),
      ],
      "pretrained_cfg": [
        "input_size": [3, sizes.imageSize, sizes.imageSize], "interpolation": "bilinear",
        "crop_pct": 1.0, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5],
      ],
    ]
    change(&json)
    try JSONSerialization.data(withJSONObject: json, options: .sortedKeys)
      .write(to: checkpoint.file("config.json"))
    return checkpoint
  }

  private static func address(_ name: String) -> String? {
    let parameter = name.split(separator: ".").last.map(String.init) ?? ""
    if let address = ViT.names.address(name) ?? ViT.newerNames.address(name) {
      return address.description
    }
    let module = name.dropLast(parameter.count + 1)
    return (ViT.names.address(String(module)) ?? ViT.newerNames.address(String(module))).map {
      "\($0).\(parameter)"
    }
  }

  @Test func aFolderOfTimmGivesWhatTheSameWeightsGive() throws {
    let model = try #require(try timm().readAny() as? ViT.Model)
    #expect(model.labels == (try vit([]).labels) && model.notes == [])
    let image = Image(width: 40, height: 40, pixels: (0..<4800).map { UInt8($0 % 251) })
    var trace = Trace.nothing
    let (found, expected) = (
      try model.classify(image, trace: &trace), try vit([]).classify(image, trace: &trace)
    )
    for (a, b) in zip(found.elements, expected.elements) { #expect(abs(a - b) < 1e-3) }
  }

  @Test(arguments: [
    ("architecture", "resnet50"), ("architecture", "vit_base_patch16_siglip_224"),
    ("architecture", "vit_base_patch16_rope_224"), ("global_pool", "avg"),
  ])
  func modelsOfTimmThatAreNotBuiltAreRefusedByName(_ key: String, _ value: String) throws {
    try timm { $0[key] = value }.refusal(naming: ["config.json", key, value])
  }

  @Test(arguments: ["reg_tokens", "init_values"])
  func argumentsOfTimmThatAreNotBuiltAreRefusedByName(_ key: String) throws {
    let checkpoint = try timm { json in
      var arguments = json["model_args"] as? [String: Any] ?? [:]
      arguments[key] = 4
      json["model_args"] = arguments
    }
    checkpoint.refusal(naming: ["model_args.\(key)"])
  }

  // MARK: sentence-transformers

  @Test func theGeneralModuleOfSentenceTransformersHoldsAClip() throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    let module = "sentence_transformers.base.modules.transformer.Transformer"
    try checkpoint.write(
      #"[{"idx": 0, "name": "0", "path": "", "type": "\#(module)"}, "#
        + #"{"idx": 1, "name": "1", "path": "1_Normalize", "type": "x.Normalize"}]"#,
      to: "modules.json")
    #expect(try checkpoint.readAny() is CLIP.Model)
    try checkpoint.write(
      #"[{"path": "", "type": "\#(module)"}, {"path": "1_Dense", "type": "x.Dense"}]"#,
      to: "modules.json")
    checkpoint.refusal(naming: ["modules.json", "Dense"])
  }
}
