import Images
import Tensors
import Testing

@testable import Figures

@Suite struct ColourTests {
  @Test(arguments: [
    (ColourMap.viridis, 0x90c6_ad65_c23a_4182 as UInt64),
    (.cividis, 0x4ba4_0aeb_8cf0_b6c5), (.magma, 0x31dd_e46d_7e81_9339),
    (.grey, 0x3298_0c90_1ef4_f3d5), (.redBlue, 0xdcfe_4dcf_92ee_5385),
    (.purpleOrange, 0xab42_6b20_8ef1_395b),
  ])
  func tablesHaveMatplotlibsBytes(map: ColourMap, checksum: UInt64) {
    // FNV-1a over the 768 bytes, as computed from matplotlib 3.11.2.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for colour in map.colours {
      for byte in [colour.red, colour.green, colour.blue] {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
      }
    }
    #expect(map.colours.count == 256)
    #expect(hash == checksum)
  }

  @Test func sequentialMapsGrowLighterAndDivergingOnesHaveALightMiddle() {
    for map in ColourMap.allCases {
      let lightness = map.colours.map(\.lightness)
      // Whole bytes may lose a step of 0.3 to rounding, never two.
      let steps = zip(lightness.dropFirst(2), lightness).map { $0 - $1 }
      if map.isDiverging {
        #expect(lightness[128] > 95 && lightness[0] < 40 && lightness[255] < 40)
      } else {
        #expect(steps.allSatisfy { $0 > 0 }, "\(map)")
      }
    }
  }

  /// What outlines a patch is read on any ground: the strongest stands out from the lightest and the
  /// darkest that a dimmed picture has by the 3 : 1 that WCAG 2 asks of graphics, and the stronger is
  /// the lighter.
  @Test(arguments: ColourMap.allCases)
  func whatLiesOnPicturesIsReadOnEveryGround(map: ColourMap) throws {
    let colours = map.onPictures
    let white = UInt8((255 * Overlay.dimmed).rounded())
    for strongest in map.isDiverging ? [colours[0], colours[255]] : [colours[255]] {
      for ground in [Colour(white, white, white), .black] {
        #expect(strongest.contrast(to: ground) >= 3, "\(strongest) on \(ground)")
      }
    }
    let lightness = colours.map(\.lightness)
    if map.isDiverging {
      let arms = (lightness[..<128], lightness[128...])
      #expect(zip(arms.0.dropFirst(2), arms.0).allSatisfy { $0 < $1 })
      #expect(zip(arms.1.dropFirst(2), arms.1).allSatisfy { $0 > $1 })
    } else {
      // Bytes and repeated colours may lose a step, never six.
      #expect(zip(lightness.dropFirst(6), lightness).allSatisfy { $0 > $1 }, "\(map)")
    }
  }

  @Test func colourScalesNameTheirEnds() {
    let tensor = Tensor([-1, 0, 3, .nan, .infinity], shape: [5])
    let range = ColourScale(.minimumToMaximum, map: .viridis, of: [tensor])
    #expect(range.low == -1 && range.high == 3)
    #expect(range.position(.nan) == nil && range.colour(.nan) == nil)
    #expect(range.position(.infinity) == 1 && range.position(-.infinity) == 0)
    #expect(range.position(1) == 0.5)
    #expect(range.sentence.contains("smallest to largest"))
    let signed = ColourScale(.symmetric(about: 0), map: .redBlue, of: [tensor])
    #expect(signed.low == -3 && signed.high == 3)
    let wide = ColourScale(
      .minimumToMaximum, map: .viridis,
      of: [Tensor([-Float.greatestFiniteMagnitude, .greatestFiniteMagnitude], shape: [2])])
    #expect(wide.position(0) == 0.5)
    let none = ColourScale(.percentiles(1, 99), map: .viridis, of: [Tensor([.nan], shape: [1])])
    #expect(none.low == 0 && none.high == 0 && none.position(1) == 0)
  }

  @Test func notANumberIsMagentaAndCounted() throws {
    let figure = try Figure.heatmap(
      Tensor([0, .nan, 1, .infinity], shape: [2, 2]), title: "Bad")
    #expect(figure.caption.contains("1 NaN"))
    #expect(figure.caption.contains("1 infinite"))
    let page = try figure.image(scale: 1)
    let magenta = (0..<page.width * page.height).count {
      page.pixels[$0 * 3] == 255 && page.pixels[$0 * 3 + 1] == 0 && page.pixels[$0 * 3 + 2] == 255
    }
    #expect(magenta > 100)
  }

  @Test func largeMatricesAreJoinedByTheirLargestNumber() throws {
    var numbers = [Float](repeating: 0, count: 1000 * 600)
    numbers[999 * 600 + 3] = 5
    let figure = try Figure.heatmap(Tensor(numbers, shape: [1000, 600]), title: "Large")
    #expect(figure.caption.contains("the largest of 4 × 3 numbers"))
    #expect(figure.altText.contains("5 in row 999, column 3"))
    let cells = figure.marks.compactMap { mark -> Image? in
      if case .picture(let image, _, .blocks) = mark, image.width > 1 { return image }
      return nil
    }
    let image = try #require(cells.first)
    #expect(image.width == 200 && image.height == 250)
    #expect(image[1, 249] == Image.Pixel(red: 253, green: 231, blue: 36))
    #expect(image[0, 249] == Image.Pixel(red: 68, green: 1, blue: 84))
  }
}
