internal import Budget
internal import CImageCodecs

/// The door to the C codecs and pixel loops: everything beside this file speaks of values only.
///
/// Each function hands C the address of an array for the length of one call, with its true length.
enum Codecs {
  /// What a C function found wrong.
  struct Failure: Error {
    enum Kind { case truncated, damaged, unsupported, outOfMemory }
    let kind: Kind
    let message: String
    let row: Int

    init(_ status: ci_status, _ failure: ci_failure) {
      kind =
        switch status {
        case ci_truncated: .truncated
        case ci_unsupported: .unsupported
        case ci_out_of_memory: .outOfMemory
        default: .damaged
        }
      row = Int(failure.row)
      message = withUnsafeBytes(of: failure.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
  }

  static func size(_ format: PictureFormat, _ bytes: [UInt8]) -> Result<PixelSize, Failure> {
    var size = ci_size()
    var failure = ci_failure()
    let status =
      switch format {
      case .png: ci_png_size(bytes, bytes.count, &size, &failure)
      case .jpeg: ci_jpeg_size(bytes, bytes.count, &size, &failure)
      }
    guard status == ci_done else { return .failure(Failure(status, failure)) }
    return .success(PixelSize(width: Int(size.width), height: Int(size.height)))
  }

  static func decode(
    _ format: PictureFormat, _ bytes: [UInt8], size: PixelSize, scanLimit: Int
  ) -> Result<Image, Failure> {
    let count = size.width * size.height * 3
    var failure = ci_failure()
    var status = ci_done
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { out, initialised in
      status =
        switch format {
        case .png: ci_png_decode(bytes, bytes.count, ci_size(size), out.baseAddress, &failure)
        case .jpeg:
          ci_jpeg_decode(
            bytes, bytes.count, ci_size(size), UInt32(clamping: scanLimit), out.baseAddress,
            &failure)
        }
      // Bytes are trivial: what a failure left unwritten is never looked at.
      initialised = status == ci_done ? count : 0
    }
    guard status == ci_done else { return .failure(Failure(status, failure)) }
    return .success(Image(width: size.width, height: size.height, pixels: pixels))
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
    let filter =
      switch filter {
      case .nearest: ci_nearest
      case .bilinear: ci_bilinear
      case .bicubic: ci_bicubic
      case .lanczos: ci_lanczos
      }
    let pixels = fill(size) {
      ci_resize(image.pixels, ci_size(image.size), $0, ci_size(size), filter)
    }
    return Image(width: size.width, height: size.height, pixels: pixels)
  }

  static func turn(_ image: Image, _ orientation: Orientation) -> Image {
    let size = orientation.upright(image.size)
    let pixels = fill(size) {
      ci_turn(image.pixels, ci_size(image.size), Int32(orientation.rawValue), $0)
      return ci_done
    }
    return Image(width: size.width, height: size.height, pixels: pixels)
  }

  private static func fill(
    _ size: PixelSize, with loop: (UnsafeMutablePointer<UInt8>?) -> ci_status
  ) -> [UInt8] {
    let count = size.width * size.height * 3
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
    _ pixels: [Float], channels: Int, height: Int, width: Int, patch: Int
  ) -> [Float] {
    floats(channels * (height / patch) * (width / patch) * patch * patch) {
      ci_patchify(pixels, channels, height, width, patch, $0)
    }
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
