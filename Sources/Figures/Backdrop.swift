public import Images
internal import Tensors

/// What maps are laid over: a picture and the place of each patch on it.
public struct Backdrop: Sendable {
  /// The original picture.
  public let image: Image
  /// Where each patch lies on the picture in its pixels, row by row.
  public let patches: [Rectangle]
  /// What a model does to the picture before it looks, in a sentence for the caption; nil for nothing.
  public let note: String?

  /// Takes a picture and the rectangles of its patches.
  public init(_ image: Image, patches: [Rectangle], note: String? = nil) {
    (self.image, self.patches, self.note) = (image, patches, note)
  }

  /// Fails where a map has another number of patches.
  func check(_ count: Int, figure: String) throws(FigureError) {
    guard patches.count == count else {
      throw .count(figure: figure, what: "patch rectangles", found: patches.count, expected: count)
    }
  }
}

/// A backdrop at the size at which a figure shows it.
struct Stage {
  let backdrop: Backdrop
  /// Points on the figure to a pixel of the picture.
  let pointsPerPixel: Double

  var image: Image { backdrop.image }
  private var patches: [Rectangle] { backdrop.patches }

  /// Enlarges small pictures by a whole factor and reduces large ones, then fits the longer side
  /// to `side` points.
  init(_ original: Backdrop, side: Double) {
    let (image, patches) = (original.image, original.patches)
    let longest = max(image.width, image.height)
    let wanted = Int((side * 2).rounded())
    if longest * 2 <= wanted {
      let factor = max(1, wanted / longest)
      backdrop = Backdrop(
        image.enlarged(by: factor),
        patches: patches.map { $0.scaled(Double(factor), Double(factor)) })
    } else if longest > wanted * 2 {
      let width = max(1, image.width * wanted / longest)
      let height = max(1, image.height * wanted / longest)
      let across = Double(width) / Double(image.width)
      let down = Double(height) / Double(image.height)
      backdrop = Backdrop(
        image.resized(width: width, height: height, by: .bilinear),
        patches: patches.map { $0.scaled(across, down) })
    } else {
      backdrop = original
    }
    pointsPerPixel = side / Double(max(backdrop.image.width, backdrop.image.height))
  }

  var area: Rectangle {
    Rectangle(
      x: 0, y: 0, width: Double(image.width) * pointsPerPixel,
      height: Double(image.height) * pointsPerPixel)
  }

  func place(of patch: Int) -> Rectangle {
    patches[patch].scaled(pointsPerPixel, pointsPerPixel)
  }

  /// The shorter side of the smallest patch, in points.
  var smallestPatch: Double {
    patches.map { min($0.width, $0.height) }.min().map { $0 * pointsPerPixel } ?? 0
  }

  /// The picture with a map on it.
  func blended(_ map: Tensor, _ scale: ColourScale) throws(FigureError) -> Image {
    let line = min(1.5, max(0.5, smallestPatch / 14))
    return try Overlay.blend(map, over: backdrop, scale: scale, line: line / pointsPerPixel)
  }
}
