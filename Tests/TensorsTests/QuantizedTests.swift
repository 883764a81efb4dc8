import Tensors
import TestSupport
import Testing

@Suite struct QuantizedTests {
  static let groups: [Quantization] = [
    .int4(groupSize: 32), .int4(groupSize: 64), .int4(groupSize: 128),
  ]
  static let ways = [.int8] + groups

  @Test(arguments: ways, [[5, 3], [1, 64], [300, 200], [16, 128], [67, 130], [520, 96]])
  func productsAreThoseOfTheWeightsReadBack(_ way: Quantization, _ shape: [Int]) {
    var noise = SmallNoise(seed: UInt64(shape[0] * 1000 + shape[1]))
    let weight = StoredTensor(noise.tensor(shape)).quantized(to: way)
    #expect(weight.shape == shape)
    let plain = StoredTensor(weight.tensor)
    for rows in [1, 2, 7] {
      let x = noise.tensor([rows, shape[1]])
      let bias = noise.tensor([shape[0]])
      expectClose(
        x.matmulTransposed(weight, bias: bias), to: x.matmulTransposed(plain, bias: bias),
        // One sum may nearly vanish, of several the largest does not.
        within: shape[0] == 1 ? 1e-4 : 1e-5, "\(rows) rows")
    }
  }

  @Test(arguments: groups, QuantizedInstructions.available)
  func everyProcessorGivesTheSame(_ way: Quantization, _ instructions: QuantizedInstructions) {
    var noise = SmallNoise(seed: 12)
    for (outputs, inputs) in [(3, 40), (64, 256), (131, 96), (200, 1000), (77, 136), (8, 31)] {
      let weight = StoredTensor(noise.tensor([outputs, inputs])).quantized(to: way)
      let x = noise.tensor([6, inputs])
      let best = x.matmulTransposed(weight)
      let found = QuantizedInstructions.$current.withValue(instructions) {
        x.matmulTransposed(weight)
      }
      // Whole numbers are added, which is exact in any order.
      #expect(found == best, "\(outputs) by \(inputs)")
      let exact = Arithmetic.$override.withValue(.float64) { x.matmulTransposed(weight) }
      expectClose(found, to: exact, within: 1e-5, "\(outputs) by \(inputs), exactly")
    }
  }

  @Test(arguments: Instructions.available, [Arithmetic.float32, .bfloat16])
  func everyProcessorMultipliesInt8(_ instructions: Instructions, _ arithmetic: Arithmetic) {
    var noise = SmallNoise(seed: 15)
    for (outputs, inputs) in [(3, 40), (64, 256), (131, 96), (200, 1000), (77, 1630), (8, 31)] {
      let weight = StoredTensor(noise.tensor([outputs, inputs])).quantized(to: .int8)
        .computing(in: arithmetic)
      let x = noise.tensor([6, inputs])
      let taken = arithmetic == .bfloat16 ? x.roundedToBFloat16() : x
      let exact = Arithmetic.$override.withValue(.float64) { taken.matmulTransposed(weight) }
      let found = Instructions.$current.withValue(instructions) { x.matmulTransposed(weight) }
      expectClose(found, to: exact, within: 1e-6, "\(outputs) by \(inputs)")
    }
  }

  @Test(arguments: groups, QuantizedInstructions.available)
  func aRowAloneHasTheBitsItHasAmongOthers(
    _ way: Quantization, _ instructions: QuantizedInstructions
  ) {
    QuantizedInstructions.$current.withValue(instructions) { expectSameBitsAlone(way) }
  }

  @Test(arguments: Instructions.available, ways)
  func aRowAloneHasTheBitsItHasAmongOthersInBFloat16(
    _ instructions: Instructions, _ way: Quantization
  ) {
    Instructions.$current.withValue(instructions) {
      expectSameBitsAlone(.int8)
      expectSameBitsAlone(way, .bfloat16)
    }
  }

  /// Whatever the processor, nothing about the integers is rounded, and what is multiplied with them once.
  @Test(arguments: Instructions.available, groups)
  func groupsAreMultipliedInBFloat16(_ instructions: Instructions, _ way: Quantization) {
    var noise = SmallNoise(seed: 16)
    for (outputs, inputs) in [(3, 40), (64, 256), (131, 96), (200, 1000), (77, 136), (8, 31)] {
      let weight = StoredTensor(noise.tensor([outputs, inputs])).quantized(to: way)
        .computing(in: .bfloat16)
      let x = noise.tensor([14, inputs])
      let bias = noise.tensor([outputs])
      let exact = Arithmetic.$override.withValue(.float64) {
        x.roundedToBFloat16().matmulTransposed(weight, bias: bias, activation: .silu)
      }
      let found = Instructions.$current.withValue(instructions) {
        [1, 3, 14].map {
          x.rows(0..<$0).matmulTransposed(weight, bias: bias, activation: .silu)
        }
      }
      for (rows, product) in zip([1, 3, 14], found) {
        expectClose(
          product, to: exact.rows(0..<rows), within: 1e-6, "\(rows), \(outputs) by \(inputs)")
      }
    }
  }

  private func expectSameBitsAlone(_ way: Quantization, _ arithmetic: Arithmetic = .float32) {
    var noise = SmallNoise(seed: 14)
    for (outputs, inputs, rows) in [
      (70, 96, 9), (131, 300, 5), (5, 40, 4), (64, 128, 2), (70, 1700, 31),
    ] {
      let weight = StoredTensor(noise.tensor([outputs, inputs])).quantized(to: way)
        .computing(in: arithmetic)
      let x = noise.tensor([rows, inputs])
      let bias = noise.tensor([outputs])
      let together = x.matmulTransposed(weight, bias: bias)
      for row in 0..<rows {
        #expect(
          x.rows(row..<row + 1).matmulTransposed(weight, bias: bias).row(0) == together.row(row),
          "row \(row) of \(rows), \(outputs) by \(inputs)")
      }
    }
  }

  /// Activations of very different sizes, as language models have them.
  @Test(arguments: ways)
  func outliersCostNoMoreThanInFloat32(_ way: Quantization) {
    var noise = SmallNoise(seed: 13)
    var elements = noise.tensor([1, 512]).elements
    for place in stride(from: 7, to: 512, by: 100) { elements[place] *= 1000 }
    let x = Tensor(elements, shape: [1, 512])
    let weight = StoredTensor(noise.tensor([100, 512])).quantized(to: way)
    let exact = Arithmetic.$override.withValue(.float64) { x.matmulTransposed(weight) }
    expectClose(x.matmulTransposed(weight), to: exact, within: 1e-6)
    let tiny = x * 1e-30
    let scaled = Arithmetic.$override.withValue(.float64) { tiny.matmulTransposed(weight) }
    expectClose(tiny.matmulTransposed(weight), to: scaled, within: 1e-5)
    let huge = x * 1e30
    #expect(huge.matmulTransposed(weight).elements.allSatisfy { $0.isFinite })
  }

  @Test(arguments: ways)
  func rowsAreRowsOfTheWhole(_ way: Quantization) {
    var noise = SmallNoise(seed: 3)
    let weight = StoredTensor(noise.tensor([20, 70])).quantized(to: way)
    let whole = weight.tensor
    let rows = weight.rows([7, 0, 19, 7])
    for (place, row) in [7, 0, 19, 7].enumerated() { #expect(rows.row(place) == whole.row(row)) }
  }

  @Test(arguments: ways)
  func oneThreadEqualsThree(_ way: Quantization) {
    var noise = SmallNoise(seed: 4)
    let source = StoredTensor(noise.tensor([700, 96]))
    let x = noise.tensor([3, 96])
    let results = [1, 2, 3, 8].map { threads in
      Parallelism.$threadCount.withValue(threads) {
        let weight = source.quantized(to: way)
        return [weight.tensor, x.rows(0..<1).matmulTransposed(weight), x.matmulTransposed(weight)]
      }
    }
    for result in results { #expect(result == results[0]) }
  }

  @Test func anInt8WeightIsHalfAStepFromItsSource() {
    var noise = SmallNoise(seed: 8)
    let source = noise.tensor([40, 100])
    let read = StoredTensor(source).quantized(to: .int8).tensor
    for row in 0..<40 {
      let step = source.row(row).elements.reduce(0) { max($0, abs($1)) } / 127
      for (a, b) in zip(source.row(row).elements, read.row(row).elements) {
        #expect(abs(a - b) <= step * 0.500001)
      }
    }
  }

  @Test(arguments: [32, 64, 128])
  func anInt4WeightIsNearItsSource(_ groupSize: Int) {
    var noise = SmallNoise(seed: 9)
    let source = noise.tensor([40, 256])
    let read = StoredTensor(source).quantized(to: .int4(groupSize: groupSize)).tensor
    // A step is 2/15 at most; rounding takes half of it, clipping at the ends a little more.
    for (a, b) in zip(source.elements, read.elements) { #expect(abs(a - b) < 0.2) }
    let squares = zip(source.elements, read.elements).reduce(0) {
      $0 + ($1.0 - $1.1) * ($1.0 - $1.1)
    }
    // Uniform rounding to steps of 2/15 leaves (2/15)²/12 on average.
    #expect(squares / Float(source.count) < 0.0016)
  }

  @Test func zerosStayZeros() {
    let zeros = StoredTensor(Tensor(repeating: 0, shape: [9, 64]))
    for way in Self.ways {
      #expect(zeros.quantized(to: way).tensor.elements.allSatisfy { $0 == 0 })
    }
  }

  @Test func aGroupThatNoScaleSpansIsNotHidden() {
    var noise = SmallNoise(seed: 10)
    for large in [Float(2e6), -2e6, 1e20, -1e20, .greatestFiniteMagnitude] {
      var elements = noise.tensor([4, 64]).elements
      elements[64 + 40] = large
      elements[64 + 41] = -large
      let read = StoredTensor(Tensor(elements, shape: [4, 64]))
        .quantized(to: .int4(groupSize: 32)).tensor
      #expect(read.row(1).elements[32...].allSatisfy { $0.isNaN }, "\(large)")
      #expect(read.row(1).elements[..<32].allSatisfy { $0.isFinite })
      for row in [0, 2, 3] { #expect(read.row(row).elements.allSatisfy { $0.isFinite }) }
    }
    // Where a smaller range can be spanned, it is.
    var elements = noise.tensor([1, 64]).elements
    elements[3] = 1e6
    let read = StoredTensor(Tensor(elements, shape: [1, 64])).quantized(to: .int4()).tensor
    #expect(abs(read[0, 3] - 1e6) < 1e5)
  }

  @Test func whatIsNotFiniteIsNotHidden() {
    var noise = SmallNoise(seed: 10)
    for bad in [Float.nan, .infinity, -.infinity] {
      var elements = noise.tensor([4, 64]).elements
      elements[64 + 40] = bad
      let source = StoredTensor(Tensor(elements, shape: [4, 64]))
      for way in [Quantization.int8, .int4(groupSize: 32)] {
        let weight = source.quantized(to: way)
        let read = weight.tensor
        #expect(read.row(0).elements.allSatisfy { $0.isFinite })
        #expect(!read[1, 40].isFinite)
        let x = noise.tensor([1, 64])
        let product = x.matmulTransposed(weight)
        #expect(product[0, 0].isFinite && !product[0, 1].isFinite)
      }
      for way in [Quantization.int8, .int4(groupSize: 32)] {
        let weight = StoredTensor(noise.tensor([4, 64])).quantized(to: way)
        for rows in [1, 3] {
          let x = Tensor(
            [Float](repeating: 1, count: 64 * rows - 1) + [bad], shape: [rows, 64])
          let product = x.matmulTransposed(weight)
          #expect(product.row(rows - 1).elements.allSatisfy { !$0.isFinite })
        }
      }
    }
  }

  @Test func bytesCountScalesAndZeros() {
    let source = StoredTensor(Tensor(repeating: 1, shape: [16, 128]))
    #expect(source.quantized(to: .int8).byteCount == 16 * 128 + 16 * 4)
    #expect(
      source.quantized(to: .int4(groupSize: 64)).byteCount == 16 * 64 + 2 * 16 * 2 + 2 * 2 * 4)
    #expect(source.quantized(to: .int8).encoding == .int8)
    #expect(source.encoding == .plain(.float32))
    #expect(source.quantized(to: .int4(groupSize: 64)).encoding.name == "int4")
  }
}
