import Characters
import Commands
import Foundation
import Language
import Runtime
import Synchronization
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

  @Test func aFigureTellsItsTitleOnce() throws {
    let workshop = try workshop("vit")
    let shown = try workshop.value("heatmap(ones([2, 3]), title=\"all the same\")").displayed
    #expect(shown.components(separatedBy: "all the same").count == 2, "\(shown)")
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

  @Test func aStageIsDescribedByItsPlaces() throws {
    let workshop = try workshop("blip2")
    let shown = try workshop.value("describe(\"preprocess\")").displayed
    #expect(shown.contains("picture.pixels.output") && !shown.contains("picture.patches"))
    let near = try #require(workshop.run("describe(\"preproces\")").failure)
    #expect(near.hint == "did you mean 'preprocess'?", "\(near)")
    let far = try #require(workshop.run("describe(\"wings\")").failure)
    #expect(far.notes.joined().contains("its stages are preprocess, patchify"), "\(far)")
  }

  @Test func partsOfATableAreTables() throws {
    let workshop = try workshop("blip2")
    _ = try workshop.value("t = stages()\nt")
    #expect(try workshop.texts("t[:3][\"stage\"]") == ["preprocess", "patchify", "embed"])
    #expect(try workshop.texts("t[-1:][\"stage\"]") == ["decode"])
    #expect(try workshop.texts("t[[2, 0]][\"stage\"]") == ["embed", "preprocess"])
    #expect(try workshop.value("t[-1][\"stage\"]").text == "decode")
    #expect(try workshop.value("len(t[5:5])").integer == 0)
    let mask = "tensor(list(range(len(t)))) < 2"
    #expect(try workshop.texts("t[\(mask)][\"stage\"]") == ["preprocess", "patchify"])
    let outside = try #require(workshop.run("t[[0, 99]]").failure)
    #expect(outside.message.contains("row 99 is outside a table of 8 rows"), "\(outside)")
    #expect(workshop.run("t[zeros(3) < 1]").failure?.kind == .shape)
  }

  @Test(arguments: [20, 40, 80])
  func theWidestTablesFitTheScreen(_ columns: Int) throws {
    let workshop = try workshop("blip2")
    workshop.session[Screen.self] = columns
    _ = try workshop.value("s = scene(7)\nr = run(s, \"a circle\", max_new_tokens=2)\nr")
    for line in [
      "stages()", "compare(r, \"int8\")", "models()", "r.trace", "r.answer.steps", "describe()",
      "describe(\"qformer.blocks.0\")", "tokenize(\"a red circle\")",
      "edit(r, change.mask(patch=0))",
    ] {
      let shown = try #require(workshop.run(line).shown)
      for line in shown.split(separator: "\n") where line.displayWidth > columns {
        // A word that is longer than the screen stays whole, outside tables.
        #expect(!line.drop { $0 == " " }.contains(" "), "\(columns): \(line)")
      }
    }
    #expect(try workshop.value("compare(r, \"int8\")").displayed.contains("SNR dB"))
  }

  @Test func pixelsBeforeAMaskAreSaidToBeSo() throws {
    let said = Mutex("")
    let workshop = try workshop("blip2")
    let session = Session(
      commands: Commands.all, folders: workshop.session.folders, output: { _ in },
      notes: { text in said.withLock { $0 += text } })
    session[StartingModel.self] = Fixtures.goldens.appending(path: "blip2")
    let keep = "run(scene(7), \"a\", max_new_tokens=1, keep=\"*.patern\");"
    #expect(session.run(Source(name: "", text: keep)).succeeded)
    let misspelt = said.withLock { text in
      defer { text = "" }
      return text
    }
    #expect(
      misspelt.contains("keep='*.patern' fits no place that ran; did you mean '*.pattern'?"),
      "\(misspelt)")
    let made = session.run(
      Source(
        name: "",
        text: "r = run(scene(7), \"a\", max_new_tokens=1)\n"
          + "e = edit(r, change.mask(patch=(0, 0)))\nx = e.before[\"picture.pixels.output\"]"))
    #expect(made.succeeded && said.withLock { $0 } == "", "\(made.diagnostics)")
    let asked = session.run(
      Source(
        name: "",
        text: "x = e.after[\"picture.pixels.output\"]\n"
          + "image(e.after[\"picture.patches.output\"]).size"))
    #expect(asked.succeeded, "\(asked.diagnostics)")
    #expect(
      said.withLock { $0 }.contains(
        "before change.mask(patch=(0, 0)), which acts on the patches; "
          + "image(x[\"picture.patches.output\"])"))
  }

  @Test func aPhotoForAModelOfScenesIsSaidOnce() throws {
    let said = Mutex("")
    let workshop = try Workshop()
    let session = Session(
      commands: Commands.all, folders: workshop.session.folders, output: { _ in },
      notes: { text in said.withLock { $0 += text } })
    func run(_ text: String) {
      let result = session.run(Source(name: "", text: text))
      #expect(result.succeeded, "\(result.diagnostics)")
    }
    let photo = Fixtures.goldens.appending(path: "picture.png").path
    run(
      "s = scene(7)\nsave(s, \"s.png\")\nrun(s, max_new_tokens=1)\n"
        + "run(\"fovea-out/s.png\", max_new_tokens=1)\nmatch(s, [\"a\"])")
    #expect(said.withLock { $0 } == "")
    run("match(\"\(photo)\", [\"a cat\"])\nrun(\"\(photo)\", max_new_tokens=1)")
    let words = said.withLock { $0 }
    #expect(words.contains("knows only small scenes of plain shapes"))
    #expect(words.split(separator: "\n").count { $0.contains("small scenes") } == 1, "\(words)")
    // A model that was loaded knows whatever it knows.
    said.withLock { $0 = "" }
    session[StartingModel.self] = nil
    run(
      "load(\"\(Fixtures.goldens.appending(path: "blip2").path)\");run(\"\(photo)\", max_new_tokens=1)"
    )
    #expect(!said.withLock { $0 }.contains("small scenes"))
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
