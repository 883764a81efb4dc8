internal import Budget
public import Tensors

/// A picture: 8-bit red, green and blue at every pixel.
///
/// A value, like an array.
public struct Image: Sendable, Equatable {
  /// The length of a row in pixels, at least 1.
  public let width: Int
  /// The number of rows, at least 1.
  public let height: Int
  /// Red, green and blue of every pixel, row by row from the top: `[Y, X, 3]`.
  public private(set) var pixels: [UInt8]
  /// How opaque every pixel is, `[Y, X]`, from 0 to 255; nil where all are.
  ///
  /// The colours beside it are those that the file hides there. `opaque(by:)` makes one picture of
  /// both; a resize and a crop take the colours alone.
  public let alpha: [UInt8]?
  /// What the file's own samples are.
  let mode: Mode
  /// Those that colours and alpha do not tell, `[Y, X]`, four bytes each; nil where those tell all.
  let samples: [UInt8]?

  /// One colour: red, green and blue from 0 to 255.
  public struct Pixel: Sendable, Hashable {
    /// The strength of red.
    public var red: UInt8
    /// The strength of green.
    public var green: UInt8
    /// The strength of blue.
    public var blue: UInt8

    /// Mixes a colour.
    public init(red: UInt8, green: UInt8, blue: UInt8) {
      (self.red, self.green, self.blue) = (red, green, blue)
    }
  }

  /// Takes `[Y, X, 3]` bytes as a picture.
  ///
  /// - Parameter alpha: how opaque each is, `[Y, X]`; nil where all are.
  /// - Precondition: both sides are at least 1 and there are `width * height * 3` bytes.
  public init(width: Int, height: Int, pixels: [UInt8], alpha: [UInt8]? = nil) {
    precondition(width >= 1 && height >= 1, "a picture of \(width) × \(height) pixels")
    precondition(
      pixels.count == width * height * 3,
      "\(pixels.count) bytes for \(width) × \(height) pixels of 3")
    precondition(
      alpha.map { $0.count == width * height } ?? true, "alpha of another size than the picture")
    (self.width, self.height, self.pixels, self.alpha) = (width, height, pixels, alpha)
    (mode, samples) = (.levels, nil)
  }

  /// Takes what a file holds.
  init(
    size: PixelSize, pixels: [UInt8], alpha: [UInt8]?, mode: Mode, samples: [UInt8]?
  ) {
    (width, height, self.pixels, self.alpha) = (size.width, size.height, pixels, alpha)
    (self.mode, self.samples) = (mode, samples)
  }

  /// A picture of one colour.
  public init(width: Int, height: Int, filledWith pixel: Pixel) {
    precondition(width >= 1 && height >= 1, "a picture of \(width) × \(height) pixels")
    var row: [UInt8] = []
    for _ in 0..<width { row += [pixel.red, pixel.green, pixel.blue] }
    var pixels: [UInt8] = []
    pixels.reserveCapacity(row.count * height)
    for _ in 0..<height { pixels += row }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// A grey picture from one byte a pixel, `[Y, X]`.
  ///
  /// - Precondition: there are `width * height` bytes.
  public init(width: Int, height: Int, grey: [UInt8]) {
    precondition(grey.count == width * height, "\(grey.count) bytes for \(width) × \(height)")
    self.init(width: width, height: height, pixels: grey.flatMap { [$0, $0, $0] })
  }

  /// The colour in column `x` of row `y`, counted from the top left.
  ///
  /// - Precondition: the pixel lies in the picture.
  public subscript(x: Int, y: Int) -> Pixel {
    get {
      let start = offset(x, y)
      return Pixel(red: pixels[start], green: pixels[start + 1], blue: pixels[start + 2])
    }
    set {
      let start = offset(x, y)
      pixels[start] = newValue.red
      pixels[start + 1] = newValue.green
      pixels[start + 2] = newValue.blue
    }
  }

  private func offset(_ x: Int, _ y: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height,
      "pixel (\(x), \(y)) of a picture of \(width) × \(height)")
    return (y * width + x) * 3
  }

  /// Width and height together.
  public var size: PixelSize { PixelSize(width: width, height: height) }

  /// The picture of levels from 0 to 255, `[Y, X, 3]`, rounded to 8 bits.
  ///
  /// Numbers that no picture has are cut at 0 and 255; NaN becomes black.
  ///
  /// - Throws: `ImageError.shape` for another shape.
  public init(levels: Tensor) throws(ImageError) {
    guard levels.rank == 3, levels.shape[2] == 3, levels.count > 0 else {
      throw .shape(found: levels.shape, expected: "[Y, X, 3]")
    }
    let elements = levels.elements
    var pixels = [UInt8](repeating: 0, count: levels.count)
    pixels.withUnsafeMutableBufferPointer { pixels in
      Stop.parts(of: pixels.count) { part in
        for place in part {
          let level = elements[place]
          // A NaN fails the comparison.
          pixels[place] = level > 0 ? UInt8(min(level, 255).rounded()) : 0
        }
      }
    }
    self.init(width: levels.shape[1], height: levels.shape[0], pixels: pixels)
  }

  /// The bytes as numbers from 0 to 255, `[Y, X, 3]`.
  public var tensor: Tensor { Tensor(pixels.map { Float($0) }, shape: [height, width, 3]) }
}

/// The sides of a picture, in pixels.
public struct PixelSize: Sendable, Hashable, CustomStringConvertible {
  /// The length of a row.
  public var width: Int
  /// The number of rows.
  public var height: Int

  /// Names the two sides.
  public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  /// Width × height, as people say it.
  public var description: String { "\(width) × \(height)" }
}
