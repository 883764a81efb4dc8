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
      let result = try Overlay.blend(
        map, over: Backdrop(image, patches: patches), scale: scale, line: 0)
      // 0.45 · 0.75 · 100 + 0.55 · (253, 231, 36) inside, the scale's own colour along the edge.
      let inner = Image.Pixel(red: 173, green: 161, blue: 54)
      let line = Image.Pixel(red: 253, green: 231, blue: 36)
      let dimmed = Image.Pixel(red: 40, green: 40, blue: 40)
      let (row, column) = (lit / columns, lit % columns)
      for y in 0..<height {
        for x in 0..<width {
          let isInside =
            (2 * x + 1) * columns >= 2 * column * width
            && (2 * x + 1) * columns < 2 * (column + 1) * width
            && (2 * y + 1) * rows >= 2 * row * height
            && (2 * y + 1) * rows < 2 * (row + 1) * height
          let isRight =
            isInside ? [inner, line].contains(result[x, y]) : result[x, y] == dimmed
          guard isRight else {
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
      Tensor(numbers, shape: [3, 4]), over: Backdrop(image, patches: patches), title: "One patch",
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
    let backdrop = Backdrop(
      flat(100, 60), patches: [Rectangle(x: 20, y: 0, width: 60, height: 60)],
      note: "Cropped: it was.")
    let map = Tensor([0], shape: [1, 1])
    let scale = ColourScale(.fixed(0, 1), map: .magma, of: [map])
    let result = try Overlay.blend(map, over: backdrop, scale: scale)
    #expect(result[10, 30].red == 174)
    #expect(result[19, 30].red == 174)
    #expect(result[20, 30].red == 40)
    #expect(result[79, 30].red == 40)
    #expect(result[80, 30].red == 174)
    let figure = try Figure.overlay(map, over: backdrop, title: "Cropped")
    #expect(figure.caption.contains("40 %"))
    #expect(figure.caption.contains("Cropped: it was."))
  }

  @Test func aPictureKeepsItsOwnColours() throws {
    let image = Image(width: 40, height: 10, filledWith: .init(red: 20, green: 200, blue: 40))
    let backdrop = Backdrop(
      image, patches: Rectangle.evenGrid(rows: 1, columns: 4, overWidth: 40, height: 10))
    let map = Tensor([0, 0.3, 0.6, 1], shape: [1, 4])
    let scale = ColourScale(.zeroToMaximum, map: .viridis, of: [map])
    let drawn = try Overlay.blend(map, over: backdrop, scale: scale)
    var before: UInt8 = 0
    for x in [5, 15, 25, 35] {
      let pixel = drawn[x, 5]
      // Green stays green, and gets brighter where the number is larger.
      #expect(pixel.green > pixel.red && pixel.green > pixel.blue, "\(pixel)")
      #expect(pixel.green > before)
      before = pixel.green
    }
  }

  @Test func aDivergingMapShowsTheMoreTheFurtherFromItsMiddle() throws {
    let backdrop = Backdrop(
      Image(width: 30, height: 10, filledWith: .init(red: 255, green: 255, blue: 255)),
      patches: Rectangle.evenGrid(rows: 1, columns: 3, overWidth: 30, height: 10))
    let map = Tensor([-1, 0, 1], shape: [1, 3])
    let scale = ColourScale(.symmetric(about: 0), map: .redBlue, of: [map])
    let result = try Overlay.blend(map, over: backdrop, scale: scale)
    #expect(result[5, 5].red > result[5, 5].blue && result[25, 5].blue > result[25, 5].red)
    #expect(result[15, 5] == .init(red: 102, green: 102, blue: 102))
  }

  /// The bar is true on every ground: nothing is mixed into the line around a patch.
  @Test(
    arguments: [ColourMap.magma, .viridis, .grey, .redBlue],
    [
      Image.Pixel(red: 255, green: 255, blue: 255), .init(red: 0, green: 0, blue: 0),
      .init(red: 0, green: 255, blue: 0),
    ])
  func theLineAroundAPatchHasTheBarsColour(map: ColourMap, ground: Image.Pixel) throws {
    let image = Image(width: 60, height: 20, filledWith: ground)
    let numbers = Tensor([-1, 0.5, 1], shape: [1, 3])
    let backdrop = Backdrop(
      image, patches: Rectangle.evenGrid(rows: 1, columns: 3, overWidth: 60, height: 20))
    let scale = ColourScale(.symmetric(about: 0), map: map, of: [numbers])
    var options = OverlayOptions()
    (options.map, options.normalisation) = (map, .symmetric(about: 0))
    let figure = try Figure.overlay(numbers, over: backdrop, title: "", options: options)
    let pictures = figure.marks.compactMap { mark -> Image? in
      if case .picture(let shown, _, _) = mark { shown } else { nil }
    }
    let bar = try #require(pictures.first { $0.width == 1 })
    let drawn = try Overlay.blend(numbers, over: backdrop, scale: scale, line: 2)
    for (x, index) in [(0, 0), (20, 192), (40, 255)] where map.isDiverging || index > 0 {
      #expect(drawn[x, 10] == bar[0, 255 - index])
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
    _ = try Overlay.blend(map, over: Backdrop(image, patches: wild), scale: scale)
    _ = try Figure.patchGrid(Backdrop(image, patches: wild), title: "Wild").png()
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
        Tensor(repeating: 0, shape: [2, 2]),
        over: Backdrop(image, patches: [Rectangle(x: 0, y: 0, width: 1, height: 1)]), title: "")
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
