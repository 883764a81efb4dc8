import Layers
import Tensors
import TestSupport
import Testing

@Suite struct PositionTableTests {
  /// A class token's row, and a grid of `side` × `side` numbers.
  private func table(_ side: Int, _ number: (_ row: Int, _ column: Int) -> Float) -> Tensor {
    Tensor(
      [100] + (0..<side * side).map { number($0 / side, $0 % side) }, shape: [1 + side * side, 1])
  }

  @Test func theSameSizeIsTheSameTable() {
    let table = table(3) { Float($0 * 10 + $1) }
    #expect(table.positionTable(side: 3, leading: 1) == table)
  }

  @Test(arguments: [1, 2, 5, 8]) func theClassTokenStaysAndWhatIsLevelStaysLevel(_ side: Int) {
    let result = table(4) { _, _ in 2.5 }.positionTable(side: side, leading: 1)
    #expect(result.shape == [1 + side * side, 1] && result.elements[0] == 100)
    // The kernel's terms cancel from up to 6: its weights add up to 1 within their rounding.
    #expect(
      result.elements.dropFirst().allSatisfy { abs($0 - 2.5) < 4e-6 }, "\(result.elements)")
  }

  @Test func rowsAndColumnsAreNotMixedUp() {
    let down = table(5) { row, _ in Float(row) }.positionTable(side: 10, leading: 1)
    let across = table(5) { _, column in Float(column) }.positionTable(side: 10, leading: 1)
    // What torch.nn.functional.interpolate gives for 0, 1, 2, 3, 4.
    let slope: [Float] = [
      -0.1054688, 0.1914062, 0.6679688, 1.296875, 1.703125,
      2.296875, 2.703125, 3.3320312, 3.8085938, 4.1054688,
    ]
    for row in 0..<10 {
      for column in 0..<10 {
        #expect(abs(across.elements[1 + row * 10 + column] - slope[column]) < 2e-6)
        #expect(abs(down.elements[1 + row * 10 + column] - slope[row]) < 2e-6)
      }
    }
  }
}
