import Commands
import Foundation
import Runtime
import TestSupport
import Testing

/// What stands on the screen and in files, for contents that make it hard.
@Suite struct ShownTests {
  private func workshop(_ model: String) throws -> Workshop {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: model)
    return workshop
  }

  @Test func negativeNumbersOfATableStayNumbers() throws {
    let workshop = try workshop("vit")
    let path = try #require(
      try workshop.value("save(classify(scene(7), top=7), \"classes.csv\")").text)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    let logits = try lines.dropFirst().map { line in
      try #require(line.split(separator: ",").last.flatMap { Double($0) }, "\(line)")
    }
    #expect(logits.count > 3 && logits.contains { $0 < 0 }, "\(lines)")
  }

  @Test func tablesHoldOneLineARowInColumnsOfTheScreen() throws {
    let workshop = try workshop("clip")
    let shown = try workshop.value("similarity(scene(7), [\"a\\nb\\t\\x1b[31m\", \"日本\", \"\"])")
      .displayed
    let lines = shown.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 3)
    #expect(lines[0].contains("a⏎b⇥⟨U+001B⟩[31m  ") && lines[0].hasSuffix("⟨empty⟩"))
    // The rule beneath a heading of two wide characters is four long.
    #expect(lines[1].split(separator: " ").map(\.count).suffix(3).contains { $0 >= 4 })
    let long = try workshop.value(
      "embed_text([\"" + String(repeating: "ab ", count: 9) + "\", \"x\"])")
    #expect(long.displayed.split(separator: "\n").allSatisfy { $0.count < 80 })
  }

  @Test func textsThatDifferInTheMiddleHaveDifferentLabels() throws {
    let workshop = try workshop("clip")
    let shown = try workshop.value(
      "similarity(scene(7), [\"a red circle and one star of blue\", "
        + "\"a red circle and two star of blue\"])"
    ).displayed
    #expect(shown.contains("[0] a red") && shown.contains("[1] a red"))
  }

  @Test func aGraphOfATextHasItsWords() throws {
    let workshop = try workshop("clip")
    for source in ["embed_text(\"a red circle\")", "read(\"a red circle\")"] {
      let path = try #require(try workshop.value("save(graph(\(source)), \"g.svg\")").text)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains("red") && !text.contains("token 0"), "\(source)")
    }
    let path = try #require(try workshop.value("save(graph(), \"stages.svg\")").text)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for name in try workshop.texts("stages()[\"stage\"]") {
      #expect(text.contains(">\(name)<"), "\(name)")
    }
  }

  @Test func aPlaceIsDescribedByItsShapeAndStage() throws {
    let workshop = try workshop("clip")
    let shown = try workshop.value("describe(\"vision.blocks.0.attention\")").displayed
    #expect(shown.contains("vision.blocks.0.attention.pattern") && shown.contains("encode"))
    #expect(!shown.contains("vision.blocks.1"))
    let text = try workshop.value("describe(\"text.norm\")").displayed
    #expect(text.hasPrefix("1 place of clip") && text.contains("the text 'a'"))
  }

  @Test func aSheetOfATextHasAWholePatternAHead() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("t = embed_text(\"a red circle\")\nt")
    let count = try #require(try workshop.value("attention(t).shape[0]").integer)
    for call in ["sheet(t)", "sheet(t, kind=\"text\")"] {
      let alt = try #require(try workshop.value("\(call).alt").text)
      #expect(alt.contains("maps of \(count) by \(count)"), "\(alt)")
    }
    #expect(
      try workshop.value("sheet(t, query=1).alt").text?.contains("maps of 1 by \(count)") == true)
  }

  @Test func aCentredSimilarityHasColoursEvenlyAboutZero() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("m = similarity(scene(7), [\"a\", \"b\"])\nm")
    #expect(
      try workshop.value("heatmap(m, centered=True, cmap=\"RdBu\").caption").text?
        .contains("symmetric about 0") == true)
    #expect(
      try workshop.value("heatmap(m).caption").text?.contains("smallest to largest") == true)
  }
}
