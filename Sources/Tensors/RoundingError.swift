internal import Synchronization

/// How far the weights of a quantized matrix are from those that it was made of, in its own steps.
///
/// Rounding to the nearest step errs by half a step at most, and where numbers are spread evenly by
/// a step / √12 in root mean square. A zero point that is off by one errs by a whole step in all of
/// its group, a scale of another row or group by a share of every weight. So what a quantizer did
/// can be told from what it must do, a row (int8) or a group (int4) at a time.
///
/// GPTQ (Frantar and others 2022) does not round to the nearest: it moves each weight to make up for
/// the errors of those before it. Most groups of such a matrix hold integers that are not the
/// nearest. Mistakes are told from that by what they do to a whole group alike: see `Movement`.
public struct RoundingError: Sendable, Equatable {
  /// The root mean square error of the worst row or group, in times a step / √12; infinite where
  /// the integers stand for NaN or infinity.
  public let ratio: Double
  /// The row of the worst.
  public let row: Int
  /// The group of it along the row; nil for int8, which has one scale a row.
  public let group: Int?
  /// The mean of all rows or groups.
  public let mean: Double
  /// What was done to weights that were moved; nil where they were rounded to the nearest.
  public let movement: Movement?

  /// How weights were moved that are not the nearest to those they were made of.
  public struct Movement: Sendable, Equatable {
    /// The median error of all groups, in times a step / √12.
    public let median: Double
    /// The largest error of a group, in times a step / √12, that follows a line in the weights, as
    /// a wrong zero point or scale makes it; 0 where none does.
    public let systematic: Double
  }

  /// What rounding to the nearest step cannot exceed: half a step everywhere, `√3`.
  public static let largestOfRounding = 3.0.squareRoot()

  /// Measures `rounded`; nil where it is not quantized, or `original` is, or they are of two shapes.
  public init?(of rounded: StoredTensor, from original: StoredTensor) {
    guard let matrix = rounded.quantized, original.quantized == nil,
      original.count == matrix.outputs * matrix.inputs, original.count > 0
    else { return nil }
    let pair = RoundedPair(matrix: matrix, original: original)
    let isMoved = pair.isMoved
    let isEmpty = isMoved ? pair.emptyPlaces : []
    let errors = pair.map { group in
      isMoved ? GroupError(group, without: isEmpty) : GroupError(group)
    }.compactMap { $0 }
    let worst =
      errors.filter(\.isSystematic).max { $0.ratio < $1.ratio }
      ?? errors.max { ($0.ratio, -$0.row) < ($1.ratio, -$1.row) }
    (ratio, row) = (worst?.ratio ?? 0, worst?.row ?? 0)
    if case .groups = matrix.parts { group = worst?.group ?? 0 } else { group = nil }
    mean = errors.reduce(0) { $0 + $1.ratio } / Double(max(1, errors.count))
    guard isMoved else {
      movement = nil
      return
    }
    let ratios = errors.map(\.ratio).sorted()
    movement = Movement(
      median: ratios.isEmpty ? 0 : ratios[ratios.count / 2],
      systematic: worst.map { $0.isSystematic ? $0.ratio : 0 } ?? 0)
  }
}

/// One row of one group: what it holds and what it was made of.
private struct RoundedGroup {
  let row, group: Int
  let step: Float
  /// Weights as they were and as they are, of a whole row whose groups lie together.
  let weights, stored: UnsafeMutablePointer<Float>
  /// Where the group lies in them.
  let places: Range<Int>

  /// Whether the integers are the nearest, but for one in fifty: cut off at the ends, or halfway
  /// between two before the scale was rounded.
  var isNearest: Bool {
    var (low, high) = (Float.infinity, -Float.infinity)
    for place in places {
      low = min(low, stored[place])
      high = max(high, stored[place])
    }
    let limit = 0.52 * step
    var others = 0
    for place in places {
      let error = stored[place] - weights[place]
      // Negated, so that NaN counts.
      if !(error <= limit || stored[place] == low) || !(error >= -limit || stored[place] == high) {
        others += 1
      }
    }
    return others <= places.count / 50
  }
}

/// How far a row of a group is from what it was made of.
private struct GroupError {
  /// Fewer columns say nothing about a line.
  private static let fewestColumns = 8
  /// Where a line in the weights explains so much of the squared error, a zero point or a scale made
  /// it; GPTQ's own moves do so only by chance, in groups that are hardly off.
  private static let share = 0.8

  let row, group: Int
  /// The root mean square error, in times a step / √12.
  let ratio: Double
  /// Whether it follows a line in the weights.
  private(set) var isSystematic = false

  /// Every error of a group; nil where it holds NaN or infinity and must not.
  init?(_ group: RoundedGroup) {
    var squares = 0.0
    for place in group.places {
      let difference = Double(group.weights[place]) - Double(group.stored[place])
      squares += difference * difference
    }
    self.init(group, squares: squares, count: group.places.count)
  }

  /// The errors of a group but for the columns that are empty in every row; nil where too few remain.
  init?(_ group: RoundedGroup, without isEmpty: [Bool]) {
    var (count, sumX, sumY, sumXX, sumXY, sumYY) = (0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for place in group.places where !isEmpty[place] {
      let weight = Double(group.weights[place])
      let error = Double(group.stored[place]) - weight
      count += 1
      (sumX, sumY) = (sumX + weight, sumY + error)
      (sumXX, sumXY, sumYY) = (
        sumXX + weight * weight, sumXY + weight * error, sumYY + error * error
      )
    }
    guard count >= min(Self.fewestColumns, group.places.count) else { return nil }
    self.init(group, squares: sumYY, count: count)
    let number = Double(count)
    let (varianceX, varianceY) = (sumXX - sumX * sumX / number, sumYY - sumY * sumY / number)
    let covariance = sumXY - sumX * sumY / number
    let unexplained = varianceY - (varianceX > 0 ? covariance * covariance / varianceX : 0)
    isSystematic = count >= Self.fewestColumns && 1 - unexplained / sumYY >= Self.share
  }

  private init?(_ group: RoundedGroup, squares: Double, count: Int) {
    // One NaN or infinity makes the whole group NaN, and is right so.
    if !squares.isFinite, group.places.contains(where: { !group.weights[$0].isFinite }),
      group.places.allSatisfy({ !group.stored[$0].isFinite })
    {
      return nil
    }
    (row, self.group) = (group.row, group.group)
    // A group of zeros has no step; then the smallest that a float16 scale can have.
    let unit = max(Double(group.step), 6e-8) / 12.0.squareRoot()
    let size = (squares / Double(max(1, count))).squareRoot() / unit
    ratio = size.isFinite ? size : .infinity
  }
}

/// A quantized matrix and the numbers that it was made of.
private struct RoundedPair: Sendable {
  let matrix: QuantizedMatrix
  let original: StoredTensor

  /// Whether most groups hold other integers than the nearest, judged by up to 256 rows.
  ///
  /// Int8 is not asked: quantizers do not move those.
  var isMoved: Bool {
    guard case .groups = matrix.parts else { return false }
    let (rows, sample) = (matrix.outputs, min(256, matrix.outputs))
    let nearest = map(blocks: sample, of: { $0 * rows / sample..<$0 * rows / sample + 1 }) {
      $0.isNearest
    }
    return nearest.count(where: \.self) * 2 < nearest.count
  }

  /// The places of a row, groups together, that hold zeros in every row: GPTQ empties the inputs
  /// that it never saw vary.
  var emptyPlaces: [Bool] {
    var isEmpty = [Bool](repeating: true, count: matrix.inputs)
    // The first rows leave few places in question.
    for first in stride(from: 0, to: matrix.outputs, by: 256) where isEmpty.contains(true) {
      let asked = isEmpty
      let held = map(blocks: min(256, matrix.outputs - first), of: { first + $0..<first + $0 + 1 })
      {
        group in group.places.filter { asked[$0] && group.stored[$0] != 0 }
      }
      for place in held.joined() { isEmpty[place] = false }
    }
    return isEmpty
  }

  /// What `body` makes of every group, row by row.
  func map<Result: Sendable>(_ body: @Sendable (RoundedGroup) -> Result) -> [Result] {
    let size = 16
    let blocks = (matrix.outputs + size - 1) / size
    return map(blocks: blocks, of: { $0 * size..<min(matrix.outputs, ($0 + 1) * size) }, body)
  }

  private func map<Result: Sendable>(
    blocks: Int, of rows: @Sendable (Int) -> Range<Int>,
    _ body: @Sendable (RoundedGroup) -> Result
  ) -> [Result] {
    let found = Mutex([[Result]](repeating: [], count: blocks))
    Parallelism.forEach(blocks) { block in
      var results: [Result] = []
      forEachGroup(of: rows(block)) { results.append(body($0)) }
      found.withLock { [results] in $0[block] = results }
    }
    return found.withLock { $0.flatMap(\.self) }
  }

  private func forEachGroup(of rows: Range<Int>, _ body: (RoundedGroup) -> Void) {
    let inputs = matrix.inputs
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * inputs) { lines in
      guard let weights = lines.baseAddress else { return }
      let (stored, spare) = (weights + inputs, weights + 2 * inputs)
      for row in rows {
        original.convert(from: row * inputs, count: inputs, into: weights)
        matrix.convert(firstRow: row, rows: 1, into: stored)
        matrix.putGroupsTogether(weights, spare: spare)
        matrix.putGroupsTogether(stored, spare: spare)
        matrix.forEachStep(row: row) { group, step, places in
          body(
            RoundedGroup(
              row: row, group: group, step: step, weights: weights, stored: stored, places: places))
        }
      }
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
