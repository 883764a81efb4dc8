import Checkpoints
import Layers
import Tensors
import TestSupport
import Testing
import Tracing

/// What must be the same however an MLP is computed.
@Suite struct MLPTests {
  /// More rows than are taken at once are mapped in parts where nobody looks, and whole where somebody does.
  @Test(arguments: [false, true], Precision.allCases)
  func lookingInsideChangesNoBit(isGated: Bool, precision: Precision) throws {
    let (width, hidden, count) = (64, 96, 2500)
    var noise = SmallNoise(seed: 3)
    func random(_ shape: [Int]) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in noise.next() }, shape: shape)
    }
    let folder = try TemporaryFolder()
    let file = folder.file("mlp.safetensors")
    try Safetensors.write(
      [
        ("mlp.up.weight", random([hidden, width])), ("mlp.gate.weight", random([hidden, width])),
        ("mlp.down.weight", random([32, hidden])),
      ].filter { isGated || $0.0 != "mlp.gate.weight" }, to: file)
    var shape = MLP.Shape(width: width, hiddenWidth: hidden, activation: .silu)
    (shape.isGated, shape.hasBias, shape.outputWidth) = (isGated, false, 32)
    var tensors = try TensorCollection(file)
    tensors.handling.precisions = ["mlp": precision]
    var weights = WeightReader(tensors) { [$0.description] }
    let mlp = try MLP(from: &weights, at: Address("mlp"), shape)
    let rows = random([count, width])
    var (whole, nothing) = (Trace.everything, Trace.nothing)
    let result = mlp(rows, trace: &nothing)
    #expect(result.shape == [count, 32])
    #expect(result == mlp(rows, trace: &whole))
    #expect(whole.records.count == (isGated ? 6 : 4))
  }
}
