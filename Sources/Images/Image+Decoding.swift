extension Image {
  /// How large a picture may be before it is refused, judged by its header alone.
  public struct Limits: Sendable, Equatable {
    /// The most pixels, width times height.
    public var pixelCount = 64_000_000
    /// The most pixels on one side.
    public var side = 32_768
    /// How many times as long as the short side the long one may be.
    public var elongation = 200
    /// The most scans of a progressive JPEG file; each costs a pass over the picture.
    public var scanCount = 500

    /// The limits that fit photographs, drawings and scans.
    public init() {}
  }

  /// What to do about a camera that was held sideways.
  public enum OrientationRule: Sendable {
    /// Turn the picture upright as its EXIF data say, as viewers do and as transformers'
    /// `load_image` does.
    case applied
    /// Leave the pixels as they are stored, as Pillow's `Image.open` does.
    case ignored
  }

  /// Decodes a PNG or JPEG file to RGB, byte for byte as Pillow's `convert("RGB")`.
  ///
  /// Grey is repeated, a palette is looked up, transparency is dropped (not blended), 16-bit colour
  /// keeps its high byte, 16-bit grey is cut at 255, CMYK is read as Adobe writes it, inverted.
  /// Colour profiles are not applied. Of an animation the first picture is read.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: what to call it in errors: a path as a rule.
  /// - Throws: `ImageError` where the bytes are no whole PNG or JPEG picture, or exceed `limits`.
  public init(
    decoding bytes: [UInt8], named name: String, orientation: OrientationRule = .applied,
    limits: Limits = Limits()
  ) throws(ImageError) {
    guard !bytes.isEmpty else { throw .empty(name: name) }
    guard let format = PictureFormat(sniffing: bytes) else {
      switch ForeignFile(sniffing: bytes) {
      case .picture(let found): throw .unsupported(name: name, found: found)
      case .other(let found): throw .notAPicture(name: name, found: found)
      }
    }
    let size: PixelSize
    switch Codecs.size(format, bytes) {
    case .success(let found): size = found
    case .failure(let failure):
      throw Self.error(failure, name: name, format: format, byteCount: bytes.count, size: nil)
    }
    try limits.check(size, name: name)
    switch Codecs.decode(format, bytes, size: size, scanLimit: limits.scanCount) {
    case .success(let image):
      let turned = orientation == .applied ? Orientation(of: bytes, format) : .upright
      self = turned == .upright ? image : Codecs.turn(image, turned)
    case .failure(let failure):
      throw Self.error(failure, name: name, format: format, byteCount: bytes.count, size: size)
    }
  }

  private static func error(
    _ failure: Codecs.Failure, name: String, format: PictureFormat, byteCount: Int,
    size: PixelSize?
  ) -> ImageError {
    switch failure.kind {
    case .truncated:
      .truncated(
        name: name, format: format.rawValue, byteCount: byteCount, row: failure.row,
        height: size?.height)
    case .unsupported:
      .unusual(name: name, format: format.rawValue, message: failure.message)
    case .outOfMemory: .outOfMemory(name: name, size: size)
    case .damaged:
      .damaged(
        name: name, format: format.rawValue, message: failure.message, row: failure.row,
        height: size?.height)
    }
  }
}

extension Image.Limits {
  func check(_ size: PixelSize, name: String) throws(ImageError) {
    let (short, long) = (min(size.width, size.height), max(size.width, size.height))
    guard short >= 1 else {
      throw .damaged(
        name: name, format: "picture", message: "\(size) pixels", row: 0, height: nil)
    }
    // The product is safe: a file's sides have 31 bits at most.
    if size.width * size.height > pixelCount {
      throw .tooManyPixels(name: name, size: size, limit: pixelCount)
    }
    if long > side { throw .tooLong(name: name, size: size, limit: side) }
    if long / short > elongation || long / short == elongation && long % short > 0 {
      throw .tooElongated(name: name, size: size, limit: elongation)
    }
  }
}
