import Checkpoints
import Files
import Foundation
import Generation
import Images
import Making
import Models
import Tensors
import TestSupport
import Testing
import Tracing

/// Qwen-VL in every precision, on the golden that lies beside the project.
@Suite struct QwenVLPrecisionTests {
  static let folders = Fixtures.shared.map { [$0.appending(path: "goldens/qwen-vl")] } ?? []
  static let parts = ["vision", "resampler", "projection", "language"]

  static func everywhere(_ precision: Precision) -> [String: Precision] {
    Dictionary(uniqueKeysWithValues: parts.map { ($0, precision) })
  }

  private func load(_ folder: URL, _ precision: Precision? = nil) throws -> ModelLoad {
    try ModelLoad(
      CheckpointFolder(folder), precisions: precision.map(Self.everywhere) ?? [:])
  }

  @Test(arguments: folders, Precision.allCases)
  func aPrecisionCostsABoundedError(_ folder: URL, _ precision: Precision) throws {
    let exact = try SmallCheckpoint.logits(load(folder).model)
    let read = try load(folder, precision)
    let error = relativeDifference(try SmallCheckpoint.logits(read.model), exact)
    #expect(error <= precision.boundOfConversing, "\(precision): \(error)")
    #expect(read.parts.map(\.name) == Self.parts)
    let isSaid = read.parts.allSatisfy { $0.text.contains("multiplied in bfloat16") }
    // Of weights that are kept in bfloat16 it goes without saying.
    let areOthers = precision.quantization != nil || Instructions.current.takeFloat16AsBFloat16
    #expect(isSaid == (precision.arithmetic == .bfloat16 && areOthers))
    // What integers are multiplied with is all that is rounded.
    if precision.arithmetic == .bfloat16, let way = precision.quantization {
      let plain = try load(folder, way == .int8 ? .int8 : .int4)
      let difference = relativeDifference(
        try SmallCheckpoint.logits(read.model), try SmallCheckpoint.logits(plain.model))
      #expect(difference > 0 && difference < 5e-2, "\(precision): \(difference)")
    }
  }

  @Test(arguments: folders, Precision.integers)
  func aConvertedCheckpointIsTheOneConvertedWhileLoading(
    _ folder: URL, _ precision: Precision
  ) throws {
    let scratch = try TemporaryFolder()
    let target = scratch.file("converted")
    let conversion = try Conversion(
      CheckpointFolder(folder), type: nil, precisions: Self.everywhere(precision))
    try conversion.write(to: target)
    #expect(conversion.quantized.count > 25)
    let direct = try load(folder, precision)
    // A weight that the file has turned stays plain there, and becomes integers here too.
    let (found, expected) = try (
      SmallCheckpoint.logits(load(target, precision).model), SmallCheckpoint.logits(direct.model)
    )
    #expect(found == expected)
    // Nothing asked for: integers stay what they are.
    let mapped = try load(target)
    #expect(mapped.parts.allSatisfy { $0.ownByteCount == 0 })
    #expect(mapped.parts.last?.hasIntegers == true)
    // Nor does a number format that is asked for make anything else of them.
    let half = try load(target, .bfloat16)
    #expect(half.parts.last?.encodings.map(\.name) == [precision.rawValue])
    #expect(half.parts.last?.isMultipliedInBFloat16 == true)
    #expect(half.parts.last?.ownByteCount == 0)

    let back = scratch.file("back")
    try Conversion(CheckpointFolder(target), type: .float32).write(to: back)
    let names = Set(try CheckpointFolder(folder).tensors().names)
    #expect(Set(try CheckpointFolder(back).tensors().names) == names)
  }

  /// As it is published: every layer has a bias, which is zero where the model has none.
  @Test(arguments: folders)
  func biasesOfThePackingAreReadWhereTheyAreZero(_ folder: URL) throws {
    let scratch = try TemporaryFolder()
    let target = scratch.file("converted")
    try Conversion(
      CheckpointFolder(folder), type: .float16, precisions: ["language": .int4]
    ).write(to: target)
    let expected = try SmallCheckpoint.logits(load(target).model)
    let tensors = try CheckpointFolder(target).tensors()
    var planned = tensors.entries.map {
      PlannedTensor(name: $0.name, type: $0.type, shape: $0.shape)
    }
    var bytes = try planned.map { try tensors.rawBytes($0.name) }
    for entry in tensors.entries {
      guard entry.name.hasSuffix(".qweight") else { continue }
      let name = String(entry.name.dropLast("qweight".count)) + "bias"
      guard tensors[name] == nil else { continue }
      planned.append(PlannedTensor(name: name, type: .float16, shape: [entry.shape[1]]))
      bytes.append([UInt8](repeating: 0, count: entry.shape[1] * 2))
    }
    #expect(planned.count > tensors.names.count + 11)
    func write() throws {
      try FileManager.default.removeItem(at: target.appending(path: "model.safetensors"))
      let writer = try ShardedWriter(planned, in: target, called: "converted", shardSize: .max)
      for (index, bytes) in bytes.enumerated() { try writer.write(bytes, to: index) }
      try writer.finish()
    }
    try write()
    #expect(try SmallCheckpoint.logits(load(target).model) == expected)

    let place = try #require(planned.firstIndex { $0.name == "transformer.h.1.mlp.w1.bias" })
    bytes[place][1] = 0x3C
    try write()
    #expect(throws: CheckpointError.self) { try load(target) }
  }
}
