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
      // Around the patch, so that its own line stays to be seen.
      let patch = stage.place(of: peak.index)
      let frame = Rectangle(
        x: patch.x - 1.5, y: patch.y - 1.5, width: patch.width + 3, height: patch.height + 3)
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
}
