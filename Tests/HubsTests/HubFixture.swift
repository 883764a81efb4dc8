import Files
import Foundation
import TestSupport

@testable import Hubs

/// A home folder with caches in it, laid out as the hubs' programs do.
final class HubFixture {
  static let commit = "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"
  static let other = "3d74afff00000000000000000000000000000001"
  let folder: TemporaryFolder
  var environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    environment = ["HOME": folder.url.path]
  }

  var caches: ModelCaches { ModelCaches { self.environment[$0] } }

  /// Writes a file and the folders on the way to it.
  func write(_ path: String, _ text: String = "{}") throws {
    let file = folder.file(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func link(_ path: String, to target: String) throws {
    let file = folder.file(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: file.path, withDestinationPath: target)
  }

  /// A snapshot of `someone/tiny` as huggingface_hub keeps it, below `cache`.
  func snapshot(
    _ cache: String = ".cache/huggingface/hub", commit: String = commit, reference: String? = "main"
  ) throws {
    let model = cache + "/models--someone--tiny"
    for (number, name) in ["config.json", "model.safetensors"].enumerated() {
      let blob = String(repeating: "\(number)", count: 40)
      try write("\(model)/blobs/\(blob)")
      try link("\(model)/snapshots/\(commit)/\(name)", to: "../../blobs/\(blob)")
    }
    if let reference { try write("\(model)/refs/\(reference)", commit) }
  }

  /// What is found for an id, by its folder below the home folder; or the sentence why nothing is.
  func found(_ text: String, revision: String? = nil) -> String {
    guard let reference = ModelReference(text) else { return "no reference" }
    do throws(HubError) {
      let model = try caches.find(reference, revision: revision)
      return model.folder.path(percentEncoded: false)
        .replacing(folder.url.path + "/", with: "")
    } catch { return error.description }
  }
}
