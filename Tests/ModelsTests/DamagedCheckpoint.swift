import Checkpoints
import Foundation
import Models
import Tensors
import TestSupport
import Testing

/// A copy of a golden checkpoint in a temporary folder, to be damaged.
final class DamagedCheckpoint: Sendable {
  let folder: URL

  init(of name: String = "blip2") throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "fovea-damaged-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let golden = Fixtures.goldens.appending(path: name)
    for file in try FileManager.default.contentsOfDirectory(atPath: golden.path)
    where !file.hasPrefix("trace") && !file.hasPrefix("expected") {
      try FileManager.default.copyItem(
        at: golden.appending(path: file), to: folder.appending(path: file))
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func file(_ name: String) -> URL { folder.appending(path: name) }

  /// Reads what is there, as the family it says it is.
  func readAny() throws -> any FamilyModel { try Family.read(CheckpointFolder(folder)) }

  /// The same as a model that looks at pictures.
  func readSeeing() throws -> any SeeingModel { try #require(try readAny().seeing) }

  func read() throws -> BLIP2.Model { try #require(try readAny() as? BLIP2.Model) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: file(name))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(at: file(name)) }

  /// Sets the member at `key`, such as `vision_config.hidden_size`, to a JSON text; nil removes it.
  func set(_ key: String, to text: String?, in name: String = "config.json") throws {
    func changed(_ object: Any, _ keys: ArraySlice<String>, _ value: Any?) -> Any? {
      guard let key = keys.first else { return value }
      var members = object as? [String: Any] ?? [:]
      members[key] = changed(members[key] ?? [:], keys.dropFirst(), value)
      return members
    }
    let value = try text.map {
      try JSONSerialization.jsonObject(with: Data($0.utf8), options: .fragmentsAllowed)
    }
    let old = try JSONSerialization.jsonObject(with: Data(contentsOf: file(name)))
    let new = changed(old, key.split(separator: ".").map(String.init)[...], value)
    try JSONSerialization.data(withJSONObject: try #require(new), options: .sortedKeys)
      .write(to: file(name))
  }

  typealias NamedContent = (name: String, content: Safetensors.Content)

  func weights() throws -> [NamedContent] {
    let tensors = try TensorCollection(file("model.safetensors"))
    return try tensors.names.map { ($0, .stored(try tensors.tensor($0))) }
  }

  /// Writes the weights again after `change`.
  func changeWeights(_ change: (inout [NamedContent]) throws -> Void) throws {
    var all = try weights()
    try change(&all)
    // The old file is mapped while the new one is written; the writer replaces it.
    try Safetensors.write(all, to: file("model.safetensors"))
  }

  /// Changes one tensor.
  func changeTensor(
    _ name: String, _ change: (Tensor) throws -> Safetensors.Content
  ) throws {
    let tensors = try TensorCollection(file("model.safetensors"))
    let tensor = try tensors.floats(name)
    try changeWeights { all in
      let place = try #require(all.firstIndex { $0.name == name })
      all[place].content = try change(tensor)
    }
  }

  /// The message of the failure that reading must end in: one line that holds all `words`.
  @discardableResult func refusal(
    naming words: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) -> String {
    do {
      _ = try readAny()
      Issue.record("it was read, but should be refused", sourceLocation: sourceLocation)
      return ""
    } catch {
      let message = "\(error)"
      #expect(!message.isEmpty && !message.contains("\n"), sourceLocation: sourceLocation)
      for word in words {
        #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation)
      }
      return message
    }
  }
}
