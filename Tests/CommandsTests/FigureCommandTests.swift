import Commands
import Foundation
import Images
import Runtime
import Testing

/// What figures say of what they show.
@Suite struct FigureCommandTests {
  /// A session with a scene, a run on it and its stages.
  private func workshop() throws -> Workshop {
    let workshop = try Workshop()
    _ = try workshop.value(
      """
      s = scene(12, objects=3)
      r = run(s, "Question: what color is the cross? Answer:")
      v = encode(embed(patchify(preprocess(s))))
      q = query(v)
      p = v["vision.blocks.3.attention.pattern"]
      c = q["qformer.blocks.2.cross_attention.pattern"]
      1
      """)
    return workshop
  }

  @Test func titlesKeepWhatWasChosenAndDone() throws {
    let workshop = try workshop()
    let place = "vision.blocks.3.attention.pattern"
    for (expression, title) in [
      ("overlay(p[1][0, 1:], s)", "\(place): head 1, query 0, keys 1 to 100"),
      ("overlay(p[1, 0, 1:], s)", "\(place): head 1, query 0, keys 1 to 100"),
      ("overlay(p.mean(axis=0)[0], s)", "\(place): mean of heads, query 0"),
      ("overlay((p[1] - p[0])[5], s)", "\(place): head 1 minus head 0, query 5"),
      ("overlay(p[1, 5] - p[0, 5], s)", "\(place): head 1 minus head 0, query 5"),
      ("overlay(p[0, 5] * 2, s)", "\(place): head 0, query 5, times 2"),
      ("overlay([h[0] for h in p][2], s)", "\(place): head 2, query 0"),
      ("overlay(attention(v, block=3)[2], s)", "\(place), mean of 3 heads: patch 0,1"),
      ("overlay(attention(v, block=3, head=1), s)", "\(place), head 1 of 3: the class token"),
      (
        "overlay(attention(q, block=2), s, query=3)",
        "qformer.blocks.2.cross_attention.pattern, mean of 3 heads: query 3"
      ),
      ("heatmap(p[2])", "\(place): head 2"),
      ("heatmap(p[[0, 2]].sum(axis=0).T)", "\(place): heads 0, 2, sum of heads, transposed"),
      ("histogram(p.abs())", "\(place): abs"), ("histogram(p)", place),
      ("histogram(p[p > 0.5])", "\(place): where a mask is true"),
      ("histogram(abs(p[1]))", "\(place): head 1, abs"),
      ("histogram(where(p[1] > 0.1, p[1], 0))", "\(place): head 1, where a mask is true, else 0"),
      ("heatmap(stack([p[0], p[2]])[1])", "\(place): 2 stacked, head 2"),
      ("heatmap(concat([p[0], p[2]]))", "\(place): 2 joined"),
      ("histogram(sort(p[0]))", "\(place): head 0, sorted"),
      ("histogram(c[0] - p[0].mean())", "qformer.blocks.2.cross_attention.pattern: head 0, minus "),
      ("overlay(zeros(100), s)", "map on scene 12"), ("overlay(p[0, 0], s, title=\"own\")", "own"),
    ] {
      let shown = try workshop.value("\(expression).title").plain
      if title.hasSuffix(" ") {
        #expect(shown.hasPrefix(title), "\(expression): \(shown)")
      } else {
        #expect(shown == title, "\(expression)")
      }
    }
    // What got long tells nobody anything; a loop does not make it grow.
    let sum = "x = p[0]\nfor i in range(200):\n    x = x * 0.5 + p[0]\noverlay(x[0], s).title"
    #expect(try workshop.value(sum).plain.utf8.count < 260)
    // A whole tensor is shown with its name, a part of it without.
    #expect(try workshop.value("p").glance.hasPrefix(place))
    #expect(try !workshop.value("p[1]").glance.contains(place))
  }

  @Test func aSceneTellsInWordsWhatIsLookedAt() throws {
    let workshop = try workshop()
    _ = try workshop.value("f = query_maps(q, s, block=2)\n1")
    #expect(try workshop.value("f.caption").plain.contains("Beneath: what it looks at"))
    let svg = String(
      decoding: try Data(
        contentsOf: URL(filePath: workshop.value("save(f, \"queries.svg\")").plain)), as: UTF8.self)
    for words in ["green cross 79 %", "black star 93 %", "ground 100 %"] {
      #expect(svg.contains(words), "\(words)")
    }
    #expect(
      try workshop.value("overlay(attention(q, block=2), s, query=1).caption").plain
        .contains("It falls on: green cross 79 %"))
  }

  @Test func mapsSideBySideSayWhoseScaleTheyHave() throws {
    let workshop = try workshop()
    for (expression, words) in [
      ("query_maps(q, s, block=2)", "do not compare"),
      ("query_maps(q, s, block=2, scale=\"all\")", "One scale for all maps"),
      ("sheet(v)", "do not compare"), ("sheet(v, scale=\"all\")", "One scale for all maps"),
      ("sheet(v)", "The picture is dimmed"),
      ("overlay([attention(v, block=3, head=h) for h in range(3)], s)", "One scale for all maps"),
      ("overlay([p[0, 0], p[1, 0]], s, scale=\"each\")", "do not compare"),
    ] {
      let caption = try workshop.value("\(expression).caption").plain
      #expect(caption.contains(words), "\(expression): \(caption)")
    }
    #expect(
      try workshop.value("overlay([p[0, 0], p[1, 0]], s).title").plain
        == "vision.blocks.3.attention.pattern")
  }

  @Test func graphsOfALanguageModelHaveItsWords() throws {
    let workshop = try workshop()
    let path = try workshop.value(
      "save(graph(r, block=2, kind=\"language\", top=60), \"words.svg\")"
    ).plain
    let svg = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    for word in [">␣cross<", ">Question<", ">query 3<"] { #expect(svg.contains(word), "\(word)") }
    #expect(!svg.contains(">token "))
  }

  @Test func aSqueezedPictureSaysSo() throws {
    let workshop = try Workshop()
    let image = Image(width: 300, height: 150, filledWith: .init(red: 9, green: 90, blue: 200))
    try Data(image.png()).write(to: workshop.folder.appending(path: "wide.png"))
    _ = try workshop.value("i = image(\"wide.png\")\nv = encode(embed(patchify(preprocess(i))))\n1")
    for expression in ["grid(i)", "overlay(rollout(v), i)", "sheet(v)"] {
      let caption = try workshop.value("\(expression).caption").plain
      #expect(caption.contains("50 % of its width"), "\(expression): \(caption)")
    }
    #expect(try workshop.value("preprocess(i)").glance.contains("50 % of its width"))
    for expression in ["grid(scene(7)).caption", "preprocess(scene(7))"] {
      #expect(try !workshop.value(expression).glance.contains("Squeezed"), "\(expression)")
    }
  }

  @Test func aComparisonsChartIsNamedAfterWhatWasCompared() throws {
    let workshop = try workshop()
    let other = "run(s, \"Question: what color is the star? Answer:\")"
    let title = try workshop.value("compare(r, \(other)).chart.title").plain
    #expect(title.contains("cross") && title.contains("star") && title.contains("scene 12"))
    #expect(
      try workshop.value("compare(run(scene(7)), run(scene(8))).chart.title").plain
        .hasPrefix("scene 7 and scene 8"))
    #expect(try workshop.value("compare(v, \"int8\").chart.title").plain.contains("int8"))
  }

  @Test func runnersUpAreNeverNothing() throws {
    let workshop = try workshop()
    #expect(try !workshop.value("r.answer.steps").glance.contains(" 0.0 %"))
    let path = try workshop.value("save(token_strip(r), \"strip.svg\")").plain
    let svg = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    #expect(svg.contains(">99.98 %<") && !svg.contains(">0 %<"))
  }
}
