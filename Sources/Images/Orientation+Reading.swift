extension Orientation {
  /// What the file's EXIF data say, or else its XMP data; upright where neither says a thing that
  /// makes sense, as viewers do.
  init(of bytes: [UInt8], _ format: PictureFormat) {
    switch format {
    case .png:
      self = Self.exifInPNG(bytes).flatMap { Self.read(bytes[$0]) } ?? .upright
    case .jpeg:
      let segments = Self.applicationSegments(of: bytes)
      let exif = segments.first { bytes[$0].starts(with: Self.exifMark) }
      if let exif, let found = Self.read(bytes[exif.dropFirst(Self.exifMark.count)]) {
        self = found
      } else {
        let xmp = segments.first { bytes[$0].starts(with: Self.xmpMark) }
        self = xmp.flatMap { Self.readXMP(bytes[$0]) } ?? .upright
      }
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

  /// The body of the chunk `eXIf`, which may stand behind any number of others.
  private static func exifInPNG(_ bytes: [UInt8]) -> Range<Int>? {
    bytes.withUnsafeBytes { bytes in
      var place = 8
      while place + 12 <= bytes.count {
        let length = Int(
          UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)))
        let name = UInt32(
          bigEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
        let body = place + 8
        guard body + length + 4 <= bytes.count else { return nil }
        // "eXIf"
        if name == 0x6558_4966 { return body..<body + length }
        place = body + length + 4
      }
      return nil
    }
  }

  /// Reads the tag from the first directory of a TIFF block.
  private static func read(_ block: ArraySlice<UInt8>) -> Orientation? {
    let bytes = Array(block)
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
