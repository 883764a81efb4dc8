import Checkpoints
import Commands
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

@Suite struct FamilyTraceTests {
  /// The goldens of a family: the project's own and, where it lies beside, another.
  static func packs(_ name: String) -> [(folder: URL, images: URL)] {
    let own = (Fixtures.goldens.appending(path: name), Fixtures.goldens)
    let shared = Fixtures.shared.map {
      ($0.appending(path: "goldens/\(name)"), $0.appending(path: "images"))
    }
    return [own] + [shared].compactMap { $0 }
  }

  /// Writes a trace under published names and compares every tensor of the golden one with it.
  private func compare(
    _ folder: URL, images: [URL], texts: [String]
  ) throws -> Int {
    let temporary = try TemporaryFolder()
    let file = temporary.file("trace.safetensors")
    _ = try TraceTool(ModelChoice(folder: folder)).write(
      images: images, prompt: "", texts: texts, names: .published, keep: "*", to: file)
    let (found, golden) = (
      try TensorCollection(file), try TensorCollection(folder.appending(path: "trace.safetensors"))
    )
    var compared = 0
    for name in golden.names where !name.hasPrefix("inputs.positions.") {
      try #require(found.names.contains(name), "\(name) is missing")
      if name == "inputs.input_ids" || name == "inputs.attention_mask" {
        #expect(try found.integers(name) == golden.integers(name), "\(name)")
      } else {
        expectClose(
          try found.floats(name), to: try golden.floats(name), within: 1e-5, name)
      }
      compared += 1
    }
    return compared
  }

  @Test func aLongTextIsCutWhereThatIsAskedFor() throws {
    let folder = try TemporaryFolder()
    let picture = [Fixtures.goldens.appending(path: "picture.png")]
    func ids(_ text: String, _ name: String) throws -> [Int] {
      let file = folder.file(name)
      _ = try TraceTool(ModelChoice(folder: Fixtures.goldens.appending(path: "clip"))).write(
        images: picture, prompt: "", texts: [text], truncate: true, names: .published, keep: "*",
        to: file)
      return try TensorCollection(file).integers("inputs.input_ids").elements
    }
    let long = try ids(String(repeating: "two large triangles beside ", count: 30), "long")
    let short = try ids("two large", "short")
    #expect(long.count > short.count)
    #expect(long.prefix(short.count - 1) == short.dropLast())
    #expect(long.last == short.last, "the end token stays")
    #expect(throws: RuntimeFailure.self) {
      try TraceTool(ModelChoice(folder: ShippedModel.folder)).write(
        images: picture, prompt: "a", texts: [], truncate: true, names: .fovea, keep: "*",
        to: folder.file("none"))
    }
  }

  @Test func aTraceOfPicturesAndTextsIsTheReferences() throws {
    for pack in Self.packs("clip") {
      let object = try #require(
        try JSONSerialization.jsonObject(
          with: Data(contentsOf: pack.folder.appending(path: "expected.json"))) as? [String: Any])
      let images = try #require(object["images"] as? [String])
      #expect(
        try compare(
          pack.folder, images: images.map { pack.images.appending(path: $0) },
          texts: try #require(object["texts"] as? [String])) > 70)
    }
  }

  @Test func aTraceOfAClassifierIsTheReferences() throws {
    for pack in Self.packs("vit") {
      let object = try #require(
        try JSONSerialization.jsonObject(
          with: Data(contentsOf: pack.folder.appending(path: "expected.json"))) as? [String: Any])
      let image = try #require(object["image"] as? String)
      #expect(
        try compare(pack.folder, images: [pack.images.appending(path: image)], texts: []) > 45)
    }
  }
}
