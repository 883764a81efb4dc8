internal import Images
public import Tensors

/// How many small maps are drawn as one figure.
public struct PanelOptions: Sendable {
  /// The colours.
  public var map = ColourMap.viridis
  /// Which numbers become the ends of the colours.
  public var normalisation = Normalisation.zeroToMaximum
  /// Which panels share one scale.
  public var sharing = ScaleSharing.perPanel
  /// What a number is, written at the colour bar.
  public var valueName: String?
  /// Sentences to add to the caption.
  public var note: String?

  /// The usual: viridis from 0 to each panel's own largest number.
  public init() {}
}

extension Figure {
  /// A thumbnail for every block and head: a row a block, a column a head.
  ///
  /// - Parameters:
  ///   - maps: `[L, H, Y, X]`: maps over patches, or patterns of queries by keys. Patterns larger
  ///     than 64 on a side are joined in blocks by their largest number.
  ///   - backdrop: the picture and its patches, where the maps are over patches; nil for maps alone. It is
  ///     left out where a patch would be too small to be seen.
  ///   - blocks: a label a row; nil for numbers from 0.
  ///   - heads: a label a column; nil for numbers from 0.
  public static func contactSheet(
    _ maps: Tensor, over backdrop: Backdrop? = nil, title: String, blocks: [String]? = nil,
    heads: [String]? = nil, options: PanelOptions = PanelOptions()
  ) throws(FigureError) -> Figure {
    guard maps.rank == 4 else {
      throw .shape(figure: "contact sheet", found: maps.shape, expected: "[L, H, Y, X]")
    }
    let (blockCount, headCount) = (maps.shape[0], maps.shape[1])
    let blockNames = blocks ?? (0..<blockCount).map(String.init)
    let headNames = heads ?? (0..<headCount).map(String.init)
    guard blockNames.count == blockCount else {
      throw .count(
        figure: "contact sheet", what: "block labels", found: blockNames.count,
        expected: blockCount)
    }
    guard headNames.count == headCount else {
      throw .count(
        figure: "contact sheet", what: "head labels", found: headNames.count, expected: headCount)
    }
    let panels = maps.reshaped(blockCount * headCount, maps.shape[2], maps.shape[3])
    let sheet = try PanelSheet(
      panels, columns: headCount, options: options, backdrop: backdrop, name: "contact sheet")
    return try sheet.figure(
      title: title, rowLabels: blockNames, columnLabels: headNames, rowAxis: "block",
      columnAxis: "head",
      place: { "block \(blockNames[$0 / headCount]), head \(headNames[$0 % headCount])" })
  }

  /// Maps side by side, such as where each query looks, over the picture where one is given.
  ///
  /// - Parameters:
  ///   - maps: `[Q, Y, X]`, a number a patch for each map.
  ///   - backdrop: the picture and its patches; nil for maps alone.
  ///   - labels: what stands above each map; nil for numbers from 0.
  ///   - notes: a few words beneath each map; nil for none.
  ///   - columns: how many maps stand side by side; nil for a grid of about 4:3 whose last row is full
  ///     or nearly.
  public static func mapPanels(
    _ maps: Tensor, over backdrop: Backdrop? = nil, title: String, labels: [String]? = nil,
    notes: [String]? = nil, columns: Int? = nil, options: PanelOptions = PanelOptions()
  ) throws(FigureError) -> Figure {
    guard maps.rank == 3 else {
      throw .shape(figure: "maps", found: maps.shape, expected: "[Q, Y, X]")
    }
    let count = maps.shape[0]
    for (texts, what) in [(labels, "labels"), (notes, "notes")] {
      guard let texts, texts.count != count else { continue }
      throw .count(figure: "maps", what: what, found: texts.count, expected: count)
    }
    if let columns, columns < 1 {
      throw .range(
        figure: "maps", what: "the number of columns", found: "\(columns)",
        expected: "1 or more")
    }
    let sheet = try PanelSheet(
      maps, columns: min(columns ?? PanelSheet.columns(for: count), max(1, count)),
      options: options, backdrop: backdrop, name: "maps", isLabelled: true)
    let names = (labels ?? (0..<count).map(String.init)).map(Label.token)
    return try sheet.figure(
      title: title, panelLabels: names, panelNotes: notes, place: { "map \(names[$0])" })
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
    options.sharing = .all
    let rule =
      "Each small map stands at its patch's place"
      + (every > 1 ? "; of every \(every) × \(every) patches the first is shown." : ".")
    options.note = [rule, options.note].compactMap { $0 }.joined(separator: " ")
    let sheet = try PanelSheet(
      panels, columns: keptColumns.count, options: options, backdrop: nil, name: "similarity maps")
    return try sheet.figure(
      title: title, rowLabels: keptRows.map(String.init),
      columnLabels: keptColumns.map(String.init), rowAxis: "row of the patch",
      columnAxis: "column of the patch", place: { "the map of patch \(kept[$0])" })
  }
}
