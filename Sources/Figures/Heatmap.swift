internal import Images
public import Tensors

/// How a matrix is drawn as a heat map.
public struct HeatmapOptions: Sendable {
  /// The colours.
  public var map = ColourMap.viridis
  /// Which numbers become the ends of the colours.
  public var normalisation = Normalisation.minimumToMaximum
  /// What a row is, written at the left: `query`.
  public var rowAxis: String?
  /// What a column is, written beneath: `key`.
  public var columnAxis: String?
  /// What a number is, written at the colour bar: `attention probability`.
  public var valueName: String?
  /// Whether numbers are written into the cells; nil for: where there are at most 20 × 20.
  public var writesNumbers: Bool?
  /// Rows above which a line is drawn, to part kinds of tokens.
  public var rowSeparators: [Int] = []
  /// Columns before which a line is drawn.
  public var columnSeparators: [Int] = []
  /// Whether cells right of the diagonal were hidden from the model and are hatched, not coloured.
  public var isCausal = false
  /// Sentences to add to the caption.
  public var note: String?

  /// The usual: viridis from the smallest to the largest number.
  public init() {}
}

extension Figure {
  /// A matrix as coloured cells with a colour bar.
  ///
  /// A matrix of more than 280 rows or columns is joined in blocks by their largest number, and the
  /// caption says so.
  ///
  /// - Parameters:
  ///   - matrix: `[R, C]`.
  ///   - rowLabels: a label a row, or nil for numbers. Token text may be given as it is: leading
  ///     spaces are made visible.
  ///   - columnLabels: a label a column, or nil for numbers.
  /// - Throws: `FigureError` where shape or counts do not fit.
  public static func heatmap(
    _ matrix: Tensor, title: String, rowLabels: [String]? = nil, columnLabels: [String]? = nil,
    options: HeatmapOptions = HeatmapOptions()
  ) throws(FigureError) -> Figure {
    guard matrix.rank == 2 else {
      throw .shape(figure: "heat map", found: matrix.shape, expected: "[R, C]")
    }
    guard matrix.count > 0 else { throw .empty(figure: "heat map", what: "cells") }
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    for (labels, count, what) in [
      (rowLabels, rows, "row labels"), (columnLabels, columns, "column labels"),
    ] {
      if let labels, labels.count != count {
        throw .count(figure: "heat map", what: what, found: labels.count, expected: count)
      }
    }
    let shown =
      options.isCausal
      ? Tensor(
        matrix.elements.enumerated().map { index, number in
          index % columns > index / columns + (columns - rows) ? -Float.infinity : number
        }, shape: matrix.shape) : matrix
    let scale = ColourScale(options.normalisation, map: options.map, of: [shown])
    let plot = HeatmapPlot(
      grid: NumberGrid(shown, limit: 280), matrix: matrix, scale: scale, options: options,
      rowLabels: rowLabels?.map(Label.token), columnLabels: columnLabels?.map(Label.token))
    let relation =
      options.rowAxis == "query" && options.columnAxis == "key"
      ? "A row attends to the columns." : nil
    let caption = [
      scale.sentence, relation, plot.grid.sentence,
      options.isCausal ? "Hatched: later tokens, hidden from the row." : nil,
      matrix.nonFiniteSentence, options.note,
    ].compactMap { $0 }.joined(separator: " ")
    return plot.drawing().framed(
      title: title, caption: caption, altText: plot.altText(title: title))
  }

  /// Vectors side by side: a row a patch or token, a column a channel, signed about zero.
  ///
  /// - Parameter embeddings: `[P, D]`.
  public static func embeddingMap(
    _ embeddings: Tensor, title: String, rowLabels: [String]? = nil
  ) throws(FigureError) -> Figure {
    var options = HeatmapOptions()
    options.map = .purpleOrange
    options.normalisation = .symmetric(about: 0)
    (options.rowAxis, options.columnAxis) = ("position", "channel")
    options.writesNumbers = false
    return try heatmap(embeddings, title: title, rowLabels: rowLabels, options: options)
  }
}

/// The parts of a heat map, placed.
struct HeatmapPlot {
  let grid: NumberGrid
  let matrix: Tensor
  let scale: ColourScale
  let options: HeatmapOptions
  let rowLabels: [String]?
  let columnLabels: [String]?

  /// The sides of a cell in points: whole, square unless one axis is very short.
  private func cellSize(numbersWidth: Double?) -> (width: Double, height: Double) {
    let longest = Double(max(grid.rows, grid.columns))
    var side = min(24, max(2, (440 / longest).rounded(.down)))
    if let numbersWidth { side = max(side, (numbersWidth + 6).rounded(.up), 20) }
    var (width, height) = (side, side)
    if Double(grid.rows) * height < 48 { height = min(24, (48 / Double(grid.rows)).rounded(.up)) }
    if Double(grid.columns) * width < 48 {
      width = min(24, (48 / Double(grid.columns)).rounded(.up))
    }
    return (max(width, side), max(height, side))
  }

  /// The numbers to write into the cells with the width of the widest; nil where they do not fit.
  private func numberLabels() -> (labels: [String], width: Double)? {
    let isSmall = grid.rows <= 20 && grid.columns <= 20
    guard grid.sentence == nil, options.writesNumbers ?? isSmall, grid.numbers.count <= 2500 else {
      return nil
    }
    let largest = grid.numbers.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    let labels = grid.numbers.map { $0.isFinite ? Numeral.cell($0, largest: largest) : "" }
    let longest = labels.max { $0.count < $1.count } ?? ""
    let width = Typesetter.width(of: longest, size: 8)
    return width <= 40 ? (labels, width) : nil
  }

  func drawing() -> Drawing {
    var page = Drawing()
    let numbers = numberLabels()
    let cell = cellSize(numbersWidth: numbers?.width)
    let area = Rectangle(
      x: 0, y: 0, width: cell.width * Double(grid.columns),
      height: cell.height * Double(grid.rows))
    page.cells(grid, scale, in: area)
    if options.isCausal { hatchHidden(cell, on: &page) }
    if let numbers { write(numbers.labels, numbers.width, cell, on: &page) }
    page.add(area, stroke: Stroke(.line, width: 0.5))
    let separator = Stroke(.white, width: 1.5)
    for row in options.rowSeparators where row > 0 && row < matrix.shape[0] {
      let y = (Double(row) / Double(grid.rowsEach)) * cell.height
      page.line(Point(0, y), Point(area.width, y), separator)
      page.line(Point(-6, y), Point(0, y), Stroke(.ink))
    }
    for column in options.columnSeparators where column > 0 && column < matrix.shape[1] {
      let x = (Double(column) / Double(grid.columnsEach)) * cell.width
      page.line(Point(x, 0), Point(x, area.height), separator)
      page.line(Point(x, area.height), Point(x, area.height + 6), Stroke(.ink))
    }
    labelRows(cell, on: &page)
    labelColumns(cell, area, on: &page)
    let left = (page.bounds?.x ?? 0) - 6
    if let axis = options.rowAxis {
      page.add(
        Text(
          Label.fitted(axis, width: max(area.height, 100), size: Drawing.axisSize),
          at: Point(left, area.centre.y), anchor: .middle, size: Drawing.axisSize, angle: -90))
    }
    if let axis = options.columnAxis {
      let bottom = (page.bounds?.maxY ?? 0) + 12
      page.add(
        Text(
          Label.fitted(axis, width: max(area.width, 100), size: Drawing.axisSize),
          at: Point(area.centre.x, bottom), anchor: .middle, size: Drawing.axisSize))
    }
    let right = (page.bounds?.maxX ?? area.maxX) + 14
    page.colourBar(
      scale, at: Point(max(right, area.maxX + 14), 0), height: min(max(area.height, 90), 260),
      name: options.valueName)
    return page
  }

  private func write(
    _ labels: [String], _ width: Double, _ cell: (width: Double, height: Double),
    on page: inout Drawing
  ) {
    for (index, label) in labels.enumerated() where !label.isEmpty {
      let colour = scale.colour(grid.numbers[index])?.contrasting ?? .white
      let centre = Point(
        (Double(index % grid.columns) + 0.5) * cell.width,
        (Double(index / grid.columns) + 0.5) * cell.height)
      page.centre(label, at: centre, size: 8, colour: colour, width: width)
    }
  }

  /// Covers the cells right of the diagonal in grey with thin slanted lines.
  private func hatchHidden(_ cell: (width: Double, height: Double), on page: inout Drawing) {
    let shift = matrix.shape[1] - matrix.shape[0]
    var cover: [Path.Step] = []
    var lines: [Path.Step] = []
    for row in 0..<grid.rows {
      let lastRow = min((row + 1) * grid.rowsEach, matrix.shape[0]) - 1
      // The first cell of which every column is hidden from every row.
      let first = max(0, (lastRow + shift + grid.columnsEach) / grid.columnsEach)
      guard first < grid.columns else { continue }
      let area = Rectangle(
        x: Double(first) * cell.width, y: Double(row) * cell.height,
        width: Double(grid.columns - first) * cell.width, height: cell.height)
      cover += Path(area).steps
      guard cell.height >= 4 else { continue }
      for column in first..<grid.columns {
        let x = Double(column) * cell.width
        lines += [.move(Point(x, area.maxY)), .line(Point(x + cell.width, area.y))]
      }
    }
    page.add(Path(cover), fill: Colour(238, 238, 238))
    page.add(Path(lines), stroke: Stroke(Colour(205, 205, 205), width: 0.5))
  }

  /// How many rows or columns apart labels stand so that they do not touch.
  private func step(_ room: Double, _ needed: Double) -> Int {
    max(1, Int((needed / room).rounded(.up)))
  }

  private func labelRows(_ cell: (width: Double, height: Double), on page: inout Drawing) {
    let every =
      rowLabels == nil ? roundStep(step(cell.height, 12)) : step(cell.height, 10.5)
    for row in stride(from: 0, to: grid.rows, by: every) {
      let index = row * grid.rowsEach
      let label = rowLabels.map { Label.fitted($0[index], width: 130, size: 9) } ?? "\(index)"
      let y = (Double(row) + 0.5) * cell.height
      page.line(Point(-3, y), Point(0, y), Stroke(.line, width: 0.5))
      page.add(
        Text(
          label, at: Point(-5, y + Text.dropFromMiddle(size: Drawing.labelSize)), anchor: .end))
    }
  }

  private func labelColumns(
    _ cell: (width: Double, height: Double), _ area: Rectangle, on page: inout Drawing
  ) {
    var shown: [(column: Int, text: String, width: Double)] = []
    let every: Int
    if let columnLabels {
      every = step(cell.width, 11)
      for column in stride(from: 0, to: grid.columns, by: every) {
        let text = Label.fitted(columnLabels[column * grid.columnsEach], width: 130, size: 9)
        shown.append((column, text, Typesetter.width(of: text, size: 9)))
      }
    } else {
      let last = "\((grid.columns - 1) * grid.columnsEach)"
      every = roundStep(step(cell.width, Typesetter.width(of: last, size: 9) + 8))
      for column in stride(from: 0, to: grid.columns, by: every) {
        let text = "\(column * grid.columnsEach)"
        shown.append((column, text, Typesetter.width(of: text, size: 9)))
      }
    }
    let isTurned = shown.contains { $0.width > cell.width * Double(every) - 2 }
    for (column, text, width) in shown {
      let x = (Double(column) + 0.5) * cell.width
      page.line(Point(x, area.maxY), Point(x, area.maxY + 3), Stroke(.line, width: 0.5))
      if isTurned {
        page.add(
          Text(text, at: Point(x + 3, area.maxY + 10), anchor: .end, angle: -45), width: width)
      } else {
        page.add(Text(text, at: Point(x, area.maxY + 13), anchor: .middle), width: width)
      }
    }
  }

  /// The next of 1, 2, 5, 10, 20 and so on.
  private func roundStep(_ least: Int) -> Int {
    var power = 1
    while power < 1_000_000 {
      for factor in [1, 2, 5] where factor * power >= least { return factor * power }
      power *= 10
    }
    return least
  }

  func altText(title: String) -> String {
    let (rows, columns) = (matrix.shape[0], matrix.shape[1])
    guard let peak = matrix.peak else {
      return "\(title). Heat map of \(rows) rows and \(columns) columns without a finite number."
    }
    let (row, column) = (peak.index / columns, peak.index % columns)
    let rowName = rowLabels.map { "“\($0[row])”" } ?? "\(row)"
    let columnName = columnLabels.map { "“\($0[column])”" } ?? "\(column)"
    return
      "\(title). Heat map of \(rows) rows and \(columns) columns; the largest number is "
      + "\(Numeral.short(peak.number)) in row \(rowName), column \(columnName)."
  }
}
