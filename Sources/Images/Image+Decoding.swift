extension Image {
  /// How large a picture may be before it is refused, judged by its header alone.
  public struct Limits: Sendable {
    /// The most pixels, width times height: what Pillow takes for no attack.
    public var pixelCount = 178_956_970
    /// The most scans of a progressive JPEG file; each costs a pass over the picture.
    public var scanCount = 500
    /// Tells the bytes of memory that there are; asked for large pictures only.
    public var memory: @Sendable () -> Int = { .max }

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

  /// Decodes a file to RGB, byte for byte as Pillow's `convert("RGB")`: PNG, JPEG, WebP, TIFF, GIF,
  /// BMP, AVIF and JPEG 2000; HEIC within one level of pillow_heif where chroma is not turned by
  /// half a pixel of its own.
  ///
  /// Grey is repeated, a palette is looked up, 16-bit colour keeps its high byte, 16-bit grey is cut
  /// at 255, CMYK becomes light. Colour profiles are not applied. Of an animation, or of several
  /// pages, the first picture is read.
  ///
  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - name: what to call it in errors: a path as a rule.
  ///   - transparency: what is made of transparent parts; nil keeps them as `alpha`.
  ///   - isStopped: asked every few milliseconds.
  /// - Throws: `ImageError` where the bytes are no whole picture, exceed `limits`, or `isStopped` said
  ///   so.
  public init(
    decoding bytes: [UInt8], named name: String, orientation: OrientationRule = .applied,
    transparency: Transparency? = .drop, limits: Limits = Limits(),
    isStopped: (@Sendable () -> Bool)? = nil
  ) throws(ImageError) {
    let file = try DecodedPicture(
      bytes, named: name, orientation: orientation, limits: limits, isStopped: isStopped)
    self = transparency.map(file.image.opaque(by:)) ?? file.image
  }

  fileprivate static func error(
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
    case .stopped: .stopped(name: name)
    case .damaged:
      .damaged(
        name: name, format: format.rawValue, message: failure.message, row: failure.row,
        height: size?.height)
    }
  }
}

/// A file's picture, and what of the file is not in it.
public struct DecodedPicture: Sendable {
  /// The picture, with alpha where parts are transparent.
  public let image: Image
  /// Whether grey of 16 bits or more was cut at 255, as Pillow's `convert("RGB")` does.
  public let isCut: Bool

  /// Decodes as `Image(decoding:)` does.
  public init(
    _ bytes: [UInt8], named name: String, orientation: Image.OrientationRule = .applied,
    limits: Image.Limits = .init(), isStopped: (@Sendable () -> Bool)? = nil
  ) throws(ImageError) {
    guard !bytes.isEmpty else { throw .empty(name: name) }
    guard let format = PictureFormat(sniffing: bytes) else {
      switch ForeignFile(sniffing: bytes) {
      case .picture(let found): throw .unsupported(name: name, found: found)
      case .other(let found): throw .notAPicture(name: name, found: found)
      }
    }
    let header: Codecs.Header
    switch Codecs.header(format, bytes, isStopped: isStopped) {
    case .success(let found): header = found
    case .failure(let failure):
      throw Image.error(failure, name: name, format: format, byteCount: bytes.count, size: nil)
    }
    let turned =
      orientation == .applied
      ? header.orientation ?? Orientation(of: bytes, format) : .upright
    try limits.check(
      header, isTurned: turned != .upright, name: name, byteCount: bytes.count)
    let result = Self.decode(
      format, bytes, header: header, scanLimit: limits.scanCount, isStopped: isStopped)
    switch result {
    case .success(let (stored, isCut)):
      image = turned == .upright ? stored : Codecs.turn(stored, turned)
      self.isCut = isCut
    case .failure(let failure):
      throw Image.error(
        failure, name: name, format: format, byteCount: bytes.count, size: header.size)
    }
  }

  /// Decoders that cannot be stopped work on another thread, which is left behind where they should.
  private static func decode(
    _ format: PictureFormat, _ bytes: [UInt8], header: Codecs.Header, scanLimit: Int,
    isStopped: (@Sendable () -> Bool)?
  ) -> Result<(image: Image, isCut: Bool), Codecs.Failure> {
    guard let isStopped, format.isDecodedInOneGo,
      let later = try? Later({
        Codecs.decode(format, bytes, header: header, scanLimit: scanLimit, isStopped: nil)
      })
    else {
      return Codecs.decode(
        format, bytes, header: header, scanLimit: scanLimit, isStopped: isStopped)
    }
    return later.value(unless: isStopped) ?? .failure(Codecs.Failure(.stopped))
  }
}

extension PictureFormat {
  fileprivate var isDecodedInOneGo: Bool { [.webp, .avif, .heif, .jpeg2000].contains(self) }
}

extension Image.Limits {
  fileprivate func check(
    _ header: Codecs.Header, isTurned: Bool, name: String, byteCount: Int
  ) throws(ImageError) {
    let size = header.size
    guard size.width >= 1, size.height >= 1 else {
      throw .damaged(
        name: name, format: "picture", message: "\(size) pixels", row: 0, height: nil)
    }
    let (count, overflows) = size.width.multipliedReportingOverflow(by: size.height)
    if overflows || count > pixelCount {
      throw .tooManyPixels(name: name, size: size, limit: pixelCount)
    }
    // Beside the pixels either the decoder's own memory is needed, or later the picture in another
    // shape.
    let pixels = count * (3 + (header.hasAlpha ? 1 : 0) + (header.mode.hasSamples ? 4 : 0))
    let beside = max(header.workingByteCount, isTurned ? pixels : 0)
    let (sum, isBeyond) = pixels.addingReportingOverflow(beside)
    let needed = isBeyond ? .max : sum
    guard needed > 1 << 24 else { return }
    let available = memory()
    if needed > available {
      throw .tooLittleMemory(
        name: name, size: size, needed: needed, byteCount: byteCount, available: available)
    }
  }
}
