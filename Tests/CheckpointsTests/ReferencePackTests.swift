import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Real files made by others.
@Suite(.enabled(if: Fixtures.shared != nil))
struct ReferencePackTests {
  static let folders: [URL] = {
    guard let shared = Fixtures.shared else { return [] }
    let goldens = shared.appending(path: "goldens")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: goldens.path)) ?? []
    let packs = names.sorted().map { goldens.appending(path: $0) }
    return (packs + [shared.appending(path: "default-model-trial/checkpoint")]).filter {
      FileManager.default.fileExists(atPath: $0.appending(path: "config.json").path)
    }
  }()

  @Test(arguments: folders)
  func everyReferencePackOpens(_ folder: URL) throws {
    let pack = try CheckpointFolder(folder)
    #expect(try pack.configuration()["model_type"]?.text != nil)
    for name in pack.listing() where name.hasSuffix(".safetensors") {
      let tensors = try TensorCollection(folder.appending(path: name))
      #expect(!tensors.entries.isEmpty)
      for entry in tensors.entries {
        #expect(try tensors.floats(entry.name).shape == entry.shape)
      }
    }
    for name in pack.listing() where name.hasSuffix(".json") {
      #expect(throws: Never.self) { try pack.json(name) }
    }
  }

  @Test(arguments: ["blip2-opt-2.7b", "mistral-7b", "qwen-vl-chat-int4"])
  func thePublishedIndexesAreRead(_ name: String) throws {
    let folder = try CheckpointFolder(
      #require(Fixtures.shared).appending(path: "checkpoints").appending(path: name))
    let file = "model.safetensors.index.json"
    let index = try ShardIndex(folder.json(file), path: file)
    #expect(index.shards.count > 1 && index.names.count > 100)
    #expect(try #require(index.totalSize) > 1 << 30)
    #expect(throws: CheckpointError.self) { try folder.tensors() }
  }
}
