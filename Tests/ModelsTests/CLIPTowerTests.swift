import Checkpoints
import Foundation
import Images
import Layers
import Tensors
import TestSupport
import Testing
import Tracing

@testable import Models

/// Folders that hold one tower of a CLIP.
@Suite struct CLIPTowerTests {
  /// The golden CLIP with one tower left, `vision` or `text`, as transformers saves it alone.
  private func tower(
    _ kind: String, hasProjection: Bool, isBare: Bool = false, hasTokenizer: Bool = true
  ) throws -> DamagedCheckpoint {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    let projection = kind == "vision" ? "visual_projection" : "text_projection"
    try checkpoint.changeWeights { all in
      all = all.filter { name, _ in
        name.hasPrefix("\(kind)_model.") || hasProjection && name.hasPrefix(projection)
      }
      guard isBare else { return }
      all = all.map { ($0.name.replacing("\(kind)_model.", with: ""), $0.content) }
    }
    let whole = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: checkpoint.file("config.json")))
        as? [String: Any])
    var json = try #require(whole["\(kind)_config"] as? [String: Any])
    json["model_type"] = "clip_\(kind)_model"
    json["projection_dim"] = whole["projection_dim"]
    try JSONSerialization.data(withJSONObject: json).write(to: checkpoint.file("config.json"))
    if !hasTokenizer { try checkpoint.remove("tokenizer.json") }
    return checkpoint
  }

  private func whole() throws -> CLIP.Model {
    try #require(try DamagedCheckpoint(of: "clip").readAny() as? CLIP.Model)
  }

  private let picture = Image(
    width: 60, height: 50, pixels: (0..<9000).map { UInt8($0 * 7 % 253) })

  @Test func aVisionTowerWithItsProjectionGivesTheWholeModelsEmbedding() throws {
    let model = try tower("vision", hasProjection: true).readSeeing()
    #expect(model.stages.map(\.name) == ["preprocess", "patchify", "embed", "encode", "project"])
    var trace = Trace.nothing
    let found = try model.run(
      Input(image: picture), through: "project", trace: &trace)
    #expect(found == (try whole().embed(images: [picture])))
    #expect(model.notes == [] && model.kind.contains("without the text tower"))
    #expect(model.facts.contains { $0.subject == "lacks" && $0.text == "the text tower" })
    #expect(model.embedding == nil)
    #expect(try model.resized(to: 2 * model.patches.imageSize).patches.count > model.patches.count)
  }

  @Test func aBareVisionTowerGivesTheNormalisedClassToken() throws {
    let model = try tower("vision", hasProjection: false, isBare: true).readSeeing()
    var trace = Trace.nothing
    let found = try model.run(
      Input(image: picture), through: "project", trace: &trace)
    let clip = try whole()
    #expect(clip.imageProjection(found, trace: &trace) == (try clip.embed(images: [picture])))
    #expect(model.facts.contains { $0.text == "the text tower and the projection" })
  }

  @Test func aTextTowerGivesTheWholeModelsEmbedding() throws {
    let model = try #require(
      try tower("text", hasProjection: true).readAny() as? CLIP.TextTower)
    #expect(model.stages.map(\.name) == ["read", "project_text"])
    let run = try model.traced(
      TraceRequest(images: [], texts: ["a red circle"], usesPublishedNames: false))
    let found = try #require(run.tensors.first { $0.name == "text_embeds" }).tensor
    #expect(found == (try whole().embed(texts: ["a red circle"])))
    #expect(model.facts.contains { $0.subject == "lacks" && $0.text == "the vision tower" })
    #expect(model.seeing == nil)
    let long = String(repeating: "circle ", count: 60)
    #expect(throws: ModelError.self) { try model.textIDs(long) }
    let cutting = try #require(model.cuttingLongTexts as? CLIP.TextTower)
    #expect(try cutting.textIDs(long).count == model.text.configuration.positionCount)
  }

  @Test func aTextTowerWithoutATokenizerSaysSo() throws {
    let model = try #require(
      try tower("text", hasProjection: false, isBare: true, hasTokenizer: false).readAny()
        as? CLIP.TextTower)
    #expect(model.notes.count == 1 && model.notes[0].contains("has no tokenizer"))
    #expect(throws: ModelError.self) { try model.textIDs("a") }
  }

  @Test func aWholeConfigurationMayNameATowerAlone() throws {
    let checkpoint = try DamagedCheckpoint(of: "clip")
    try checkpoint.changeWeights { all in
      all = all.filter { $0.name.hasPrefix("vision_model.") || $0.name.hasPrefix("visual_") }
    }
    try checkpoint.set("architectures", to: #"["CLIPVisionModelWithProjection"]"#)
    try checkpoint.set("vision_config.projection_dim", to: "\(try whole().embeddingWidth)")
    #expect(try checkpoint.readAny() is CLIP.VisionTower)
    // Without that name it is a whole CLIP that lacks a tower.
    try checkpoint.set("architectures", to: #"["CLIPModel"]"#)
    checkpoint.refusal(naming: ["text_model"])
  }
}
