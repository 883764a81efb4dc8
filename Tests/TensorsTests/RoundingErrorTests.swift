import Tensors
import TestSupport
import Testing

@Suite struct RoundingErrorTests {
  private static func matrix(_ shape: [Int], seed: UInt64 = 3) -> Tensor {
    var noise = SmallNoise(seed: seed)
    return Tensor((0..<shape[0] * shape[1]).map { _ in noise.next() }, shape: shape)
  }

  @Test(arguments: [Quantization.int8, .int4(groupSize: 64), .int4(groupSize: 32)])
  func aRightQuantizerStaysBelowWhatRoundingCanDo(_ quantization: Quantization) throws {
    for shape in [[64, 256], [7, 64], [33, 200], [2, 8]] {
      let original = StoredTensor(Self.matrix(shape))
      let error = try #require(
        RoundingError(of: original.quantized(to: quantization), from: original))
      #expect(error.ratio < 2, "\(shape): \(error)")
      #expect(error.mean > 0.5 && error.mean < 1.3, "\(shape): \(error)")
    }
  }

  @Test func otherWeightsAreFarFromTheirSteps() throws {
    let original = StoredTensor(Self.matrix([32, 128]))
    let other = StoredTensor(Self.matrix([32, 128], seed: 4))
    for quantization in [Quantization.int8, .int4()] {
      let error = try #require(
        RoundingError(of: other.quantized(to: quantization), from: original))
      #expect(error.ratio > 5, "\(error)")
    }
  }

  @Test func aNumberThatIsNoneOnOneSideIsNamed() throws {
    var elements = Self.matrix([4, 64]).elements
    elements[64 * 2 + 5] = .nan
    let broken = StoredTensor(Tensor(elements, shape: [4, 64]))
    let right = StoredTensor(Self.matrix([4, 64]))
    let error = try #require(RoundingError(of: broken.quantized(to: .int8), from: right))
    #expect(error.ratio == .infinity && error.row == 2)
    let same = try #require(RoundingError(of: broken.quantized(to: .int8), from: broken))
    #expect(same.ratio < 2)
    // A row that lost its NaN is as wrong as one that got it.
    let hidden = try #require(RoundingError(of: right.quantized(to: .int8), from: broken))
    #expect(hidden.ratio == .infinity && hidden.row == 2 && hidden.group == nil)
  }

  @Test func groupsThatAreNoNeighboursAreMeasuredWhereTheirColumnsAre() throws {
    let original = Self.matrix([16, 128])
    let rounded = StoredTensor(original).quantized(to: .int4(groupSize: 32))
    let error = try #require(RoundingError(of: rounded, from: StoredTensor(original)))
    // The same groups, of columns that lie elsewhere in the matrix.
    let order = (0..<128).map { $0 * 37 % 128 }
    var elements = original.elements
    for row in 0..<16 {
      for (place, column) in order.enumerated() {
        elements[row * 128 + column] = original.elements[row * 128 + place]
      }
    }
    let matrix = try #require(rounded.quantized)
    guard case .groups(let parts) = matrix.parts else {
      Issue.record("int4 without groups")
      return
    }
    let moved = QuantizedMatrix(
      outputs: 16, inputs: 128,
      parts: .groups(
        .init(
          bits: parts.bits, groupSize: parts.groupSize, words: parts.words, zeros: parts.zeros,
          scales: parts.scales, scalesAreWide: parts.scalesAreWide, order: order.map(Int32.init))))
    let found = RoundingError(
      of: StoredTensor(moved), from: StoredTensor(Tensor(elements, shape: [16, 128])))
    #expect(found == error)
    #expect(RoundingError(of: StoredTensor(moved), from: StoredTensor(original)) != error)
  }

  @Test func whatIsNotQuantizedHasNoRounding() {
    let original = StoredTensor(Self.matrix([4, 64]))
    #expect(RoundingError(of: original, from: original) == nil)
    let quantized = original.quantized(to: .int8)
    #expect(RoundingError(of: quantized, from: quantized) == nil)
    #expect(RoundingError(of: quantized, from: StoredTensor(Self.matrix([4, 32]))) == nil)
  }
}
