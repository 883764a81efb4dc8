extension Orientation {
  /// What the file's EXIF data say, or else its XMP data; upright where neither says a thing that
  /// makes sense, as viewers do.
  init(of bytes: [UInt8], _ format: PictureFormat) {
    switch format {
    case .png:
      self =
        Self.chunk("eXIf", ofPNG: bytes).flatMap { Self.read(bytes[$0]) }
        ?? Self.xmpInPNG(bytes).flatMap { Self.readXMP(bytes[$0]) } ?? .upright
    case .webp:
      self =
        Self.chunk("EXIF", ofWebP: bytes).flatMap { Self.read(bytes[$0]) }
        ?? Self.chunk("XMP ", ofWebP: bytes).flatMap { Self.readXMP(bytes[$0]) } ?? .upright
    case .jpeg:
      let segments = Self.applicationSegments(of: bytes)
      let exif = segments.first { bytes[$0].starts(with: Self.exifMark) }
      if let exif, let found = Self.read(bytes[exif]) {
        self = found
      } else {
        let xmp = segments.first { bytes[$0].starts(with: Self.xmpMark) }
        self = xmp.flatMap { Self.readXMP(bytes[$0]) } ?? .upright
      }
    case .tiff, .gif, .bmp, .avif, .heif, .jpeg2000: self = .upright
    }
  }

  private static let exifMark = Array("Exif\0\0".utf8)
  private static let xmpMark = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// The bodies of the segments of kind APP1, which come before the pixels.
  private static func applicationSegments(of bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xFF {
      let marker = bytes[place + 1]
      if marker == 0xFF {
        place += 1
        continue
      }
      let end = place + 2 + (Int(bytes[place + 2]) << 8 | Int(bytes[place + 3]))
      // Start of scan, or the end, or nonsense.
      if marker == 0xDA || marker == 0xD9 || end < place + 4 || end > bytes.count { break }
      if marker == 0xE1 { found.append(place + 4..<end) }
      place = end
    }
    return found
  }

  /// The body of the first chunk of that name that `fits`, which may stand behind any number of
  /// others.
  private static func chunk(
    _ name: String, ofPNG bytes: [UInt8], where fits: (Range<Int>) -> Bool = { _ in true }
  ) -> Range<Int>? {
    let name = Array(name.utf8)
    return bytes.withUnsafeBytes { bytes in
      var place = 8
      while place + 12 <= bytes.count {
        let length = Int(
          UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        let body = place + 8
        guard body + length + 4 <= bytes.count else { return nil }
        let range = body..<body + length
        if bytes[place + 4..<place + 8].elementsEqual(name), fits(range) { return range }
        place = body + length + 4
      }
      return nil
    }
  }

  /// XMP in a text chunk; a compressed one is not looked into.
  private static func xmpInPNG(_ bytes: [UInt8]) -> Range<Int>? {
    let keyword = Array("XML:com.adobe.xmp\0\0".utf8)
    return chunk("iTXt", ofPNG: bytes) { bytes[$0].starts(with: keyword) }
  }

  /// The body of the first chunk of that name.
  private static func chunk(_ name: String, ofWebP bytes: [UInt8]) -> Range<Int>? {
    let name = Array(name.utf8)
    var place = 12
    while place + 8 <= bytes.count {
      let length = bytes[place + 4..<place + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
      let body = place + 8
      guard body + length <= bytes.count else { return nil }
      if bytes[place..<place + 4].elementsEqual(name) { return body..<body + length }
      place = body + length + length % 2
    }
    return nil
  }

  /// Reads the tag from the first directory of a TIFF block, which may have EXIF's mark before it.
  private static func read(_ block: ArraySlice<UInt8>) -> Orientation? {
    let bytes = Array(block.starts(with: exifMark) ? block.dropFirst(exifMark.count) : block)
    let bigEndian: Bool
    if bytes.starts(with: [0x4D, 0x4D, 0, 42]) {
      bigEndian = true
    } else if bytes.starts(with: [0x49, 0x49, 42, 0]) {
      bigEndian = false
    } else {
      return nil
    }
    func number(_ start: Int, _ count: Int) -> Int? {
      guard start >= 0, start + count <= bytes.count else { return nil }
      let digits = bytes[start..<start + count]
      return bigEndian
        ? digits.reduce(0) { $0 << 8 | Int($1) }
        : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for index in 0..<count {
      let entry = directory + 2 + index * 12
      guard let tag = number(entry, 2), let type = number(entry + 2, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      // A byte, a short or a long; all are held in the entry itself.
      let width = [1: 1, 3: 2, 4: 4][type]
      return width.flatMap { number(entry + 8, $0) }.flatMap(Orientation.init(rawValue:))
    }
    return nil
  }

  /// Reads the digit of `tiff:Orientation="6"` or `<tiff:Orientation>6`.
  private static func readXMP(_ body: ArraySlice<UInt8>) -> Orientation? {
    let name = Array("tiff:Orientation".utf8)
    var rest = body
    while let start = rest.firstIndex(of: name[0]) {
      rest = rest[start...]
      if rest.starts(with: name) {
        let value = rest.dropFirst(name.count)
        let digit =
          value.starts(with: Array("=\"".utf8))
          ? value.dropFirst(2).first
          : value.first == UInt8(ascii: ">") ? value.dropFirst().first : nil
        if let digit, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
          return Orientation(rawValue: Int(digit - UInt8(ascii: "0")))
        }
      }
      rest = rest.dropFirst()
    }
    return nil
  }
}
