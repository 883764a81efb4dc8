internal import Budget
public import Tensors

/// Pictures laid out in two directions: those in which they differ most.
public struct PictureLayout: Sendable {
  /// `[N, 2]`: the place of each row, 0 in the middle.
  public let places: Tensor
  /// The share of all variance along each direction.
  public let shares: [Float]
}

extension PictureIndex {
  /// The two principal components of the rows.
  ///
  /// By orthogonal iteration on the covariance, from a fixed beginning; of each direction the side
  /// is chosen on which its largest number is positive.
  ///
  /// - Throws: `CancellationError` where the work was asked to stop.
  public func layout() throws -> PictureLayout {
    let width = self.width
    var mean = [Double](repeating: 0, count: width)
    try forEachBlock { _, rows in
      try Stop.check()
      let sums = rows.sum(axis: 0).elements
      for channel in 0..<width { mean[channel] += Double(sums[channel]) }
    }
    let centre = Tensor(mean.map { Float($0 / Double(pictures.count)) }, shape: [1, width])
    var covariance = Tensor(repeating: 0, shape: [width, width])
    try forEachBlock { _, rows in
      try Stop.check()
      let shifted = (rows - centre).transposed()
      covariance = covariance + shifted.matmulTransposed(shifted)
    }
    let directions = Self.strongest(2, of: covariance)
    var places: [Float] = []
    try forEachBlock { _, rows in
      try Stop.check()
      places += (rows - centre).matmulTransposed(directions).elements
    }
    let total = (0..<width).reduce(Float(0)) { $0 + covariance[$1, $1] }
    let found = directions.matmul(covariance).matmulTransposed(directions)
    let count = directions.shape[0]
    let shares = (0..<count).map { total > 0 ? max(0, found[$0, $0]) / total : 0 }
    // A space of one channel has one direction.
    if count == 1 { places = places.flatMap { [$0, 0] } }
    return PictureLayout(
      places: Tensor(places, shape: [pictures.count, 2]),
      shares: count == 1 ? shares + [0] : shares)
  }

  /// The eigenvectors of the largest eigenvalues of a symmetric matrix, as rows.
  static func strongest(_ count: Int, of matrix: Tensor) -> Tensor {
    let width = matrix.shape[0]
    // A few more than wanted: the iteration settles as fast as the first left out is smaller.
    let kept = min(width, count + 6)
    var random = SplitMix64(seed: 7)
    let begin = (0..<kept * width).map { _ in Float(Int64(bitPattern: random.next()) >> 40) }
    var rows = orthonormal(Tensor(begin, shape: [kept, width]))
    for _ in 0..<200 where !Stop.isRequested { rows = orthonormal(rows.matmul(matrix)) }
    // Within what is kept, the directions are turned to stand by their strength (Jacobi).
    let turned = jacobi(rows.matmul(matrix).matmulTransposed(rows)).matmul(rows)
    return Tensor.concatenated(
      (0..<min(count, kept)).map { index in
        let row = turned.rows(index..<index + 1)
        let largest = row.elements.max { abs($0) < abs($1) } ?? 0
        return largest < 0 ? -row : row
      })
  }

  /// Gram and Schmidt, in double precision; a row that depends on those before becomes zeros.
  private static func orthonormal(_ matrix: Tensor) -> Tensor {
    let (count, width) = (matrix.shape[0], matrix.shape[1])
    var rows = (0..<count).map { row in
      matrix.elements[row * width..<(row + 1) * width].map(Double.init)
    }
    for index in 0..<count {
      // Twice is enough (Kahan and Parlett).
      for _ in 0..<2 {
        for other in 0..<index {
          let dot = zip(rows[index], rows[other]).reduce(0) { $0 + $1.0 * $1.1 }
          for channel in 0..<width { rows[index][channel] -= dot * rows[other][channel] }
        }
      }
      let length = rows[index].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for channel in 0..<width {
        rows[index][channel] = length > 1e-30 ? rows[index][channel] / length : 0
      }
    }
    return Tensor(rows.flatMap { $0.map(Float.init) }, shape: [count, width])
  }

  /// The eigenvectors of a small symmetric matrix as rows, the strongest first.
  private static func jacobi(_ matrix: Tensor) -> Tensor {
    let n = matrix.shape[0]
    var a = (0..<n).map { row in (0..<n).map { Double(matrix[row, $0]) } }
    var v = (0..<n).map { row in (0..<n).map { row == $0 ? 1.0 : 0.0 } }
    for _ in 0..<60 {
      for p in 0..<n {
        for q in (p + 1)..<max(p + 1, n) where abs(a[p][q]) > 1e-300 {
          let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
          let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
          let c = 1 / (t * t + 1).squareRoot()
          let s = t * c
          for k in 0..<n {
            let (x, y) = (a[k][p], a[k][q])
            (a[k][p], a[k][q]) = (c * x - s * y, s * x + c * y)
          }
          for k in 0..<n {
            let (x, y) = (a[p][k], a[q][k])
            (a[p][k], a[q][k]) = (c * x - s * y, s * x + c * y)
          }
          for k in 0..<n {
            let (x, y) = (v[p][k], v[q][k])
            (v[p][k], v[q][k]) = (c * x - s * y, s * x + c * y)
          }
        }
      }
    }
    let order = (0..<n).sorted { (a[$1][$1], $0) < (a[$0][$0], $1) }
    return Tensor(order.flatMap { v[$0].map(Float.init) }, shape: [n, n])
  }
}
