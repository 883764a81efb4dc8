import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct RowOperationsTests {
  @Test func geluFollowsTheErrorFunction() {
    for step in -6000...6000 {
      let x = Float(step) / 500
      let exact = Double(x) / 2 * (1 + erf(Double(x) / 2.0.squareRoot()))
      let found = Double(Tensor(x).gelu().elements[0])
      #expect(abs(found - exact) <= 3e-7 * max(1, abs(Double(x))), "gelu(\(x))")
    }
  }

  @Test func quickGELUFollowsTheLogisticFunction() {
    for step in -30000...30000 {
      let x = Float(step) / 500
      let exact = Double(x) / (1 + exp(-Double(Float(1.702)) * Double(x)))
      let found = Double(Tensor(x).quickGELU().elements[0])
      #expect(abs(found - exact) <= 3e-7 * max(1, abs(Double(x))), "quickGELU(\(x))")
    }
    let special = Tensor([.infinity, .nan, 0], shape: [3]).quickGELU().elements
    #expect(special[0] == .infinity && special[1].isNaN && special[2] == 0)
  }

  @Test func siluAndTheTanhGELUFollowTheirDefinitions() {
    for step in -30000...30000 {
      let x = Float(step) / 500
      let wide = Double(x)
      let silu = wide / (1 + exp(-wide))
      let gelu =
        wide / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (wide + 0.044715 * wide * wide * wide)))
      let found = [Tensor(x).silu(), Tensor(x).tanhGELU()].map { Double($0.elements[0]) }
      #expect(abs(found[0] - silu) <= 3e-7 * max(1, abs(wide)), "silu(\(x))")
      #expect(abs(found[1] - gelu) <= 6e-7 * max(1, abs(wide)), "tanhGELU(\(x))")
    }
    let special = Tensor([.infinity, .nan, 0], shape: [3])
    for result in [special.silu().elements, special.tanhGELU().elements] {
      #expect(result[0] == .infinity && result[1].isNaN && result[2] == 0)
    }
  }

  @Test(arguments: [1, 15, 16, 37, 576]) func rootMeanSquaresBecomeOne(_ columns: Int) {
    var noise = SmallNoise(seed: UInt64(columns))
    let (x, scale) = (noise.tensor([3, columns]) * 3, noise.tensor([columns]))
    for arithmetic in [nil, Arithmetic.float64] {
      let found = Arithmetic.$override.withValue(arithmetic) {
        x.rootMeanSquareNormalised(scale: scale, epsilon: 1e-5)
      }
      for row in 0..<3 {
        let values = x.row(row).elements.map(Double.init)
        let factor = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(columns) + 1e-5).squareRoot()
        let expected = (0..<columns).map { Float(values[$0] * factor * Double(scale.elements[$0])) }
        expectClose(found.row(row), to: Tensor(expected, shape: [columns]), within: 1e-6)
      }
    }
  }

  @Test func aRotationTurnsPairsAndLeavesTheRest() {
    var noise = SmallNoise(seed: 4)
    let all = noise.tensor([5, 30])
    // Two heads of 10 channels in the middle of wider rows, of which the first 6 turn.
    let rows = Channels(all, rows: 1..<4, channels: 4..<24)
    let angles = noise.tensor([3, 3]) * 40
    let turned = Rotation(angles: angles)(rows, headCount: 2)
    #expect(turned.shape == [3, 20])
    for row in 0..<3 {
      for head in 0..<2 {
        for channel in 0..<10 {
          func source(_ channel: Int) -> Double { Double(all[row + 1, 4 + head * 10 + channel]) }
          let angle = Double(angles[row, channel % 3])
          let expected =
            channel >= 6
            ? source(channel)
            : channel < 3
              ? source(channel) * cos(angle) - source(channel + 3) * sin(angle)
              : source(channel) * cos(angle) + source(channel - 3) * sin(angle)
          #expect(abs(Double(turned[row, head * 10 + channel]) - expected) < 1e-6)
        }
      }
    }
    #expect(Rotation(angles: angles * 0)(rows, headCount: 2) == all.rows(1..<4).columns(4..<24))
  }

  @Test func geluOfSpecialValues() {
    let result = Tensor([.infinity, -.infinity, .nan, 0], shape: [4]).gelu().elements
    #expect(result[0] == .infinity)
    #expect(result[3] == 0)
    #expect(result[2].isNaN)
  }

  @Test(arguments: [1, 2, 15, 16, 17, 197, 1000]) func softmaxRowsSumToOne(columns: Int) {
    var noise = SmallNoise(seed: UInt64(columns))
    let scores = noise.tensor([3, columns]) * 20
    let rows = scores.softmax()
    for sum in rows.sum(axis: 1).elements { #expect(abs(sum - 1) < 1e-6) }
    let expected = (0..<columns).map { exp(Double(scores[1, $0])) }
    let total = expected.reduce(0, +)
    expectClose(
      rows.row(1), to: Tensor(expected.map { Float($0 / total) }, shape: [columns]), within: 1e-6)
  }

  @Test func softmaxOfMaskedAndBadRows() {
    let scores = Tensor([0, -.infinity, -.infinity, -.infinity, 1, .nan], shape: [3, 2])
    let rows = scores.softmax()
    #expect(Array(rows.elements[0..<4]) == [1, 0, 0, 0])
    #expect(rows.elements[4].isNaN && rows.elements[5].isNaN)
  }

  @Test func layerNormalisationFollowsTheDefinition() {
    var noise = SmallNoise(seed: 9)
    let (x, scale, shift) = (noise.tensor([4, 37]) * 3, noise.tensor([37]), noise.tensor([37]))
    let found = x.layerNormalised(scale: scale, shift: shift, epsilon: 1e-6)
    for row in 0..<4 {
      let values = x.row(row).elements.map(Double.init)
      let mean = values.reduce(0, +) / 37
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 37
      let expected = (0..<37).map { column in
        Float((values[column] - mean) / (variance + 1e-6).squareRoot())
          * scale.elements[column] + shift.elements[column]
      }
      expectClose(found.row(row), to: Tensor(expected, shape: [37]), within: 2e-6)
    }
  }
}
