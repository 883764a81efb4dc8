import Images
import Tensors
import TestSupport
import Testing

private let sizes = [
  (224, 224), (640, 480), (480, 640), (451, 300), (97, 131), (1000, 64), (70, 700), (333, 334),
]

@Suite struct GeometryTests {
  private func geometries(_ width: Int, _ height: Int) throws -> [Geometry] {
    let image = Image(width: width, height: height, filledWith: .init(red: 9, green: 9, blue: 9))
    let square = PixelSize(width: 56, height: 56)
    return [
      try Preprocessing(target: .exactly(square)).prepare(image, patchSize: 14).geometry,
      try Preprocessing(target: .shortestEdge(56), crop: square)
        .prepare(image, patchSize: 8, leadingTokenCount: 1).geometry,
      try Preprocessing(target: nil).prepare(image, patchSize: 16).geometry,
      try Preprocessing(target: nil, crop: PixelSize(width: 300, height: 290))
        .prepare(image, patchSize: 10, leadingTokenCount: 5).geometry,
    ]
  }

  @Test(arguments: sizes) func pointsComeBackFromTheInput(width: Int, height: Int) throws {
    for geometry in try geometries(width, height) {
      for (x, y) in [(0.0, 0.0), (0.5, 0.5), (17.25, 3), (Double(width), Double(height))] {
        let back = geometry.originalPoint(geometry.inputPoint(Point(x: x, y: y)))
        #expect(abs(back.x - x) < 1e-9 && abs(back.y - y) < 1e-9)
      }
    }
  }

  @Test(arguments: sizes) func everyPatchIsFoundAtItsOwnPlace(width: Int, height: Int) throws {
    for geometry in try geometries(width, height) {
      #expect(geometry.tokenCount == geometry.leadingTokenCount + geometry.patchCount)
      for row in 0..<geometry.rowCount {
        for column in 0..<geometry.columnCount {
          let rectangle = geometry.patchRectangle(row: row, column: column)
          let patch = Geometry.Patch(row: row, column: column)
          #expect(geometry.patch(at: rectangle.centre) == patch)
          #expect(geometry.patch(ofToken: geometry.token(row: row, column: column)) == patch)
        }
      }
      for token in 0..<geometry.leadingTokenCount {
        #expect(geometry.patch(ofToken: token) == nil)
      }
      #expect(geometry.patch(ofToken: geometry.tokenCount) == nil)
      #expect(geometry.patch(ofToken: -1) == nil)
    }
  }

  @Test(arguments: sizes) func patchesTileWhatTheModelSees(width: Int, height: Int) throws {
    for geometry in try geometries(width, height) {
      for row in 0..<geometry.rowCount {
        for column in 1..<geometry.columnCount {
          let before = geometry.patchRectangle(row: row, column: column - 1)
          let patch = geometry.patchRectangle(row: row, column: column)
          #expect(abs(before.bottomRight.x - patch.x) < 1e-9)
          #expect(before.y == patch.y && abs(before.width - patch.width) < 1e-9)
        }
      }
    }
  }

  /// Lights what one patch covers in the original and looks where the light arrives.
  @Test(arguments: sizes) func oneLitPatchLightsExactlyThatPatch(width: Int, height: Int) throws {
    let square = PixelSize(width: 56, height: 56)
    let dark = Image(width: width, height: height, filledWith: .init(red: 0, green: 0, blue: 0))
    for preprocessing in [
      try Preprocessing(target: .exactly(square), filter: .bilinear),
      try Preprocessing(target: .shortestEdge(56), filter: .bilinear, crop: square),
    ] {
      let geometry = try preprocessing.prepare(dark, patchSize: 14).geometry
      for (row, column) in [(0, 0), (1, 2), (3, 3), (2, 0)] {
        var lit = dark
        let rectangle = geometry.patchRectangle(row: row, column: column)
        // Pixels whose centres lie inside.
        for y in 0..<height {
          for x in 0..<width
          where rectangle.contains(Point(x: Double(x) + 0.5, y: Double(y) + 0.5)) {
            lit[x, y] = .init(red: 255, green: 255, blue: 255)
          }
        }
        let patches = try patchify(preprocessing.prepare(lit).pixels, patch: 14)
        for index in 0..<patches.shape[0] {
          let light = patches.row(index).elements.reduce(0, +) / Float(patches.shape[1])
          if index == geometry.token(row: row, column: column) {
            #expect(light > 0.8, "patch \(index) of \(width) × \(height)")
          } else {
            #expect(light < 0.15, "patch \(index) of \(width) × \(height)")
          }
        }
      }
    }
  }

  /// The same through split and resize, for pictures of 200 sizes and every view of each.
  @Test func aLitPatchLandsOnItsPlaceInEveryView() throws {
    let preprocessing = try Preprocessing(
      target: .longestEdge(98, atLeast: 42), filter: .bilinear, splits: true)
    var random = SplitMix64(seed: 42)
    for _ in 0..<200 {
      let (width, height) = (120 + random.below(301), 120 + random.below(301))
      let size = PixelSize(width: width, height: height)
      let dark = Image(width: width, height: height, filledWith: .init(red: 0, green: 0, blue: 0))
      for view in 0..<5 {
        let geometry = try preprocessing.way(of: size, view: view, patchSize: 14)
        let place = Geometry.Patch(
          row: random.below(geometry.rowCount), column: random.below(geometry.columnCount))
        let rectangle = geometry.patchRectangle(row: place.row, column: place.column)
        // There and back, and within the part of the picture that the view shows.
        #expect(geometry.patch(at: rectangle.centre) == place)
        #expect(geometry.part.rectangle.contains(rectangle.centre))
        var lit = dark
        for y in Int(rectangle.y)..<min(height, Int(rectangle.bottomRight.y) + 1) {
          for x in Int(rectangle.x)..<min(width, Int(rectangle.bottomRight.x) + 1)
          where rectangle.contains(Point(x: Double(x) + 0.5, y: Double(y) + 0.5)) {
            lit[x, y] = .init(red: 255, green: 255, blue: 255)
          }
        }
        let prepared = try preprocessing.prepare(lit, view: view, patchSize: 14)
        #expect(prepared.geometry == geometry)
        let patches = try patchify(prepared.pixels, patch: 14)
        #expect(patches.shape[0] == geometry.patchCount)
        let expected = geometry.token(row: place.row, column: place.column)
        for index in 0..<patches.shape[0] {
          let light = patches.row(index).elements.reduce(0, +) / Float(patches.shape[1])
          #expect(
            index == expected ? light > 0.7 : light < 0.25,
            "patch \(index) of view \(view) of \(size): \(light)")
        }
      }
    }
  }

  @Test func quartersAndTheWholeCoverThePicture() throws {
    let preprocessing = try Preprocessing(target: .longestEdge(98, atLeast: 42), splits: true)
    let size = PixelSize(width: 103, height: 71)
    let parts = try (0..<5).map { try preprocessing.way(of: size, view: $0).part }
    #expect(parts.map(\.x) == [0, 51, 0, 51, 0] && parts.map(\.y) == [0, 0, 35, 35, 0])
    #expect(parts.map(\.size.width) == [51, 52, 51, 52, 103])
    #expect(parts.map(\.size.height) == [35, 35, 36, 36, 71])
    #expect(try preprocessing.way(of: size) == preprocessing.way(of: size, view: 4))
    // Nothing is enlarged but to the least side, each side by itself.
    #expect(try preprocessing.way(of: size, view: 0).resized == PixelSize(width: 51, height: 42))
    #expect(throws: ImageError.self) {
      try preprocessing.way(of: PixelSize(width: 1, height: 5000), view: 0)
    }
  }

  @Test func aBorderLiesOutsideTheOriginal() throws {
    let geometry = Geometry(
      original: PixelSize(width: 4, height: 10), left: -3, top: 0,
      input: PixelSize(width: 10, height: 10), patchSize: 2)
    #expect(geometry.patchRectangle(row: 0, column: 0).x == -3)
    #expect(geometry.seen == Rectangle(x: 0, y: 0, width: 4, height: 10))
    #expect(geometry.patch(at: Point(x: 0, y: 0)) == Geometry.Patch(row: 0, column: 1))
    #expect(geometry.patch(at: Point(x: 7.5, y: 0)) == nil)
    let cut = Geometry(
      original: PixelSize(width: 20, height: 20), left: 5, top: 5,
      input: PixelSize(width: 11, height: 10), patchSize: 2)
    #expect(cut.patch(at: Point(x: 4.9, y: 6)) == nil)
    #expect(cut.columnCount == 5)
    #expect(cut.patch(at: Point(x: 15.5, y: 6)) == nil)
  }

  @Test func patchesUnderABoxFollowTheCropAndTheResize() {
    // 40 × 20, resized to 20 × 10, of which the middle 10 × 10 is seen in patches of 5.
    let geometry = Geometry(
      original: PixelSize(width: 40, height: 20), resized: PixelSize(width: 20, height: 10),
      left: 5, top: 0, input: PixelSize(width: 10, height: 10), patchSize: 5)
    func patches(_ x: Double, _ y: Double, _ width: Double, _ height: Double, share: Double = 0)
      -> [[Int]]
    {
      geometry.patches(under: Rectangle(x: x, y: y, width: width, height: height), share: share)
        .map { [$0.row, $0.column] }
    }
    #expect(patches(0, 0, 40, 20) == [[0, 0], [0, 1], [1, 0], [1, 1]])
    #expect(patches(10, 0, 10, 10) == [[0, 0]])
    #expect(patches(10, 0, 10, 10, share: 1) == [[0, 0]])
    #expect(patches(11, 0, 10, 10) == [[0, 0], [0, 1]])
    #expect(patches(11, 0, 10, 10, share: 0.5) == [[0, 0]])
    #expect(patches(11, 0, 10, 10, share: 1) == [])
    #expect(patches(0, 0, 10, 20) == [])
    #expect(geometry.box(of: []) == nil)
    #expect(
      geometry.box(of: [.init(row: 1, column: 0), .init(row: 1, column: 1)])
        == Rectangle(x: 10, y: 10, width: 20, height: 10))
  }

  @Test func theBoxOfThePatchesUnderABoxHoldsWhatIsSeenOfIt() throws {
    var random = SplitMix64(seed: 5)
    for _ in 0..<300 {
      let original = PixelSize(width: 20 + random.below(300), height: 20 + random.below(300))
      let preprocessing = try Preprocessing(
        target: .shortestEdge(48), crop: PixelSize(width: 48, height: 48))
      let image = Image(
        width: original.width, height: original.height, filledWith: .init(red: 1, green: 2, blue: 3)
      )
      let geometry = try preprocessing.prepare(image, patchSize: 16).geometry
      let box = Rectangle(
        x: Double(random.below(original.width)), y: Double(random.below(original.height)),
        width: 1 + Double(random.below(80)), height: 1 + Double(random.below(80)))
      let seen = try #require(geometry.seen).intersection(box)
      let patches = geometry.patches(under: box)
      #expect(patches.isEmpty == (seen == nil))
      guard let seen, let found = geometry.box(of: patches) else { continue }
      let common = try #require(found.intersection(seen))
      #expect(abs(common.width - seen.width) < 1e-9 && abs(common.height - seen.height) < 1e-9)
    }
  }
}

@Suite struct PatchTests {
  @Test func patchesAreLaidOutByChannelThenRowThenColumn() throws {
    let pixels = Tensor((0..<3 * 5 * 7).map(Float.init), shape: [3, 5, 7])
    let patches = try patchify(pixels, patch: 2)
    #expect(patches.shape == [2 * 3, 3 * 2 * 2])
    for row in 0..<2 {
      for column in 0..<3 {
        for channel in 0..<3 {
          for y in 0..<2 {
            for x in 0..<2 {
              #expect(
                patches[row * 3 + column, (channel * 2 + y) * 2 + x]
                  == pixels[channel, row * 2 + y, column * 2 + x])
            }
          }
        }
      }
    }
  }

  @Test func patchesGoBackToTheirPlaces() throws {
    let pixels = Tensor((0..<3 * 6 * 8).map(Float.init), shape: [3, 6, 8])
    let patches = try patchify(pixels, patch: 2)
    #expect(try unpatchify(patches, patch: 2, rows: 3, columns: 4) == pixels)
    let odd = try patchify(Tensor((0..<5 * 7).map(Float.init), shape: [1, 5, 7]), patch: 3)
    #expect(odd.shape == [2, 9])
    #expect(try unpatchify(odd, patch: 3, rows: 1, columns: 2).shape == [1, 3, 6])
  }

  @Test func aWrongShapeIsNamed() throws {
    let pixels = Tensor(repeating: 0, shape: [3, 4, 4])
    #expect(
      throws: ImageError.shape(found: [3, 4, 4], expected: "[C, Y, X] with Y and X at least 5")
    ) { try patchify(pixels, patch: 5) }
    #expect(throws: ImageError.self) { try patchify(pixels, patch: 0) }
    #expect(throws: ImageError.self) { try patchify(pixels, patch: .max) }
    #expect(throws: ImageError.self) { try patchify(pixels.row(0), patch: 2) }
    let patches = try patchify(pixels, patch: 2)
    #expect(throws: ImageError.self) { try unpatchify(patches, patch: 2, rows: 2, columns: 3) }
    #expect(throws: ImageError.self) { try unpatchify(patches, patch: 5, rows: 2, columns: 2) }
    #expect(throws: ImageError.self) {
      try unpatchify(patches, patch: 2, rows: .max, columns: .max)
    }
  }
}
