internal import Budget
public import Tensors

/// What a published `preprocessor_config.json` asks to be done to a picture before a model sees it.
///
/// The order, the rounding and the arithmetic are those of transformers' Pillow path, to the last
/// bit: resize (to 8 bits), crop, rescale, normalise.
public struct Preprocessing: Sendable, Equatable {
  /// How large the picture is made.
  public enum Target: Sendable, Hashable {
    /// Exactly so, whatever that does to the proportions: `size` with `height` and `width`.
    case exactly(PixelSize)
    /// The shorter side so, the longer one in proportion, rounded down: `size.shortest_edge`.
    case shortestEdge(Int)
    /// Where the longer side is more than this, it becomes this, and the other in proportion, rounded
    /// down; then either side that is less than the second number is made that, whatever that does to
    /// the proportions: `size` with `longest_edge` and `shortest_edge`, as Idefics2 has it.
    case longestEdge(Int, atLeast: Int)
  }

  /// When a picture is made RGB, of whatever mode its file has.
  public enum Conversion: Sendable, Hashable {
    /// Before all else, as transformers' `load_image` and its processors do.
    case beforeResizing
    /// Last, as OpenCLIP's transform does: a picture is resized in its file's own mode.
    case afterResizing
  }

  /// Where a crop begins when what is cut away is odd.
  public enum CropRounding: Sendable, Hashable {
    /// Half of it, rounded down: transformers' `center_crop`.
    case down
    /// Half of it, a half rounded to the even number: torchvision's `CenterCrop`.
    case halfToEven
  }

  /// Centres and scales each channel: (x − mean) / deviation.
  public struct Normalisation: Sendable, Hashable {
    /// `image_mean`: red, green, blue.
    public let mean: [Double]
    /// `image_std`: red, green, blue.
    public let deviation: [Double]

    /// Takes three numbers each.
    ///
    /// - Throws: `ImageError.setting` for another count, a deviation of zero, or no finite number.
    public init(mean: [Double], deviation: [Double]) throws(ImageError) {
      for (name, numbers) in [("image_mean", mean), ("image_std", deviation)] {
        guard numbers.count == 3, numbers.allSatisfy(\.isFinite) else {
          throw .setting(name, found: "\(numbers)", expected: "three numbers")
        }
      }
      guard deviation.allSatisfy({ Float($0) != 0 }) else {
        throw .setting("image_std", found: "\(deviation)", expected: "numbers other than zero")
      }
      (self.mean, self.deviation) = (mean, deviation)
    }
  }

  /// `size`; nil leaves the size alone (`do_resize` false).
  public let target: Target?
  /// `resample`.
  public let filter: ResampleFilter
  /// `crop_size`, cut from the middle; nil cuts nothing (`do_center_crop` false).
  public let crop: PixelSize?
  /// How the crop's corner is found where the middle is half a pixel off.
  public let cropRounding: CropRounding
  /// `rescale_factor`; nil leaves levels from 0 to 255 (`do_rescale` false).
  public let rescaleFactor: Double?
  /// `image_mean` and `image_std`; nil leaves the numbers alone (`do_normalize` false).
  public let normalisation: Normalisation?
  /// What is made of transparent parts: on white where `do_convert_rgb` is true, dropped elsewhere.
  public let transparency: Transparency
  /// When a picture is made RGB.
  public let conversion: Conversion
  /// Whether a picture becomes five, its quarters and the whole, before it is resized
  /// (`do_image_splitting`).
  public let splits: Bool

  /// The most pixels on a side, and in all, that a setting may ask for.
  static let (sideLimit, pixelLimit) = (16_384, 64_000_000)

  /// Takes the settings of one model.
  ///
  /// - Throws: `ImageError.setting` for a size that is not positive or beyond reason, or a factor
  ///   that is no finite number.
  public init(
    target: Target?, filter: ResampleFilter = .bicubic, crop: PixelSize? = nil,
    cropRounding: CropRounding = .down,
    rescaleFactor: Double? = 1.0 / 255, normalisation: Normalisation? = nil,
    transparency: Transparency = .drop, conversion: Conversion = .beforeResizing,
    splits: Bool = false
  ) throws(ImageError) {
    switch target {
    case .exactly(let size): try Self.check(size, "size")
    case .shortestEdge(let side):
      try Self.check(PixelSize(width: side, height: 1), "size.shortest_edge")
    case .longestEdge(let longest, let least):
      try Self.check(PixelSize(width: longest, height: longest), "size.longest_edge")
      guard (1...longest).contains(least) else {
        throw .setting(
          "size.shortest_edge", found: "\(least)", expected: "1 to the longest edge, \(longest)")
      }
    case nil: break
    }
    if let crop { try Self.check(crop, "crop_size") }
    if let rescaleFactor, !rescaleFactor.isFinite {
      throw .setting("rescale_factor", found: "\(rescaleFactor)", expected: "a finite number")
    }
    (self.target, self.filter, self.crop) = (target, filter, crop)
    (self.rescaleFactor, self.normalisation) = (rescaleFactor, normalisation)
    (self.cropRounding, self.transparency) = (cropRounding, transparency)
    (self.conversion, self.splits) = (conversion, splits)
  }

  private static func check(_ size: PixelSize, _ name: String) throws(ImageError) {
    let sides = 1...sideLimit
    guard sides.contains(size.width), sides.contains(size.height),
      size.width * size.height <= pixelLimit
    else {
      throw .setting(
        name, found: "\(size)",
        expected: "sides from 1 to \(sideLimit) and at most \(pixelLimit / 1_000_000) Mpx")
    }
  }

  /// What preparing a picture gave.
  public struct Prepared: Sendable, Equatable {
    /// The model's input, `[3, Y, X]`.
    public let pixels: Tensor
    /// The same before rescaling and normalising: what the model sees, as a picture.
    public let picture: Image
    /// Where each pixel of the original went.
    public let geometry: Geometry
  }

  /// How many pictures a model is given of each: the views of it.
  public var viewCount: Int { splits ? 5 : 1 }

  /// What of a picture a view shows: top left, top right, bottom left, bottom right, and then the whole.
  ///
  /// - Throws: `ImageError.setting` for a picture that is too narrow to be split.
  /// - Precondition: there is such a view.
  private func part(_ view: Int, of size: PixelSize) throws(ImageError) -> Geometry.Part {
    precondition((0..<viewCount).contains(view), "view \(view) of \(viewCount)")
    guard splits else { return Geometry.Part(size: size) }
    guard min(size.width, size.height) >= 2 else {
      throw .setting(
        "do_image_splitting", found: "true, but a picture of \(size) pixels has no quarters",
        expected: "pictures of at least 2 × 2 pixels")
    }
    let (x, y) = (size.width / 2, size.height / 2)
    func part(_ columns: Range<Int>, _ rows: Range<Int>) -> Geometry.Part {
      Geometry.Part(
        x: columns.lowerBound, y: rows.lowerBound,
        size: PixelSize(width: columns.count, height: rows.count))
    }
    return switch view {
    case 0: part(0..<x, 0..<y)
    case 1: part(x..<size.width, 0..<y)
    case 2: part(0..<x, y..<size.height)
    case 3: part(x..<size.width, y..<size.height)
    default: Geometry.Part(size: size)
    }
  }

  /// Where each pixel of a picture of `size` goes on its way to the model.
  ///
  /// - Parameters:
  ///   - view: which view of it, counted from 0; nil for the last, which is the whole picture.
  ///   - patchSize: the side of the model's patches.
  ///   - leadingTokenCount: how many tokens stand before those of the patches.
  /// - Throws: `ImageError.setting` where the picture's proportions would make it too large, or where
  ///   it is too narrow to be split.
  public func way(
    of size: PixelSize, view: Int? = nil, patchSize: Int = 1, leadingTokenCount: Int = 0
  ) throws(ImageError) -> Geometry {
    let part = try part(view ?? viewCount - 1, of: size)
    let resized = try resizedSize(of: part.size)
    let corner =
      crop.map { Image.centreCropCorner(of: resized, to: $0, rounding: cropRounding) } ?? (
        x: 0, y: 0
      )
    return Geometry(
      original: size, part: part, resized: resized, left: corner.x, top: corner.y, input: crop,
      patchSize: patchSize, leadingTokenCount: leadingTokenCount)
  }

  /// Prepares a picture.
  ///
  /// - Parameters:
  ///   - image: as decoded.
  ///   - view: which view of it, counted from 0; nil for the last, which is the whole picture.
  ///   - patchSize: the side of the model's patches, which the geometry then knows of.
  ///   - leadingTokenCount: how many tokens stand before those of the patches.
  /// - Throws: what `way` throws.
  public func prepare(
    _ image: Image, view: Int? = nil, patchSize: Int = 1, leadingTokenCount: Int = 0
  ) throws(ImageError) -> Prepared {
    let way = try way(
      of: image.size, view: view, patchSize: patchSize, leadingTokenCount: leadingTokenCount)
    let (part, size) = (way.part, way.resized)
    var picture = image
    if part.size != image.size {
      picture = image.opaque(by: transparency).cropped(
        x: part.x, y: part.y, width: part.size.width, height: part.size.height)
    }
    switch conversion {
    case .beforeResizing:
      picture = picture.opaque(by: transparency)
      if size != part.size {
        picture = picture.resized(width: size.width, height: size.height, by: filter)
      }
    case .afterResizing:
      picture = picture.resizedInItsMode(to: size, by: filter)
    }
    if let crop {
      picture = picture.cropped(
        x: way.left, y: way.top, width: crop.width, height: crop.height)
    }
    let pixels = Tensor(
      Codecs.planes(picture, table: levels), shape: [3, picture.height, picture.width])
    return Prepared(pixels: pixels, picture: picture, geometry: way)
  }

  /// A file's picture as the model's library takes it from a path: transformers' `load_image` makes it
  /// RGB at once; where that comes last, it is as it was opened.
  public func loaded(_ opened: Image) -> Image {
    conversion == .afterResizing ? opened : opened.opaque(by: .drop)
  }

  /// The size that a picture of `size` is resized to.
  ///
  /// - Throws: `ImageError.setting` where its proportions would make it too large.
  public func resizedSize(of size: PixelSize) throws(ImageError) -> PixelSize {
    switch target {
    case nil: return size
    case .exactly(let target): return target
    case .shortestEdge(let side):
      let (short, long) = (min(size.width, size.height), max(size.width, size.height))
      let longer = side * long / short
      guard side * longer <= Self.pixelLimit else {
        throw .setting(
          "size.shortest_edge", found: "\(side), which makes \(size) pixels \(longer) long",
          expected: "at most \(Self.pixelLimit / 1_000_000) Mpx")
      }
      return size.width <= size.height
        ? PixelSize(width: side, height: longer) : PixelSize(width: longer, height: side)
    case .longestEdge(let longest, let least):
      var (width, height) = (size.width, size.height)
      // Divided and rounded as the reference divides, in double precision.
      let ratio = Double(width) / Double(height)
      if width >= height, width > longest {
        (width, height) = (longest, Int(Double(longest) / ratio))
      } else if height > width, height > longest {
        (width, height) = (Int(Double(longest) * ratio), longest)
      }
      return PixelSize(width: max(width, least), height: max(height, least))
    }
  }

  /// What each of the 256 levels becomes, a channel after the other.
  private var levels: [Float] {
    (0..<3).flatMap { channel in
      (0..<256).map { level in
        // Rescaled in double precision, normalised in single: so does the reference.
        let value = rescaleFactor.map { Float(Double(level) * $0) } ?? Float(level)
        guard let normalisation else { return value }
        return (value - Float(normalisation.mean[channel]))
          / Float(normalisation.deviation[channel])
      }
    }
  }

  /// The levels that prepared pixels `[3, Y, X]` stand for, normalising and rescaling undone:
  /// `[Y, X, 3]`, from 0 to 255 for those of a picture; `Image(levels:)` makes one of them.
  ///
  /// - Throws: `ImageError.shape` for another shape.
  public func levels(of pixels: Tensor) throws(ImageError) -> Tensor {
    guard pixels.rank == 3, pixels.shape[0] == 3, pixels.count > 0 else {
      throw .shape(found: pixels.shape, expected: "[3, Y, X]")
    }
    let (height, width) = (pixels.shape[1], pixels.shape[2])
    var levels = [Float](repeating: 0, count: pixels.count)
    for channel in 0..<3 {
      let mean = normalisation.map { Float($0.mean[channel]) } ?? 0
      let deviation = normalisation.map { Float($0.deviation[channel]) } ?? 1
      let factor = Float(rescaleFactor ?? 1)
      Stop.parts(of: width * height) { part in
        for index in part {
          let value = pixels.elements[channel * width * height + index]
          levels[index * 3 + channel] = (value * deviation + mean) / factor
        }
      }
    }
    return Tensor(levels, shape: [height, width, 3])
  }
}
