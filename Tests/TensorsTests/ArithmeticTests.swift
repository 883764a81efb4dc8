import Tensors
import TestSupport
import Testing

/// The product with transposed weights by its definition, added in double precision.
private func definition(_ x: Tensor, _ weight: Tensor) -> Tensor {
  let (m, k, n) = (x.shape[0], x.shape[1], weight.shape[0])
  let (rows, weights) = (x.elements.map(Double.init), weight.elements.map(Double.init))
  var result: [Float] = []
  for i in 0..<m {
    for j in 0..<n {
      result.append(
        Float(
          zip(rows[i * k..<(i + 1) * k], weights[j * k..<(j + 1) * k]).reduce(0.0) {
            $0 + $1.0 * $1.1
          }))
    }
  }
  return Tensor(result, shape: [m, n])
}

@Suite struct ArithmeticTests {
  @Test(arguments: [(1, 7, 300), (3, 64, 5), (65, 129, 257), (2, 1, 1), (17, 2, 33)])
  func bfloat16RoundsBothSidesAndNothingElse(m: Int, k: Int, n: Int) {
    var noise = SmallNoise(seed: UInt64(m * 1000 + n))
    let (x, weight) = (noise.tensor([m, k]), noise.tensor([n, k]))
    let found = x.matmulTransposed(StoredTensor(weight).computing(in: .bfloat16))
    let expected = definition(x.roundedToBFloat16(), weight.roundedToBFloat16())
    expectClose(found, to: expected, within: 2e-6)
  }

  @Test func bfloat16RoundsTiesToEven() {
    let halfway: Float = 1 + 1 / 256
    let above: Float = 1 + 3 / 256
    let x = Tensor([halfway, above, -halfway, 1 + 1 / 255, .infinity, .nan], shape: [6])
    let rounded = x.roundedToBFloat16().elements
    let expected: [Float] = [1, 1.015625, -1, 1.0078125, .infinity]
    #expect(Array(rounded[0..<5]) == expected)
    #expect(rounded[5].isNaN)
  }

  @Test func doubleIsCloserToTheDefinitionThanFloat() {
    var noise = SmallNoise(seed: 4)
    let (x, weight) = (noise.tensor([3, 4000]), noise.tensor([5, 4000]))
    let exact = definition(x, weight)
    let found = Arithmetic.$override.withValue(.float64) {
      x.matmulTransposed(StoredTensor(weight).computing(in: .bfloat16))
    }
    #expect(found == exact)
    #expect(x.matmulTransposed(StoredTensor(weight)) != exact)
    let scores = Arithmetic.$override.withValue(.float64) { x.matmulTransposed(weight) }
    #expect(scores == exact)
  }

  @Test func reshapingKeepsTheArithmetic() {
    let stored = StoredTensor(Tensor(repeating: 1, shape: [4])).computing(in: .bfloat16)
    #expect(stored.reshaped(to: [2, 2]).arithmetic == .bfloat16)
  }
}
