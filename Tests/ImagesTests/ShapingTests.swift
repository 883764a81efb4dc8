import Images
import Tensors
import Testing

@Suite struct ShapingTests {
  /// A picture whose pixels say where they stand.
  private func numbered(_ width: Int, _ height: Int) -> Image {
    var image = Image(width: width, height: height, filledWith: .init(red: 0, green: 0, blue: 255))
    for y in 0..<height {
      for x in 0..<width { image[x, y] = .init(red: UInt8(x), green: UInt8(y), blue: 255) }
    }
    return image
  }

  @Test func croppingKeepsPixelsAndAddsBlack() {
    let image = numbered(6, 5)
    let part = image.cropped(x: 2, y: 1, width: 3, height: 2)
    #expect(part[0, 0] == image[2, 1] && part[2, 1] == image[4, 2])
    let wider = image.cropped(x: -1, y: -2, width: 9, height: 9)
    #expect(wider[0, 0] == .init(red: 0, green: 0, blue: 0))
    #expect(wider[1, 2] == image[0, 0] && wider[6, 6] == image[5, 4])
    #expect(wider[7, 6] == .init(red: 0, green: 0, blue: 0))
    let beside = image.cropped(x: 6, y: 0, width: 2, height: 2)
    #expect(beside == Image(width: 2, height: 2, filledWith: .init(red: 0, green: 0, blue: 0)))
  }

  @Test func aCentreCropWithAnOddRestTakesTheSmallerOffset() throws {
    func cropped(_ image: Image, _ width: Int, _ height: Int) throws -> Image {
      try Preprocessing(target: nil, crop: PixelSize(width: width, height: height))
        .prepare(image).picture
    }
    let part = try cropped(numbered(10, 7), 7, 4)
    #expect(part[0, 0] == .init(red: 1, green: 1, blue: 255))
    // A picture too small by 3 gets the larger half of the border first.
    let padded = try cropped(numbered(5, 5), 8, 8)
    #expect(padded[1, 1].blue == 0 && padded[2, 2] == .init(red: 0, green: 0, blue: 255))
  }

  @Test func resizingToTheSameSizeChangesNothing() {
    let image = numbered(9, 4)
    for filter in ResampleFilter.allCases {
      #expect(image.resized(width: 9, height: 4, by: filter) == image)
    }
  }

  @Test func aPlainPictureStaysPlainAtEverySize() {
    let colour = Image.Pixel(red: 7, green: 128, blue: 255)
    let image = Image(width: 23, height: 17, filledWith: colour)
    for filter in ResampleFilter.allCases {
      for (width, height) in [(1, 1), (200, 3), (3, 200), (22, 18), (64, 64)] {
        #expect(
          image.resized(width: width, height: height, by: filter)
            == Image(width: width, height: height, filledWith: colour))
      }
    }
  }

  @Test func greyIsRepeatedAndTheTensorHoldsTheLevels() {
    let image = Image(width: 2, height: 1, grey: [3, 250])
    #expect(image.pixels == [3, 3, 3, 250, 250, 250])
    #expect(image.tensor.shape == [1, 2, 3])
    #expect(image.tensor[0, 1, 2] == 250)
  }
}
