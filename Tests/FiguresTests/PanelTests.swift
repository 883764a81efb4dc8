import Images
import Tensors
import Testing

@testable import Figures

@Suite struct PanelTests {
  @Test func noLastRowHasASingleMap() {
    for count in 3...256 {
      let columns = PanelSheet.columns(for: count)
      #expect(count % columns != 1, "\(count) maps in \(columns) columns")
      #expect(columns <= count)
    }
    #expect([1, 2, 3, 5, 16, 32].map(PanelSheet.columns(for:)) == [1, 2, 3, 3, 4, 8])
  }

  /// The pictures of a figure's panels, without its colour bar.
  private func panels(_ figure: Figure) -> [Image] {
    figure.marks.compactMap { mark in
      if case .picture(let image, _, _) = mark, image.width > 1 { image } else { nil }
    }
  }

  @Test func aHotMapDoesNotDarkenAFaintOneUnlessAsked() throws {
    let maps = Tensor([0.9, 0.1, 0.1, 0.1, 0.003, 0.001, 0.001, 0.001], shape: [2, 2, 2])
    let brightest = ColourMap.viridis.colours[255]
    func faint(_ options: PanelOptions) throws -> (Figure, Image.Pixel) {
      let figure = try Figure.mapPanels(maps, title: "Two", options: options)
      return (figure, try #require(panels(figure).last)[0, 0])
    }
    let (own, pixel) = try faint(PanelOptions())
    #expect(pixel == .init(red: brightest.red, green: brightest.green, blue: brightest.blue))
    #expect(own.caption.contains("do not compare"))
    // The largest of each is written above it.
    for number in ["0.9", "0.003"] {
      #expect(
        own.marks.contains {
          if case .text(let text) = $0 { text.characters == number } else { false }
        })
    }
    var options = PanelOptions()
    options.sharing = .all
    let (shared, dark) = try faint(options)
    #expect(dark.red < 80 && shared.caption.contains("colours compare"))
  }

  @Test func headsAreDrawnOnThePictureUnlessThatWouldBeTooSmall() throws {
    let backdrop = Backdrop(
      Gallery.picture(40, 40),
      patches: Rectangle.evenGrid(rows: 8, columns: 8, overWidth: 40, height: 40))
    func caption(_ blocks: Int, _ heads: Int) throws -> String {
      try Figure.contactSheet(
        Gallery.attention([blocks, heads, 64]).reshaped(blocks, heads, 8, 8), over: backdrop,
        title: "Heads"
      ).caption
    }
    #expect(try caption(2, 3).contains("dimmed"))
    #expect(try !caption(30, 32).contains("dimmed"))
  }

  @Test func rowsAndColumnsOfAGridAreNumbered() throws {
    let backdrop = Backdrop(
      Gallery.picture(64, 48),
      patches: Rectangle.evenGrid(rows: 3, columns: 4, overWidth: 64, height: 48))
    let figure = try Figure.patchGrid(backdrop, title: "Grid")
    let texts = figure.marks.compactMap { mark -> Text? in
      if case .text(let text) = mark { text } else { nil }
    }
    let area = try #require(
      figure.marks.lazy.compactMap { mark -> Rectangle? in
        if case .picture(_, let area, _) = mark { area } else { nil }
      }.first)
    let (above, left) = (
      texts.filter { $0.place.y < area.y && Int($0.characters) != nil }.map(\.characters),
      texts.filter { $0.place.x < area.x && Int($0.characters) != nil }.map(\.characters)
    )
    #expect(above == ["0", "1", "2", "3"] && left == ["0", "1", "2"])
  }
}
