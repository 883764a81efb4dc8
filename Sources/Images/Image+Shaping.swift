/// How new pixels are made of old ones.
///
/// The numbers are those of published preprocessing settings
/// (`resample`), and the results equal Pillow's byte for byte.
public enum ResampleFilter: Int, Sendable, CaseIterable {
  /// The pixel under the new one's centre.
  case nearest = 0
  /// Windowed sinc over three samples each way.
  case lanczos = 1
  /// A triangle; when reducing, widened to cover every pixel.
  case bilinear = 2
  /// Keys' cubic with a = −0.5; when reducing, widened to cover every pixel.
  case bicubic = 3
}

extension Image {
  /// The picture at another size, equal to what Pillow 13 makes of it byte for byte.
  ///
  /// - Precondition: both sides are at least 1.
  public func resized(width: Int, height: Int, by filter: ResampleFilter) -> Image {
    precondition(width >= 1 && height >= 1, "a picture resized to \(width) × \(height) pixels")
    return Codecs.resize(self, to: PixelSize(width: width, height: height), by: filter)
  }

  /// The `width` × `height` pixels from column `x` and row `y` on; what lies outside the picture
  /// is black.
  ///
  /// - Precondition: both sides are at least 1.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(width >= 1 && height >= 1, "a picture cropped to \(width) × \(height) pixels")
    var pixels = [UInt8](repeating: 0, count: width * height * 3)
    let columns = max(0, x)..<max(max(0, x), min(self.width, x + width))
    let rows = max(0, y)..<max(max(0, y), min(self.height, y + height))
    guard !columns.isEmpty else { return Image(width: width, height: height, pixels: pixels) }
    for row in rows {
      let from = (row * self.width + columns.lowerBound) * 3
      let to = ((row - y) * width + columns.lowerBound - x) * 3
      let count = columns.count * 3
      pixels.replaceSubrange(to..<to + count, with: self.pixels[from..<from + count])
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  /// Where a crop from the middle begins.
  ///
  /// Half of what is cut away, rounded down, as in transformers' `center_crop`; negative where the
  /// picture is too small and gets a border.
  static func centreCropCorner(
    of size: PixelSize, to crop: PixelSize, rounding: Preprocessing.CropRounding = .down
  ) -> (x: Int, y: Int) {
    func half(_ difference: Int) -> Int {
      // A shift rounds down below zero too, where division would round up.
      let down = difference >> 1
      let isHalf = difference & 1 == 1
      return rounding == .halfToEven && isHalf && down & 1 == 1 ? down + 1 : down
    }
    return (half(size.width - crop.width), half(size.height - crop.height))
  }

  /// The picture turned as a camera's orientation asks.
  public func turned(_ orientation: Orientation) -> Image { Codecs.turn(self, orientation) }

  /// The picture as a PNG file, without loss.
  ///
  /// The same picture always gives the same bytes.
  public func png() -> [UInt8] { Codecs.encodePNG(self) }
}
