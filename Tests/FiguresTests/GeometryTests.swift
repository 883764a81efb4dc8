import Images
import Tensors
import Testing

@testable import Figures

@Suite struct GeometryTests {
  private func flat(_ width: Int, _ height: Int) -> Image {
    Image(width: width, height: height, filledWith: .init(red: 100, green: 100, blue: 100))
  }

  @Test(arguments: [
    (14, 14), (224, 224), (640, 427), (427, 640), (97, 31), (1000, 333), (15, 200), (225, 223),
  ])
  func oneLitPatchColoursItsOwnPixelsAndNoOthers(width: Int, height: Int) throws {
    let (rows, columns) = (7, 5)
    let image = flat(width, height)
    let patches = (0..<rows * columns).map { index in
      Rectangle(
        x: Double(width) * Double(index % columns) / Double(columns),
        y: Double(height) * Double(index / columns) / Double(rows),
        width: Double(width) / Double(columns), height: Double(height) / Double(rows))
    }
    for lit in [0, 4, 17, rows * columns - 1] {
      var numbers = [Float](repeating: 0, count: rows * columns)
      numbers[lit] = 1
      let map = Tensor(numbers, shape: [rows, columns])
      let scale = ColourScale(.zeroToMaximum, map: .viridis, of: [map])
      let result = try Overlay.blend(map, on: image, patches: patches, scale: scale)
      // 0.4 · 100 + 0.6 · (253, 231, 36)
      let expected = Image.Pixel(red: 192, green: 179, blue: 62)
      let (row, column) = (lit / columns, lit % columns)
      for y in 0..<height {
        for x in 0..<width {
          let isInside =
            (2 * x + 1) * columns >= 2 * column * width
            && (2 * x + 1) * columns < 2 * (column + 1) * width
            && (2 * y + 1) * rows >= 2 * row * height
            && (2 * y + 1) * rows < 2 * (row + 1) * height
          let wanted = isInside ? expected : Image.Pixel(red: 100, green: 100, blue: 100)
          guard result[x, y] == wanted else {
            Issue.record("\(width) × \(height), patch \(lit): pixel (\(x), \(y)) \(result[x, y])")
            return
          }
        }
      }
    }
  }

  @Test func theOverlayFigureShowsThePatchWhereItLies() throws {
    let image = flat(400, 300)
    let patches = Rectangle.evenGrid(rows: 3, columns: 4, overWidth: 400, height: 300)
    var options = OverlayOptions()
    options.framesLargest = false
    var numbers = [Float](repeating: 0, count: 12)
    numbers[6] = 1
    let figure = try Figure.overlay(
      Tensor(numbers, shape: [3, 4]), on: image, patches: patches, title: "One patch",
      options: options)
    let place = figure.marks.compactMap { mark -> Rectangle? in
      if case .picture(let shown, let area, _) = mark, shown.width > 1 { return area }
      return nil
    }
    let area = try #require(place.first)
    let page = try figure.image(scale: 2)
    for row in 0..<3 {
      for column in 0..<4 {
        let x = Int((area.x + (Double(column) + 0.5) / 4 * area.width) * 2)
        let y = Int((area.y + (Double(row) + 0.5) / 3 * area.height) * 2)
        let isLit = row == 1 && column == 2
        #expect((page[x, y].red > 150) == isLit, "patch \(row), \(column)")
      }
    }
    #expect(figure.altText.contains("row 1, column 2"))
  }

  @Test func pixelsOutsideEveryPatchArePale() throws {
    let image = flat(100, 60)
    let patches = [Rectangle(x: 20, y: 0, width: 60, height: 60)]
    let map = Tensor([1], shape: [1, 1])
    let scale = ColourScale(.zeroToMaximum, map: .magma, of: [map])
    let result = try Overlay.blend(map, on: image, patches: patches, scale: scale, strength: 0)
    #expect(result[10, 30].red == 174)
    #expect(result[19, 30].red == 174)
    #expect(result[20, 30].red == 100)
    #expect(result[79, 30].red == 100)
    #expect(result[80, 30].red == 174)
    let figure = try Figure.overlay(map, on: image, patches: patches, title: "Cropped")
    #expect(figure.caption.contains("40 %"))
  }

  @Test func aDivergingMapCoversTheMoreTheFurtherFromItsMiddle() throws {
    let image = Image(width: 30, height: 10, filledWith: .init(red: 255, green: 255, blue: 255))
    let patches = Rectangle.evenGrid(rows: 1, columns: 3, overWidth: 30, height: 10)
    let map = Tensor([-1, 0, 1], shape: [1, 3])
    let scale = ColourScale(.symmetric(about: 0), map: .redBlue, of: [map])
    let result = try Overlay.blend(map, on: image, patches: patches, scale: scale)
    #expect(result[5, 5].red > result[5, 5].blue && result[25, 5].blue > result[25, 5].red)
    #expect(result[15, 5] == .init(red: 255, green: 255, blue: 255))
  }

  @Test(arguments: [ColourMap.magma, .viridis, .redBlue])
  func theBarHasTheColoursThatThePatchesHave(map: ColourMap) throws {
    let image = Image(width: 30, height: 10, filledWith: .init(red: 255, green: 255, blue: 255))
    let patches = Rectangle.evenGrid(rows: 1, columns: 3, overWidth: 30, height: 10)
    let numbers = Tensor([-1, 0, 1], shape: [1, 3])
    let scale = ColourScale(.symmetric(about: 0), map: map, of: [numbers])
    let drawn = try Overlay.blend(numbers, on: image, patches: patches, scale: scale)
    let bar = Overlay.barColours(of: scale, on: image)
    for (x, colour) in [(5, bar[0]), (25, bar[255])] {
      #expect(drawn[x, 5] == .init(red: colour.red, green: colour.green, blue: colour.blue))
    }
  }

  @Test func wildRectanglesDoNoHarm() throws {
    let image = flat(10, 10)
    let wild: [Rectangle] = [
      .init(x: -1e300, y: -5, width: 2e300, height: 7), .init(x: .nan, y: 0, width: 1, height: 1),
      .init(x: 0, y: 0, width: .infinity, height: 1), .init(x: 5, y: 5, width: -3, height: 2),
    ]
    let map = Tensor([1, .nan, .infinity, 0], shape: [2, 2])
    let scale = ColourScale(.minimumToMaximum, map: .viridis, of: [map])
    _ = try Overlay.blend(map, on: image, patches: wild, scale: scale)
    _ = try Figure.patchGrid(image, patches: wild, title: "Wild").png()
  }

  @Test func wrongShapesAndCountsAreNamed() throws {
    let image = flat(10, 10)
    #expect(throws: FigureError.shape(figure: "heat map", found: [3], expected: "[R, C]")) {
      try Figure.heatmap(Tensor([1, 2, 3], shape: [3]), title: "")
    }
    #expect(
      throws: FigureError.count(
        figure: "overlay", what: "patch rectangles", found: 1, expected: 4)
    ) {
      try Figure.overlay(
        Tensor(repeating: 0, shape: [2, 2]), on: image,
        patches: [Rectangle(x: 0, y: 0, width: 1, height: 1)], title: "")
    }
    #expect(throws: FigureError.empty(figure: "histogram", what: "numbers")) {
      try Figure.histogram(Tensor([], shape: [0]), title: "")
    }
    let figure = try Figure.heatmap(Tensor(repeating: 1, shape: [2, 2]), title: "")
    #expect(throws: FigureError.self) { try figure.png(scale: 1000) }
    #expect(throws: FigureError.self) { try figure.png(scale: .nan) }
    #expect(throws: FigureError.self) {
      try Figure.stageGraph([StageNode("a")], edges: [GraphEdge(from: 0, to: 1)], title: "")
    }
  }
}
