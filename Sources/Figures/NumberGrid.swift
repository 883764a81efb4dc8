internal import Budget
internal import Images
internal import Tensors

/// A matrix of numbers with its rows and columns joined in blocks, so that it fits on a page.
struct NumberGrid {
  let rows: Int
  let columns: Int
  let numbers: [Float]
  /// How many rows and columns of the matrix one cell stands for.
  let rowsEach: Int
  let columnsEach: Int
  /// How many numbers of the matrix are no numbers.
  let nanCount: Int

  /// Takes the largest number of every block; a block is NaN only where all of it is.
  init(_ matrix: Tensor, limit: Int) {
    let (height, width) = (matrix.shape[0], matrix.shape[1])
    let rowsEach = (height + limit - 1) / limit
    let columnsEach = (width + limit - 1) / limit
    rows = (height + rowsEach - 1) / rowsEach
    columns = (width + columnsEach - 1) / columnsEach
    var nans = 0
    Stop.parts(of: matrix.count) { part in
      for number in matrix.elements[part] where number.isNaN { nans += 1 }
    }
    nanCount = nans
    (self.rowsEach, self.columnsEach) = (rowsEach, columnsEach)
    guard rowsEach > 1 || columnsEach > 1 else {
      numbers = matrix.elements
      return
    }
    var largest = [Float](repeating: .nan, count: rows * columns)
    let columns = columns
    matrix.elements.withUnsafeBufferPointer { source in
      Stop.parts(of: height * width) { part in
        for index in part {
          let place = index / width / rowsEach * columns + index % width / columnsEach
          let number = source[index]
          // False for NaN on either side, hence the second test.
          if number > largest[place] || largest[place].isNaN { largest[place] = number }
        }
      }
    }
    numbers = largest
  }

  /// The rule of reduction in words; nil where nothing was reduced.
  var sentence: String? {
    guard rowsEach > 1 || columnsEach > 1 else { return nil }
    return "Each cell is the largest of \(rowsEach) × \(columnsEach) numbers."
  }

  /// One pixel a number.
  func image(_ scale: ColourScale) -> Image {
    let colours = scale.map.colours
    var pixels: [UInt8] = []
    pixels.reserveCapacity(numbers.count * 3)
    for number in numbers {
      let colour =
        scale.position(number).map { colours[min(255, max(0, Int($0 * 256)))] } ?? .invalid
      pixels.append(colour.red)
      pixels.append(colour.green)
      pixels.append(colour.blue)
    }
    return Image(width: columns, height: rows, pixels: pixels)
  }
}

extension Drawing {
  /// Adds the cells of `grid` over `area`, those without a number hatched.
  mutating func cells(_ grid: NumberGrid, _ scale: ColourScale, in area: Rectangle) {
    add(grid.image(scale), in: area, sampling: .blocks)
    guard grid.nanCount > 0 else { return }
    let (w, h) = (area.width / Double(grid.columns), area.height / Double(grid.rows))
    let stroke = Stroke(.white, width: min(1, w / 5, h / 5))
    var steps: [Path.Step] = []
    for (index, number) in grid.numbers.enumerated() where number.isNaN && steps.count < 8000 {
      let x = area.x + Double(index % grid.columns) * w
      let y = area.y + Double(index / grid.columns) * h
      steps += [
        .move(Point(x, y + h)), .line(Point(x + w, y)),
        .move(Point(x, y + h / 2)), .line(Point(x + w / 2, y)),
        .move(Point(x + w / 2, y + h)), .line(Point(x + w, y + h / 2)),
      ]
    }
    add(Path(steps), stroke: stroke)
  }
}

extension Tensor {
  /// The largest finite element and where it is; the first of equals, nil where there is none.
  var peak: (index: Int, number: Float)? {
    var best: (Int, Float)?
    Stop.parts(of: count) { part in
      for index in part where elements[index].isFinite {
        if let found = best, found.1 >= elements[index] { continue }
        best = (index, elements[index])
      }
    }
    return best.map { (index: $0.0, number: $0.1) }
  }

  /// How many elements are not finite, in words for a caption; nil where all are.
  var nonFiniteSentence: String? {
    var (nans, infinities) = (0, 0)
    Stop.parts(of: count) { part in
      for x in elements[part] {
        if x.isNaN { nans += 1 } else if x.isInfinite { infinities += 1 }
      }
    }
    var parts: [String] = []
    if nans > 0 { parts.append("\(Numeral.count(nans)) NaN, hatched on magenta") }
    if infinities > 0 {
      parts.append("\(Numeral.count(infinities)) infinite, in the colours of the ends")
    }
    return parts.isEmpty ? nil : "Not finite: " + parts.joined(separator: "; ") + "."
  }
}
