import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

@testable import Models

/// The tables of what is done with each key of a published configuration.
@Suite struct ConfigurationKeysTests {
  private static let published: [String: [String]] = {
    let file = Fixtures.goldens.appending(path: "configuration-keys.json")
    guard let json = try? JSON(file: file) else { return [:] }
    return Dictionary(
      (json.object?.members ?? []).map { ($0.key, ($0.value.array ?? []).compactMap(\.text)) },
      uniquingKeysWith: { first, _ in first })
  }()

  @Test(arguments: [
    "ViTConfig", "CLIPConfig", "CLIPTextConfig", "CLIPVisionConfig", "Blip2Config",
    "Blip2VisionConfig", "Blip2QFormerConfig", "OPTConfig", "ImagesKwargs", "GenerationConfig",
    "CLIPVisionCfg", "CLIPTextCfg", "PreprocessCfg", "Idefics2Config", "Idefics2VisionConfig",
    "Idefics2PerceiverConfig", "Idefics2ImageProcessorKwargs",
  ])
  func everyKeyOfAPublishedClassStandsInItsTable(_ name: String) throws {
    let table = try #require(ConfigurationKeys.all.first { $0.className == name })
    let keys = try #require(Self.published[name])
    #expect(keys.count > 5)
    #expect(keys.filter { table[$0] == nil } == [])
  }

  /// The tables as they stand in the documentation; `FOVEA_RECORD=1` writes them.
  @Test func theListOfKeysInTheDocumentationIsThatOfTheCode() throws {
    let file = Fixtures.project.appending(path: "Sources/Models/Configurations/README.md")
    let text = ConfigurationKeys.documentation
    if ProcessInfo.processInfo.environment["FOVEA_RECORD"] != nil {
      try Data(text.utf8).write(to: file)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text)
  }

  @Test(arguments: ["vit", "clip", "clip-open", "blip2", "blip2-itm", "idefics2", "ziya"])
  func nothingIsSaidOfAModelWhoseFilesAreKnown(_ name: String) throws {
    #expect(try DamagedCheckpoint(of: name).readAny().notes == [])
  }

  @Test func nothingIsSaidOfTheModelsThatShip() throws {
    for (_, folder) in ShippedModel.all {
      #expect(try Family.read(CheckpointFolder(folder)).notes == [])
    }
  }

  @Test func aKeyThatNobodyKnowsIsSaid() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set("vision_config.window_size", to: "7")
    try checkpoint.set("mean_pooling", to: "true", in: "preprocessor_config.json")
    let notes = try checkpoint.readAny().notes
    #expect(notes.count == 2)
    #expect(notes.contains { $0.contains("'vision_config.window_size'") })
    #expect(
      notes.contains { $0.contains("preprocessor_config.json") && $0.contains("mean_pooling") })
  }

  @Test(arguments: [
    WrongSetting("vision_config.is_decoder", "true", "vision_config.is_decoder", "false"),
    WrongSetting("vision_config.pruned_heads", #"{"0": [1]}"#, "pruned_heads", "every head"),
    WrongSetting("qformer_config.position_embedding_type", #""relative_key""#, "'absolute'"),
    WrongSetting("text_config._remove_final_layer_norm", "true", "_remove_final_layer_norm"),
    WrongSetting("text_config.num_experts", "8", "text_config.num_experts", "experts"),
    WrongSetting("text_config.layer_norm_elementwise_affine", "false", "elementwise_affine"),
    WrongSetting("text_config.enable_bias", "false", "enable_bias", "all layers have biases"),
    WrongSetting("use_decoder_only_language_model", "false", "use_decoder_only_language_model"),
  ])
  func aValueThatIsNotBuiltIsRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set(wrong.key, to: wrong.text)
    checkpoint.refusal(naming: wrong.words)
  }

  @Test(arguments: [
    ("vit", "num_experts"), ("vit", "num_local_experts"), ("clip", "text_config.num_experts"),
    ("clip", "vision_config.n_routed_experts"), ("blip2-itm", "qformer_config.num_experts"),
  ])
  func expertsAreRefusedInEveryPart(_ model: String, _ key: String) throws {
    let checkpoint = try DamagedCheckpoint(of: model)
    try checkpoint.set(key, to: "8")
    checkpoint.refusal(naming: [key, "experts are not built"])
  }

  @Test func whatTheReferenceWouldDoByItselfWhenItWritesIsSaid() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.set("num_beams", to: "5", in: "generation_config.json")
    try checkpoint.set("temperature", to: "1.0", in: "generation_config.json")
    let notes = try checkpoint.readAny().notes
    #expect(notes.count == 1 && notes.first?.contains("num_beams 5, which") == true)
  }
}

extension ConfigurationKeys {
  /// Every table in Markdown.
  fileprivate static var documentation: String {
    var text = """
      # Keys of configurations

      What is done with each key of the published classes: it is *read*, refused where it is *not* the
      value that is built here, or *harmless*. A key that stands in no table is said when a model is read.
      A test holds the tables to the classes of transformers 5 and OpenCLIP 3 and this list to the code;
      `FOVEA_RECORD=1 scripts/test --filter ConfigurationKeys` writes it.

      """
    for table in all {
      text += "\n## \(table.className)\n\n| keys | what is done |\n| --- | --- |\n"
      var rows: [(what: String, keys: [String])] = []
      for key in table.keys {
        let what =
          switch key.use {
          case .read: "read" + (key.reason.isEmpty ? "" : ": \(key.reason)")
          case .only(let values):
            "refused unless "
              + (["absent"] + values.map { "`\($0.written())`" }).joined(separator: " or ")
              + ": \(key.reason)"
          case .harmless: "harmless: \(key.reason)"
          }
        if let place = rows.firstIndex(where: { $0.what == what }) {
          rows[place].keys.append(key.name)
        } else {
          rows.append((what, [key.name]))
        }
      }
      for row in rows {
        text += "| \(row.keys.map { "`\($0)`" }.joined(separator: " ")) | \(row.what) |\n"
      }
    }
    return text
  }
}
