import Foundation
import Images
import Tensors
import TestSupport
import Testing

@Suite struct PreprocessingTests {
  @Test func everyPreparedPictureEqualsTheReferenceBitForBit() throws {
    let goldens = try #require(PictureGoldens.all.first)
    let cases = try #require(goldens.expected.preprocess)
    #expect(cases.count == 7)
    for entry in cases {
      let prepared = try Preprocessing(entry.settings).prepare(goldens.image(entry.from))
      let expected = try goldens.tensor(entry.file)
      #expect(prepared.pixels.shape == expected.shape, "\(entry.name)")
      #expect(
        prepared.pixels.elements.map(\.bitPattern) == expected.elements.map(\.bitPattern),
        "\(entry.name)")
      #expect(prepared.geometry.input == prepared.picture.size, "\(entry.name)")
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil))
  func thePixelsOfTheBLIP2TraceAreMetBitForBit() throws {
    let shared = try #require(Fixtures.shared)
    let cat = shared.appending(path: "images/chelsea.png")
    let settings = try JSONDecoder().decode(
      PictureGoldens.Settings.self,
      from: Data(contentsOf: shared.appending(path: "goldens/blip2/preprocessor_config.json")))
    let image = try Image(decoding: [UInt8](Data(contentsOf: cat)), named: cat.path)
    let pixels = try Preprocessing(settings).prepare(image).pixels
    let trace = try Data(contentsOf: shared.appending(path: "goldens/blip2/trace.safetensors"))
    let expected = try pixelValues(in: trace)
    #expect(expected.count == 3 * 56 * 56)
    #expect(pixels.elements.map(\.bitPattern) == expected.map(\.bitPattern))
  }

  /// Reads `inputs.pixel_values`, float32, from safetensors.
  private func pixelValues(in file: Data) throws -> [Float] {
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: file[8..<8 + length]) as? [String: Any])
    let entry = try #require(header["inputs.pixel_values"] as? [String: Any])
    #expect(entry["dtype"] as? String == "F32")
    let offsets = try #require(entry["data_offsets"] as? [Int])
    let body = [UInt8](file[8 + length + offsets[0]..<8 + length + offsets[1]])
    return body.withUnsafeBytes { raw in
      (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
    }
  }

  /// Alpha, palettes, one bit, inks, chroma and deep grey: each is resized otherwise than its RGB.
  @Test func picturesThatBecomeRGBLastEqualWhatOpenCLIPMakesOfTheirFiles() throws {
    struct Entry: Decodable {
      let file, mode: String
    }
    let goldens = try #require(PictureGoldens.all.first)
    let folder = Fixtures.goldens.appending(path: "clip-open")
    let entries = try JSONDecoder().decode(
      [Entry].self, from: Data(contentsOf: folder.appending(path: "pictures.json")))
    let modes = Set(entries.map(\.mode))
    #expect(modes == ["1", "CMYK", "F", "I", "I;16", "L", "LA", "P", "RGB", "RGBA", "YCbCr"])
    let all = try Data(contentsOf: folder.appending(path: "pictures.npy"))
    let length = 16 * 16 * 3
    let size = PixelSize(width: 16, height: 16)
    let preprocessing = try Preprocessing(
      target: .shortestEdge(16), crop: size, cropRounding: .halfToEven, conversion: .afterResizing)
    for (index, entry) in entries.enumerated() {
      let opened = try Image(
        decoding: goldens.bytes(entry.file), named: entry.file, orientation: .ignored,
        transparency: nil)
      let expected = all.suffix(entries.count * length).dropFirst(index * length).prefix(length)
      let found = try preprocessing.prepare(opened).picture
      #expect(found.size == size && found.pixels == Array(expected), "\(entry.file), \(entry.mode)")
    }
  }

  @Test func aPictureThatIsTurnedKeepsTheSamplesOfItsMode() throws {
    let goldens = try #require(PictureGoldens.all.first)
    let preprocessing = try Preprocessing(target: .shortestEdge(9), conversion: .afterResizing)
    for file in ["inks.jpg", "grey16.png", "rgba.png", "palette.png"] {
      let image = try Image(decoding: goldens.bytes(file), named: file, transparency: nil)
      let turned = image.turned(.quarterTurned)
      #expect(turned.turned(.quarterTurnedBack) == image, "\(file)")
      let plain = turned.opaque(by: .drop)
      #expect(try preprocessing.prepare(turned) != preprocessing.prepare(plain), "\(file)")
    }
  }

  @Test(arguments: [(51, 1, 2), (49, 0, 0), (53, 2, 2), (55, 3, 4), (52, 2, 2), (45, -2, -2)])
  func aCropThatIsHalfAPixelOffRoundsAsTheModelsLibraryDoes(
    _ width: Int, _ down: Int, _ even: Int
  ) throws {
    let image = Image(width: width, height: 48, pixels: [UInt8](repeating: 9, count: width * 144))
    let size = PixelSize(width: 48, height: 48)
    for (rounding, expected) in [
      (Preprocessing.CropRounding.down, down), (.halfToEven, even),
    ] {
      let prepared = try Preprocessing(target: nil, crop: size, cropRounding: rounding)
        .prepare(image)
      #expect(prepared.geometry.left == expected && prepared.geometry.top == 0)
    }
  }

  @Test func thePictureThatAModelSeesIsRecoveredFromItsPixels() throws {
    let goldens = try #require(PictureGoldens.all.first)
    for entry in try #require(goldens.expected.preprocess) {
      let preprocessing = try Preprocessing(entry.settings)
      let prepared = try preprocessing.prepare(goldens.image(entry.from))
      let levels = try preprocessing.levels(of: prepared.pixels)
      #expect(try Image(levels: levels) == prepared.picture, "\(entry.name)")
    }
  }

  @Test(arguments: [(640, 480), (480, 640), (451, 300), (1, 1), (1, 200), (7, 3), (224, 224)])
  func theShortestEdgeIsMetAndTheOtherIsRoundedDown(width: Int, height: Int) throws {
    let preprocessing = try Preprocessing(target: .shortestEdge(224))
    let size = try preprocessing.resizedSize(of: PixelSize(width: width, height: height))
    #expect(min(size.width, size.height) == 224)
    let exact = 224.0 * Double(max(width, height)) / Double(min(width, height))
    #expect(max(size.width, size.height) == Int(exact))
  }

  @Test func settingsThatCannotBeFollowedAreNamed() throws {
    #expect(throws: ImageError.self) {
      try Preprocessing(target: .exactly(PixelSize(width: 0, height: 5)))
    }
    #expect(throws: ImageError.self) {
      try Preprocessing(target: .exactly(PixelSize(width: .max, height: .max)))
    }
    #expect(throws: ImageError.self) { try Preprocessing(target: .shortestEdge(-1)) }
    #expect(throws: ImageError.self) {
      try Preprocessing(target: nil, crop: PixelSize(width: 1 << 40, height: 1))
    }
    #expect(throws: ImageError.self) { try Preprocessing(target: nil, rescaleFactor: .nan) }
    let error = #expect(throws: ImageError.self) {
      try Preprocessing.Normalisation(mean: [0, 0, 0], deviation: [1, 0, 1])
    }
    #expect(error?.description.contains("image_std is [1.0, 0.0, 1.0]") == true)
    #expect(throws: ImageError.self) {
      try Preprocessing.Normalisation(mean: [0, 0], deviation: [1, 1, 1])
    }
    let long = Image(width: 30_000, height: 1, filledWith: .init(red: 0, green: 0, blue: 0))
    #expect(throws: ImageError.self) {
      try Preprocessing(target: .shortestEdge(16_384)).prepare(long)
    }
  }
}

extension Preprocessing {
  init(_ settings: PictureGoldens.Settings) throws {
    let size = settings.size ?? [:]
    let target: Target? =
      settings.do_resize == false
      ? nil
      : size["shortest_edge"].map(Target.shortestEdge)
        ?? .exactly(PixelSize(width: size["width"] ?? 0, height: size["height"] ?? 0))
    let crop =
      settings.do_center_crop == true
      ? PixelSize(
        width: settings.crop_size?["width"] ?? 0, height: settings.crop_size?["height"] ?? 0)
      : nil
    try self.init(
      target: target, filter: ResampleFilter(rawValue: settings.resample ?? 3) ?? .bicubic,
      crop: crop,
      rescaleFactor: settings.do_rescale == false ? nil : settings.rescale_factor,
      normalisation: settings.do_normalize == false
        ? nil
        : Normalisation(mean: settings.image_mean ?? [], deviation: settings.image_std ?? []))
  }
}
