internal import Images
internal import Tensors

/// Small maps in a grid, and the scales that colour them.
struct PanelSheet {
  private let maps: Tensor
  private let columns: Int
  private let options: PanelOptions
  private let grids: [NumberGrid]
  private let scales: [ColourScale]
  private let stage: Stage?
  private let size: (width: Double, height: Double)

  /// The most cells that a panel has on a side.
  static let sideLimit = 64
  /// The most panels on a figure.
  static let panelLimit = 4096

  /// - Parameter maps: `[N, Y, X]`.
  init(
    _ maps: Tensor, columns: Int, options: PanelOptions, backdrop: Backdrop?, name: String
  ) throws(FigureError) {
    guard maps.count > 0 else { throw .empty(figure: name, what: "maps") }
    let (count, height, width) = (maps.shape[0], maps.shape[1], maps.shape[2])
    guard count <= Self.panelLimit else {
      throw .range(
        figure: name, what: "the number of maps", found: "\(count)",
        expected: "at most \(Self.panelLimit); draw a range of them")
    }
    if let backdrop, backdrop.patches.count != height * width {
      throw .count(
        figure: name, what: "patch rectangles", found: backdrop.patches.count,
        expected: height * width)
    }
    (self.maps, self.columns, self.options) = (maps, columns, options)
    let panels = (0..<count).map { maps.row($0) }
    grids = panels.map { NumberGrid($0, limit: Self.sideLimit) }
    switch options.sharing {
    case .all:
      let shared = ColourScale(
        options.normalisation, map: options.map, of: [maps], scope: "all maps")
      scales = Array(repeating: shared, count: count)
    case .perRow:
      scales = stride(from: 0, to: count, by: columns).flatMap { first in
        let row = Array(panels[first..<min(count, first + columns)])
        let shared = ColourScale(
          options.normalisation, map: options.map, of: row, scope: "each row")
        return Array(repeating: shared, count: row.count)
      }
    case .perPanel:
      scales = panels.map {
        ColourScale(options.normalisation, map: options.map, of: [$0], scope: "each map")
      }
    }
    let rows = (count + columns - 1) / columns
    // A page of about 560 × 640 points, panels of 14 to 130.
    let room = min(130, max(14, min((560 / Double(columns)) - 4, 640 / Double(rows) - 4)))
    if let backdrop {
      let stage = Stage(backdrop.image, backdrop.patches, side: room.rounded(.down))
      self.stage = stage
      size = (stage.area.width, stage.area.height)
    } else {
      stage = nil
      let (cellsDown, cellsAcross) = (grids[0].rows, grids[0].columns)
      let cell = room / Double(max(cellsDown, cellsAcross))
      // Whole points a cell where there is room for one.
      let side = cell >= 1 ? cell.rounded(.down) : cell
      size = (side * Double(cellsAcross), side * Double(cellsDown))
    }
  }

  /// The sheet with labels for rows and columns, or one above each panel.
  func figure(
    title: String, rowLabels: [String]? = nil, columnLabels: [String]? = nil,
    panelLabels: [String]? = nil, rowAxis: String? = nil, columnAxis: String? = nil,
    place: (Int) -> String
  ) -> Figure {
    var page = Drawing()
    let gap = 4.0
    let head = panelLabels == nil ? 0 : 12.0
    let (stepX, stepY) = (size.width.rounded(.up) + gap, size.height.rounded(.up) + gap + head)
    for index in grids.indices {
      let area = Rectangle(
        x: Double(index % columns) * stepX, y: Double(index / columns) * stepY + head,
        width: size.width, height: size.height)
      draw(index, in: area, on: &page)
      page.add(area, stroke: Stroke(.line, width: 0.4))
      if let panelLabels {
        let label = Label.fitted(panelLabels[index], width: size.width, size: 9)
        page.add(Text(label, at: Point(area.x, area.y - 3)))
      }
    }
    let rowCount = (grids.count + columns - 1) / columns
    let sheetWidth = Double(min(columns, grids.count)) * stepX - gap
    let sheetHeight = Double(rowCount) * stepY - gap
    if let rowLabels {
      let every = max(1, Int((11 / stepY).rounded(.up)))
      for row in stride(from: 0, to: rowLabels.count, by: every) {
        let y = Double(row) * stepY + head + size.height / 2
        let label = Label.fitted(rowLabels[row], width: 120, size: 9)
        page.add(Text(label, at: Point(-6, y + Text.dropFromMiddle(size: 9)), anchor: .end))
      }
    }
    if let rowAxis {
      page.add(
        Text(
          rowAxis, at: Point((page.bounds?.x ?? 0) - 6, sheetHeight / 2), anchor: .middle,
          size: Drawing.axisSize, angle: -90))
    }
    if let columnLabels {
      let fitted = columnLabels.map { Label.fitted($0, width: 60, size: 9) }
      let widest = fitted.map { Typesetter.width(of: $0, size: 9) }.max() ?? 0
      let every = max(1, Int(((widest + 4) / stepX).rounded(.up)))
      for column in stride(from: 0, to: fitted.count, by: every) {
        let x = Double(column) * stepX + size.width / 2
        page.add(Text(fitted[column], at: Point(x, -5), anchor: .middle))
      }
    }
    if let columnAxis {
      page.add(
        Text(
          columnAxis, at: Point(sheetWidth / 2, -18), anchor: .middle, size: Drawing.axisSize))
    }
    if options.sharing == .all {
      page.colourBar(
        scales[0], at: Point((page.bounds?.maxX ?? sheetWidth) + 14, 0),
        height: min(max(sheetHeight, 90), 260), name: options.valueName,
        shown: stage.map { Overlay.barColours(of: scales[0], on: $0.image) })
    }
    return page.framed(
      title: title, caption: caption, altText: altText(title: title, place: place))
  }

  private func draw(_ index: Int, in area: Rectangle, on page: inout Drawing) {
    guard let stage else {
      page.cells(grids[index], scales[index], in: area)
      return
    }
    // The counts were checked in `init`, so blending cannot fail.
    if let blended = try? Overlay.blend(
      maps.row(index), on: stage.image, patches: stage.patches, scale: scales[index])
    {
      page.add(blended, in: area, sampling: .smooth)
    }
  }

  private var caption: String {
    let scale: String
    switch options.sharing {
    case .all: scale = scales[0].sentence + " One scale for all maps: colours compare."
    case .perRow:
      scale =
        "Colours: \(options.map.name), a scale for each row: colours do not compare between "
        + "rows."
    case .perPanel:
      scale =
        "Colours: \(options.map.name), a scale for each map: colours do not compare between "
        + "maps."
    }
    return [
      scale,
      stage == nil
        ? grids[0].sentence
        : "Mixed with the grey picture"
          + (options.sharing == .all ? "; the bar with its median grey." : "."),
      maps.nonFiniteSentence, options.note,
    ].compactMap { $0 }.joined(separator: " ")
  }

  private func altText(title: String, place: (Int) -> String) -> String {
    let (count, height, width) = (maps.shape[0], maps.shape[1], maps.shape[2])
    var text = "\(title). \(count) maps of \(height) by \(width)"
    if let peak = maps.peak {
      let inside = peak.index % (height * width)
      text += "; the largest number is \(Numeral.short(peak.number)) in "
      text += "\(place(peak.index / (height * width))), row \(inside / width), "
      text += "column \(inside % width)"
    }
    return text + "."
  }
}
