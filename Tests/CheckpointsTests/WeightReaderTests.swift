import Checkpoints
import Tensors
import Testing
import Tracing

struct WeightReaderTests {
  let tensors = TensorCollection([
    (name: "layer.0.weight", tensor: Tensor(repeating: 1, shape: [2, 3])),
    (name: "layer.0.bias", tensor: Tensor(repeating: 2, shape: [2])),
  ])

  @Test func aReaderHandsOutWhatTheFileHas() throws {
    var reader = WeightReader(tensors) { ["model.\($0)", "\($0)"] }
    #expect(try reader.take(Address("layer.0.weight"), shape: [2, 3]).tensor[1, 2] == 1)
    #expect(try reader.take(Address("layer.0.bias"), shape: [2]).tensor[0] == 2)
    #expect(try reader.takeIfPresent(Address("layer.1.bias"), shape: [2]).map(\.count) == nil)
    try reader.finish()
  }
}
