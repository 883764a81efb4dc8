internal import Budget
public import Images
public import Tensors

/// How a map is laid over a picture.
public struct OverlayOptions: Sendable {
  /// The colours.
  public var map = ColourMap.viridis
  /// Which numbers become the ends of the colours.
  public var normalisation = Normalisation.zeroToMaximum
  /// How much of the picture the colour of the largest number covers: 0 nothing, 1 all.
  public var strength: Float = 0.6
  /// What a number is, written at the colour bar.
  public var valueName: String?
  /// Whether the picture itself stands to the left.
  public var showsPicture = false
  /// Whether the patch with the largest number gets a frame.
  public var framesLargest = true
  /// Sentences to add to the caption.
  public var note: String?

  /// The usual: viridis from 0 to the largest number.
  public init() {}
}

/// A map over a picture, pixel by pixel.
public enum Overlay {
  /// Mixes a picture turned grey with the colours of a map: `(1 − s·w)·grey + s·w·colour(m)`, where
  /// `m` is the number's place on the scale from 0 to 1, `s` the strength, and the weight `w` is `m`,
  /// of a diverging map its distance from the middle, `|2m − 1|`.
  ///
  /// A pixel belongs to the patch that its centre lies in. Pixels outside every patch, which the
  /// model did not see, become a flat pale grey with a trace of the picture. A patch without a
  /// number becomes magenta.
  ///
  /// - Parameters:
  ///   - map: a number a patch.
  ///   - patches: where each patch lies on `image`, in pixels; as many as numbers.
  public static func blend(
    _ map: Tensor, on image: Image, patches: [Rectangle], scale: ColourScale,
    strength: Float = 0.6
  ) throws(FigureError) -> Image {
    guard patches.count == map.count else {
      throw .count(
        figure: "overlay", what: "patch rectangles", found: patches.count, expected: map.count)
    }
    guard strength >= 0, strength <= 1 else {
      throw .range(
        figure: "overlay", what: "the strength", found: "\(strength)", expected: "0 to 1")
    }
    let source = image.pixels
    var pixels = [UInt8](repeating: 0, count: source.count)
    Stop.parts(of: source.count / 3, size: 1 << 16) { part in
      for place in stride(from: part.lowerBound * 3, to: part.upperBound * 3, by: 3) {
        let pale = UInt8((grey(source, place) * 0.3 + 205 * 0.7).rounded())
        (pixels[place], pixels[place + 1], pixels[place + 2]) = (pale, pale, pale)
      }
    }
    for (number, patch) in zip(map.elements, patches) where !Stop.isRequested {
      let position = scale.position(number)
      let colour = scale.colour(number) ?? .invalid
      let share = strength * (position.map { weight(at: $0, of: scale.map) } ?? 1)
      let (columns, rows) = patch.pixels(inWidth: image.width, height: image.height)
      for y in rows {
        for x in columns {
          let place = (y * image.width + x) * 3
          let mixed = mix(colour, into: grey(source, place), share: share)
          pixels[place] = mixed.red
          pixels[place + 1] = mixed.green
          pixels[place + 2] = mixed.blue
        }
      }
    }
    return Image(width: image.width, height: image.height, pixels: pixels)
  }

  /// How strongly the colour of a place on the scale covers the picture, from 0 to 1.
  private static func weight(at position: Float, of map: ColourMap) -> Float {
    map.isDiverging ? abs(2 * position - 1) : position
  }

  private static func mix(_ colour: Colour, into grey: Float, share: Float) -> Colour {
    let base = (1 - share) * grey
    func channel(_ byte: UInt8) -> UInt8 {
      UInt8(min(255, (base + share * Float(byte)).rounded()))
    }
    return Colour(channel(colour.red), channel(colour.green), channel(colour.blue))
  }

  /// The colours of a scale as they look on a picture: mixed with its median grey.
  static func barColours(
    of scale: ColourScale, on image: Image, strength: Float = 0.6
  ) -> [Colour] {
    var counts = [Int](repeating: 0, count: 256)
    Stop.parts(of: image.pixels.count / 3, size: 1 << 16) { part in
      for place in stride(from: part.lowerBound * 3, to: part.upperBound * 3, by: 3) {
        counts[Int(grey(image.pixels, place))] += 1
      }
    }
    var (median, below) = (0, counts[0])
    while median < 255, below * 2 < image.width * image.height {
      median += 1
      below += counts[median]
    }
    return scale.map.colours.enumerated().map { index, colour in
      let share = strength * weight(at: Float(index) / 255, of: scale.map)
      return mix(colour, into: Float(median), share: share)
    }
  }

  /// The luma of a pixel by ITU-R BT.601, as Pillow's `convert("L")` weighs it.
  private static func grey(_ pixels: [UInt8], _ place: Int) -> Float {
    0.299 * Float(pixels[place]) + 0.587 * Float(pixels[place + 1])
      + 0.114 * Float(pixels[place + 2])
  }

  /// The share of the picture's pixels that lie in no patch.
  static func unseenShare(of image: Image, patches: [Rectangle]) -> Double {
    var seen = [Bool](repeating: false, count: image.width * image.height)
    for patch in patches where !Stop.isRequested {
      let (columns, rows) = patch.pixels(inWidth: image.width, height: image.height)
      for y in rows { for x in columns { seen[y * image.width + x] = true } }
    }
    return Double(seen.count { !$0 }) / Double(seen.count)
  }
}

/// A picture at the size at which a figure shows it, with the patches on it.
struct Stage {
  let image: Image
  let patches: [Rectangle]
  /// Points on the figure to a pixel of `image`.
  let pointsPerPixel: Double

  /// Enlarges small pictures by a whole factor and reduces large ones, then fits the longer side
  /// to `side` points.
  init(_ image: Image, _ patches: [Rectangle], side: Double) {
    let longest = max(image.width, image.height)
    let wanted = Int((side * 2).rounded())
    if longest * 2 <= wanted {
      let factor = max(1, wanted / longest)
      self.image = image.enlarged(by: factor)
      self.patches = patches.map { $0.scaled(Double(factor), Double(factor)) }
    } else if longest > wanted * 2 {
      let width = max(1, image.width * wanted / longest)
      let height = max(1, image.height * wanted / longest)
      self.image = image.resized(width: width, height: height, by: .bilinear)
      let across = Double(width) / Double(image.width)
      let down = Double(height) / Double(image.height)
      self.patches = patches.map { $0.scaled(across, down) }
    } else {
      (self.image, self.patches) = (image, patches)
    }
    pointsPerPixel = side / Double(max(self.image.width, self.image.height))
  }

  var area: Rectangle {
    Rectangle(
      x: 0, y: 0, width: Double(image.width) * pointsPerPixel,
      height: Double(image.height) * pointsPerPixel)
  }

  func place(of patch: Int) -> Rectangle {
    patches[patch].scaled(pointsPerPixel, pointsPerPixel)
  }
}

extension Figure {
  /// A map of one number a patch laid over the picture that the patches were cut from, exactly
  /// where they lie.
  ///
  /// - Parameters:
  ///   - map: `[Y, X]` numbers, a row of patches a row.
  ///   - image: the original picture.
  ///   - patches: where each patch lies on the original picture in its pixels, row by row.
  /// - Throws: `FigureError` where shape or counts do not fit.
  public static func overlay(
    _ map: Tensor, on image: Image, patches: [Rectangle], title: String,
    options: OverlayOptions = OverlayOptions()
  ) throws(FigureError) -> Figure {
    guard map.rank == 2 else {
      throw .shape(figure: "overlay", found: map.shape, expected: "[Y, X], a number a patch")
    }
    guard map.count > 0 else { throw .empty(figure: "overlay", what: "patches") }
    guard patches.count == map.count else {
      throw .count(
        figure: "overlay", what: "patch rectangles", found: patches.count, expected: map.count)
    }
    let scale = ColourScale(options.normalisation, map: options.map, of: [map])
    let stage = Stage(image, patches, side: options.showsPicture ? 260 : 340)
    let blended = try Overlay.blend(
      map, on: stage.image, patches: stage.patches, scale: scale, strength: options.strength)
    var page = Drawing()
    let area = stage.area
    var left = 0.0
    if options.showsPicture {
      page.add(stage.image, in: area, sampling: .smooth)
      page.add(area, stroke: Stroke(.line, width: 0.5))
      left = area.width.rounded(.up) + 12
    }
    let place = area.moved(left, 0)
    page.add(blended, in: place, sampling: .smooth)
    page.add(place, stroke: Stroke(.line, width: 0.5))
    let peak = map.peak
    let frames = options.framesLargest && (peak?.number ?? 0) > scale.low
    if let peak, frames {
      let frame = stage.place(of: peak.index).moved(left, 0)
      page.add(frame, stroke: Stroke(.black, width: 2))
      page.add(frame, stroke: Stroke(.white, width: 1))
    }
    page.colourBar(
      scale, at: Point(place.maxX + 14, 0), height: min(max(area.height, 90), 260),
      name: options.valueName,
      shown: Overlay.barColours(of: scale, on: stage.image, strength: options.strength))
    let unseen = Overlay.unseenShare(of: stage.image, patches: stage.patches)
    let strength = Numeral.short(options.strength)
    let caption = [
      scale.sentence,
      "Mixed with the grey picture, \(strength) of the colour "
        + (scale.map.isDiverging
          ? "at both ends, none in the middle;" : "at the upper end, none at the lower;")
        + " the bar with the picture's median grey.",
      frames ? "Framed: the largest." : nil,
      unseen > 0.0005
        ? "Pale: the \(Numeral.short(unseen * 100)) % that the model did not see." : nil,
      map.nonFiniteSentence?.replacing(", hatched on magenta", with: ", magenta"), options.note,
    ].compactMap { $0 }.joined(separator: " ")
    let (rows, columns) = (map.shape[0], map.shape[1])
    var alt = "\(title). Map of \(rows) by \(columns) patches over a picture of \(image.width) "
    alt += "by \(image.height) pixels"
    if let peak {
      let middle = patches[peak.index].centre
      alt += "; the largest number is \(Numeral.short(peak.number)) in row "
      alt += "\(peak.index / columns), column \(peak.index % columns), around pixel "
      alt += "(\(Numeral.short(middle.x)), \(Numeral.short(middle.y)))"
    }
    return page.framed(title: title, caption: caption, altText: alt + ".")
  }

  /// The picture with the outlines of its patches and their numbers, row by row from 0.
  ///
  /// - Parameters:
  ///   - image: the original picture.
  ///   - patches: where each patch lies on the original picture in its pixels.
  ///   - highlighted: numbers of patches to frame.
  public static func patchGrid(
    _ image: Image, patches: [Rectangle], title: String, highlighted: [Int] = []
  ) throws(FigureError) -> Figure {
    guard !patches.isEmpty else { throw .empty(figure: "patch grid", what: "patches") }
    if let outside = highlighted.first(where: { !patches.indices.contains($0) }) {
      throw .range(
        figure: "patch grid", what: "a patch to frame", found: "\(outside)",
        expected: "0 to \(patches.count - 1)")
    }
    let stage = Stage(image, patches, side: 400)
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
    let last = Typesetter.width(of: "\(patches.count - 1)", size: 9)
    let smallest = places.map { min($0.width, $0.height * 1.6) }.min() ?? 0
    // Every patch is numbered where three digits fit; else the first of each row and the last.
    let size = min(9, max(6, 9 * (smallest - 3) / max(last, 1)))
    let fits = last * size / 9 <= smallest - 2
    for (index, place) in places.enumerated() {
      let startsRow = index == 0 || place.y > places[index - 1].y + place.height / 2
      guard fits || startsRow || index == places.count - 1 else { continue }
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
    let caption =
      "\(patches.count) patches on a picture of \(image.width) × \(image.height) pixels, "
      + (fits ? "numbered" : "numbered at the start of each row,") + " row by row from 0."
    return page.framed(
      title: title, caption: caption,
      altText: "\(title). \(caption)")
  }
}
