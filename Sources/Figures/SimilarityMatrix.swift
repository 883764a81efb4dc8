internal import Budget
internal import Characters
public import Images
public import Tensors

/// What stands at the edge of a matrix: a text, a picture, or both.
public struct EdgeLabel: Sendable {
  /// The words.
  public let text: String
  /// The picture, drawn small.
  public let picture: Image?

  /// Takes a text and, where there is one, a picture.
  public init(_ text: String, picture: Image? = nil) { (self.text, self.picture) = (text, picture) }
}

extension Figure {
  /// How alike things are: a matrix of numbers with pictures and texts at its edges.
  ///
  /// - Parameters:
  ///   - matrix: `[R, C]`, at most 64 on a side.
  ///   - rows: what stands to the left, one a row.
  ///   - columns: what stands beneath, one a column.
  /// - Throws: `FigureError` where shape or counts do not fit.
  public static func similarityMatrix(
    _ matrix: Tensor, title: String, rows: [EdgeLabel], columns: [EdgeLabel],
    options: HeatmapOptions = HeatmapOptions()
  ) throws(FigureError) -> Figure {
    let name = "similarity matrix"
    guard matrix.rank == 2 else {
      throw .shape(figure: name, found: matrix.shape, expected: "[R, C]")
    }
    guard matrix.count > 0 else { throw .empty(figure: name, what: "cells") }
    for (labels, count, what) in [
      (rows, matrix.shape[0], "rows"), (columns, matrix.shape[1], "columns"),
    ] {
      guard labels.count == count else {
        throw .count(figure: name, what: what, found: labels.count, expected: count)
      }
      guard count <= 64 else {
        throw .range(
          figure: name, what: "the number of \(what)", found: "\(count)", expected: "at most 64")
      }
    }
    let scale = ColourScale(options.normalisation, map: options.map, of: [matrix])
    let plot = MatrixPlot(
      matrix: matrix, scale: scale, rows: rows, columns: columns, options: options)
    let caption = [scale.sentence, matrix.nonFiniteSentence, options.note].compactMap { $0 }
      .joined(separator: " ")
    var alt =
      "\(title). Matrix of \(rows.count.counted(as: "row")) and \(columns.count.counted(as: "column"))"
    if let peak = matrix.peak {
      alt +=
        "; the largest number is \(Numeral.short(peak.number)), of "
        + "“\(rows[peak.index / columns.count].text)” and "
        + "“\(columns[peak.index % columns.count].text)”"
    }
    return plot.drawing().framed(title: title, caption: caption, altText: alt + ".")
  }
}

/// The parts of a similarity matrix, placed.
private struct MatrixPlot {
  let matrix: Tensor
  let scale: ColourScale
  let rows, columns: [EdgeLabel]
  let options: HeatmapOptions
  /// The words at the edges as they are drawn.
  private let rowTexts, columnTexts: [String]

  init(
    matrix: Tensor, scale: ColourScale, rows: [EdgeLabel], columns: [EdgeLabel],
    options: HeatmapOptions
  ) {
    (self.matrix, self.scale, self.options) = (matrix, scale, options)
    (self.rows, self.columns) = (rows, columns)
    (rowTexts, columnTexts) = (Self.texts(rows), Self.texts(columns))
  }

  private static func texts(_ labels: [EdgeLabel]) -> [String] {
    ShortenedTexts.distinct(labels.map(\.text)) {
      Label.fittedAtEnds($0 + $1, width: 150, size: 9)
    }
  }

  /// The side of a picture at the edge, in points.
  private static let thumbnail = 44.0

  private var cell: (width: Double, height: Double) {
    let few = rows.count <= 16 && columns.count <= 16
    return (
      columns.contains { $0.picture != nil } ? Self.thumbnail + 4 : few ? 40 : 28,
      rows.contains { $0.picture != nil } ? Self.thumbnail + 4 : few ? 26 : 20
    )
  }

  func drawing() -> Drawing {
    var page = Drawing()
    let cell = cell
    let area = Rectangle(
      x: 0, y: 0, width: cell.width * Double(columns.count),
      height: cell.height * Double(rows.count))
    page.cells(NumberGrid(matrix, limit: 64), scale, in: area)
    writeNumbers(cell, on: &page)
    page.add(area, stroke: Stroke(.line, width: 0.5))
    for index in rows.indices {
      labelRow(index, middle: (Double(index) + 0.5) * cell.height, on: &page)
    }
    let isTurned = columnTexts.contains { Typesetter.width(of: $0, size: 9) > cell.width - 4 }
    for index in columns.indices {
      labelColumn(
        index, centre: (Double(index) + 0.5) * cell.width, below: area.maxY, isTurned: isTurned,
        on: &page)
    }
    page.colourBar(
      scale, at: Point(area.maxX + 14, 0), height: min(max(area.height, 90), 260),
      name: options.valueName)
    return page
  }

  private func writeNumbers(_ cell: (width: Double, height: Double), on page: inout Drawing) {
    let largest = matrix.elements.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    for (index, number) in matrix.elements.enumerated() where number.isFinite && !Stop.isRequested {
      page.centre(
        Numeral.cell(number, largest: largest),
        at: Point(
          (Double(index % columns.count) + 0.5) * cell.width,
          (Double(index / columns.count) + 0.5) * cell.height),
        size: 8, colour: scale.colour(number)?.contrasting ?? .white)
    }
  }

  /// A row's label, at the left of the matrix.
  private func labelRow(_ index: Int, middle: Double, on page: inout Drawing) {
    var right = -6.0
    if let picture = rows[index].picture {
      page.addThumbnail(picture, in: frame(picture, right: right, middle: middle))
      right -= Self.thumbnail + 6
    }
    page.add(
      Text(
        rowTexts[index],
        at: Point(right, middle + Text.dropFromMiddle(size: 9)), anchor: .end))
  }

  /// A column's label, beneath the matrix.
  private func labelColumn(
    _ index: Int, centre: Double, below bottom: Double, isTurned: Bool,
    on page: inout Drawing
  ) {
    var top = bottom + 6
    if let picture = columns[index].picture {
      page.addThumbnail(
        picture,
        in: frame(
          picture, right: centre + Self.thumbnail / 2, middle: top + Self.thumbnail / 2))
      top += Self.thumbnail + 4
    }
    let text = columnTexts[index]
    page.add(
      isTurned
        ? Text(text, at: Point(centre + 3, top + 6), anchor: .end, angle: -45)
        : Text(text, at: Point(centre, top + 9), anchor: .middle))
  }

  /// Where a picture is drawn, its proportions kept, in the square that ends at `right`.
  private func frame(_ picture: Image, right: Double, middle: Double) -> Rectangle {
    let longer = Double(max(picture.width, picture.height))
    let (width, height) = (
      Double(picture.width) / longer * Self.thumbnail,
      Double(picture.height) / longer * Self.thumbnail
    )
    return Rectangle(
      x: right - Self.thumbnail / 2 - width / 2, y: middle - height / 2, width: width,
      height: height)
  }
}
