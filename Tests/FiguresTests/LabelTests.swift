import Foundation
import FoundationXML
import Images
import Tensors
import Testing

@testable import Figures

@Suite struct LabelTests {
  static let hostile = [
    "</text><script>alert(1)</script>", "\u{202e}gnp.exe", "\u{1b}]52;c;AAAA\u{07}",
    "\0\u{1}\u{7f}",
    "a\u{200b}b\u{feff}c", "\u{fffe}\u{ffff}", "\\N\\G\\L", "<b>&amp;\"'", "]]>", "%s%n",
    "image=\"/etc/passwd\" URL=\"javascript:1\"", String(repeating: "x", count: 70_000),
    String(repeating: "e\u{301}\u{302}\u{303}", count: 300), "绿色 ひらがな 한국어", "שלום עולם",
    "👩‍👩‍👧‍👦", "", " ", "ĠĠ▁x", "\n\r\t", "\u{e0041}",
  ]

  @Test func whatCannotBeSeenIsSpelledOut() {
    #expect(Label.visible("\u{202e}abc") == "⟨U+202E⟩abc")
    #expect(Label.visible("\u{1b}[2J") == "⟨U+001B⟩[2J")
    #expect(Label.visible("a\nb\tc") == "a⏎b⇥c")
    #expect(Label.visible(String(repeating: "x", count: 70_000)).count == 2001)
    #expect(Label.token(" red") == "␣red")
    #expect(Label.token("Ġred") == "␣red")
    #expect(Label.token("▁red") == "␣red")
    #expect(Label.token("") == "⟨empty⟩")
  }

  @Test func hostileTextInEverySlotStaysText() throws {
    let count = Self.hostile.count
    let square = Tensor(repeating: 0.5, shape: [count, count])
    var figures: [Figure] = []
    for text in Self.hostile {
      var options = HeatmapOptions()
      (options.rowAxis, options.columnAxis) = (text, text)
      (options.valueName, options.note) = (text, text)
      figures.append(
        try .heatmap(
          Tensor([0, 1], shape: [1, 2]), title: text, rowLabels: [text],
          columnLabels: [text, text], options: options))
    }
    figures.append(
      try .heatmap(square, title: "All", rowLabels: Self.hostile, columnLabels: Self.hostile))
    figures.append(
      try .stageGraph(
        Self.hostile.map { StageNode($0, shape: $0, sentence: $0) },
        edges: (1..<count).map { GraphEdge(from: $0 - 1, to: $0) }, title: "Stages"))
    figures.append(
      try .attentionGraph(
        square, title: "Graph", queries: Self.hostile.map { AttentionNode($0) },
        keys: Self.hostile.map { AttentionNode($0) }))
    figures.append(
      try .tokenStrip(
        Self.hostile.map {
          TokenStep(.init($0, probability: .nan), runnersUp: [.init($0, probability: 7)])
        }, title: "Tokens"))
    figures.append(
      try .bars([Double](repeating: 1, count: count), labels: Self.hostile, title: "Bars"))
    for figure in figures {
      let svg = figure.svg()
      let parser = XMLParser(data: Data(svg))
      let elements = ElementNames()
      parser.delegate = elements
      #expect(
        parser.parse(), "\(figure.title.prefix(40)): \(String(describing: parser.parserError))")
      #expect(
        elements.names.isSubset(of: ["svg", "title", "desc", "rect", "path", "text", "image"]),
        "\(elements.names)")
      #expect(elements.attributes.allSatisfy { !$0.hasPrefix("on") })
      #expect(figure.width < 1400 && figure.height < 4000, "\(figure.title.prefix(40))")
      let page = try figure.image(scale: 0.25)
      #expect(page.width > 0)
    }
  }

  @Test func aSignThatNoFontHasIsNamed() throws {
    let text = Text("a\u{10FFFD}b 😀", at: .init(x: 4, y: 14))
    #expect(text.characters.hasPrefix("a⟨U+10FFFD⟩b "))
    // Emoji come with the fonts that scripts/setup installs; elsewhere they have a name.
    #expect(text.characters.hasSuffix("😀") || text.characters.hasSuffix("⟨grinning face⟩"))
    // Digits stay those of the letters, whatever fonts of emoji there are.
    let digits = Typesetter.width(of: "0123456789", size: 10)
    #expect(digits < 75, "\(digits)")
  }

  @Test func chineseHebrewAndLatinAreDrawnWithoutMissingGlyphs() throws {
    // A glyph that no font has is a box whose drawing is the same for every such character.
    func drawn(_ text: String) throws -> [UInt8] {
      try Figure(
        title: "", width: 40, height: 20, marks: [.text(Text(text, at: .init(x: 4, y: 14)))],
        altText: "", caption: ""
      ).image().pixels
    }
    #expect(try drawn("绿") != drawn("色"))
    #expect(try drawn("ש") != drawn("ל"))
    #expect(try drawn("␣") != drawn("⏎"))
  }
}

/// Collects the names of elements and attributes.
private final class ElementNames: NSObject, XMLParserDelegate {
  var names: Set<String> = []
  var attributes: Set<String> = []
  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes found: [String: String]
  ) {
    names.insert(name)
    attributes.formUnion(found.keys)
  }
}
