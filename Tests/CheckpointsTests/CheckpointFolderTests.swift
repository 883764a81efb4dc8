import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

struct CheckpointFolderTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func write(_ name: String, _ tensors: [String]) throws {
    try Safetensors.write(
      tensors.map { (name: $0, tensor: Tensor(repeating: 1, shape: [2])) }, to: folder.file(name))
  }

  func writeIndex(_ map: [(String, String)], total: JSON? = nil) throws {
    let metadata: JSON = .object(JSON.Object(total.map { [("total_size", $0)] } ?? []))
    let weights: JSON = .object(JSON.Object(map.map { ($0.0, .string($0.1)) }))
    try WholeFile.write(
      JSON.object(JSON.Object([("metadata", metadata), ("weight_map", weights)])).written(),
      to: folder.file("model.safetensors.index.json"))
  }

  func failure() -> String {
    do {
      let tensors = try CheckpointFolder(folder.url).tensors()
      return "read \(tensors.names)"
    } catch {
      return error.description.replacing("\(folder.url.path)/", with: "").replacing(
        folder.url.path, with: "FOLDER")
    }
  }

  @Test func oneFileAndShardsReadAlike() throws {
    try write("model-00001-of-00002.safetensors", ["a", "b"])
    try write("model-00002-of-00002.safetensors", ["c"])
    try writeIndex(
      [
        ("c", "model-00002-of-00002.safetensors"), ("a", "model-00001-of-00002.safetensors"),
        ("b", "model-00001-of-00002.safetensors"),
      ], total: 24)
    let sharded = try CheckpointFolder(folder.url).tensors()
    #expect(sharded.names == ["a", "b", "c"])
    #expect(try sharded.tensor("c").tensor.elements == [1, 1])
    try write("model.safetensors", ["a", "b", "c"])
    #expect(try CheckpointFolder(folder.url).tensors().names == ["a", "b", "c"])
  }

  @Test func whatIsMissingIsNamedWithWhatIsThere() throws {
    #expect(failure() == "FOLDER: has no model.safetensors; it is empty")
    try WholeFile.write("{}", to: folder.file("tokenizer.json"))
    #expect(failure() == "FOLDER: has no model.safetensors; it has tokenizer.json")
    do {
      _ = try CheckpointFolder(folder.url).configuration()
      Issue.record("there is no config.json")
    } catch {
      #expect(error.exitCode == 66)
      #expect(error.description.hasSuffix("has no config.json; it has tokenizer.json"))
    }
    try WholeFile.write("x", to: folder.file("pytorch_model.bin"))
    #expect(
      failure() == """
        FOLDER: has weights only as pickle (pytorch_model.bin), which can run programs and is not \
        read; convert them to safetensors first
        """)
  }

  @Test func aPathThatIsNoFolderIsNamed() throws {
    let file = folder.file("cat.png")
    try WholeFile.write("x", to: file)
    for (url, words) in [
      (file, "is a file; give the folder"), (folder.file("no"), "no such folder"),
    ] {
      let error = #expect(throws: CheckpointError.self) { try CheckpointFolder(url) }
      #expect(error?.description.contains(words) == true)
      #expect(error?.exitCode == 66)
    }
  }

  @Test(arguments: [
    "../model.safetensors", "/etc/passwd.safetensors", "a/b.safetensors", "..\\a.safetensors",
    ".hidden.safetensors", "a\0.safetensors", "", ".safetensors", "model.bin", "a b.safetensors",
    "é.safetensors", "-a.safetensors", "a\n.safetensors", "~.safetensors",
    String(repeating: "a", count: 300) + ".safetensors",
  ])
  func aShardNameThatIsNoPlainFileNameIsRefused(_ name: String) throws {
    try writeIndex([("a", name)])
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFolder(folder.url).tensors()
    }
    guard case .shardName(_, name) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func shardsMustBeWhatTheIndexSays() throws {
    try write("a.safetensors", ["a"])
    try write("b.safetensors", ["b"])
    try writeIndex([("a", "a.safetensors"), ("b", "b.safetensors")], total: 17)
    #expect(
      failure() == """
        model.safetensors.index.json: says 17 bytes of tensors, the shards hold 16; the shards are \
        not of one download
        """)
    try writeIndex([("a", "b.safetensors"), ("b", "a.safetensors")])
    #expect(
      failure() == """
        model.safetensors.index.json: says tensor 'a' is in b.safetensors, but it is in \
        a.safetensors; the shards are not of one download
        """)
    try writeIndex([("a", "a.safetensors"), ("b", "b.safetensors"), ("c", "b.safetensors")])
    #expect(failure().contains("says tensor 'c' is in b.safetensors, but no shard has it"))
    try writeIndex([("a", "a.safetensors"), ("b", "c.safetensors")])
    #expect(
      failure().hasPrefix("FOLDER: has no c.safetensors; it has a.safetensors, b.safetensors"))
    try write("b.safetensors", ["a", "b"])
    try writeIndex([("a", "a.safetensors"), ("b", "b.safetensors")])
    #expect(
      failure() == """
        tensor 'a' is both in a.safetensors and in b.safetensors; the shards are not of one download
        """)
    for text in ["{}", "[]", "{\"weight_map\":{}}", "{\"weight_map\":{\"a\":1}}", "{"] {
      try WholeFile.write(text, to: folder.file("model.safetensors.index.json"))
      #expect(failure().hasPrefix("model.safetensors.index.json"))
    }
  }

  @Test func aLinkOfACleanedCacheIsNamed() throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("model.safetensors").path, withDestinationPath: "../blobs/abc")
    #expect(
      failure() == """
        model.safetensors: is a symbolic link to ../blobs/abc, which is not there; fetch the file \
        again
        """)
  }

  @Test func aTensorAskedForByAWrongNameGetsTheNearest() throws {
    try write("model.safetensors", ["vision.blocks.0.bias", "text.embedding"])
    let tensors = try CheckpointFolder(folder.url).tensors()
    let error = #expect(throws: CheckpointError.self) {
      try tensors.tensor("vision.block.0.bias")
    }
    #expect(
      error?.description.hasSuffix(
        "has no tensor 'vision.block.0.bias'; the nearest name is 'vision.blocks.0.bias'") == true)
  }

  @Test func aFolderOrPipeUnderTheFilesNameIsRefused() throws {
    let file = folder.file("model.safetensors")
    try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    #expect(failure() == "model.safetensors: is a folder, a file was expected")
    try FileManager.default.removeItem(at: file)
    #expect(mkfifo(file.path, 0o600) == 0)
    #expect(failure() == "model.safetensors: is a device or pipe, a regular file was expected")
  }
}
