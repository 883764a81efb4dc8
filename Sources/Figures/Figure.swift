internal import Budget
public import Images

/// A finished drawing: a value that can be kept, compared, and written as PNG, SVG or PDF.
///
/// The same figure always gives the same bytes, on any day.
public struct Figure: Sendable, Equatable {
  /// What the figure shows, in a few words; drawn above it.
  public let title: String
  /// The width in points (1/72 inch).
  public let width: Double
  /// The height in points.
  public let height: Double
  /// What is drawn, the later above the earlier.
  public let marks: [Mark]
  /// What the figure says, for someone who cannot see it, with numbers from the data.
  public let altText: String
  /// How to read it: normalisation, rules of reduction, what was left out; drawn beneath it.
  public let caption: String

  /// Takes a finished list of marks.
  ///
  /// - Parameters:
  ///   - width: in points; at least 1.
  ///   - height: in points; at least 1.
  public init(
    title: String, width: Double, height: Double, marks: [Mark], altText: String, caption: String
  ) {
    self.title = Label.visible(title)
    self.width = width.isFinite ? max(1, width.rounded(.up)) : 1
    self.height = height.isFinite ? max(1, height.rounded(.up)) : 1
    self.marks = marks
    self.altText = Label.visible(altText)
    self.caption = Label.visible(caption)
  }

  /// The most pixels that a side of a drawn picture may have.
  public static let sideLimit = 16_384

  /// The figure as pixels on white, `scale` to a point.
  public func image(scale: Double = 2) throws(FigureError) -> Image {
    guard scale.isFinite, scale > 0 else {
      throw .range(figure: title, what: "the scale", found: "\(scale)", expected: "more than 0")
    }
    let limit = Double(Self.sideLimit)
    let (columns, rows) = ((width * scale).rounded(), (height * scale).rounded())
    guard columns <= limit, rows <= limit else {
      throw .tooLarge(
        width: Int(min(columns, 1e9)), height: Int(min(rows, 1e9)), limit: Self.sideLimit)
    }
    // The page has four bytes a pixel, the picture made of it three.
    do {
      try MemoryGate.take(
        Int(columns) * Int(rows), of: 7, for: "a picture of \(Int(columns)) × \(Int(rows)) pixels")
    } catch {
      throw .memory(error)
    }
    return try CairoPage.pixels(
      of: self, scale: scale, width: max(1, Int(columns)), height: max(1, Int(rows)))
  }

  /// The figure as a PNG file, `scale` pixels to a point.
  public func png(scale: Double = 2) throws(FigureError) -> [UInt8] {
    try image(scale: scale).png()
  }

  /// The figure as an SVG file: text stays text, title and description are in it, and nothing in it
  /// runs or is fetched.
  public func svg() -> [UInt8] { SVGWriter.written(self) }

  /// The figure as a PDF file of one page.
  public func pdf() throws(FigureError) -> [UInt8] { try CairoPage.pdf(of: self) }
}
