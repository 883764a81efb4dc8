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
        #expect(differences(stored, try goldens.array(entry.rgb)) == 0, "\(entry.file)")
      }
    }
  }

  @Test func everyOrientationIsTurnedUprightAsTheReferenceDoes() throws {
    var count = 0
    for goldens in PictureGoldens.all {
      for entry in goldens.expected.decode {
        let expected = try entry.upright.map(goldens.array) ?? goldens.array(entry.rgb)
        #expect(differences(try goldens.image(entry.file), expected) == 0, "\(entry.file)")
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

/// How many bytes differ; every one where the sizes do.
private func differences(_ found: Image, _ expected: Image) -> Int {
  guard found.size == expected.size else { return max(found.pixels.count, 1) }
  return zip(found.pixels, expected.pixels).count { $0 != $1 }
}
