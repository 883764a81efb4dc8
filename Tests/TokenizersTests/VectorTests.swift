import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// Texts and ids that the reference tokenizers gave.
@Suite struct VectorTests {
  struct Case: Sendable { let text: String, ids: [Int], decoded: String }

  static func cases(_ name: String) throws -> [Case] {
    let url = try #require(Fixtures.shared).appending(path: "tokenizers/\(name)/vectors.json")
    return try #require(try JSON(file: url)["cases"]?.array).map { entry in
      Case(
        text: try #require(entry["text"]?.text),
        ids: try #require(entry["ids"]?.array).compactMap(\.int),
        decoded: try #require(entry["decoded"]?.text))
    }
  }

  /// A folder with some files of another, so that the older ones are read.
  func folder(_ name: String, only files: [String]) throws -> URL {
    let source = try #require(Fixtures.shared).appending(path: "tokenizers/\(name)")
    let target = FileManager.default.temporaryDirectory
      .appending(path: "fovea-tokenizer-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
    for file in files {
      try FileManager.default.createSymbolicLink(
        at: target.appending(path: file), withDestinationURL: source.appending(path: file))
    }
    return target
  }

  @Test(
    .enabled(if: Fixtures.shared != nil),
    arguments: [
      ("blip2-opt-2.7b", ["tokenizer.json"]),
      ("blip2-opt-2.7b", ["vocab.json", "merges.txt", "tokenizer_config.json"]),
      ("bert-base-uncased", ["tokenizer.json"]),
      ("bert-base-uncased", ["vocab.txt", "tokenizer_config.json"]),
      // CLIP's begin token tells whose they are.
      ("clip-vit-base-patch32", ["vocab.json", "merges.txt"]),
      ("mistral-7b", ["tokenizer.json"]),
      ("llama", ["tokenizer.model"]),
      ("qwen-vl-chat", ["qwen.tiktoken"]),
      ("qwen-vl-chat", ["qwen.tiktoken", "tokenizer_config.json"]),
    ])
  func everyVectorIsEqual(name: String, files: [String]) throws {
    let folder = try folder(name, only: files)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tokenizer = try TokenizerFolder.read(folder)
    let cases = try Self.cases(name)
    #expect(cases.count == 200)
    for entry in cases {
      #expect(tokenizer.encode(entry.text) == entry.ids, "encoding \(entry.text.debugDescription)")
      #expect(
        Array(tokenizer.decode(entry.ids, skipSpecialTokens: true).unicodeScalars)
          == Array(entry.decoded.unicodeScalars), "decoding \(entry.text.debugDescription)")
    }
  }
}
