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
  private let note: String?
  private let isLabelled: Bool

  /// The most cells that a panel has on a side.
  static let sideLimit = 64
  /// The fewest points across a patch with which a picture is drawn beneath.
  private static let smallestPatch = 2.5
  /// The most panels on a figure.
  static let panelLimit = 4096

  /// - Parameters:
  ///   - maps: `[N, Y, X]`.
  ///   - isLabelled: whether each panel is going to have a label of its own.
  init(
    _ maps: Tensor, columns: Int, options: PanelOptions, backdrop: Backdrop?, name: String,
    isLabelled: Bool = false
  ) throws(FigureError) {
    guard maps.count > 0 else { throw .empty(figure: name, what: "maps") }
    let (count, height, width) = (maps.shape[0], maps.shape[1], maps.shape[2])
    guard count <= Self.panelLimit else {
      throw .range(
        figure: name, what: "the number of maps", found: "\(count)",
        expected: "at most \(Self.panelLimit); draw a range of them")
    }
    try backdrop?.check(height * width, figure: name)
    (self.maps, self.columns, self.options) = (maps, columns, options)
    let panels = (0..<count).map { maps.row($0) }
    grids = panels.map { NumberGrid($0, limit: Self.sideLimit) }
    switch options.sharing {
    case .all:
      let shared = ColourScale(
        options.normalisation, map: options.map, of: [maps], scope: "all maps")
      scales = Array(repeating: shared, count: count)
    case .perPanel:
      scales = panels.map {
        ColourScale(options.normalisation, map: options.map, of: [$0], scope: "each map")
      }
    }
    let rows = (count + columns - 1) / columns
    // A page of about 560 × 640 points, panels of 14 to 130.
    let room = min(130, max(14, min((560 / Double(columns)) - 4, 640 / Double(rows) - 4)))
    let stage = backdrop.map { Stage($0, side: room.rounded(.down)) }
    if let stage, stage.smallestPatch >= Self.smallestPatch {
      self.stage = stage
      size = (stage.area.width, stage.area.height)
    } else {
      self.stage = nil
      let (cellsDown, cellsAcross) = (grids[0].rows, grids[0].columns)
      let cell = room / Double(max(cellsDown, cellsAcross))
      // Whole points a cell where there is room for one.
      let side = cell >= 1 ? cell.rounded(.down) : cell
      size = (side * Double(cellsAcross), side * Double(cellsDown))
    }
    note = backdrop?.note
    self.isLabelled = isLabelled
  }

  /// How many maps stand side by side, so that the grid is about 4:3 and its last row full or nearly.
  static func columns(for count: Int) -> Int {
    let wanted = (Double(max(1, count)) * 4 / 3).squareRoot()
    func cost(_ columns: Int) -> Double {
      let rest = count % columns
      let gaps = rest == 0 ? 0 : columns - rest
      let isOrphaned = rest == 1 && columns > 1
      // Of two that fit alike the wider.
      let distance = abs(Double(columns) - wanted) + (Double(columns) < wanted ? 0.1 : 0)
      return Double(gaps) + distance + (isOrphaned ? 8 : 0)
    }
    let candidates = max(1, Int(wanted * 0.6))...(Int(wanted * 1.6) + 1)
    return candidates.filter { $0 <= max(1, count) }.min { cost($0) < cost($1) } ?? 1
  }

  /// Whether each map's largest number is written above it: where there is room, beside a label too.
  private var writesLargest: Bool {
    options.sharing == .perPanel && size.width >= (isLabelled ? 40 : 30)
  }

  /// The sheet with labels for rows and columns, or one above each panel.
  ///
  /// - Parameter panelNotes: a few words beneath each panel.
  func figure(
    title: String, rowLabels: [String]? = nil, columnLabels: [String]? = nil,
    panelLabels: [String]? = nil, panelNotes: [String]? = nil, rowAxis: String? = nil,
    columnAxis: String? = nil, place: (Int) -> String
  ) throws(FigureError) -> Figure {
    var page = Drawing()
    let gap = 4.0
    let head = panelLabels != nil ? 12.0 : writesLargest ? 9.0 : 0
    let foot = panelNotes == nil ? 0 : 14.0
    let (stepX, stepY) = (
      size.width.rounded(.up) + gap, size.height.rounded(.up) + gap + head + foot
    )
    for index in grids.indices {
      let area = Rectangle(
        x: Double(index % columns) * stepX, y: Double(index / columns) * stepY + head,
        width: size.width, height: size.height)
      try draw(index, in: area, on: &page)
      page.add(area, stroke: Stroke(.line, width: 0.4))
      var room = size.width
      if writesLargest {
        let text = maps.row(index).peak.map { Numeral.short($0.number) } ?? "–"
        let width = Typesetter.width(of: text, size: 7)
        page.add(
          Text(
            text, at: Point(area.maxX, area.y - 2.5), anchor: .end, size: 7, colour: .quietInk),
          width: width)
        room -= width + 4
      }
      if let panelLabels {
        let label = Label.fitted(panelLabels[index], width: room, size: 9)
        page.add(Text(label, at: Point(area.x, area.y - 3)))
      }
      if let panelNotes {
        let text = Label.fitted(panelNotes[index], width: size.width, size: 8)
        page.add(Text(text, at: Point(area.x, area.maxY + 10), size: 8, colour: .quietInk))
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
    page.colourBar(
      stage == nil ? options.map.colours : options.map.onPictures, ticks: barTicks,
      at: Point((page.bounds?.maxX ?? sheetWidth) + 14, 0),
      height: min(max(sheetHeight, 90), 260), name: options.valueName)
    return page.framed(
      title: title, caption: caption, altText: altText(title: title, place: place))
  }

  private func draw(
    _ index: Int, in area: Rectangle, on page: inout Drawing
  ) throws(FigureError) {
    if let stage {
      page.add(try stage.blended(maps.row(index), scales[index]), in: area, sampling: .smooth)
    } else {
      page.cells(grids[index], scales[index], in: area)
    }
  }

  /// Whether every map's scale begins with 0.
  private var beginsWithZero: Bool { scales.allSatisfy { $0.low == 0 } }

  private var barTicks: [BarTick] {
    guard options.sharing == .perPanel else { return scales[0].barTicks }
    return [
      BarTick(position: 0, label: beginsWithZero ? "0" : "smallest"),
      BarTick(position: 1, label: "largest"),
    ]
  }

  private var caption: String {
    let scale: String =
      switch options.sharing {
      case .all: scales[0].sentence + " One scale for all maps: colours compare."
      case .perPanel:
        "Colours: \(options.map.name), for each map from "
          + (beginsWithZero ? "0" : "its smallest") + " to its own largest number"
          + (writesLargest ? ", which stands above it" : "")
          + ": colours do not compare between maps."
      }
    return [
      scale, stage == nil ? grids[0].sentence : Overlay.sentence, note,
      stage.flatMap { Overlay.unseenSentence(of: $0.backdrop) }, maps.nonFiniteSentence,
      options.note,
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
