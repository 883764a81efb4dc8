internal import Budget
public import Images
public import Tensors

/// How a map is laid over a picture.
public struct OverlayOptions: Sendable {
  /// The colours.
  public var map = ColourMap.viridis
  /// Which numbers become the ends of the colours.
  public var normalisation = Normalisation.zeroToMaximum
  /// What a number is, written at the colour bar.
  public var valueName: String?
  /// Whether the patch with the largest number gets a frame.
  public var framesLargest = true
  /// Sentences to add to the caption.
  public var note: String?

  /// The usual: viridis from 0 to the largest number.
  public init() {}
}

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

/// A map over a picture, pixel by pixel.
///
/// The picture keeps its own colours, dimmed. The stronger a number, the more its patch is lit and tinted;
/// around the patch runs a line in the number's own colour, which nothing is mixed into, so that the bar
/// is true on every ground.
public enum Overlay {
  /// How bright the picture is where nothing lies on it, of 1.
  static let dimmed: Float = 0.4
  /// How bright it is beneath the strongest number.
  private static let lit: Float = 0.75
  /// How much the colour of the strongest number covers of it.
  private static let tint: Float = 0.55
  /// Patches weaker than this share of the scale have no line: it would show more than they are.
  private static let faintest: Float = 0.06

  /// Lays the numbers of a map over a picture.
  ///
  /// A pixel belongs to the patch that its centre lies in. Pixels outside every patch, which the
  /// model did not see, become a flat pale grey with a trace of the picture. A patch without a
  /// number becomes magenta.
  ///
  /// - Parameters:
  ///   - map: a number a patch.
  ///   - backdrop: the picture, and as many patches as numbers.
  ///   - line: how wide the lines around patches are, in pixels of the picture.
  public static func blend(
    _ map: Tensor, over backdrop: Backdrop, scale: ColourScale, line: Double = 2
  ) throws(FigureError) -> Image {
    try backdrop.check(map.count, figure: "overlay")
    let image = backdrop.image
    let source = image.pixels
    var pixels = [UInt8](repeating: 0, count: source.count)
    Stop.parts(of: source.count / 3, size: 1 << 16) { part in
      for place in stride(from: part.lowerBound * 3, to: part.upperBound * 3, by: 3) {
        let pale = UInt8((grey(source, place) * 0.3 + 205 * 0.7).rounded())
        (pixels[place], pixels[place + 1], pixels[place + 2]) = (pale, pale, pale)
      }
    }
    for (number, patch) in zip(map.elements, backdrop.patches) where !Stop.isRequested {
      let position = scale.position(number)
      let colour = scale.colourOnPicture(number) ?? .invalid
      let weight = position.map { Self.weight(at: $0, of: scale.map) } ?? 1
      let brightness = dimmed + (lit - dimmed) * weight
      let share = tint * weight
      let (columns, rows) = patch.pixels(inWidth: image.width, height: image.height)
      // A line that would fill its patch tells nothing of what is beneath.
      let room = min(columns.count, rows.count) / 4
      let width = weight < faintest ? 0 : min(max(1, Int(line.rounded())), room)
      let (across, down) = (
        columns.dropFirst(width).dropLast(width), rows.dropFirst(width).dropLast(width)
      )
      for y in rows {
        let isInside = down.contains(y)
        for x in columns {
          let place = (y * image.width + x) * 3
          guard isInside, across.contains(x) else {
            (pixels[place], pixels[place + 1], pixels[place + 2]) =
              (colour.red, colour.green, colour.blue)
            continue
          }
          for (offset, channel) in [colour.red, colour.green, colour.blue].enumerated() {
            let ground = Float(source[place + offset]) * brightness
            pixels[place + offset] = UInt8(
              min(255, ((1 - share) * ground + share * Float(channel)).rounded()))
          }
        }
      }
    }
    return Image(width: image.width, height: image.height, pixels: pixels)
  }

  /// How strongly a place on the scale shows, from 0 to 1.
  private static func weight(at position: Float, of map: ColourMap) -> Float {
    map.isDiverging ? abs(2 * position - 1) : position
  }

  /// The luma of a pixel by ITU-R BT.601, as Pillow's `convert("L")` weighs it.
  private static func grey(_ pixels: [UInt8], _ place: Int) -> Float {
    0.299 * Float(pixels[place]) + 0.587 * Float(pixels[place + 1])
      + 0.114 * Float(pixels[place + 2])
  }

  /// How to read what `blend` makes.
  static let sentence =
    "The picture is dimmed; the stronger a patch, the brighter, and the line around it has the bar's "
    + "colour."

  /// What stands in a caption for the part that lies in no patch; nil where there is none.
  static func unseenSentence(of backdrop: Backdrop) -> String? {
    let image = backdrop.image
    var seen = [Bool](repeating: false, count: image.width * image.height)
    for patch in backdrop.patches where !Stop.isRequested {
      let (columns, rows) = patch.pixels(inWidth: image.width, height: image.height)
      for y in rows { for x in columns { seen[y * image.width + x] = true } }
    }
    let share = Double(seen.count { !$0 }) / Double(seen.count)
    return share > 0.0005
      ? "Pale: the \(Numeral.short(share * 100)) % that the model did not see." : nil
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

extension Figure {
  /// A map of one number a patch laid over the picture that the patches were cut from, exactly
  /// where they lie.
  ///
  /// - Parameters:
  ///   - map: `[Y, X]` numbers, a row of patches a row.
  ///   - backdrop: the picture and its patches.
  /// - Throws: `FigureError` where shape or counts do not fit.
  public static func overlay(
    _ map: Tensor, over backdrop: Backdrop, title: String,
    options: OverlayOptions = OverlayOptions()
  ) throws(FigureError) -> Figure {
    guard map.rank == 2 else {
      throw .shape(figure: "overlay", found: map.shape, expected: "[Y, X], a number a patch")
    }
    guard map.count > 0 else { throw .empty(figure: "overlay", what: "patches") }
    try backdrop.check(map.count, figure: "overlay")
    let scale = ColourScale(options.normalisation, map: options.map, of: [map])
    let stage = Stage(backdrop, side: 340)
    var page = Drawing()
    page.add(try stage.blended(map, scale), in: stage.area, sampling: .smooth)
    page.add(stage.area, stroke: Stroke(.line, width: 0.5))
    let peak = map.peak
    let frames = options.framesLargest && (peak?.number ?? 0) > scale.low
    if let peak, frames {
      let frame = stage.place(of: peak.index)
      page.add(frame, stroke: Stroke(.black, width: 3))
      page.add(frame, stroke: Stroke(.white, width: 1.5))
    }
    page.colourBar(
      scale.map.onPictures, ticks: scale.barTicks, at: Point(stage.area.maxX + 14, 0),
      height: min(max(stage.area.height, 90), 260), name: options.valueName)
    let caption = [
      scale.sentence, Overlay.sentence, frames ? "Framed in white: the largest." : nil,
      backdrop.note, Overlay.unseenSentence(of: stage.backdrop),
      map.nonFiniteSentence?.replacing(", hatched on magenta", with: ", magenta"), options.note,
    ].compactMap { $0 }.joined(separator: " ")
    let (rows, columns) = (map.shape[0], map.shape[1])
    let image = backdrop.image
    var alt = "\(title). Map of \(rows) by \(columns) patches over a picture of \(image.width) "
    alt += "by \(image.height) pixels"
    if let peak {
      let middle = backdrop.patches[peak.index].centre
      alt += "; the largest number is \(Numeral.short(peak.number)) in row "
      alt += "\(peak.index / columns), column \(peak.index % columns), around pixel "
      alt += "(\(Numeral.short(middle.x)), \(Numeral.short(middle.y)))"
    }
    return page.framed(title: title, caption: caption, altText: alt + ".")
  }

  /// The picture with the outlines of its patches, the numbers of rows and columns at its edges, and
  /// where there is room each patch's own number, row by row from 0.
  ///
  /// - Parameters:
  ///   - backdrop: the picture and its patches.
  ///   - highlighted: numbers of patches to frame.
  public static func patchGrid(
    _ backdrop: Backdrop, title: String, highlighted: [Int] = []
  ) throws(FigureError) -> Figure {
    let patches = backdrop.patches
    guard !patches.isEmpty else { throw .empty(figure: "patch grid", what: "patches") }
    if let outside = highlighted.first(where: { !patches.indices.contains($0) }) {
      throw .range(
        figure: "patch grid", what: "a patch to frame", found: "\(outside)",
        expected: "0 to \(patches.count - 1)")
    }
    let stage = Stage(backdrop, side: 400)
    var page = Drawing()
    page.add(stage.image, in: stage.area, sampling: .smooth)
    let places = patches.indices.map(stage.place(of:))
    let drawable = places.filter { Mark.shape(Path($0), fill: nil, stroke: nil).isDrawable }
    let outlines = Path(drawable.flatMap { Path($0).steps })
    page.add(outlines, stroke: Stroke(Colour(0, 0, 0, opacity: 0.55), width: 1))
    page.add(outlines, stroke: Stroke(.white, width: 0.4))
    for index in highlighted {
      page.add(places[index], stroke: Stroke(.black, width: 3))
      page.add(places[index], stroke: Stroke(Colour(255, 221, 51), width: 1.8))
    }
    page.numberEdges(of: places, around: stage.area)
    let last = Typesetter.width(of: "\(patches.count - 1)", size: 9)
    let smallest = places.map { min($0.width, $0.height * 1.6) }.min() ?? 0
    // Every patch is numbered where three digits fit.
    let size = min(9, max(6, 9 * (smallest - 3) / max(last, 1)))
    let fits = last * size / 9 <= smallest - 2
    for (index, place) in places.enumerated() where fits {
      let label = "\(index)"
      let width = Typesetter.width(of: label, size: size)
      let height = size * 0.73 + 3
      let shade = Rectangle(x: place.x + 1, y: place.y + 1, width: width + 3, height: height)
      page.add(shade, fill: Colour(0, 0, 0, opacity: 0.55))
      page.add(
        Text(
          label, at: Point(shade.x + 1.5, shade.maxY - 1.5), size: size, colour: .white),
        width: width)
    }
    let caption = [
      "\(patches.count) patches on a picture of \(backdrop.image.width) × \(backdrop.image.height) "
        + "pixels; rows at the left and columns above count from 0"
        + (fits ? ", and so do the patches, row by row." : "."), backdrop.note,
    ].compactMap { $0 }.joined(separator: " ")
    return page.framed(
      title: title, caption: caption,
      altText: "\(title). \(caption)")
  }
}

extension Drawing {
  /// Numbers the rows of patches at the left of a picture and the columns above it.
  fileprivate mutating func numberEdges(of places: [Rectangle], around area: Rectangle) {
    guard let first = places.first else { return }
    func isLevel(_ one: Rectangle, _ two: Rectangle) -> Bool { abs(one.y - two.y) < two.height / 2 }
    let columns = places.prefix { isLevel($0, first) }
    let rows = places.indices.filter { $0 == 0 || !isLevel(places[$0], places[$0 - 1]) }
      .map { places[$0] }
    let size = Self.labelSize
    func every(_ count: Int, _ room: Double, _ needed: Double) -> Int {
      room > 0.01 ? max(1, Int((needed / room).rounded(.up))) : max(1, count)
    }
    let wide = Typesetter.width(of: "\(columns.count)", size: size) + 4
    let step = every(columns.count, first.width, wide)
    for (number, place) in columns.enumerated() where number.isMultiple(of: step) {
      add(
        Text("\(number)", at: Point(place.centre.x, area.y - 5), anchor: .middle, colour: .quietInk)
      )
    }
    let down = every(rows.count, first.height, size + 2)
    for (number, place) in rows.enumerated() where number.isMultiple(of: down) {
      add(
        Text(
          "\(number)", at: Point(area.x - 6, place.centre.y + Text.dropFromMiddle(size: size)),
          anchor: .end, colour: .quietInk))
    }
    add(
      Text(
        "column", at: Point(area.centre.x, area.y - 18), anchor: .middle, size: Self.axisSize))
    add(
      Text(
        "row", at: Point(area.x - 24, area.centre.y), anchor: .middle, size: Self.axisSize,
        angle: -90))
  }
}
