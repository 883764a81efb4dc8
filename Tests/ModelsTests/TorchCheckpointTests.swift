import Budget
import Checkpoints
import Files
import Foundation
import Making
import Models
import Tensors
import TestSupport
import Testing

/// Models whose weights are a pickle, or under other names and types than Fovea writes.
struct TorchCheckpointTests {
  static let head = "language_model.lm_head.weight"
  static let table = "language_model.model.decoder.embed_tokens.weight"

  /// The golden BLIP-2 with its weights as `torch.save` writes them; OPT's head shares the table.
  static func pickled() throws -> DamagedCheckpoint {
    let checkpoint = try DamagedCheckpoint()
    let tensors = try TensorCollection(checkpoint.file("model.safetensors"))
    let kinds: [StoredType: String] = [
      .float32: "FloatStorage", .float16: "HalfStorage", .bfloat16: "BFloat16Storage",
    ]
    var entries = try tensors.entries.map { entry in
      (
        name: entry.name, key: entry.name, kind: try #require(kinds[entry.type]),
        shape: entry.shape, bytes: try tensors.rawBytes(entry.name)
      )
    }
    var twin = try #require(entries.first { $0.name == table })
    twin.name = head
    entries.append(twin)
    try WholeFile.write(
      WrittenPickle.checkpoint(entries), to: checkpoint.file("pytorch_model.bin"))
    try checkpoint.remove("model.safetensors")
    return checkpoint
  }

  static func logits(_ folder: URL) throws -> [Float] {
    try SmallCheckpoint.logits(ModelLoad(CheckpointFolder(folder)).model).elements
  }

  @Test func weightsInAPickleComputeAsTheirSafetensors() throws {
    let golden = try DamagedCheckpoint()
    let pickled = try Self.pickled()
    #expect(try Self.logits(pickled.folder) == Self.logits(golden.folder))
  }

  @Test func convertedAPickleIsSafetensorsWithoutTheSecondName() throws {
    let (golden, pickled) = (try DamagedCheckpoint(), try Self.pickled())
    let folder = try TemporaryFolder()
    let target = folder.file("converted")
    let leftOut = try Conversion(CheckpointFolder(pickled.folder), type: nil).write(to: target)
      .leftOut
    #expect(leftOut.isEmpty)
    let made = try TensorCollection(target.appending(path: "model.safetensors"))
    let right = try TensorCollection(golden.file("model.safetensors"))
    #expect(Set(made.names) == Set(right.names))
    for name in right.names {
      #expect(try made.rawBytes(name) == right.rawBytes(name), "\(name)")
    }
    #expect(made.metadata[Self.head] == Self.table)
    #expect(made[Self.head]?.name == Self.table)
    #expect(try Self.logits(target) == Self.logits(golden.folder))
    #expect(!folder.names.contains { $0.hasSuffix(".bin") })
  }

  @Test func aTiedTableMayLieUnderEitherName() throws {
    let golden = try DamagedCheckpoint()
    let right = try Self.logits(golden.folder)
    try golden.changeWeights { all in
      let place = try #require(all.firstIndex { $0.name == Self.table })
      all[place].name = Self.head
    }
    #expect(try Self.logits(golden.folder) == right)
  }

  @Test func aConversionWithoutOptionsLeavesThePickleBehind() throws {
    let golden = try DamagedCheckpoint()
    #expect(try !Conversion.hasPurpose(withoutOptions: CheckpointFolder(golden.folder)))
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "torch/plain.bin"),
      to: golden.file("pytorch_model.bin"))
    let both = try CheckpointFolder(golden.folder)
    #expect(try Conversion.hasPurpose(withoutOptions: both))
    let folder = try TemporaryFolder()
    let made = folder.file("made")
    try Conversion(both, type: nil).write(to: made)
    #expect(try CheckpointFolder(made).hasTorchWeights == false)
    #expect(try Self.logits(made) == Self.logits(golden.folder))
  }

  @Test func doublePrecisionIsRoundedAndSaid() throws {
    let golden = try DamagedCheckpoint()
    let right = try Self.logits(golden.folder)
    try golden.changeWeights { all in
      for place in all.indices {
        guard case .stored(let tensor) = all[place].content else { continue }
        let numbers = tensor.tensor.elements.map(Double.init)
        let bytes = StoredBytes(count: numbers.count * 8) { out in
          numbers.withUnsafeBytes {
            out.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(out), byteCount: $0.count)
          }
        }
        all[place].content = .bytes(bytes, .float64, shape: tensor.shape)
      }
    }
    let load = try ModelLoad(CheckpointFolder(golden.folder))
    #expect(load.notes.count == 1)
    #expect(load.notes[0].hasSuffix("tensors are stored in float64, and rounded to float32"))
    // The golden weights are float16, which every float32 holds.
    #expect(try SmallCheckpoint.logits(load.model).elements == right)
    #expect(throws: MemoryShortage.self) {
      try ModelLoad(CheckpointFolder(golden.folder), available: 1000)
    }
    let folder = try TemporaryFolder()
    let same = folder.file("same")
    #expect(try Conversion.hasPurpose(withoutOptions: CheckpointFolder(golden.folder)))
    let kept = try Conversion(CheckpointFolder(golden.folder), type: nil)
    #expect(kept.notes.contains { $0.hasSuffix("float64, and kept so; dtype float32 rounds it") })
    try kept.write(to: same)
    let made = try CheckpointFolder(same).tensors()
    #expect(made.entries.allSatisfy { $0.type == .float64 })
    let half = folder.file("half")
    try Conversion(CheckpointFolder(golden.folder), type: .float16).write(to: half)
    #expect(try CheckpointFolder(half).tensors().entries.allSatisfy { $0.type == .float16 })
    #expect(try Self.logits(half) == right)
  }

  @Test func whatNobodyHoldsIsUnmapped() throws {
    let golden = try DamagedCheckpoint()
    let file = golden.file("model.safetensors")
    let held = try ModelLoad(CheckpointFolder(golden.folder))
    #expect(try Mappings.count(of: file) == 1)
    for _ in 0..<20 {
      _ = try ModelLoad(CheckpointFolder(golden.folder))
      _ = try ModelLoad(CheckpointFolder(golden.folder), precisions: ["language": .int8])
      _ = try Conversion(CheckpointFolder(golden.folder), type: .bfloat16)
    }
    #expect(try Mappings.count(of: file) == 1)
    withExtendedLifetime(held) {}
  }
}
