public import Images
public import Tensors

/// How many small maps are drawn as one figure.
public struct PanelOptions: Sendable {
  /// The colours.
  public var map = ColourMap.viridis
  /// Which numbers become the ends of the colours.
  public var normalisation = Normalisation.zeroToMaximum
  /// Which panels share one scale.
  public var sharing = ScaleSharing.all
  /// What a number is, written at the colour bar.
  public var valueName: String?
  /// Sentences to add to the caption.
  public var note: String?

  /// The usual: viridis from 0 to the largest number of all panels.
  public init() {}
}

/// What small maps are laid over: a picture and the place of each patch on it.
public struct Backdrop: Sendable {
  /// The original picture.
  public let image: Image
  /// Where each patch lies on the picture in its pixels, row by row.
  public let patches: [Rectangle]

  /// Takes a picture and the rectangles of its patches.
  public init(_ image: Image, patches: [Rectangle]) {
    (self.image, self.patches) = (image, patches)
  }
}

extension Figure {
  /// A thumbnail for every layer and head: a row a layer, a column a head.
  ///
  /// - Parameters:
  ///   - maps: `[L, H, Y, X]`: maps over patches, or patterns of queries by keys. Patterns larger
  ///     than 64 on a side are joined in blocks by their largest number.
  ///   - layers: a label a row; nil for numbers from 0.
  ///   - heads: a label a column; nil for numbers from 0.
  public static func contactSheet(
    _ maps: Tensor, title: String, layers: [String]? = nil, heads: [String]? = nil,
    options: PanelOptions = PanelOptions()
  ) throws(FigureError) -> Figure {
    guard maps.rank == 4 else {
      throw .shape(figure: "contact sheet", found: maps.shape, expected: "[L, H, Y, X]")
    }
    let (layerCount, headCount) = (maps.shape[0], maps.shape[1])
    let layerNames = layers ?? (0..<layerCount).map(String.init)
    let headNames = heads ?? (0..<headCount).map(String.init)
    guard layerNames.count == layerCount else {
      throw .count(
        figure: "contact sheet", what: "layer labels", found: layerNames.count,
        expected: layerCount)
    }
    guard headNames.count == headCount else {
      throw .count(
        figure: "contact sheet", what: "head labels", found: headNames.count, expected: headCount)
    }
    let panels = maps.reshaped(layerCount * headCount, maps.shape[2], maps.shape[3])
    let sheet = try PanelSheet(
      panels, columns: headCount, options: options, backdrop: nil, name: "contact sheet")
    return sheet.figure(
      title: title, rowLabels: layerNames, columnLabels: headNames, rowAxis: "layer",
      columnAxis: "head",
      place: { "layer \(layerNames[$0 / headCount]), head \(headNames[$0 % headCount])" })
  }

  /// Where each query looks: a map a query, as a grid, over the picture where one is given.
  ///
  /// - Parameters:
  ///   - maps: `[Q, Y, X]`, a number a patch for each query.
  ///   - backdrop: the picture and its patches; nil for maps alone.
  ///   - labels: a label a map; nil for numbers from 0.
  ///   - columns: how many maps stand side by side; nil for a grid of about 4:3.
  public static func queryMaps(
    _ maps: Tensor, over backdrop: Backdrop? = nil, title: String, labels: [String]? = nil,
    columns: Int? = nil, options: PanelOptions = PanelOptions()
  ) throws(FigureError) -> Figure {
    guard maps.rank == 3 else {
      throw .shape(figure: "query maps", found: maps.shape, expected: "[Q, Y, X]")
    }
    let count = maps.shape[0]
    if let labels, labels.count != count {
      throw .count(figure: "query maps", what: "labels", found: labels.count, expected: count)
    }
    if let columns, columns < 1 {
      throw .range(
        figure: "query maps", what: "the number of columns", found: "\(columns)",
        expected: "1 or more")
    }
    var across = 1
    while across * across * 3 < count * 4 { across += 1 }
    let sheet = try PanelSheet(
      maps, columns: min(columns ?? across, max(1, count)), options: options, backdrop: backdrop,
      name: "query maps")
    let names = (labels ?? (0..<count).map(String.init)).map(Label.token)
    return sheet.figure(title: title, panelLabels: names, place: { "map \(names[$0])" })
  }

  /// How alike the patches are, as a grid of grids: at the place of each patch stands the map of
  /// its similarity to all patches.
  ///
  /// - Parameters:
  ///   - similarity: `[P, P]` with `P = rows · columns`, such as cosines of position embeddings.
  ///   - rows: the rows of patches.
  ///   - columns: the columns of patches.
  public static func similarityMaps(
    _ similarity: Tensor, rows: Int, columns: Int, title: String,
    options: PanelOptions = PanelOptions()
  ) throws(FigureError) -> Figure {
    let (count, overflows) = rows.multipliedReportingOverflow(by: columns)
    guard rows > 0, columns > 0, !overflows, similarity.shape == [count, count] else {
      throw .shape(
        figure: "similarity maps", found: similarity.shape,
        expected: "[P, P] with P = \(rows) · \(columns) patches")
    }
    // More than 16 panels on a side are too small to read.
    let every = (max(rows, columns) + 15) / 16
    let keptRows = Array(stride(from: 0, to: rows, by: every))
    let keptColumns = Array(stride(from: 0, to: columns, by: every))
    let kept = keptRows.flatMap { row in keptColumns.map { row * columns + $0 } }
    let panels = Tensor.concatenated(kept.map { similarity.rows($0..<$0 + 1) })
      .reshaped(kept.count, rows, columns)
    var options = options
    if options.normalisation == .zeroToMaximum { options.normalisation = .minimumToMaximum }
    let rule =
      "Each small map stands at its patch's place"
      + (every > 1 ? "; of every \(every) × \(every) patches the first is shown." : ".")
    options.note = [rule, options.note].compactMap { $0 }.joined(separator: " ")
    let sheet = try PanelSheet(
      panels, columns: keptColumns.count, options: options, backdrop: nil, name: "similarity maps")
    return sheet.figure(
      title: title, rowLabels: keptRows.map(String.init),
      columnLabels: keptColumns.map(String.init), rowAxis: "row of the patch",
      columnAxis: "column of the patch", place: { "the map of patch \(kept[$0])" })
  }
}
