/// The formats that are read here, told by a file's first bytes; its name is never asked.
enum PictureFormat: String, CaseIterable {
  case png = "PNG"
  case jpeg = "JPEG"
  case webp = "WebP"
  case tiff = "TIFF"
  case gif = "GIF"
  case bmp = "BMP"
  case avif = "AVIF"
  case heif = "HEIC"
  case jpeg2000 = "JPEG 2000"

  /// All of them, for messages.
  static let names =
    allCases.dropLast().map(\.rawValue).joined(separator: ", ") + " or " + jpeg2000.rawValue

  init?(sniffing bytes: [UInt8]) {
    func begins(_ magic: String, at place: Int = 0) -> Bool {
      bytes.dropFirst(place).starts(with: magic.unicodeScalars.lazy.map { UInt8($0.value) })
    }
    if begins("\u{89}PNG\r\n\u{1A}\n") {
      self = .png
    } else if begins("\u{FF}\u{D8}\u{FF}") {
      self = .jpeg
    } else if begins("RIFF"), begins("WEBP", at: 8) {
      self = .webp
    } else if begins("II*\0") || begins("MM\0*") || begins("II+\0") || begins("MM\0+") {
      self = .tiff
    } else if begins("GIF87a") || begins("GIF89a") {
      self = .gif
    } else if begins("BM"), Self.bitmapHeaders.contains(where: { begins($0, at: 14) }) {
      self = .bmp
    } else if begins("ftyp", at: 4), let format = Self.box(bytes) {
      self = format
    } else if begins("\0\0\0\u{0C}jP  \r\n\u{87}\n") || begins("\u{FF}O\u{FF}Q") {
      self = .jpeg2000
    } else {
      return nil
    }
  }

  /// The lengths that a bitmap's second header can have: text may begin with BM too.
  private static let bitmapHeaders = ["\u{0C}", "(", "4", "8", "@", "l", "|"].map { $0 + "\0\0\0" }

  /// What the brands of an ISO file say, the first and then those that it is compatible with.
  private static func box(_ bytes: [UInt8]) -> PictureFormat? {
    let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    let body = bytes.prefix(min(length, 256)).dropFirst(8)
    let brands = stride(from: body.startIndex, to: body.endIndex - 3, by: 4).map {
      String(decoding: body[$0..<$0 + 4], as: UTF8.self)
    }
    for brand in brands {
      switch brand {
      case "avif", "avis": return .avif
      case "heic", "heix", "heim", "heis", "hevc", "hevx": return .heif
      default: continue
      }
    }
    return ["mif1", "msf1"].contains(brands.first) ? .heif : nil
  }
}
