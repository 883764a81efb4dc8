import Images
import Testing

@testable import Figures

@Suite struct OutlineTests {
  @Test(arguments: [(160, 160), (100, 50), (1600, 900), (33, 70)])
  func linesLieOnTheirCorners(_ width: Int, _ height: Int) throws {
    let image = Image(
      width: width, height: height, filledWith: .init(red: 255, green: 255, blue: 255))
    let (w, h) = (Double(width), Double(height))
    let corners = [
      Point(w * 0.25, h * 0.25), Point(w * 0.75, h * 0.25), Point(w * 0.75, h * 0.75),
      Point(w * 0.25, h * 0.75),
    ]
    let red = Colour(255, 0, 0)
    let figure = try Figure.outlines([Outline(corners, colour: red)], on: image, title: "t")
    let scale = 400 / Double(max(width, height))
    // Where the picture lies on the page.
    let area = try #require(
      figure.marks.compactMap { mark -> Rectangle? in
        if case .picture(_, let area, _) = mark { area } else { nil }
      }.first)
    #expect(abs(area.width - w * scale) < 1 && abs(area.height - h * scale) < 1)
    let page = try figure.image(scale: 1)
    func pixel(_ x: Double, _ y: Double) -> Image.Pixel {
      page[
        Int((area.x + x * area.width / w).rounded()), Int((area.y + y * area.height / h).rounded())]
    }
    for corner in corners {
      let found = pixel(corner.x, corner.y)
      #expect(found.red > 200 && found.green < 140, "\(corner): \(found)")
    }
    for (x, y) in [(0.5, 0.25), (0.75, 0.5), (0.5, 0.75), (0.25, 0.5)] {
      let found = pixel(w * x, h * y)
      #expect(found.red > 200 && found.green < 140, "\(x), \(y): \(found)")
    }
    for (x, y) in [(0.5, 0.5), (0.1, 0.1), (0.9, 0.5), (0.5, 0.9)] {
      #expect(pixel(w * x, h * y) == .init(red: 255, green: 255, blue: 255))
    }
  }

  @Test func aLabelStandsAtTheFirstCornerAboveAllLines() throws {
    let image = Image(width: 100, height: 100, filledWith: .init(red: 255, green: 255, blue: 255))
    let corners = [Point(20, 30), Point(60, 30), Point(60, 80), Point(20, 80)]
    let figure = try Figure.outlines(
      [
        Outline(corners, label: "a \u{202E}b", colour: Outline.palette[0]),
        Outline(corners, colour: Outline.palette[1]),
      ], on: image, title: "t")
    let texts = figure.marks.compactMap { mark -> Text? in
      if case .text(let text) = mark { text } else { nil }
    }
    let label = try #require(texts.first { $0.characters.hasPrefix("a ") })
    #expect(label.characters.contains("⟨U+202E⟩"))
    #expect(label.colour == Outline.palette[0].contrasting)
    let last = try #require(
      figure.marks.lastIndex { if case .shape(_, nil, _?) = $0 { true } else { false } })
    let at = try #require(
      figure.marks.firstIndex { if case .text(let text) = $0 { text == label } else { false } })
    #expect(at > last)
    #expect(Set(Outline.palette).count == 10)
  }

  @Test func noOutlinesMakeNoFigure() {
    let image = Image(width: 9, height: 9, filledWith: .init(red: 0, green: 0, blue: 0))
    #expect(throws: FigureError.self) { try Figure.outlines([], on: image, title: "t") }
  }

  @Test func answersShareOnePictureAndOneScale() throws {
    let image = Image(width: 40, height: 20, filledWith: .init(red: 255, green: 255, blue: 255))
    let corners = [Point(10, 5), Point(30, 5), Point(30, 15), Point(10, 15)]
    let figure = try Figure.answers(
      [
        AnswerPanel("exact", text: "a cat", measures: [("encode", 0)]),
        AnswerPanel(
          "rough", text: "a dog\u{202E}", outlines: [Outline(corners, colour: Colour(255, 0, 0))],
          measures: [("encode", 0.003), ("decode", .infinity)]),
      ], on: image, title: "t", measure: "how far")
    let areas = figure.marks.compactMap { mark -> Rectangle? in
      if case .picture(_, let area, _) = mark { area } else { nil }
    }
    #expect(areas.count == 2 && areas[0].width == 2 * areas[0].height)
    #expect(areas[0].y == areas[1].y && areas[1].x > areas[0].x + areas[0].width)
    // The box lies in the second picture, half as wide.
    let page = try figure.image(scale: 1)
    func red(_ area: Rectangle) -> Bool {
      let pixel = page[Int(area.x + area.width / 4), Int(area.y + area.height / 2)]
      return pixel.red > 200 && pixel.green < 140
    }
    #expect(red(areas[1]) && !red(areas[0]))
    #expect(figure.caption.contains("from 1e-4 to 1e-2, one for all"), "\(figure.caption)")
    #expect(figure.altText.contains("rough: a dog⟨U+202E⟩, 1 outline"), "\(figure.altText)")
    #expect(throws: FigureError.self) {
      try Figure.answers([], on: image, title: "t", measure: "m")
    }
  }
}
