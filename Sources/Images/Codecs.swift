internal import Budget
internal import CImageCodecs

/// The door to the C codecs and pixel loops: everything beside this file speaks of values only.
///
/// Each function hands C the address of an array for the length of one call, with its true length.
enum Codecs {
  /// What a C function found wrong.
  struct Failure: Error {
    enum Kind { case truncated, damaged, unsupported, outOfMemory, stopped }
    let kind: Kind
    let message: String
    let row: Int

    /// A failure that no decoder found.
    init(_ kind: Kind) { (self.kind, message, row) = (kind, "", 0) }

    init(_ status: ci_status, _ failure: ci_failure) {
      kind =
        switch status {
        case ci_truncated: .truncated
        case ci_unsupported: .unsupported
        case ci_out_of_memory: .outOfMemory
        case ci_stopped: .stopped
        default: .damaged
        }
      row = Int(failure.row)
      message = withUnsafeBytes(of: failure.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
  }

  /// What a file says before its pixels are decoded.
  struct Header: Sendable {
    let size: PixelSize
    /// Whether there may be transparent parts.
    let hasAlpha: Bool
    let mode: Mode
    /// What the format itself says of it; nil where metadata may.
    let orientation: Orientation?
    /// Bytes that decoding takes beside the pixels.
    let workingByteCount: Int
  }

  static func header(
    _ format: PictureFormat, _ bytes: [UInt8], isStopped: (@Sendable () -> Bool)?
  ) -> Result<Header, Failure> {
    var header = ci_header()
    var failure = ci_failure()
    let status = withSource(bytes, isStopped: isStopped) {
      ci_read_header(format.code, &$0, &header, &failure)
    }
    guard status == ci_done else { return .failure(Failure(status, failure)) }
    return .success(
      Header(
        size: PixelSize(width: Int(header.size.width), height: Int(header.size.height)),
        hasAlpha: header.has_alpha != 0, mode: Mode(header.mode),
        orientation: Orientation(rawValue: Int(header.orientation)),
        workingByteCount: Int(clamping: header.working)))
  }

  /// The picture as it is stored, with alpha where the header says so, and whether grey was cut.
  static func decode(
    _ format: PictureFormat, _ bytes: [UInt8], header: Header, scanLimit: Int,
    isStopped: (@Sendable () -> Bool)?
  ) -> Result<(image: Image, isCut: Bool), Failure> {
    let size = header.size
    let count = size.width * size.height
    var failure = ci_failure()
    var status = ci_done
    var isCut = false
    let mode = header.mode
    /// A plane for the decoder to fill; none, and nil, where it is not wanted.
    func plane(
      _ isWanted: Bool, bytes: Int, _ body: (UnsafeMutablePointer<UInt8>?) -> Void
    ) -> [UInt8]? {
      guard isWanted else {
        body(nil)
        return nil
      }
      return [UInt8](unsafeUninitializedCapacity: count * bytes) { out, initialised in
        body(out.baseAddress)
        // Bytes are trivial: what a failure left unwritten is never looked at.
        initialised = status == ci_done ? count * bytes : 0
      }
    }
    var alpha: [UInt8]?
    var samples: [UInt8]?
    let pixels = plane(true, bytes: 3) { rgb in
      alpha = plane(header.hasAlpha, bytes: 1) { alpha in
        samples = plane(mode.hasSamples, bytes: 4) { samples in
          var canvas = ci_canvas(
            size: ci_size(size), rgb: rgb, alpha: alpha, samples: samples, mode: mode.code,
            is_cut: 0)
          status = withSource(bytes, scanLimit: scanLimit, isStopped: isStopped) {
            ci_decode(format.code, &$0, &canvas, &failure)
          }
          isCut = canvas.is_cut != 0
        }
      }
    }
    guard status == ci_done, let pixels else { return .failure(Failure(status, failure)) }
    // A picture without a transparent pixel is one without alpha.
    if let found = alpha, transparentCount(found) == 0 { alpha = nil }
    let image = Image(size: size, pixels: pixels, alpha: alpha, mode: mode, samples: samples)
    return .success((image, isCut))
  }

  private static func withSource<Result>(
    _ bytes: [UInt8], scanLimit: Int = 0, isStopped: (@Sendable () -> Bool)? = nil,
    _ body: (inout ci_source) -> Result
  ) -> Result {
    bytes.withUnsafeBufferPointer { bytes in
      var source = ci_source()
      source.bytes = bytes.baseAddress
      source.count = bytes.count
      source.scan_limit = UInt32(clamping: scanLimit)
      guard var isStopped else { return body(&source) }
      return withUnsafeMutablePointer(to: &isStopped) { question in
        source.context = UnsafeMutableRawPointer(question)
        source.is_stopped = { context in
          let question = context?.assumingMemoryBound(to: (@Sendable () -> Bool).self)
          return question?.pointee() == true ? 1 : 0
        }
        return body(&source)
      }
    }
  }

  /// How many of some pixels are not wholly opaque.
  static func transparentCount(_ alpha: [UInt8]) -> Int {
    Int(ci_count_transparent(alpha, alpha.count))
  }

  /// Colours `[count, 3]` on white, weighted by `alpha`.
  static func layOnWhite(_ pixels: [UInt8], alpha: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: pixels.count) { out, initialised in
      ci_lay_on_white(pixels, alpha, alpha.count, out.baseAddress)
      initialised = pixels.count
    }
  }

  static func encodePNG(_ image: Image) -> [UInt8] {
    var out: UnsafeMutablePointer<UInt8>?
    var count = 0
    let status = ci_png_encode(
      image.pixels, ci_size(image.size), { Stop.isRequested ? 0 : 1 }, &out, &count)
    if status != ci_done, Stop.isRequested { return [] }
    precondition(status == ci_done, "no memory to encode a picture of \(image.size) pixels")
    defer { ci_release(out) }
    return [UInt8](UnsafeBufferPointer(start: out, count: count))
  }

  static func resize(_ image: Image, to size: PixelSize, by filter: ResampleFilter) -> Image {
    let pixels = fill(size) {
      ci_resize(image.pixels, ci_size(image.size), $0, ci_size(size), filter.code)
    }
    return Image(width: size.width, height: size.height, pixels: pixels)
  }

  static func resizeInItsMode(
    _ image: Image, to size: PixelSize, by filter: ResampleFilter
  ) -> Image {
    /// Lends a plane for reading: C does not write to it.
    func lend<Result>(
      _ plane: [UInt8]?, _ body: (UnsafeMutablePointer<UInt8>?) -> Result
    ) -> Result {
      guard let plane else { return body(nil) }
      return plane.withUnsafeBufferPointer { body(UnsafeMutablePointer(mutating: $0.baseAddress)) }
    }
    let pixels = fill(size) { out in
      lend(image.pixels) { rgb in
        lend(image.alpha) { alpha in
          lend(image.samples) { samples in
            var canvas = ci_canvas(
              size: ci_size(image.size), rgb: rgb, alpha: alpha, samples: samples,
              mode: image.mode.code, is_cut: 0)
            return ci_resize_in_mode(&canvas, out, ci_size(size), filter.code)
          }
        }
      }
    }
    return Image(width: size.width, height: size.height, pixels: pixels)
  }

  static func turn(_ image: Image, _ orientation: Orientation) -> Image {
    let size = orientation.upright(image.size)
    func turned(_ plane: [UInt8], channels: Int) -> [UInt8] {
      fill(size, channels: channels) {
        ci_turn(plane, ci_size(image.size), channels, Int32(orientation.rawValue), $0)
        return ci_done
      }
    }
    return Image(
      size: size, pixels: turned(image.pixels, channels: 3),
      alpha: image.alpha.map { turned($0, channels: 1) }, mode: image.mode,
      samples: image.samples.map { turned($0, channels: 4) })
  }

  private static func fill(
    _ size: PixelSize, channels: Int = 3, with loop: (UnsafeMutablePointer<UInt8>?) -> ci_status
  ) -> [UInt8] {
    let count = size.width * size.height * channels
    return [UInt8](unsafeUninitializedCapacity: count) { out, initialised in
      let status = loop(out.baseAddress)
      precondition(status == ci_done, "no memory for a picture of \(size) pixels")
      initialised = count
    }
  }

  /// `[3, pixels]`: `table[channel * 256 + level]` for each level.
  static func planes(_ image: Image, table: [Float]) -> [Float] {
    floats(image.pixels.count) {
      ci_look_up_planes(image.pixels, image.width * image.height, table, $0)
    }
  }

  static func patchify(
    _ pixels: [Float], channels: Int, height: Int, width: Int, patch: Int,
    into out: UnsafeMutablePointer<Float>
  ) {
    ci_patchify(pixels, channels, height, width, patch, out)
  }

  static func unpatchify(
    _ patches: [Float], channels: Int, rows: Int, columns: Int, patch: Int
  ) -> [Float] {
    floats(patches.count) { ci_unpatchify(patches, channels, rows, columns, patch, $0) }
  }

  private static func floats(
    _ count: Int, with loop: (UnsafeMutablePointer<Float>?) -> Void
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { out, initialised in
      loop(out.baseAddress)
      initialised = count
    }
  }
}

extension ci_size {
  fileprivate init(_ size: PixelSize) {
    self.init(width: UInt32(size.width), height: UInt32(size.height))
  }
}

extension PictureFormat {
  fileprivate var code: ci_format {
    switch self {
    case .png: ci_png
    case .jpeg: ci_jpeg
    case .webp: ci_webp
    case .tiff: ci_tiff
    case .gif: ci_gif
    case .bmp: ci_bmp
    case .avif: ci_avif
    case .heif: ci_heif
    case .jpeg2000: ci_jpeg2000
    }
  }
}

extension ResampleFilter {
  fileprivate var code: ci_filter {
    switch self {
    case .nearest: ci_nearest
    case .bilinear: ci_bilinear
    case .bicubic: ci_bicubic
    case .lanczos: ci_lanczos
    }
  }
}

extension Mode {
  fileprivate init(_ code: ci_mode) {
    self =
      switch code {
      case ci_keyed: .keyed
      case ci_numbers: .numbers
      case ci_inks: .inks
      case ci_chroma: .chroma
      case ci_grey16: .grey16
      case ci_grey32: .grey32
      case ci_grey_float: .greyFloat
      default: .levels
      }
  }

  fileprivate var code: ci_mode {
    switch self {
    case .levels: ci_levels
    case .keyed: ci_keyed
    case .numbers: ci_numbers
    case .inks: ci_inks
    case .chroma: ci_chroma
    case .grey16: ci_grey16
    case .grey32: ci_grey32
    case .greyFloat: ci_grey_float
    }
  }
}
