import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Tracing

/// Layers as the published quantizers pack them, with what those say they stand for.
@Suite(.enabled(if: Fixtures.shared != nil))
struct PublishedPackingTests {
  private func pack(_ name: String) throws -> TensorCollection {
    try TensorCollection(
      #require(Fixtures.shared).appending(path: "goldens/\(name)/linears.safetensors"))
  }

  @Test(arguments: ["sym128", "asym64", "onegroup", "eight"])
  func gptqLayersStandForWhatTheirToolSays(_ name: String) throws {
    let tensors = try pack("gptq")
    try expectLayer(name, of: tensors, toGive: tensors)
  }

  /// The pack's own integers of this layer were made with groups of neighbours, while its weights
  /// have groups by activation order; so the integers are made anew from its weights, scales and
  /// zeros, which determine them and the groups.
  @Test func aLayerInActivationOrderIsRead() throws {
    let tensors = try pack("gptq")
    let weights = try tensors.tensor("actorder.dequantised").tensor
    let scales = try tensors.tensor("actorder.scales").tensor
    let zeroWords = try tensors.integers("actorder.qzeros").elements
    let (outputs, inputs) = (weights.shape[0], weights.shape[1])
    func steps(_ output: Int, _ input: Int, _ group: Int) -> Float {
      weights[output, input] / scales[group, output]
    }
    let groups = (0..<inputs).map { input in
      (0..<2).first { group in
        (0..<outputs).allSatisfy { steps($0, input, group) == steps($0, input, group).rounded() }
      } ?? -1
    }
    #expect(groups.filter { $0 == 0 }.count == 128 && groups.filter { $0 == 1 }.count == 128)
    #expect(groups != groups.sorted())
    var words = [UInt32](repeating: 0, count: inputs / 8 * outputs)
    for input in 0..<inputs {
      for output in 0..<outputs {
        let packed = UInt32(truncatingIfNeeded: zeroWords[groups[input] * outputs / 8 + output / 8])
        let zero = Int(packed >> (4 * UInt32(output % 8)) & 15) + 1
        let integer = Int(steps(output, input, groups[input])) + zero
        try #require(integer >= 0 && integer < 16)
        words[input / 8 * outputs + output] |= UInt32(integer) << (4 * UInt32(input % 8))
      }
    }
    let folder = try TemporaryFolder()
    let url = folder.file("layer.safetensors")
    try Safetensors.write(
      [
        ("actorder.qweight", .bytes(bytes(words), .int32, shape: [inputs / 8, outputs])),
        (
          "actorder.qzeros",
          .bytes(bytes(zeroWords.map { UInt32(truncatingIfNeeded: $0) }), .int32, shape: [2, 8])
        ),
        ("actorder.scales", .stored(try tensors.tensor("actorder.scales"))),
        ("actorder.g_idx", .bytes(bytes(groups.map(UInt32.init)), .int32, shape: [inputs])),
      ], to: url)
    let layer = try TensorCollection(url)
    try expectLayer("actorder", of: layer, toGive: tensors)
    var reader = WeightReader(layer) { ["\($0)"] }
    let weight = try reader.take(Address("actorder.weight"), shape: [outputs, inputs])
    #expect(weight.rows([5]) == weights.rows(5..<6))
    for content in Safetensors.published(weight, as: "actorder.weight") {
      let again = folder.file("again.safetensors")
      try Safetensors.write([content], to: again)
      #expect(try TensorCollection(again).floats(content.name) == layer.floats(content.name))
    }
  }

  private func bytes(_ numbers: [UInt32]) -> StoredBytes {
    StoredBytes(count: numbers.count * 4) { out in
      for (index, number) in numbers.enumerated() {
        out.storeBytes(of: number, toByteOffset: index * 4, as: UInt32.self)
      }
    }
  }

  private func expectLayer(
    _ name: String, of layers: TensorCollection, toGive tensors: TensorCollection
  ) throws {
    let expected = try tensors.tensor("\(name).dequantised").tensor
    var reader = WeightReader(layers) { ["\($0)"] }
    #expect(reader.shape(of: Address("\(name).weight")) == expected.shape)
    let weight = try reader.take(Address("\(name).weight"), shape: expected.shape)
    #expect(weight.encoding != .plain(.float32))
    expectClose(weight.tensor, to: expected, within: 0, name)
    let x = try tensors.tensor("\(name).x").tensor
    let y = try tensors.tensor("\(name).y").tensor
    let bias = try tensors.tensor("\(name).bias").tensor
    expectClose(x.matmulTransposed(weight, bias: bias), to: y, within: 2e-6, name)
    for instructions in QuantizedInstructions.available {
      QuantizedInstructions.$current.withValue(instructions) {
        let rows = (0..<x.shape[0]).map {
          x.rows($0..<$0 + 1).matmulTransposed(weight, bias: bias)
        }
        expectClose(.concatenated(rows), to: y, within: 2e-6, "\(name), \(instructions)")
      }
    }
  }

  @Test(arguments: ["sym128", "asym64", "actorder", "onegroup", "eight"])
  func aGPTQLayerIsWrittenBackBitForBit(_ name: String) throws {
    let tensors = try pack("gptq")
    let shape = try tensors.tensor("\(name).dequantised").shape
    var reader = WeightReader(tensors) { ["\($0)"] }
    let weight = try reader.take(Address("\(name).weight"), shape: shape)
    let folder = try TemporaryFolder()
    let url = folder.file("layer.safetensors")
    try Safetensors.write(Safetensors.published(weight, as: "\(name).weight"), to: url)
    let written = try TensorCollection(url)
    #expect(written.entries.count == 4)
    for entry in written.entries {
      #expect(entry.type == tensors[entry.name]?.type && entry.shape == tensors[entry.name]?.shape)
      if entry.type == .int32 {
        #expect(
          try written.integers(entry.name).elements == tensors.integers(entry.name).elements)
      } else {
        #expect(try written.floats(entry.name) == tensors.floats(entry.name))
      }
    }
  }

  /// The pack calls the parts `X.data` and `X.scale`; in a model they are `X.weight._data` and so on.
  @Test(arguments: ["linear0", "linear2"])
  func quantoLayersStandForWhatTheirToolSays(_ name: String) throws {
    let tensors = try pack("quanto-int8")
    let source = try tensors.tensor("\(name).weight")
    let expected = try tensors.tensor("\(name).dequantised").tensor
    let ours = source.quantized(to: .int8)
    #expect(ours.tensor == expected)
    let folder = try TemporaryFolder()
    let url = folder.file("layer.safetensors")
    try Safetensors.write(Safetensors.published(ours, as: "\(name).weight"), to: url)
    let written = try TensorCollection(url)
    #expect(
      try written.integers("\(name).weight._data").elements
        == tensors.integers("\(name).data").elements)
    #expect(try written.floats("\(name).weight._scale") == tensors.floats("\(name).scale"))
    var reader = WeightReader(written) { ["\($0)"] }
    #expect(reader.shape(of: Address("\(name).weight")) == source.shape)
    #expect(try reader.take(Address("\(name).weight"), shape: source.shape).tensor == expected)
    try reader.finish()
  }

  @Test func theQuantoNetworkGivesItsOutput() throws {
    let tensors = try pack("quanto-int8")
    let x = try tensors.tensor("x").tensor
    let hidden = x.matmulTransposed(
      try tensors.tensor("linear0.weight").quantized(to: .int8),
      bias: try tensors.tensor("linear0.bias").tensor)
    let expected = try tensors.tensor("y").tensor
    let found = hidden.gelu().matmulTransposed(
      try tensors.tensor("linear2.weight").quantized(to: .int8))
    expectClose(found, to: expected, within: 2e-6)
  }

  @Test func everyQuantizedLayerOfThePublishedIndexHasTheNamesReadHere() throws {
    let folder = try CheckpointFolder(
      #require(Fixtures.shared).appending(path: "checkpoints/qwen-vl-chat-int4"))
    let file = "model.safetensors.index.json"
    let names = Set(try ShardIndex(folder.json(file), path: file).names)
    let layers = names.filter { $0.hasSuffix(".qweight") }.map { $0.dropLast(".qweight".count) }
    #expect(layers.count == 32 * 5)
    for layer in layers {
      for part in ["qzeros", "scales", "g_idx", "bias"] {
        #expect(names.contains("\(layer).\(part)"))
      }
      #expect(!names.contains("\(layer).weight"))
    }
  }
}

@Suite struct PackedWeightTests {
  static let ways: [Quantization] = [.int8, .int4(groupSize: 32), .int4(groupSize: 64)]

  @Test(arguments: ways, [[6, 64], [16, 100], [7, 130], [64, 256]])
  func whatIsWrittenIsReadBackBitForBit(_ way: Quantization, _ shape: [Int]) throws {
    var noise = SmallNoise(seed: UInt64(shape[1]))
    let weight = StoredTensor(noise.tensor(shape)).quantized(to: way)
    let folder = try TemporaryFolder()
    let url = folder.file("model.safetensors")
    let parts = Safetensors.published(weight, as: "a.b.weight")
    let layout = way.publishedTensors(shape: shape, as: "a.b.weight")
    try Safetensors.write(parts, to: url)
    let written = try TensorCollection(url)
    #expect(written.names == layout.map(\.name))
    #expect(written.entries.map(\.type) == layout.map(\.type))
    #expect(written.entries.map(\.shape) == layout.map(\.shape))
    var reader = WeightReader(written) { ["\($0)"] }
    let read = try reader.take(Address("a.b.weight"), shape: shape)
    #expect(read.encoding == weight.encoding)
    #expect(read.tensor == weight.tensor)
    let x = noise.tensor([1, shape[1]])
    #expect(x.matmulTransposed(read) == x.matmulTransposed(weight))
    try reader.finish()
  }

  @Test func aQuantizedWeightUnderOneNameIsWrittenAsWhatItStandsFor() throws {
    var noise = SmallNoise(seed: 2)
    let weight = StoredTensor(noise.tensor([8, 64])).quantized(to: .int4())
    let url = try TemporaryFolder().url.appending(path: "one.safetensors")
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Safetensors.write([(name: "w", content: .stored(weight))], to: url)
    #expect(try TensorCollection(url).tensor("w").tensor == weight.tensor)
    try FileManager.default.removeItem(at: url.deletingLastPathComponent())
  }

  @Test func theZeroBiasThatThePackingAddsIsNoLeftover() throws {
    #expect(try load(bias: 0) == nil)
    #expect(try load(bias: 1)?.contains("has tensor 'a.bias', which no part") == true)
  }

  private func load(bias: Float) throws -> String? {
    var noise = SmallNoise(seed: 2)
    let weight = StoredTensor(noise.tensor([8, 64])).quantized(to: .int4())
    let folder = try TemporaryFolder()
    let url = folder.file("m.safetensors")
    try Safetensors.write(
      Safetensors.published(weight, as: "a.weight")
        + [("a.bias", .tensor(Tensor(repeating: bias, shape: [8])))], to: url)
    do {
      var reader = WeightReader(try TensorCollection(url)) { ["\($0)"] }
      _ = try reader.take(Address("a.weight"), shape: [8, 64])
      try reader.finish()
      return nil
    } catch { return error.description }
  }

  /// Each way to break a packed layer, and the sentence that says so.
  @Test(
    arguments: [
      (
        "qweight", [7, 8],
        "tensor 'a.qweight' has shape [7, 8], but the configuration calls for [8, 8]"
      ),
      (
        "qzeros", [2, 2],
        "tensor 'a.qzeros' has shape [2, 2], but the configuration calls for [1, 1]"
      ),
      (
        "scales", [1, 7],
        "tensor 'a.scales' has shape [1, 7], but the configuration calls for [1, 8]"
      ),
      ("scales", [0, 8], "quantized tensor 'a.scales' has no groups"),
      // No bytes, but a group count that nothing may be made of.
      (
        "scales", [1 << 48, 0],
        "quantized tensor 'a.scales' has 281474976710656 groups for 64 inputs"
      ),
      (
        "scales", [64, 0],
        "tensor 'a.scales' has shape [64, 0], but the configuration calls for [64, 8]"
      ),
      ("g_idx", [63], "tensor 'a.g_idx' has shape [63], but the configuration calls for [64]"),
      (
        "scales", nil, "quantized tensor 'a.qweight' needs 'a.scales', which the file does not have"
      ),
      (
        "qzeros", nil, "quantized tensor 'a.qweight' needs 'a.qzeros', which the file does not have"
      ),
    ] as [(String, [Int]?, String)])
  func aBrokenPackingIsOneSentence(_ part: String, _ shape: [Int]?, _ sentence: String) throws {
    var contents = try parts(group: 0)
    contents.removeAll { $0.name == "a.\(part)" }
    if let shape {
      let zeros = [Int](repeating: 0, count: shape.reduce(1, *))
      contents.append(
        part == "scales"
          ? ("a.scales", .tensor(Tensor(zeros.map(Float.init), shape: shape)))
          : ("a.\(part)", .bytes(bytes(zeros), .int32, shape: shape)))
    }
    #expect(try failure(contents) == "m.safetensors: \(sentence)")
  }

  @Test func groupsThatAreNotThereAreNamed() throws {
    #expect(
      try failure(parts(group: 3)) == """
        m.safetensors: quantized tensor 'a.g_idx' names group 3, but 'a.scales' has groups 0 to 0
        """)
    #expect(
      try failure(parts(group: -1)) == """
        m.safetensors: quantized tensor 'a.g_idx' names group -1, but 'a.scales' has groups 0 to 0
        """)
  }

  @Test func floatsAreNoPackedIntegers() throws {
    var contents = try parts(group: 0)
    contents[0] = ("a.qweight", .tensor(Tensor(repeating: 0, shape: [8, 8])))
    #expect(
      try failure(contents) == """
        m.safetensors: tensor 'a.qweight' is of type F32, expected I32 or U32
        """)
  }

  @Test func groupsOfUnequalSizesAreRefused() throws {
    var noise = SmallNoise(seed: 2)
    let weight = StoredTensor(noise.tensor([8, 64])).quantized(to: .int4(groupSize: 32))
    var contents = Safetensors.published(weight, as: "a.weight")
    contents[3] = (
      "a.g_idx", .bytes(bytes((0..<64).map { $0 < 30 ? 0 : 1 }), .int32, shape: [64])
    )
    #expect(try failure(contents)?.contains("makes groups of unequal sizes ([30, 34]") == true)
  }

  @Test func anInt8WeightNeedsItsScales() throws {
    var noise = SmallNoise(seed: 2)
    let weight = StoredTensor(noise.tensor([8, 64])).quantized(to: .int8)
    var contents = Safetensors.published(weight, as: "a.weight")
    contents[1] = ("a.weight._scale", .tensor(Tensor(repeating: 1, shape: [7, 1])))
    #expect(
      try failure(contents) == """
        m.safetensors: tensor 'a.weight._scale' has shape [7, 1], but the configuration calls for \
        [8, 1]
        """)
    contents.remove(at: 1)
    #expect(
      try failure(contents) == """
        m.safetensors: quantized tensor 'a.weight._data' needs 'a.weight._scale', which the file \
        does not have
        """)
  }

  @Test func theRecordsAreWhatTheToolsRead() {
    #expect(
      QuantizationRecord.quantoMap(["a.b"]).written() == """
        {"a.b":{"weights":"qint8","activations":"none"}}
        """)
    let settings = QuantizationRecord.gptqSettings(groupSize: 64)
    #expect(settings["bits"]?.int == 4 && settings["group_size"]?.int == 64)
    #expect(settings["desc_act"]?.bool == false)
  }

  private func parts(
    group: Int
  ) throws -> [(name: String, content: Safetensors.Content)] {
    var noise = SmallNoise(seed: 2)
    let weight = StoredTensor(noise.tensor([8, 64])).quantized(to: .int4())
    var contents = Safetensors.published(weight, as: "a.weight")
    contents[3] = (
      "a.g_idx",
      .bytes(bytes([group] + [Int](repeating: 0, count: 63)), .int32, shape: [64])
    )
    return contents
  }

  private func bytes(_ numbers: [Int]) -> StoredBytes {
    StoredBytes(count: numbers.count * 4) { out in
      for (index, number) in numbers.enumerated() {
        out.storeBytes(of: Int32(number), toByteOffset: index * 4, as: Int32.self)
      }
    }
  }

  /// The sentence that taking `a.weight` from a file of these tensors fails with.
  private func failure(
    _ contents: [(name: String, content: Safetensors.Content)]
  ) throws -> String? {
    let folder = try TemporaryFolder()
    let url = folder.file("m.safetensors")
    try Safetensors.write(contents, to: url)
    let tensors = try TensorCollection([SafetensorsFile(url)], source: "m.safetensors")
    do {
      var reader = WeightReader(tensors) { ["\($0)"] }
      _ = try reader.take(Address("a.weight"), shape: [8, 64])
      return nil
    } catch {
      return error.description.replacingOccurrences(
        of: folder.url.path(percentEncoded: false), with: ""
      ).replacingOccurrences(of: "/m.safetensors", with: "m.safetensors")
    }
  }
}
