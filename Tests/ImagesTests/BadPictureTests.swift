import Images
import Tensors
import TestSupport
import Testing

@Suite struct BadPictureTests {
  private func error(_ bytes: [UInt8], _ limits: Image.Limits = .init()) -> ImageError? {
    do {
      _ = try Image(decoding: bytes, named: "cat.png", limits: limits)
      return nil
    } catch {
      return error
    }
  }

  /// A well-formed PNG header of any size, and nothing after it.
  private func header(width: UInt32, height: UInt32, depth: UInt8 = 8, kind: UInt8 = 2) -> [UInt8] {
    let body = bigEndian(width) + bigEndian(height) + [depth, kind, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + chunk("IHDR", body)
      + chunk("IDAT", [0x78, 0x9C])
  }

  private func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    let named = Array(name.utf8) + body
    return bigEndian(UInt32(body.count)) + named + bigEndian(checksum(named))
  }

  private func bigEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }

  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0 as UInt32) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in
        rest & 1 == 1 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1
      }
    }
  }

  @Test func anEmptyFileIsCalledEmpty() {
    #expect(error([]) == .empty(name: "cat.png"))
    #expect(error([])?.description.hasPrefix("cat.png is empty (0 bytes)") == true)
  }

  @Test(arguments: [
    ("<svg xmlns=\"http://www.w3.org/2000/svg\">", "an SVG drawing"),
    ("<?xml version=\"1.0\"?>\n<svg>", "an SVG drawing"),
    ("P6\n4 4\n255\n", "a Netpbm picture"),
    ("\u{FF}\u{0A}\u{10}", "a JPEG XL picture"),
    ("8BPS\0\u{01}", "a Photoshop picture"),
  ]) func aPictureOfAnotherFormatIsNamed(start: String, found: String) {
    let bytes = start.unicodeScalars.map { UInt8($0.value) }
    #expect(error(bytes) == .unsupported(name: "cat.png", found: found))
    #expect(error(bytes)?.description.contains("AVIF, HEIC or JPEG 2000 are read") == true)
  }

  @Test func textThatBeginsAsABitmapDoesIsText() {
    guard case .notAPicture(_, let found) = error(Array("BM is how this text begins".utf8)) else {
      Issue.record("taken for a picture")
      return
    }
    #expect(found.hasPrefix("text"))
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\noid sha256:00", "a Git LFS pointer"),
    ("\n <!DOCTYPE html><html>", "a web page (HTML)"),
    ("%PDF-1.4", "a PDF document"),
    ("{\"width\": 3}", "text (\"{\"width\": 3}\")"),
    ("\u{01}\u{02}\u{FF}\u{FE}\u{03}", "no known format (first bytes 01 02 ff fe)"),
    ("\u{89}PNG\n\u{1A}\n", "line ends were changed"),
    ("\u{FF}", "no known format (first bytes ff)"),
  ]) func whatIsNoPictureIsSaidToBeWhatItIs(start: String, found: String) {
    let bytes = start.unicodeScalars.map { UInt8($0.value) }
    guard case .notAPicture(_, let said) = error(bytes) else {
      Issue.record("\(start) gave \(String(describing: error(bytes)))")
      return
    }
    #expect(said.contains(found))
  }

  @Test func sizesBeyondReasonAreRefusedByTheHeader() {
    #expect(
      error(header(width: 50_000, height: 50_000, depth: 1, kind: 0))
        == .tooManyPixels(
          name: "cat.png", size: PixelSize(width: 50_000, height: 50_000), limit: 178_956_970))
    #expect(
      error(header(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF))?.description.contains("Scale it down")
        == true)
    for bytes in [header(width: 0, height: 5), header(width: 0x8000_0000, height: 5)] {
      guard case .damaged(_, "PNG", _, _, nil) = error(bytes) else {
        Issue.record("\(String(describing: error(bytes)))")
        return
      }
    }
  }

  @Test func longStripsAreRead() throws {
    let strip = Image(width: 90_000, height: 1, filledWith: .init(red: 1, green: 2, blue: 3))
    #expect(try Image(decoding: strip.png(), named: "strip") == strip)
  }

  @Test func whatTakesMoreMemoryThanThereIsIsRefusedByTheHeader() {
    var limits = Image.Limits()
    limits.memory = { 100_000_000 }
    guard
      case .tooLittleMemory(_, let size, let needed, _, 100_000_000) =
        error(header(width: 8000, height: 8000), limits)
    else {
      Issue.record("not refused")
      return
    }
    #expect(size.width == 8000 && needed > 192_000_000 && needed < 193_000_000)
    let words = error(header(width: 8000, height: 8000), limits)?.description
    #expect(words?.contains("takes 193 MB of memory, and there are 100 MB") == true)
    #expect(error(header(width: 8000, height: 8000), limits)?.exitCode == 71)
  }

  /// The file itself is in memory already; 5 MB are for the library.
  @Test(arguments: [
    ("rgb.bmp", 3, 192_000_000..<192_100_000), ("plain.tif", 3, 192_000_000..<197_100_000),
    ("tiff_lzw.tif", 3, 192_000_000..<197_100_000), ("chroma.tif", 7, 448_000_000..<453_000_000),
    ("chroma-packed.tif", 7, 448_000_000..<453_000_000),
  ])
  func whatDecodingTakesIsToldAsItIs(
    _ file: String, _ bytesAPixel: Int, _ expected: Range<Int>
  ) throws {
    let own = try #require(PictureGoldens.all.first)
    var bytes = try own.bytes(file)
    try enlarge(&bytes, of: file)
    var limits = Image.Limits()
    limits.memory = { 100_000_000 }
    guard case .tooLittleMemory(_, let size, let needed, bytes.count, _) = error(bytes, limits)
    else {
      Issue.record("not refused: \(String(describing: error(bytes, limits)))")
      return
    }
    #expect(size == PixelSize(width: 8000, height: 8000) && expected.contains(needed))
    #expect(needed / (8000 * 8000) == bytesAPixel)
  }

  /// Makes the sides of a BMP or of a little-endian TIFF 8000.
  private func enlarge(_ bytes: inout [UInt8], of file: String) throws {
    let side: [UInt8] = [0x40, 0x1F, 0, 0]
    guard file.hasSuffix(".tif") else {
      bytes.replaceSubrange(18..<26, with: side + side)
      return
    }
    let start = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let count = Int(bytes[start]) | Int(bytes[start + 1]) << 8
    for entry in (0..<count).map({ start + 2 + 12 * $0 })
    where bytes[entry + 1] == 1 && bytes[entry] <= 1 {
      bytes.replaceSubrange(entry + 8..<entry + 12, with: side)
    }
  }

  @Test func aProgressivePictureWithoutItsLaterScansIsDamaged() throws {
    let bytes = try #require(PictureGoldens.all.first).bytes("progressive.jpg")
    // The tables of the second scan, and all behind them, make way for an end mark.
    let first = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xDA]) })
    let second = try #require(
      bytes[(first + 2)...].indices.first { bytes[$0...].starts(with: [0xFF, 0xC4]) })
    guard
      case .damaged(_, "JPEG", let message, _, _) = error(Array(bytes[..<second]) + [0xFF, 0xD9])
    else {
      Issue.record("taken for whole")
      return
    }
    #expect(message.contains("later scans"))
  }

  @Test func dataBehindThePixelsAreNotUnpackedForLong() throws {
    // A row of 3 bytes, and a stream that goes on for as long as it is let.
    var body: [UInt8] = [0x78, 0x01]
    let block = [UInt8](repeating: 0, count: 65_535)
    for _ in 0..<4 { body += [0, 0xFF, 0xFF, 0, 0] + block }
    let start = Array(header(width: 1, height: 1).prefix(33))
    guard
      case .damaged(_, "PNG", let message, _, _) =
        error(start + chunk("IDAT", body) + chunk("IEND", []))
    else {
      Issue.record("read to its end")
      return
    }
    #expect(message.contains("more data than the picture has"))
  }

  /// Each asks often enough, or is left behind by whoever waits.
  @Test func everyFormatCanBeStopped() throws {
    let goldens = try #require(PictureGoldens.all.first)
    for name in [
      "rgb.png", "interlaced.png", "q95-444.jpg", "progressive.jpg", "lossy.webp", "palette.gif",
      "rgb.bmp", "runs.bmp", "tiff_lzw.tif", "tiled.tif", "planar.tif", "grey.j2k",
      "chroma420.avif", "chroma420.heic",
    ] {
      let bytes = try goldens.bytes(name)
      do {
        // Small ones may be done before those that cannot stop are first asked for.
        _ = try Image(decoding: bytes, named: name, isStopped: { true })
        #expect(
          ["lossy.webp", "grey.j2k", "chroma420.avif", "chroma420.heic"].contains(name), "\(name)")
      } catch {
        #expect(error == .stopped(name: name), "\(name)")
      }
      #expect(throws: Never.self) {
        try Image(decoding: bytes, named: name, isStopped: { false })
      }
    }
  }

  @Test func onePixelIsAPicture() throws {
    let pixel = Image(width: 1, height: 1, filledWith: .init(red: 200, green: 100, blue: 50))
    #expect(try Image(decoding: pixel.png(), named: "pixel") == pixel)
    let large = pixel.resized(width: 56, height: 56, by: .bicubic)
    #expect(large == Image(width: 56, height: 56, filledWith: pixel[0, 0]))
  }

  @Test func everyTruncationIsAnError() throws {
    let goldens = try #require(PictureGoldens.all.first)
    for name in [
      "rgb.png", "interlaced.png", "q95-444.jpg", "progressive.jpg", "cmyk.jpg", "lossy.webp",
      // Without bytes at its end that hold nothing, as bitmaps of other widths have.
      "lossless-alpha.webp", "alpha.bmp", "chroma420.avif", "rgb.jp2",
    ] {
      let bytes = try goldens.bytes(name)
      for count in 0..<bytes.count {
        #expect(error(Array(bytes.prefix(count))) != nil, "\(name) cut to \(count) bytes")
      }
      #expect(error(bytes) == nil)
    }
  }

  @Test func aTruncatedPictureSaysHowFarItCame() throws {
    let goldens = try #require(PictureGoldens.all.first)
    let bytes = try goldens.bytes("q95-444.jpg")
    guard
      case .truncated(_, "JPEG", let count, let row, let height) =
        error(Array(bytes.prefix(bytes.count * 3 / 4)))
    else {
      Issue.record("not truncated")
      return
    }
    #expect(count == bytes.count * 3 / 4 && height == 26 && row < 26)
    let start = error(Array(bytes.prefix(bytes.count * 3 / 4)))?.description
    #expect(
      start?.contains("the JPEG data end after 1,") == true
        && start?.contains("bytes, in row") == true)
    #expect(start?.contains("\n") == false)
  }

  @Test func scansBeyondTheLimitAreRefused() throws {
    let bytes = try #require(PictureGoldens.all.first).bytes("progressive.jpg")
    var limits = Image.Limits()
    limits.scanCount = 3
    #expect(error(bytes) == nil)
    #expect(
      error(bytes, limits)
        == .unusual(name: "cat.png", format: "JPEG", message: "more than 3 scans"))
  }

  /// Text that would unpack to anything is never unpacked, and chunks by the thousand cost
  /// no more than their bytes.
  @Test func chunksThatHoldNoPixelsAreSkipped() throws {
    let image = Image(width: 3, height: 2, filledWith: .init(red: 1, green: 2, blue: 3))
    let png = image.png()
    let nonsense = Array("Comment\0\0".utf8) + [UInt8](repeating: 0x5A, count: 100)
    for name in ["zTXt", "iCCP", "iTXt", "tEXt", "sPLT", "eXIf", "prVt", "tIME", "gAMA"] {
      let bytes = Array(png[..<33]) + chunk(name, nonsense) + png[33...]
      #expect(try Image(decoding: bytes, named: name) == image)
    }
    let empty = chunk("tEXt", [])
    let many = Array(png[..<33]) + Array(repeatElement(empty, count: 50_000).joined()) + png[33...]
    #expect(try Image(decoding: many, named: "many") == image)
  }

  @Test func aChangedByteInPNGDataIsAnError() throws {
    let goldens = try #require(PictureGoldens.all.first)
    var bytes = try goldens.bytes("rgb.png")
    bytes[bytes.count / 2] ^= 0x10
    guard case .damaged(_, "PNG", _, _, _) = error(bytes) else {
      Issue.record("\(String(describing: error(bytes)))")
      return
    }
  }

  /// Hundreds of mutants a format, each a picture or an error.
  @Test func noMutantCrashes() throws {
    let goldens = try #require(PictureGoldens.all.first)
    var random = SplitMix64(seed: 20_260)
    var limits = Image.Limits()
    // A mutated size would only cost time.
    limits.pixelCount = 1_000_000
    for names in [
      ["rgb.png", "palette2bit.png", "interlaced1.png", "exif6.png", "grey16.png"],
      ["q30-420.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg", "exif6.jpg"],
      ["lossy.webp", "lossless-alpha.webp", "animated.webp", "lossy-alpha.webp", "exif6.webp"],
      ["plain.tif", "tiff_lzw.tif", "palette.tif", "tiled.tif", "planar.tif"],
      ["palette.gif", "transparent.gif", "grey.gif", "offset.gif", "animated.gif"],
      ["rgb.bmp", "palette.bmp", "runs.bmp", "alpha.bmp", "rgb565.bmp"],
      ["chroma420.avif", "alpha.avif", "exif6.avif", "limited444.avif"],
      ["chroma420.heic", "exif6.heic"],
      ["rgb.jp2", "alpha.jp2", "grey.j2k"],
    ] {
      var outcomes = (pictures: 0, errors: 0)
      for round in 0..<600 {
        var bytes = try goldens.bytes(names[round % names.count])
        for _ in 0...random.below(4) {
          let place = random.below(bytes.count)
          switch random.below(6) {
          case 0: bytes[place] = UInt8(random.below(256))
          case 1: bytes[place] ^= 1 << UInt8(random.below(8))
          case 2: bytes[place] = [0, 0xFF, 0x7F, 0x80, 1][random.below(5)]
          case 3: bytes.remove(at: place)
          case 4:
            bytes.insert(contentsOf: bytes[place...].prefix(random.below(40)), at: place)
          default:
            // Headers are where lengths and sizes stand.
            bytes[min(place % 200, bytes.count - 1)] = UInt8(random.below(256))
          }
        }
        if names[0].hasSuffix("png") { bytes = repaired(bytes) }
        if let error = error(bytes, limits) {
          outcomes.errors += 1
          #expect(!error.description.isEmpty && !error.description.contains("\n"))
        } else {
          outcomes.pictures += 1
        }
      }
      #expect(outcomes.pictures > 5 && outcomes.errors > 50, "\(names): \(outcomes)")
    }
  }

  /// The chunks with their checksums made right, so that a mutation reaches what reads them.
  private func repaired(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    var place = 8
    while place + 12 <= bytes.count {
      let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = place + 8 + length
      guard end + 4 <= bytes.count else { return bytes }
      bytes.replaceSubrange(end..<end + 4, with: bigEndian(checksum(Array(bytes[place + 4..<end]))))
      place = end + 4
    }
    return bytes
  }
}
