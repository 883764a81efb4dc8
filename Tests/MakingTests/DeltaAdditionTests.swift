import Checkpoints
import Files
import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers

@testable import Making

/// Models made of deltas, against sums that torch made (`scripts/make-delta-goldens.py`).
@Suite struct DeltaAdditionTests {
  private static let goldens = Fixtures.goldens.appending(path: "deltas")

  /// A copy of one of the golden's folders, to be changed.
  private struct Copy {
    let home: TemporaryFolder
    let url: URL

    init(_ name: String) throws {
      home = try TemporaryFolder()
      url = home.file(name)
      try FileManager.default.copyItem(
        at: DeltaAdditionTests.goldens.appending(path: name), to: url)
    }

    func set(_ key: String, to value: String) throws {
      let file = url.appending(path: "config.json")
      let old = try #require(try JSON(file: file).object)
      var members = old.members.map { ($0.key, $0.value) }.filter { $0.0 != key }
      members.append((key, try JSON(parsing: Array(value.utf8))))
      try WholeFile.write(JSON.object(JSON.Object(members)).written(indented: true), to: file)
    }

    /// Puts one number everywhere in the tensors whose names end so.
    func fill(_ ending: String, with number: Float) throws {
      let file = url.appending(path: "model.safetensors")
      let all = try TensorCollection(file)
      let contents = try all.names.map { name in
        let tensor = try all.tensor(name)
        let filled = StoredTensor(Tensor(repeating: number, shape: tensor.shape))
        return (
          name: name,
          content: Safetensors.Content.stored(
            name.hasSuffix(ending) ? filled.converted(to: .float16) : tensor)
        )
      }
      try Safetensors.write(contents, to: file)
    }
  }

  private func addition(
    _ deltas: URL = goldens.appending(path: "delta"), to base: URL = goldens.appending(path: "base")
  ) throws -> DeltaAddition {
    try DeltaAddition(CheckpointFolder(deltas), to: CheckpointFolder(base))
  }

  /// Every tensor of the sum is torch's, to the bit, whichever side is safetensors or shards of pickles.
  @Test(arguments: ["delta", "delta-bin"], ["base", "base-bin"])
  func theSumIsTorchs(_ deltas: String, _ base: String) throws {
    let folder = try TemporaryFolder()
    let addition = try addition(
      Self.goldens.appending(path: deltas), to: Self.goldens.appending(path: base))
    var reported: [Int] = []
    let outcome = try addition.write(to: folder.file("sum")) { reported.append($0) }
    #expect(outcome.broken == nil && outcome.leftOut == [])
    #expect(reported.last == addition.byteCount && reported == reported.sorted())
    #expect(folder.names == ["sum"])
    let place = try CheckpointFolder(Self.goldens.appending(path: base)).path
    #expect(
      addition.notes == [
        "rows 320 to 335 of model.embed_tokens.weight and lm_head.weight are the deltas' own: "
          + "\(place) has 320",
        // These deltas are drawn like a model of their own.
        "the norms of \(try CheckpointFolder(Self.goldens.appending(path: deltas)).path) are as large as those of "
          + "\(place), and deltas' are near 0: this may be a whole model, to which nothing is to be added",
      ])
    let made = try CheckpointFolder(folder.file("sum")).tensors()
    let expected = try TensorCollection(Self.goldens.appending(path: "sum.safetensors"))
    #expect(Set(made.names) == Set(expected.names), "no rotary frequencies, all weights")
    for name in expected.names {
      #expect(made[name]?.type == .float16 && made[name]?.shape == expected[name]?.shape)
      #expect(try made.rawBytes(name) == expected.rawBytes(name), "\(name)")
    }
    // It is a model, with the deltas' tokenizer.
    let model = try Family.read(CheckpointFolder(folder.file("sum")))
    #expect(model.family == "LLaMA" && model.writing?.tokenizer.vocabularySize == 331)
  }

  @Test(arguments: [
    ("rms_norm_eps", "1e-5", "rms_norm_eps is 1e-06, but 1e-05"),
    ("num_attention_heads", "2", "num_attention_heads is 4, but 2"),
    ("rope_theta", "500000.0", "another"), ("hidden_act", #""gelu""#, "another"),
    ("max_position_embeddings", "128", "max_position_embeddings is 96, but 128"),
  ])
  func deltasToAnotherModelAreRefused(_ key: String, _ value: String, _ words: String) throws {
    let base = try Copy("base")
    try base.set(key, to: value)
    // The heads' width follows from their number where nothing says it.
    if key == "num_attention_heads" {
      try base.set("num_key_value_heads", to: "2")
      try base.set("head_dim", to: "12")
    }
    let error = #expect(throws: DeltaError.self) { try addition(to: base.url) }
    let message = error?.description ?? ""
    #expect(message.contains(words) && message.contains("deltas to another model"), "\(message)")
    #expect(!message.contains("\n"))
  }

  @Test func aFolderIsNotAddedToItself() throws {
    let base = Self.goldens.appending(path: "base")
    let error = #expect(throws: DeltaError.self) { try addition(base, to: base) }
    #expect(error?.description.contains("is named both as deltas and as") == true)
  }

  /// Deltas whose norms are near 0 are none that are spoken of.
  @Test func smallDeltasAreDeltas() throws {
    let deltas = try Copy("delta")
    try deltas.fill("norm.weight", with: 0.01)
    #expect(try addition(deltas.url).notes.count == 1)
  }

  @Test func aVocabularyDoesNotShrink() throws {
    let goldens = Self.goldens
    let error = #expect(throws: DeltaError.self) {
      try addition(goldens.appending(path: "base"), to: goldens.appending(path: "delta"))
    }
    #expect(error?.description.contains("vocab_size is 320, but 336") == true)
  }

  @Test func whatIsNoLanguageModelIsRefused() throws {
    let clip = Fixtures.goldens.appending(path: "clip")
    for error in [
      #expect(throws: DeltaError.self) { try addition(clip) },
      #expect(throws: DeltaError.self) { try addition(to: clip) },
    ] {
      #expect(error?.description.contains("clip: is of the family CLIP") == true)
    }
  }

  @Test func aTensorThatIsMissingOrTooMuchIsNamed() throws {
    let base = try Copy("base")
    let file = base.url.appending(path: "model.safetensors")
    let all = try TensorCollection(file)
    func write(_ change: (inout [(name: String, content: Safetensors.Content)]) -> Void) throws {
      var kept = try all.names.map {
        (name: $0, content: Safetensors.Content.stored(try all.tensor($0)))
      }
      change(&kept)
      try Safetensors.write(kept, to: file)
    }
    try write { $0.removeAll { $0.name == "model.layers.1.mlp.gate_proj.weight" } }
    let missing = #expect(throws: CheckpointError.self) { try addition(to: base.url) }
    #expect("\(try #require(missing))".contains("model.layers.1.mlp.gate_proj.weight"))
    try write { $0.append((name: "model.extra", content: .tensor(Tensor(1)))) }
    let extra = #expect(throws: CheckpointError.self) { try addition(to: base.url) }
    #expect("\(try #require(extra))".contains("model.extra"))
  }

  @Test func aSumBeyondItsTypeIsRefusedAndNothingIsLeft() throws {
    let deltas = try Copy("delta")
    try deltas.fill("model.norm.weight", with: 65504)
    let base = try Copy("base")
    try base.fill("model.norm.weight", with: 100)
    let folder = try TemporaryFolder()
    let error = #expect(throws: PrecisionError.self) {
      try addition(deltas.url, to: base.url).write(to: folder.file("sum"))
    }
    #expect(error?.description.contains("model.norm.weight") == true)
    #expect(folder.names == [])
  }

  @Test func integersAreNotAddedTo() throws {
    let folder = try TemporaryFolder()
    let base = try CheckpointFolder(Self.goldens.appending(path: "delta"))
    try Conversion(base, type: nil, precisions: ["language": .int8]).write(to: folder.file("int8"))
    let error = #expect(throws: DeltaError.self) { try addition(to: folder.file("int8")) }
    #expect(error?.description.contains("cannot be added to") == true)
  }
}
