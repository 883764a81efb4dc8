import Images
import TestSupport
import Testing

@Suite struct DecodingTests {
  @Test func ownPicturesAreThere() throws {
    let own = try #require(PictureGoldens.all.first)
    #expect(own.expected.decode.count >= 30)
    #expect(own.expected.resize.count >= 28)
  }

  @Test(.enabled(if: Fixtures.shared != nil)) func secondSetOfPicturesIsThere() throws {
    #expect(PictureGoldens.all.count == 2)
    #expect(PictureGoldens.all.last?.expected.decode.count == 22)
    #expect(PictureGoldens.all.last?.expected.resize.count == 28)
  }

  @Test func everyPictureDecodesByteForByteAsTheReferenceDoes() throws {
    for goldens in PictureGoldens.all {
      for entry in goldens.expected.decode {
        let bytes = try goldens.bytes(entry.file)
        let stored = try Image(decoding: bytes, named: entry.file, orientation: .ignored)
        #expect(
          differences(stored, try goldens.array(entry.rgb), beyond: entry.tolerance) == 0,
          "\(entry.file)")
      }
    }
  }

  @Test func everyFormatIsAmongThePictures() throws {
    let own = try #require(PictureGoldens.all.first)
    let endings = Set(own.expected.decode.map { $0.file.split(separator: ".").last ?? "" })
    #expect(
      endings == ["png", "jpg", "webp", "gif", "bmp", "tif", "avif", "heic", "jp2", "j2k"])
  }

  @Test func transparentPartsAreLaidOnWhiteAsTheProcessorDoes() throws {
    let own = try #require(PictureGoldens.all.first)
    let clear = own.expected.decode.compactMap { entry in entry.white.map { (entry.file, $0) } }
    #expect(clear.count >= 15)
    for (file, white) in clear {
      let bytes = try own.bytes(file)
      let kept = try Image(
        decoding: bytes, named: file, orientation: .ignored, transparency: nil)
      let laid = try Image(
        decoding: bytes, named: file, orientation: .ignored, transparency: .white)
      let dropped = try Image(
        decoding: bytes, named: file, orientation: .ignored, transparency: .drop)
      #expect(differences(laid, try own.array(white)) == 0, "\(file)")
      #expect(kept.opaque(by: .white) == laid && kept.opaque(by: .drop) == dropped)
      #expect(laid.alpha == nil && (kept.alpha == nil) == (laid == dropped && kept == laid))
    }
  }

  @Test func greyOfSixteenBitsThatIsCutIsSaidToBe() throws {
    let own = try #require(PictureGoldens.all.first)
    for entry in own.expected.decode {
      let isCut = try DecodedPicture(own.bytes(entry.file), named: entry.file).isCut
      #expect(
        isCut
          == ["grey16.png", "grey16.tif", "float.tif", "integer.tif"].contains(entry.file),
        "\(entry.file)")
    }
  }

  @Test func anAnimationOrASetOfPagesGivesItsFirstPicture() throws {
    let own = try #require(PictureGoldens.all.first)
    let still = try own.image("lossless-alpha.webp")
    #expect(try own.image("animated.webp").size == still.size)
    #expect(try own.image("animated.gif").size == still.size)
    // On a larger screen it lies where the file says.
    #expect(try own.image("offset.gif").size == PixelSize(width: 36, height: 23))
  }

  @Test func theBytesSayWhatAFileIsAndNotItsName() throws {
    let own = try #require(PictureGoldens.all.first)
    let bytes = try own.bytes("lossy.webp")
    #expect(try Image(decoding: bytes, named: "photo.jpg") == own.image("lossy.webp"))
  }

  @Test func everyOrientationIsTurnedUprightAsTheReferenceDoes() throws {
    var count = 0
    for goldens in PictureGoldens.all {
      for entry in goldens.expected.decode {
        let expected = try entry.upright.map(goldens.array) ?? goldens.array(entry.rgb)
        #expect(
          differences(try goldens.image(entry.file), expected, beyond: entry.tolerance) == 0,
          "\(entry.file)")
        if entry.upright != nil { count += 1 }
      }
    }
    #expect(count >= 9)
  }

  @Test func everyResizeEqualsTheReferenceByteForByte() throws {
    for goldens in PictureGoldens.all {
      for entry in goldens.expected.resize {
        let filter = try #require(filters[entry.filter])
        let found = try goldens.image(entry.from)
          .resized(width: entry.width, height: entry.height, by: filter)
        #expect(differences(found, try goldens.array(entry.expected)) == 0, "\(entry.expected)")
      }
    }
  }

  @Test func everyPictureSurvivesEncoding() throws {
    for goldens in PictureGoldens.all {
      for entry in goldens.expected.decode {
        let image = try goldens.image(entry.file)
        let png = image.png()
        #expect(try Image(decoding: png, named: "encoded") == image)
        #expect(png == image.png())
      }
    }
  }
}

private let filters: [String: ResampleFilter] = [
  "nearest": .nearest, "bilinear": .bilinear, "bicubic": .bicubic, "lanczos": .lanczos,
]

/// How many bytes differ by more than `tolerance`; every one where the sizes do.
private func differences(
  _ found: Image, _ expected: Image, beyond tolerance: Int? = nil
) -> Int {
  guard found.size == expected.size else { return max(found.pixels.count, 1) }
  return zip(found.pixels, expected.pixels).count { abs(Int($0) - Int($1)) > tolerance ?? 0 }
}
