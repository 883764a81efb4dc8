import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing
import Tracing

struct WeightReaderTests {
  let tensors = TensorCollection(
    [
      (name: "model.layer.0.weight", tensor: Tensor(repeating: 1, shape: [2, 3])),
      (name: "model.layer.0.bias", tensor: Tensor(repeating: 2, shape: [2])),
      (name: "model.head.weight", tensor: Tensor(repeating: 3, shape: [4, 2])),
    ], source: "model.safetensors")

  func reader(_ tensors: TensorCollection? = nil) -> WeightReader {
    WeightReader(tensors ?? self.tensors) { ["model.\($0)", "\($0)"] }
  }

  /// Reads what the example's model needs; returns the sentence that says why not.
  func load(_ tensors: TensorCollection, head: Bool = true) -> String? {
    do {
      var reader = reader(tensors)
      _ = try reader.take(Address("layer.0.weight"), shape: [2, 3])
      _ = try reader.take(Address("layer.0.bias"), shape: [2])
      if head { _ = try reader.take(Address("head.weight"), shape: [4, 2]) }
      try reader.finish()
      return nil
    } catch {
      return error.description
    }
  }

  func renamed(_ names: [String: String]) -> TensorCollection {
    TensorCollection(
      tensors.entries.map { entry in
        (
          name: names[entry.name] ?? entry.name,
          tensor: Tensor(repeating: 1, shape: entry.shape)
        )
      }, source: "model.safetensors")
  }

  @Test func aReaderHandsOutWhatTheFileHas() throws {
    var reader = reader()
    #expect(try reader.take(Address("layer.0.weight"), shape: [2, 3]).tensor[1, 2] == 1)
    #expect(try reader.take(Address("layer.0.bias"), shape: [2]).tensor[0] == 2)
    #expect(try reader.takeIfPresent(Address("layer.1.bias"), shape: [2]).map(\.count) == nil)
    #expect(reader.shape(of: Address("head.weight")) == [4, 2])
    #expect(reader.shape(of: Address("tail.weight")) == nil)
    #expect(try reader.take(Address("head.weight"), shape: [4, 2]).count == 8)
    // Tied weights: the second taker gets the same.
    #expect(try reader.take(Address("head.weight"), shape: [4, 2]).count == 8)
    try reader.finish()
  }

  @Test func theFirstNameThatTheFileHasCounts() throws {
    let older = TensorCollection([
      (name: "layer.0.weight", tensor: Tensor(repeating: 1, shape: [2, 3])),
      (name: "layer.0.bias", tensor: Tensor(repeating: 2, shape: [2])),
      (name: "head.weight", tensor: Tensor(repeating: 3, shape: [4, 2])),
    ])
    #expect(load(older) == nil)
  }

  @Test func aRenamedTensorIsOneSentenceThatNamesBoth() {
    #expect(
      load(renamed(["model.layer.0.bias": "model.layer.0.beta"])) == """
        model.safetensors: tensor 'model.layer.0.bias' is missing; the file has \
        'model.layer.0.beta', which no part of this model uses
        """)
    // A name of another shape is nearer, but the tensor of the right shape is meant.
    #expect(
      load(
        renamed([
          "model.layer.0.bias": "model.layer.0.weights", "model.layer.0.weight": "model.l.0.weigh",
        ])) == """
          model.safetensors: tensor 'model.layer.0.weight' is missing; the file has \
          'model.l.0.weigh', which no part of this model uses; 2 tensors are missing in all and 2 \
          are unused, such as 'model.l.0.weigh', 'model.layer.0.weights'
          """)
  }

  @Test func aMissingTensorIsNamedEvenWhenNothingIsLikeIt() {
    let less = TensorCollection(
      [(name: "model.layer.0.weight", tensor: Tensor(repeating: 1, shape: [2, 3]))], source: "m")
    #expect(
      load(less)
        == "m: tensor 'model.layer.0.bias' is missing; 2 tensors are missing in all")
  }

  @Test func anUnreadTensorIsNamed() {
    #expect(
      load(tensors, head: false) == """
        model.safetensors: has tensor 'model.head.weight', which no part of this model uses; the \
        configuration may be another model's
        """)
    let many = TensorCollection(
      (0..<9).map { (name: "t\($0)", tensor: Tensor(1)) }, source: "m")
    do {
      try reader(many).finish()
      Issue.record("nothing was said")
    } catch {
      #expect(
        error.description == """
          m: has 9 tensors that no part of this model uses: 't0', 't1', 't2', 't3', 't4' and 4 \
          more; the configuration may be another model's
          """)
      #expect(error.exitCode == 65)
    }
  }

  @Test func whatIsIgnoredNeedNotBeRead() throws {
    var reader = reader()
    reader.ignore("*.weight")
    _ = try reader.take(Address("layer.0.bias"), shape: [2])
    try reader.finish()
  }

  @Test func aWrongShapeIsNamedWithBothAndTransposedSaysSo() {
    func failure(_ shape: [Int]) -> String? {
      do {
        var reader = reader()
        _ = try reader.take(Address("layer.0.weight"), shape: shape)
        return nil
      } catch { return error.description }
    }
    #expect(
      failure([2, 4]) == """
        model.safetensors: tensor 'model.layer.0.weight' has shape [2, 3], but the configuration \
        calls for [2, 4]
        """)
    #expect(
      failure([3, 2]) == """
        model.safetensors: tensor 'model.layer.0.weight' has shape [2, 3], but the configuration \
        calls for [3, 2]; it looks transposed
        """)
    #expect(failure([6])?.contains("[6]") == true)
  }

  @Test func weightsThatAreIntegersAreNamedWithTheirType() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("model.safetensors")
    try Safetensors.write([(name: "x", content: .integers([1, 2], shape: [2]))], to: file)
    do {
      var reader = WeightReader(try TensorCollection(file), names: [:])
      _ = try reader.take(Address("x"), shape: [2])
      Issue.record("integers were taken for weights")
    } catch {
      #expect(
        error.description
          == "\(file.path): tensor 'x' is of type I64, expected F64, F32, F16 or BF16")
    }
  }

  @Test func aConfigurationOfAbsurdSizeIsRefusedAtOnce() {
    var reader = reader()
    for shape in [[1 << 40, 1 << 40], [1 << 62, 1 << 62], [1 << 40]] {
      #expect(throws: CheckpointError.self) { try reader.take(Address("nowhere"), shape: shape) }
    }
  }

  @Test func aThousandMissingTensorsAreFoundQuickly() {
    let file = TensorCollection(
      (0..<1000).map {
        (name: "model.blocks.\($0).weights", tensor: Tensor(repeating: 0, shape: [8]))
      })
    do {
      var reader = reader(file)
      for block in 0..<1000 {
        _ = try reader.take(Address("blocks") / block / "weight", shape: [8])
      }
      try reader.finish()
      Issue.record("nothing was said")
    } catch {
      #expect(error.description.contains("'model.blocks.0.weights'"))
      #expect(error.description.contains("1000 tensors are missing"))
    }
  }
}
