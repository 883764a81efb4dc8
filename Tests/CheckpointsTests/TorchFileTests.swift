import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Tracing

/// Files that `torch.save` wrote, against what the reference reads in them.
struct TorchFileTests {
  static let goldens = Fixtures.goldens.appending(path: "torch")

  /// Every tensor of `file` has the type, the shape and the bytes that `expected` has.
  static func expectEqual(
    _ file: TensorCollection, to expected: TensorCollection, only names: [String]? = nil
  ) throws {
    #expect(Set(file.names) == Set(names ?? expected.names))
    for name in file.names {
      let (mine, other) = (try #require(file[name]), try #require(expected[name]))
      #expect(mine.type == other.type && mine.shape == other.shape, "\(name)")
      #expect(try file.rawBytes(name) == expected.rawBytes(name), "\(name)")
      if mine.type.elementType != nil {
        #expect(try file.tensor(name).tensor.count == expected.tensor(name).count)
      }
    }
  }

  @Test(arguments: ["plain", "legacy", "training"])
  func everyTensorHasTheReferencesBytes(_ name: String) throws {
    let file = try TensorCollection(Self.goldens.appending(path: "\(name).bin"))
    let expected = try TensorCollection(
      Self.goldens.appending(
        path: name == "training" ? "training.safetensors" : "plain.safetensors"))
    let names =
      name == "legacy" ? expected.names.filter { !$0.hasPrefix("uint") || $0 == "uint8" } : nil
    try Self.expectEqual(file, to: expected, only: names)
    for name in file.names {
      let floats = try (file.floats(name), expected.floats(name))
      #expect(floats.0.elements == floats.1.elements, "\(name)")
    }
  }

  @Test(arguments: [
    ("odd", ["complex64", "complex128", "float8_e4m3fn"]),
    ("odd-legacy", ["complex64", "complex128"]),
  ])
  func aTensorOfATypeThatIsNotReadIsListedAndRefusedAlone(
    _ name: String, _ types: [String]
  ) throws {
    let file = try TensorCollection(Self.goldens.appending(path: "\(name).bin"))
    #expect(file.names == ["weight"] && file.unread.map(\.type) == types)
    #expect(file.unread.first?.shape == [2, 3])
    #expect(try file.floats("weight").elements == [0, 1, 2, 3, 4, 5])
    #expect(file.notes.count == 1 && file.notes[0].contains("the first 'complex64' (complex64)"))
    let error = #expect(throws: CheckpointError.self) { try file.floats("complex64") }
    #expect(error?.description.contains("'complex64' is of type complex64") == true)
    // A weight that a model asks for, too.
    var reader = WeightReader(file) { ["\($0)"] }
    #expect(throws: CheckpointError.self) {
      try reader.take(Address("complex64"), shape: [2, 3])
    }
  }

  /// What `x.conj().imag` is saved as: its numbers are those of `x.imag`, and a mark says the rest.
  @Test func aTensorThatIsMarkedIsRefusedAlone() throws {
    let folder = try TemporaryFolder()
    func file(_ mark: [UInt8]) throws -> TensorCollection {
      func tensor(_ metadata: [UInt8]?) -> [UInt8] {
        WrittenPickle.tensor(count: 2, shape: [2], strides: [1], metadata: metadata)
      }
      let url = folder.file("x.bin")
      try WholeFile.write(
        WrittenArchive.torch(
          WrittenPickle.dictionary([("w", tensor(mark)), ("plain", tensor(nil))]),
          storages: [("0", [0, 0, 0, 0x40, 0, 0, 0, 0x40])]), to: url)
      return try TensorCollection(url)
    }
    func mark(_ name: String, _ value: UInt8) -> [UInt8] {
      [0x7D] + WrittenPickle.text(name) + [value, 0x73]
    }
    for (name, words) in [
      ("neg", "float32 to be negated (PyTorch's neg bit)"),
      ("later", "float32 with the unknown mark 'later'"),
    ] {
      let marked = try file(mark(name, 0x88))
      #expect(marked.names == ["plain"] && marked.unread.map(\.type) == [words])
      #expect(try marked.floats("plain").elements == [2, 2])
      let error = #expect(throws: CheckpointError.self) { try marked.floats("w") }
      #expect(error?.description.contains("'w' is of type \(words)") == true)
    }
    // Marks that are off, none, and that of a conjugate, which real numbers are themselves.
    for unmarked in [mark("neg", 0x89), [0x4E], mark("conj", 0x88)] {
      #expect(try file(unmarked).names == ["w", "plain"])
    }
    #expect(throws: CheckpointError.self) { try file([0x5D]) }
  }

  @Test func whatIsLeftAsideIsSaid() throws {
    let url = Self.goldens.appending(path: "training.bin")
    let notes = try TensorCollection(url).notes.map { $0.replacing("\(url.path): ", with: "") }
    #expect(
      notes == [
        "its tensors stand under 'model'",
        "'optimizer' and 6 more beside the tensors are left aside",
      ])
  }

  @Test func savedAsSafetensorsItIsWhatItWas() throws {
    let folder = try TemporaryFolder()
    for name in ["plain", "legacy"] {
      let file = try TensorCollection(Self.goldens.appending(path: "\(name).bin"))
      let url = folder.file("x.safetensors")
      try Safetensors.write(file, places: Array(file.entries.indices), to: url)
      try Self.expectEqual(file, to: TensorCollection(url))
    }
  }

  @Test func aFolderOfPicklesReadsAsOneOfSafetensors() throws {
    let folder = try TemporaryFolder()
    let plain = Self.goldens.appending(path: "plain.bin")
    try FileManager.default.copyItem(at: plain, to: folder.file("pytorch_model.bin"))
    let expected = try TensorCollection(Self.goldens.appending(path: "plain.safetensors"))
    try Self.expectEqual(CheckpointFolder(folder.url).tensors(), to: expected)
    // Where both lie safetensors are read, and that is said.
    try Safetensors.write(
      [(name: "other", tensor: Tensor([1], shape: [1]))], to: folder.file("model.safetensors"))
    let both = try CheckpointFolder(folder.url).tensors()
    #expect(both.names == ["other"])
    #expect(
      both.notes == [
        "\(folder.url.path): has model.safetensors and pytorch_model.bin; the first is read"
      ])
  }

  @Test func shardsOfPicklesAreJoined() throws {
    let folder = try TemporaryFolder()
    for (number, name) in ["a", "b"].enumerated() {
      let pickle = WrittenPickle.dictionary([
        (name, WrittenPickle.tensor(count: 2, shape: [2], strides: [1]))
      ])
      try WholeFile.write(
        WrittenArchive.torch(
          pickle, storages: [("0", [0, 0, 0, 0, 0, 0, 0, UInt8(0x40 + number)])]),
        to: folder.file("pytorch_model-\(number).bin"))
    }
    let index = #"{"weight_map": {"a": "pytorch_model-0.bin", "b": "pytorch_model-1.bin"}}"#
    try WholeFile.write(index, to: folder.file("pytorch_model.bin.index.json"))
    let tensors = try CheckpointFolder(folder.url).tensors()
    #expect(tensors.names == ["a", "b"])
    #expect(try tensors.tensor("a").tensor.elements == [0, 2])
    #expect(try tensors.tensor("b").tensor.elements == [0, 8])
    // Neither format's index may name files of the other.
    try WholeFile.write(
      index.replacing("-1.bin", with: "-1.safetensors"),
      to: folder.file("pytorch_model.bin.index.json"))
    #expect(throws: CheckpointError.self) { try CheckpointFolder(folder.url).tensors() }
  }

  /// The pack that lies beside the project.
  @Test(.enabled(if: Fixtures.shared != nil))
  func theReferencePackIsReadAndRefusedAsItSays() throws {
    let pack = try #require(Fixtures.shared).appending(path: "goldens/torch-files")
    let expected = try JSON(file: pack.appending(path: "expected.json"))
    for (name, facts) in try #require(expected["read"]?.object).members {
      let right = try TensorCollection(
        pack.appending(path: try #require(facts["expected"]?.text)))
      let url = pack.appending(path: name)
      let file =
        name.hasSuffix(".json")
        ? try CheckpointFolder(url.deletingLastPathComponent()).tensors()
        : try TensorCollection(url)
      try Self.expectEqual(file, to: right)
    }
    for name in try #require(expected["refuse"]?.object).keys {
      #expect(throws: CheckpointError.self, "\(name)") {
        try TensorCollection(pack.appending(path: name))
      }
    }
  }
}
