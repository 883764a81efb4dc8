import Commands
import Foundation
import Images
import Language
import Runtime
import Synchronization
import TestSupport
import Testing

/// Boxes of answers: read, drawn, compared, as patches.
@Suite struct BoxCommandTests {
  private static let answer =
    "<ref>a boy</ref><box>(21,29),(526,837)</box> and <box>(300,300),(999,999)</box>"

  @Test func boxesAreAListOfValues() throws {
    let workshop = try Workshop()
    let text = """
      found = boxes("\(Self.answer)")
      s = scene(7)
      b = found[0]
      [len(found), b.label, b.x1, b.y1, b.x2, b.y2, b.text, b.pixels(s), found[-1].label,
       [x.x1 for x in found], type(b), type(found), found.malformed, found.quads]
      """
    #expect(
      try workshop.texts(text) == [
        "2", "a boy", "21", "29", "526", "837", "<box>(21,29),(526,837)</box>", "(4, 6, 117, 187)",
        "None", "[21, 300]", "<class 'Box'>", "<class 'Boxes'>", "[]", "[]",
      ])
    #expect(
      try workshop.value("found").displayed == """
        label   x1   y1   x2   y2
        ─────  ───  ───  ───  ───
        a boy   21   29  526  837
               300  300  999  999
        """)
    #expect(try workshop.value("b").displayed == "'a boy' at <box>(21,29),(526,837)</box>")
  }

  @Test(.timeLimit(.minutes(1))) func manyBoxesAreWalkedInLinearTime() throws {
    let text = """
      found = boxes("<box>(1,2),(3,4)</box>" * 20000)
      sum([b.x1 for b in found])
      """
    #expect(try Workshop().value(text).integer == 20000)
  }

  @Test func whereThereIsNoBoxOneLineSaysSo() throws {
    let workshop = try Workshop()
    #expect(try workshop.value("boxes(\"red\")").displayed == "no box in 'red'")
    #expect(try workshop.value("len(boxes(\"\"))").integer == 0)
    #expect(
      try workshop.value(
        "boxes(\"<box>(5,2),(3,4)</box><quad>(1,1),(2,1),(2,2),(1,2)</quad></ref>\")"
      )
      .displayed == """
        no box in '<box>(5,2),(3,4)</box><quad>(1,1),(2,1),(2,2),(1,2)</quad></ref>'
        and 1 quad, see quads
        malformed <box> at character 1: its left edge 5 lies right of its right edge 3
        malformed </ref> at character 59: it has no <ref> before it
        """)
    let quad = "boxes(\"<quad>(1,1),(500,1),(2,2),(1,2)</quad>\").quads[0]"
    #expect(
      try workshop.texts("[\(quad).corners, \(quad).pixels(scene(1)), type(\(quad))]") == [
        "[(1, 1), (500, 1), (2, 2), (1, 2)]", "[(0, 0), (112, 0), (0, 0), (0, 0)]",
        "<class 'Quad'>",
      ])
  }

  @Test(arguments: [
    ("boxes(\"red\")[0]", "no box in 'red'"),
    ("boxes(\"<box>(1,2),(3,4)</box>\")[1]", "box 1 is outside an answer of 1 box"),
    ("boxes(3)", "boxes: answer must be an answer or a text, not 3"),
    ("boxes(scene(1))", "boxes: answer must be an answer or a text, not"),
    ("draw_boxes(scene(1), \"red\")", "draw_boxes: answer must tell a box, as in <box>(21,29)"),
    (
      "draw_boxes(scene(1), [3])",
      "must be an answer, a text, or boxes as boxes() gives, not a list"
    ),
    ("iou((0, 0, 1, 1), (1, 0, 0, 1))", "iou: b must have its left before its right"),
    ("iou(\"a\", (1, 0, 0, 1))", "iou: a must be a box of an answer, or four numbers"),
    (
      "iou(boxes(\"<box>(1,2),(3,4)</box>\")[0], (1, 0, 2, 1))",
      "iou: b must have the units of a: a box of an answer is in thousandths"
    ),
    (
      "patches_under(boxes(\"<box>(1,2),(3,4)</box>\")[0], scene(1))",
      "patches_under: box must cover some of the picture, not (0.0, 0.0, 0.0, 0.0)"
    ),
    (
      "patches_under(boxes(\"<quad>(1,1),(2,1),(2,2),(1,2)</quad>\").quads[0], scene(1))",
      "patches_under: box must be four numbers: left, top, right, bottom, or a box of an answer"
    ),
  ]) func whatDoesNotFitIsSaid(_ text: String, _ message: String) throws {
    let failure = try #require(try Workshop().run(text).failure)
    #expect(failure.message.contains(message), "\(failure.message)")
    #expect(!failure.message.contains("\n"))
  }

  @Test func malformedBoxesAreSaidWhereOthersAreDrawn() throws {
    let written = Mutex("")
    let session = Session(
      commands: Commands.all, output: { text in written.withLock { $0 += text } })
    let source = "draw_boxes(scene(1), \"<box>(1,2),(3,4)</box><box>(1)</box>\");"
    #expect(session.run(.init(name: "cell", text: source)).succeeded)
    #expect(
      written.withLock { $0 }.contains(
        "malformed <box> at character 23: expected ',' at character 30"))
  }

  @Test func anAnswersBoxHasThePatchesOfItsPixels() throws {
    let workshop = try Workshop()
    let text = """
      s = scene(7)
      b = boxes("<box>(250,250),(500,500)</box>")[0]
      [(patches_under(b, s) == patches_under((56, 56, 112, 112), s)).all(),
       box_of(patches_under(b, s), s), iou(box_of(patches_under(b, s), s), b.pixels(s)),
       iou(b, b)]
      """
    let found = try workshop.texts(text)
    #expect(found[0] == "True" && found[3] == "1.0", "\(found)")
    let share = try #require(Double(found[2]))
    #expect(share > 0.4 && share <= 1)
  }

  @Test func theModelThatShipsPointsAtWhatIsAsked() throws {
    let workshop = try Workshop()
    let text = """
      right = []
      for seed in range(8):
          s = scene(seed, objects=1)
          o = s.objects[0]
          r = run(s, f"Question: where is the {o['color']} {o['shape']}? Answer:")
          found = boxes(r)
          right.append(iou(found[0].pixels(s), o["box"]) if len(found) == 1 else 0)
      [len(right), len([x for x in right if x > 0.5])]
      """
    let found = try workshop.texts(text)
    #expect(found[0] == "8")
    #expect(try #require(Int(found[1])) >= 7, "\(found)")
  }

  @Test func everyLabelHasTheNextColourAndTheLinesLieOnTheCorners() throws {
    let workshop = try Workshop()
    let answer =
      "<box>(100,100),(300,300)</box><ref>a</ref><box>(500,500),(750,900)</box><box>(100,500),(200,900)</box>"
    _ = try workshop.value(
      "s = image(ones([160, 160, 3]) * 255)\nd = draw_boxes(s, \"\(answer)\")\nd")
    let alt = try #require(try workshop.value("d.alt").text)
    #expect(
      alt.contains("3 outlines on a picture of 160 × 160 pixels") && alt.contains("Labels: a."))
    let path = try #require(try workshop.value("save(d, \"d.svg\")").text)
    let svg = try String(contentsOfFile: path, encoding: .utf8)
    #expect(svg.contains("#1f77b4") && svg.contains("#ff7f0e") && !svg.contains("#2ca02c"))
    #expect(svg.contains(">a<"))
    #expect(try workshop.value("save(d, \"d.png\")").text != nil)
  }
}
