import Foundation
import Images
import Testing

@testable import Figures

@Suite struct TerminalGraphicsTests {
  /// A picture of few colours, and one of many.
  private static func picture(_ width: Int, _ height: Int, colours: Int) -> Image {
    var pixels: [UInt8] = []
    for place in 0..<width * height {
      let number = (place * 7919) % colours
      pixels += [UInt8(number % 256), UInt8(number / 256 % 256), UInt8((number * 5) % 256)]
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  @Test func kittyAndITermGetThePictureAsPNG() throws {
    let image = Self.picture(300, 90, colours: 60_000)
    let kitty = try #require(TerminalGraphics.kitty.escapes(for: image, columns: 80))
    let pieces = kitty.components(separatedBy: "\u{1B}_G").dropFirst().map {
      $0.components(separatedBy: "\u{1B}\\")[0]
    }
    #expect(pieces.count > 1 && pieces[0].hasPrefix("a=T,f=100,q=2,m=1;"))
    #expect(pieces.dropFirst().dropLast().allSatisfy { $0.hasPrefix("m=1;") })
    #expect(pieces.last?.hasPrefix("m=0;") == true)
    let bodies = pieces.map { $0.components(separatedBy: ";")[1] }
    #expect(bodies.allSatisfy { $0.count <= 4096 })
    #expect(Data(base64Encoded: bodies.joined()) == Data(image.png()))
    let iterm = try #require(TerminalGraphics.iterm.escapes(for: image, columns: 80))
    #expect(iterm.hasPrefix("\u{1B}]1337;File=inline=1;size=\(image.png().count):"))
    let body = iterm.components(separatedBy: ":")[1].components(separatedBy: "\u{07}")[0]
    #expect(Data(base64Encoded: body) == Data(image.png()))
    // A picture wider than the window is made to fit.
    #expect(TerminalGraphics.kitty.escapes(for: image, columns: 10)?.contains(",c=10,") == true)
    #expect(TerminalGraphics.iterm.escapes(for: image, columns: 10)?.contains(";width=10:") == true)
    #expect(TerminalGraphics.blocks.escapes(for: image, columns: 80) == nil)
  }

  @Test func insideTmuxWordsPassThrough() throws {
    let image = Self.picture(8, 8, colours: 4)
    for graphics in [TerminalGraphics.kitty, .iterm, .sixel] {
      let plain = try #require(graphics.escapes(for: image, columns: 80))
      let passed = try #require(graphics.escapes(for: image, columns: 80, isInTmux: true))
      #expect(passed.hasPrefix("\u{1B}Ptmux;\u{1B}\u{1B}"))
      #expect(
        passed.dropFirst(7).dropLast(3).replacingOccurrences(of: "\u{1B}\u{1B}", with: "\u{1B}")
          + "\n"
          == plain)
    }
  }

  /// What a terminal makes of sixels: colours in hundredths, by pixel.
  private func decoded(_ text: String, width: Int, height: Int) -> [[Int]] {
    var pixels = [[Int]](repeating: [], count: width * height)
    var palette: [Int: [Int]] = [:]
    var (index, column, top) = (0, 0, 0)
    var rest = text.dropFirst(
      text.distance(from: text.startIndex, to: text.firstIndex(of: "q") ?? text.endIndex) + 1)
    rest = rest.dropFirst()  // the quotation mark
    _ = number()
    func number() -> [Int] {
      let digits = rest.prefix { $0.isNumber || $0 == ";" }
      rest = rest.dropFirst(digits.count)
      return digits.split(separator: ";").compactMap { Int($0) }
    }
    func put(_ letter: Character, _ count: Int) {
      let bits = Int(letter.asciiValue ?? 63) - 63
      for x in column..<column + count {
        for row in 0..<6 where bits >> row & 1 == 1 && top + row < height && x < width {
          pixels[(top + row) * width + x] = palette[index] ?? []
        }
      }
      column += count
    }
    while let letter = rest.first, letter != "\u{1B}" {
      rest = rest.dropFirst()
      switch letter {
      case "#":
        let numbers = number()
        index = numbers[0]
        if numbers.count == 5 { palette[index] = Array(numbers[2...]) }
      case "!":
        let count = number()[0]
        put(rest.removeFirst(), count)
      case "$": column = 0
      case "-": (column, top) = (0, top + 6)
      default: put(letter, 1)
      }
    }
    return pixels
  }

  @Test func sixelsOfFewColoursAreExactAndOfManyNear() throws {
    for (width, height, colours) in [(1, 1, 1), (17, 13, 250), (64, 31, 3), (40, 40, 60_000)] {
      let image = Self.picture(width, height, colours: colours)
      let text = try #require(TerminalGraphics.sixel.escapes(for: image, columns: 80))
      #expect(text.hasPrefix("\u{1B}Pq\"1;1;\(width);\(height)") && text.hasSuffix("\u{1B}\\\n"))
      let pixels = decoded(text, width: width, height: height)
      var far = 0
      for place in 0..<width * height {
        let wanted = (0..<3).map { (Double(image.pixels[place * 3 + $0]) * 100 / 255).rounded() }
        let off = zip(wanted, pixels[place]).map { abs($0 - Double($1)) }.max() ?? 100
        far = max(far, Int(off))
      }
      #expect(far <= (colours > 256 ? 60 : 0), "\(width) × \(height): \(far)")
    }
    // Twice too wide: a quarter of the pixels.
    let wide = try #require(
      TerminalGraphics.sixel.escapes(for: Self.picture(160, 20, colours: 2), columns: 10))
    #expect(wide.hasPrefix("\u{1B}Pq\"1;1;80;10"))
  }

  @Test func aCaptionIsBrokenForTheTerminalNotCut() throws {
    let figure = try Figure.heatmap(
      Gallery.noise([4, 60]), title: "Noise", options: HeatmapOptions())
    for columns in [30, 60] {
      let text = try figure.terminalText(columns: columns, style: .shades)
      let words = text.split { $0 == "\n" || $0 == " " }.joined(separator: " ")
      #expect(words.hasSuffix(figure.caption))
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= columns })
    }
  }

  @Test func aFiguresLettersAreText() throws {
    let marks: [Mark] = [
      .shape(Path(Rectangle(x: 0, y: 40, width: 200, height: 60)), fill: .black, stroke: nil),
      .text(Text("A title", at: Point(10, 20), size: 12, isBold: true)),
      .text(Text("the end", at: Point(195, 70), anchor: .end, colour: .white)),
      .text(Text("hidden by the title", at: Point(12, 21))),
    ]
    let figure = Figure(
      title: "t", width: 200, height: 100, marks: marks, altText: "", caption: "")
    for style in TerminalPicture.Style.allCases {
      let text = try figure.terminalText(columns: 80, style: style)
      #expect(text.contains("A title") && text.contains("the end"), "\(style)")
      #expect(!text.contains("hidden"))
      let lines = text.split(separator: "\n")
      #expect(lines.count == 12 || lines.count == 11, "\(lines.count)")
      #expect(text.contains("\u{1B}") == (style != .shades))
    }
    let shades = try figure.terminalText(columns: 80, style: .shades)
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(shades[0].allSatisfy { $0 == " " })
    #expect(shades[8].prefix(10).allSatisfy { $0 == "@" })
  }
}
