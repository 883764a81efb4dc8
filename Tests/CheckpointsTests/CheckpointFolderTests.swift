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
  }

  @Test(arguments: [
    ("adapter_config.json", "a PEFT adapter (adapter_config.json)"),
    ("adapter_model.safetensors", "a PEFT adapter (adapter_model.safetensors)"),
    ("rust_model.ot", "only for Rust (rust-bert) (rust_model.ot), which is not read"),
    ("model.ckpt.index", "only for TensorFlow (model.ckpt.index)"),
    ("model.fp16.safetensors", "as the variant 'fp16' (model.fp16.safetensors); rename or link"),
    ("model.fp16-00001-of-00002.safetensors", "link that file to model-00001-of-00002.safetensors"),
    ("pytorch_model.fp16.bin", "link that file to pytorch_model.bin"),
    ("model-Q4_K_M.gguf", "holds a GGUF file (model-Q4_K_M.gguf), which is not read"),
    ("tf_model.h5", "only for TensorFlow (tf_model.h5)"),
    ("flax_model.msgpack", "only for Flax (flax_model.msgpack)"), ("model.onnx", "only for ONNX"),
    ("model_index.json", "a Diffusers pipeline"), ("weights.ckpt", "tensors(\"weights.ckpt\")"),
  ])
  func aModelInAnotherLayoutIsNamedAsWhatItIs(_ name: String, _ words: String) throws {
    try WholeFile.write("{}", to: folder.file(name))
    #expect(failure().contains(words), "\(failure())")
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFolder(folder.url).configuration()
    }
    #expect(error?.description.contains(words) == true && error?.exitCode == 66)
  }

  @Test(arguments: [
    ("tf_model.h5", "TensorFlow", "from_tf=True"), ("flax_model.msgpack", "Flax", "from_flax=True"),
    ("model.onnx", "ONNX", "use the model's safetensors or PyTorch files"),
  ])
  func aFileInAnotherLayoutIsNamedAsWhatItIs(
    _ name: String, _ framework: String, _ instead: String
  ) throws {
    try WholeFile.write(String(repeating: "\u{8}\u{7}x", count: 40), to: folder.file(name))
    let error = #expect(throws: CheckpointError.self) { try TensorCollection(folder.file(name)) }
    let words = error?.description ?? ""
    #expect(words.contains("this is a model for \(framework), by its name, which is not read"))
    #expect(words.contains(instead), "\(words)")
  }

  @Test func aFileForAFolderIsOneSentenceWithOrWithoutASlash() throws {
    let file = folder.file("model.safetensors")
    try WholeFile.write("x", to: file)
    for path in [file.path, file.path + "/"] {
      let error = #expect(throws: CheckpointError.self) {
        try CheckpointFolder(URL(filePath: path))
      }
      #expect(
        error?.description == """
          \(file.path): is a file; give the folder that holds the model, or look into it with \
          tensors("…")
          """)
    }
  }

  @Test func aGitPointerIsNamedAtEveryDoor() throws {
    let pointer = """
      version https://git-lfs.github.com/spec/v1
      oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
      size 12345

      """
    let names = ["config.json", "model.safetensors", "model.safetensors.index.json", "x.npy"]
    for name in names { try WholeFile.write(pointer, to: folder.file(name)) }
    let pack = try CheckpointFolder(folder.url)
    var sentences: [String] = []
    for name in names {
      do {
        switch name {
        case "x.npy": _ = try NPYFile(folder.file(name))
        case "model.safetensors": _ = try pack.tensors()
        default: _ = try pack.json(name)
        }
      } catch { sentences.append(error.description) }
    }
    #expect(
      sentences
        == names.map {
          "\(folder.file($0).path): is a Git LFS pointer, not the file; run 'git lfs pull' in its "
            + "folder to fetch it"
        })
    // Half of one is no pointer by its beginning, and still no header.
    try WholeFile.write("oid sha256:4d7a", to: folder.file("model.safetensors"))
    #expect(failure().contains("Git LFS pointer"))
  }

  @Test func configurationsAreSmall() throws {
    let file = folder.file("config.json")
    try WholeFile.write("", to: file)
    #expect(truncate(file.path, off_t(CheckpointFolder.configurationLimit) + 1) == 0)
    let error = #expect(throws: CheckpointError.self) {
      try CheckpointFolder(folder.url).configuration()
    }
    #expect(error?.description.hasSuffix("holds 4194305 bytes, at most 4194304 are read") == true)
  }

  @Test func aTotalSizeThatIsNoNumberIsRefused() throws {
    try write("a.safetensors", ["a"])
    for total: JSON in ["much", "-8", -8, true, [8]] {
      try writeIndex([("a", "a.safetensors")], total: total)
      #expect(failure().contains("metadata.total_size is"), "\(total)")
    }
    for total: JSON in [8, 8.0, "8", .null] {
      try writeIndex([("a", "a.safetensors")], total: total)
      #expect(failure() == "read [\"a\"]")
    }
  }

  @Test func aNameThatItsWriterLeftOutIsFoundThroughTheMetadata() throws {
    try Safetensors.write(
      [(name: "embed", tensor: Tensor([1, 2], shape: [2]))],
      metadata: ["format": "pt", "head": "embed", "other": "nothing"],
      to: folder.file("model.safetensors"))
    let tensors = try CheckpointFolder(folder.url).tensors()
    #expect(tensors.names == ["embed"])
    #expect(try tensors.tensor("head").tensor.elements == [1, 2])
    #expect(tensors["other"] == nil && tensors["format"] == nil)
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

  @Test func linksOutOfTheFolderAreFollowedAsInACache() throws {
    let blobs = try TemporaryFolder()
    try Safetensors.write(
      [(name: "a", tensor: Tensor([1], shape: [1]))], to: blobs.file("abc"))
    try WholeFile.write("{}", to: blobs.file("def"))
    for (name, blob) in [("model.safetensors", "abc"), ("config.json", "def")] {
      try FileManager.default.createSymbolicLink(
        at: folder.file(name), withDestinationURL: blobs.file(blob))
    }
    #expect(try CheckpointFolder(folder.url).tensors().names == ["a"])
    #expect(try CheckpointFolder(folder.url).configuration() == [:])
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
    #expect(failure() == "model.safetensors: is a pipe, a regular file was expected")
  }
}
