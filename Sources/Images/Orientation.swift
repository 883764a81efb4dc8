/// How the rows and columns of a stored picture lie in the scene: EXIF tag 0x0112.
public enum Orientation: Int, Sendable, CaseIterable {
  /// As stored.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// Upside down.
  case halfTurned
  /// Top and bottom are exchanged.
  case flipped
  /// Rows and columns are exchanged.
  case transposed
  /// To be turned by a quarter clockwise.
  case quarterTurned
  /// Rows and columns are exchanged and both run backwards.
  case transversed
  /// To be turned by a quarter anticlockwise.
  case quarterTurnedBack

  /// Whether rows become columns.
  public var exchangesSides: Bool { rawValue >= 5 }

  /// The size that a stored picture has once it is upright; the inverse is the same function.
  public func upright(_ stored: PixelSize) -> PixelSize {
    exchangesSides ? PixelSize(width: stored.height, height: stored.width) : stored
  }

  /// Where a point of the upright picture lies in the stored one, of size `stored`.
  public func storedPoint(_ point: Point, stored: PixelSize) -> Point {
    var point = exchangesSides ? Point(x: point.y, y: point.x) : point
    if mirrorsColumns { point.x = Double(stored.width) - point.x }
    if mirrorsRows { point.y = Double(stored.height) - point.y }
    return point
  }

  /// Where a point of the stored picture, of size `stored`, lies in the upright one.
  public func uprightPoint(_ point: Point, stored: PixelSize) -> Point {
    var point = point
    if mirrorsColumns { point.x = Double(stored.width) - point.x }
    if mirrorsRows { point.y = Double(stored.height) - point.y }
    return exchangesSides ? Point(x: point.y, y: point.x) : point
  }

  private var mirrorsColumns: Bool { [2, 3, 7, 8].contains(rawValue) }
  private var mirrorsRows: Bool { [3, 4, 6, 7].contains(rawValue) }
}

extension Orientation {
  /// What the file's EXIF data say; upright where they say nothing or nonsense, as viewers do.
  init(of bytes: [UInt8], _ format: PictureFormat) {
    let block = format == .png ? Self.blockInPNG(bytes) : Self.blockInJPEG(bytes)
    self = block.flatMap { Self.read(bytes[$0]) } ?? .upright
  }

  /// The TIFF block in an application segment that starts with `Exif`, before the picture's data.
  private static func blockInJPEG(_ bytes: [UInt8]) -> Range<Int>? {
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xFF {
      let marker = bytes[place + 1]
      if marker == 0xFF {
        place += 1
        continue
      }
      // Start of scan: pixels follow.
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
      let end = place + 2 + length
      guard length >= 2, end <= bytes.count else { return nil }
      let body = place + 4..<end
      if marker == 0xE1, bytes[body].starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) {
        return body.dropFirst(6)
      }
      place = end
    }
    return nil
  }

  private static func blockInPNG(_ bytes: [UInt8]) -> Range<Int>? {
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let body = place + 8
      guard body + length + 4 <= bytes.count else { return nil }
      if bytes[place + 4..<body].elementsEqual([0x65, 0x58, 0x49, 0x66]) {
        return body..<body + length
      }
      place = body + length + 4
    }
    return nil
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
        ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
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
}
