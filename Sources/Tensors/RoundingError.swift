internal import Synchronization

/// How far the weights of a quantized matrix are from those that it was made of, in its own steps.
///
/// Rounding to the nearest step errs by half a step at most, and where numbers are spread evenly by
/// a step / √12 in root mean square. A zero point that is off by one errs by a whole step in all of
/// its group, a scale of another row or group by a share of every weight. So what a quantizer did
/// can be told from what it must do, a row (int8) or a group (int4) at a time.
public struct RoundingError: Sendable, Equatable {
  /// The root mean square error of the worst row or group, in times a step / √12; infinite where
  /// the integers stand for a number that is none.
  public let ratio: Double
  /// The row of the worst.
  public let row: Int
  /// The group of it along the row; 0 for int8, which has one.
  public let group: Int
  /// The mean of all rows or groups.
  public let mean: Double

  /// What rounding to the nearest step cannot exceed: half a step everywhere, `√3`.
  public static let largestOfRounding = 3.0.squareRoot()

  /// Measures `rounded`; nil where it is not quantized, or `original` is, or they are of two shapes.
  public init?(of rounded: StoredTensor, from original: StoredTensor) {
    guard let matrix = rounded.quantized, original.quantized == nil,
      original.count == matrix.outputs * matrix.inputs, original.count > 0
    else { return nil }
    let block = 16
    let (outputs, inputs) = (matrix.outputs, matrix.inputs)
    let found = Mutex<[Worst]>([])
    Parallelism.forEach((outputs + block - 1) / block) { index in
      let rows = index * block..<min(outputs, (index + 1) * block)
      var worst = Worst()
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * inputs) { lines in
        guard let weights = lines.baseAddress else { return }
        let (stored, spare) = (weights + inputs, weights + 2 * inputs)
        for row in rows {
          original.convert(from: row * inputs, count: inputs, into: weights)
          matrix.convert(firstRow: row, rows: 1, into: stored)
          matrix.putGroupsTogether(weights, spare: spare)
          matrix.putGroupsTogether(stored, spare: spare)
          matrix.forEachStep(row: row) { group, step, columns in
            var squares = 0.0
            for column in columns {
              let difference = Double(weights[column]) - Double(stored[column])
              squares += difference * difference
            }
            // What holds a number that is none becomes none throughout, and is right so.
            if !squares.isFinite, columns.contains(where: { !weights[$0].isFinite }) { return }
            // A group of zeros has no step; then the smallest that a float16 scale can have.
            let unit = max(Double(step), 6e-8) / 12.0.squareRoot()
            let size = (squares / Double(max(1, columns.count))).squareRoot() / unit
            worst.add(size.isFinite ? size : .infinity, row: row, group: group)
          }
        }
      }
      found.withLock { $0.append(worst) }
    }
    let all = found.withLock { $0 }
    let worst = all.max { ($0.ratio, -$0.row) < ($1.ratio, -$1.row) } ?? Worst()
    (ratio, row, group) = (worst.ratio, worst.row, worst.group)
    mean = all.reduce(0) { $0 + $1.sum } / Double(max(1, all.reduce(0) { $0 + $1.count }))
  }

  private struct Worst: Sendable {
    var (ratio, row, group) = (0.0, 0, 0)
    var (sum, count) = (0.0, 0)

    mutating func add(_ size: Double, row: Int, group: Int) {
      sum += size
      count += 1
      if size > ratio { (ratio, self.row, self.group) = (size, row, group) }
    }
  }
}

extension QuantizedMatrix {
  /// Moves the numbers of a row so that those of a group lie side by side.
  fileprivate func putGroupsTogether(
    _ line: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>
  ) {
    guard case .groups(let groups) = parts, let order = groups.order else { return }
    spare.update(from: line, count: inputs)
    for (place, column) in order.enumerated() { line[place] = spare[Int(column)] }
  }

  /// Calls `body` with every group of a row: its number, its step, and where its numbers lie when
  /// groups are put together.
  fileprivate func forEachStep(
    row: Int, _ body: (_ group: Int, _ step: Float, _ columns: Range<Int>) -> Void
  ) {
    switch parts {
    case .rows(_, let scales): body(0, scales[row], 0..<inputs)
    case .groups(let groups):
      let size = max(1, groups.groupSize)
      groups.scales.withPointer { scales in
        for (group, first) in stride(from: 0, to: inputs, by: size).enumerated() {
          let place = group * outputs + row
          let step =
            groups.scalesAreWide
            ? scales.loadUnaligned(fromByteOffset: place * 4, as: Float.self)
            : Float(scales.loadUnaligned(fromByteOffset: place * 2, as: Float16.self))
          body(group, step, first..<min(inputs, first + size))
        }
      }
    }
  }
}
