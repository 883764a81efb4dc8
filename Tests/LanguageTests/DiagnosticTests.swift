import Foundation
import Language
import Testing

@Suite struct DiagnosticTests {
  /// The carets below `marked` in `text`.
  func drawn(_ text: String, under marked: String, width: Int = 100) throws -> [String] {
    let start = try #require(text.range(of: marked))
    let lower = text.utf8.distance(from: text.startIndex, to: start.lowerBound)
    let source = Source(name: "a.fovea", text: text)
    let diagnostic = Diagnostic(
      "wrong", source: source, range: SourceRange(lower, lower + marked.utf8.count))
    return diagnostic.drawn(width: width).split(separator: "\n").map(String.init)
  }

  @Test func aDiagnosticShowsPlaceLineAndCarets() throws {
    #expect(
      try drawn("x = 1\nattention(vision, block=12)\n", under: "12") == [
        "a.fovea:2:25: error: wrong",
        "    attention(vision, block=12)",
        "                            ^^",
      ])
  }

  @Test func indentationIsNotDrawn() throws {
    #expect(try drawn("if x:\n    y = 12\n", under: "12")[1...] == ["    y = 12", "        ^^"])
  }

  @Test func tabsTakeTheirColumns() throws {
    #expect(try drawn("a\tb = 12\n", under: "12")[1...] == ["    a   b = 12", "            ^^"])
  }

  @Test func wideCharactersTakeTwoColumns() throws {
    #expect(try drawn("f(\"図\", x)", under: "x")[1...] == ["    f(\"図\", x)", "            ^"])
    #expect(try drawn("f(\"図形\")", under: "図形")[2] == "       ^^^^")
  }

  @Test func combiningCharactersTakeNone() throws {
    #expect(try drawn("\"e\u{301}\" + x", under: "x")[2] == "          ^")
  }

  @Test func controlCharactersAreMadeVisible() throws {
    #expect(try drawn("a\u{1B}[31m = x", under: "x")[1] == "    a⟨U+001B⟩[31m = x")
  }

  @Test func longLinesAreCutAroundTheCarets() throws {
    let text =
      String(repeating: "a + ", count: 100) + "mistake" + String(repeating: " + b", count: 99)
    let lines = try drawn(text, under: "mistake", width: 40)
    #expect(lines[1].contains("mistake"))
    #expect(lines[1].count <= 46)
    let caret = try #require(lines[2].firstIndex(of: "^"))
    let place = lines[2].distance(from: lines[2].startIndex, to: caret)
    #expect(lines[1].dropFirst(place).hasPrefix("mistake"))
  }

  @Test func thePlaceAfterTheEndGetsACaret() {
    let source = Source(name: "a", text: "x = ")
    let diagnostic = Diagnostic("wrong", source: source, range: SourceRange(4, 4))
    #expect(diagnostic.drawn() == "a:1:5: error: wrong\n    x =\n        ^")
  }

  @Test func columnsCountScalars() {
    let source = Source(name: "a", text: "é図\r\n  x")
    #expect(source.position(of: 5) == (1, 3))
    #expect(source.position(of: 9) == (2, 3))
    #expect(source.text(of: source.range(ofLine: 1)) == "é図")
  }
}

@Suite struct NearestNameTests {
  @Test func theNearestNameIsFound() {
    #expect(NearestName.of("patern", among: ["scores", "pattern"]) == "pattern")
    #expect(NearestName.of("Image", among: ["image"]) == "image")
    #expect(NearestName.of("lne", among: ["len"]) == "len")
    #expect(NearestName.of("x", among: ["y"]) == nil)
    #expect(NearestName.of("banana", among: ["len", "print"]) == nil)
  }
}
