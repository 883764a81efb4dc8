import Commands
import Files
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

@Suite struct FamilyCommandTests {
  private func workshop(_ model: String) throws -> Workshop {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: model)
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "picture.png"),
      to: workshop.folder.appending(path: "picture.png"))
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "tall.png"),
      to: workshop.folder.appending(path: "tall.png"))
    _ = try workshop.value("a = image(\"picture.png\")\nb = image(\"tall.png\")\na")
    return workshop
  }

  private func expected(_ model: String) throws -> JSON {
    try JSON(file: Fixtures.goldens.appending(path: "\(model)/expected.json"))
  }

  @Test(arguments: [
    ("vit", "encode"), ("clip", Bench.Name.embedding + " 16"), ("llama", Bench.Name.nextToken),
    ("blip2", Bench.Name.nextToken), ("qwen-vl", Bench.Name.nextToken),
    ("idefics2", Bench.Name.nextToken), ("ziya", Bench.Name.nextToken),
  ])
  func everyFamilyIsTimed(_ model: String, _ wanted: String) throws {
    var options = Bench.Options()
    (options.tokenCount, options.repeats, options.prompt) = (1, 1, "what is it?")
    let bench = try Bench(
      ModelChoice(folder: Fixtures.goldens.appending(path: model)), options: options)
    var (notes, announced): ([String], [String]) = ([], [])
    let rows = try bench.run(
      Bench.picture, note: { notes.append($0) }, progress: { announced.append($0) })
    #expect(notes == [] && rows.map(\.name) == announced)
    let row = try #require(rows.first { $0.name == wanted }, "\(announced)")
    #expect(row.seconds > 0 && row.work.operations > 0 && row.work.readBytes > 0)
  }

  private func number(_ text: String, in workshop: Workshop) throws -> Double {
    try #require(try workshop.value("float(\(text))").number)
  }

  /// OpenCLIP's transform resizes a picture before it makes it RGB; transformers' `load_image` does not.
  @Test(arguments: [("clip-open", true), ("clip", false)])
  func aPathStandsForThePictureThatTheModelsLibraryTakes(
    _ model: String, _ isOpened: Bool
  ) throws {
    let workshop = try workshop(model)
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "pictures/rgba.png"),
      to: workshop.folder.appending(path: "rgba.png"))
    let difference = try number(
      "(preprocess(\"rgba.png\") - preprocess(image(\"rgba.png\", alpha=\"drop\"))).abs().max()",
      in: workshop)
    #expect((difference > 0) == isOpened)
  }

  /// A model that reads text alone: what it has is drawn, and what it has not is said once.
  @Test func aLanguageModelIsDrawnWithoutEyes() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: "llama")
    _ = try workshop.value("r = run(prompt=\"hello there\", max_new_tokens=2)\nr")
    for name in ["graph()", "sheet(r)"] {
      _ = try workshop.value("save(\(name), \"figure.svg\")")
    }
    let svg = try String(
      contentsOf: workshop.folder.appending(path: "fovea-out/figure.svg"), encoding: .utf8)
    #expect(svg.contains("language attention"))
    _ = try workshop.value("save(graph(), \"stages.svg\")")
    let stages = try String(
      contentsOf: workshop.folder.appending(path: "fovea-out/stages.svg"), encoding: .utf8)
    #expect(stages.contains("text, assemble, decode"), "\(stages)")
    #expect(!stages.contains("similarity") && !stages.contains("image"))
    #expect(abs(try number("rollout(r)[1].sum()", in: workshop) - 1) < 1e-5)
    for (call, words) in [
      ("rollout(r, kind=\"text\")", "must be \"language\""),
      ("position_similarity()", "reads text alone"),
      ("position_similarity(kind=\"text\")", "reads text alone"),
    ] {
      let failure = try #require(workshop.run(call).failure, "\(call)")
      #expect("\(failure)".contains(words), "\(call): \(failure)")
    }
  }

  @Test func aViTNamesItsClassesInOrder() throws {
    let workshop = try workshop("vit")
    let expected = try expected("vit")
    let labels = try #require(expected["labels"]?.array).compactMap(\.text)
    let probabilities = try #require(expected["probabilities"]?.array).compactMap(\.double)
    let order = labels.indices.sorted { probabilities[$0] > probabilities[$1] }
    _ = try workshop.value("t = classify(a, top=3)\nt")
    for (place, index) in order.prefix(3).enumerated() {
      #expect(try workshop.value("t[\"label\"][\(place)]").text == labels[index])
      let found = try number("t[\"probability\"][\(place)]", in: workshop)
      #expect(abs(found - probabilities[index]) < 1e-5)
    }
    #expect(try workshop.value("len(t)").integer == 3)
    let stages = try workshop.value("stages()[\"stage\"]").displayed
    #expect(stages.contains("encode") && stages.contains("classify"))
  }

  @Test func aViTShowsItsAttention() throws {
    let workshop = try workshop("vit")
    _ = try workshop.value("vision = encode(embed(patchify(preprocess(a))))\nvision")
    #expect(
      try workshop.value("attention(vision, block=2, head=1).shape").displayed == "(26, 26)")
    #expect(abs(try number("rollout(vision)[0].sum()", in: workshop) - 1) < 1e-5)
    for figure in [
      "overlay(rollout(vision), a)", "sheet(vision)", "position_similarity()", "graph()",
      "graph(vision, block=1, top=5, image=a)", "grid(a)", "heatmap(attention(vision))",
    ] {
      let value = try workshop.value("save(\(figure), \"figure.png\")")
      #expect(value.text?.hasSuffix("figure.png") == true, "\(figure)")
    }
    #expect(try workshop.value("run(a)").displayed.contains("places kept"))
  }

  @Test func classesComeFromEncodedTokensAsWell() throws {
    let workshop = try workshop("vit")
    let text = """
      t = classify(encode(embed(patchify(preprocess(a)))))
      u = classify(a)
      [t["label"][i] == u["label"][i] and t["logit"][i] == u["logit"][i] for i in range(5)]
      """
    #expect(
      try workshop.value(text).displayed == "[True, True, True, True, True]")
  }

  @Test func aViTReadsPicturesOfAnotherSize() throws {
    let workshop = try workshop("vit")
    let expected = try #require(try expected("vit")["logits_56"]?.array).compactMap(\.double)
    _ = try workshop.value("resize(56)")
    #expect(try workshop.value("preprocess(a).shape").displayed == "(3, 56, 56)")
    #expect(
      abs(try number("max(classify(a)[\"logit\"])", in: workshop) - (expected.max() ?? 0)) < 1e-5)
    _ = try workshop.value(
      "save(overlay(rollout(encode(embed(patchify(preprocess(a))))), a), \"larger.png\")")
    let failure = try #require(workshop.run("resize(57)").failure)
    #expect(failure.message.contains("57") && failure.message.contains("multiple of 8"))
  }

  @Test func zeroShotProbabilitiesAreThoseOfTheSentences() throws {
    let workshop = try workshop("clip")
    let expected = try expected("clip")
    let texts = try #require(expected["texts"]?.array).compactMap(\.text)
    let list = texts.map { Value.text($0).represented }.joined(separator: ", ")
    let rows = try #require(expected["probabilities"]?.array)
    for (row, name) in ["a", "b"].enumerated() {
      // Each text is a label, and the template is the label alone.
      _ = try workshop.value("t = classify(\(name), [\(list)], templates=[\"{}\"])\nt")
      let probabilities = (rows[row].array ?? []).compactMap(\.double)
      let best = try #require(probabilities.indices.max { probabilities[$0] < probabilities[$1] })
      #expect(try workshop.value("t[\"label\"][0]").text == texts[best])
      #expect(
        abs(try number("t[\"probability\"][0]", in: workshop) - probabilities[best]) < 1e-5)
      #expect(
        abs(
          try number("similarity([a, b], [\(list)], softmax=True)[\(row), 2]", in: workshop)
            - probabilities[2]) < 1e-5)
    }
    #expect(
      try workshop.value("similarity([a, b], [\(list)]).best[1]").text
        == workshop.value("classify(b, [\(list)], templates=[\"{}\"])[\"label\"][0]").text)
  }

  @Test func theModelsThatShipHaveNames() throws {
    let workshop = try Workshop()
    let alone = try workshop.value("embed_text(\"a star\").tensor[0, 0]").plain
    #expect(try workshop.value("load(\"small-clip\").family").plain == "CLIP")
    #expect(try workshop.value("embed_text(\"a star\").tensor[0, 0]").plain == alone)
    #expect(try workshop.value("load(\"small-clip\").name").plain == "small-clip")
    let models = try workshop.texts("models()[\"name\"]")
    #expect(models.prefix(4) == ["small-clip", "scenes", "scenes-retrieval", "small-qwen-vl"])
    // What is asked for of the one holds for the other that stands in for it.
    _ = try workshop.value(
      "load(\"small-clip\", dtype=\"int8\")\nk = embed_text(\"a star\").tensor[0, 0]\nk")
    #expect(
      try workshop.value(
        "load(\"scenes\", dtype=\"int8\")\nembed_text(\"a star\").tensor[0, 0] == k"
      )
      .plain == "True")
  }

  @Test func aLabelsOwnArticleIsNotDoubled() throws {
    let workshop = try workshop("clip")
    let bare = try workshop.value("t = classify(a, [\"cat\", \"owl\"])\nt").displayed
    #expect(bare.contains("texts such as 'a photo of a cat.'"), "\(bare)")
    let found = try workshop.texts("t[\"logit\"]")
    let own = try workshop.value("t = classify(a, [\"a cat\", \"a owl\"])\nt").displayed
    #expect(own.contains("texts such as 'a photo of a cat.'"), "\(own)")
    #expect(try workshop.texts("t[\"logit\"]") == found)
    let two = try workshop.value("classify(a, [\"cat\"], templates=[\"a {}\", \"{}\"])").displayed
    #expect(two.contains("texts such as 'a cat', 2 a label"), "\(two)")
  }

  @Test func embeddingsOfAnotherModelAndPathsAreNotCompared() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("e = embed_text(\"x\")\nsave(a, \"a.png\")")
    let path = Fixtures.goldens.appending(path: "clip-open").path
    _ = try workshop.value("load(\"\(path)\")")
    for (call, words) in [
      ("similarity(e, \"x\")", "first must be embeddings of clip-open, the model in use"),
      ("similarity(\"x\", e)", "second must be embeddings of clip-open"),
      ("similarity(\"fovea-out/a.png\", \"x\")", "is the path 'fovea-out/a.png'"),
    ] {
      let failure = try #require(workshop.run(call).failure, "\(call)")
      #expect(failure.message.contains(words), "\(failure.message)")
    }
    #expect(try number("similarity(\"nothere.png\", \"nothere.png\")[0, 0]", in: workshop) > 0.999)
  }

  @Test func anEnsembleIsTheMeanOfItsSentences() throws {
    let workshop = try workshop("clip")
    let text = """
      def mean(label):
          rows = embed_text(["a " + label + " circle", label + " shapes"]).unit
          row = rows.mean(0)
          return row / ((row * row).sum() ** 0.5)
      e = embed_image(a).unit[0]
      logits = [float((mean(l) * e).sum()) * similarity(a, "x").scale for l in ["red", "blue"]]
      t = classify(a, ["red", "blue"], templates=["a {} circle", "{} shapes"])
      found = {t["label"][i]: t["logit"][i] for i in range(2)}
      max(abs(found["red"] - logits[0]), abs(found["blue"] - logits[1]))
      """
    #expect(try #require(try workshop.value(text).number) < 1e-4)
  }

  @Test func embeddingsAndTheirStagesAgree() throws {
    let workshop = try workshop("clip")
    for (whole, steps) in [
      ("embed_image(b)", "project(encode(embed(patchify(preprocess(b)))))"),
      ("embed_text(\"two triangles\")", "project_text(read(\"two triangles\"))"),
    ] {
      let difference = try number("abs(\(whole) - \(steps)).max()", in: workshop)
      #expect(difference == 0, "\(whole)")
    }
    // The wish for other texts at the same time changes rounding only.
    #expect(
      try number(
        "abs(embed_text([\"two\", \"two triangles\"])[1] - embed_text(\"two triangles\")[0]).max()",
        in: workshop) < 1e-5)
  }

  @Test func longTextsAreRefusedOrCutWhereThatIsAskedFor() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("long = \"two large triangles beside \" * 9\nlong")
    for call in [
      "embed_text(long)", "read(long)", "similarity(a, long)", "classify(a, [\"x\", long])",
      "word_map(a, long)",
    ] {
      let failure = try #require(workshop.run(call).failure)
      #expect(failure.message.contains("truncate=True"), "\(failure.message)")
      let cut = String(call.dropLast()) + ", truncate=True)"
      #expect(workshop.run(cut).failure == nil, "\(cut)")
    }
    #expect(
      try number(
        "abs(embed_text(long, truncate=True) - project_text(read(long, truncate=True))).max()",
        in: workshop) == 0)
    // Figures of what was cut name the tokens that were read.
    _ = try workshop.value("t = embed_text(long, truncate=True)\nt")
    #expect(try workshop.value("attention(t, block=1)").displayed.contains("text.blocks.1"))
    _ = try workshop.value("save(heatmap(attention(t)), \"cut.svg\")")
  }

  @Test func wordsLookAtThoseBeforeThem() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("t = embed_text(\"two triangles\")\nt")
    let shown = try workshop.value("attention(t, block=1)").displayed
    #expect(shown.contains("text.blocks.1") && shown.contains("looks at"))
    #expect(try number("attention(t, block=1)[0, 1:].sum()", in: workshop) == 0)
    #expect(abs(try number("rollout(t)[3].sum()", in: workshop) - 1) < 1e-5)
    #expect(
      try workshop.value("save(heatmap(attention(t)), \"words.svg\")").text != nil)
    let svg = try String(
      contentsOf: workshop.folder.appending(path: "fovea-out/words.svg"), encoding: .utf8)
    #expect(svg.contains("triangles"))
    _ = try workshop.value("save(position_similarity(kind=\"text\"), \"positions.png\")")
  }

  @Test func aWordMapWithoutOtherTextsIsTheDifferenceOfTheirMaps() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value(
      """
      m = word_map(a, "a red circle").tensor
      x = word_map(a, "").tensor
      y = word_map(a, "a square").tensor
      d = abs(word_map(a, "a red circle", without="") - (m - x)).max()
      e = abs(word_map(a, "a red circle", without=["", "a square"]) - (m - (x + y) / 2)).max()
      d
      """)
    #expect(try number("d", in: workshop) < 1e-6)
    #expect(try number("e", in: workshop) < 1e-6)
    #expect(try number("abs(x).max()", in: workshop) > 0)
  }

  @Test func aWordMapPeaksWhereTheBestPatchIs() throws {
    let workshop = try workshop("clip")
    _ = try workshop.value("m = word_map(a, \"a red circle\")\nm")
    #expect(try workshop.value("m.shape").displayed == "(4, 4)")
    #expect(try number("abs(m).max()", in: workshop) <= 1)
    _ = try workshop.value("save(overlay(m, a), \"map.png\")")
    // A patch of the one picture against the picture's own embedding, by hand.
    let text = """
      v = encode(embed(patchify(preprocess(a))))
      moved = v.tensor[[5, 0, 1, 2, 3, 4] + [i for i in range(6, 17)]]
      patch = project(moved)[0]
      word = embed_text("a red circle").unit[0]
      cosine = float((patch * word).sum()) / float((patch * patch).sum()) ** 0.5
      abs(cosine - m[1, 0])
      """
    #expect(try #require(try workshop.value(text).number) < 1e-5)
  }

  @Test func figuresShowPicturesAtTheEdge() throws {
    let workshop = try workshop("clip")
    let path = try workshop.value(
      "save(heatmap(similarity([a, b], [\"two triangles\", \"a red circle\"])), \"s.svg\")")
    let svg = try String(contentsOf: URL(filePath: try #require(path.text)), encoding: .utf8)
    #expect(svg.contains("two triangles") && svg.contains("picture.png"))
    // Two thumbnails, the matrix and the colour bar.
    #expect(svg.components(separatedBy: "<image").count - 1 == 4)
    _ = try workshop.value("save(heatmap(similarity([a, b], [a, b])), \"s.png\")")
  }

  @Test(arguments: [
    ("vit", "similarity(a, \"x\")", "one space"), ("vit", "run(a, \"x\")", "prompt"),
    ("vit", "decode(encode(embed(patchify(preprocess(a)))))", "writes text"),
    ("vit", "match(a, \"x\")", "retrieval heads"), ("vit", "tokenize(\"x\")", "reads text"),
    ("vit", "embed_text(\"x\")", "one space"), ("vit", "classify(a, [\"x\"])", "one space"),
    ("clip", "next_token(a)", "writes text"), ("clip", "classify(a)", "labels"),
    ("clip", "match(a, \"x\")", "retrieval heads"), ("clip", "query(zeros(2, 2))", "no stage"),
    ("clip", "classify(a, templates=[\"{}\"])", "labels"),
    ("clip", "classify(a, [\"x\"], templates=[\"no place\"])", "templates"),
    ("clip", "classify(a, [\"x\"], templates=[])", "templates"),
    ("clip", "similarity(a, zeros(1, 3))", "pictures or texts"),
    ("clip", "similarity([a, \"x\"], \"x\")", "one kind"),
    ("clip", "embed_text(\"circle \" * 30)", "20"),
    ("clip", "attention(embed_text(\"x\"), block=2)", "0 to 1"),
    ("clip", "rollout(embed_image([a, b]))", "embed one picture alone"),
    ("clip", "attention(embed_text([\"x\", \"y\"]))", "embeddings of 2 items keep no trace"),
    ("clip", "attention(embed_text(\"x\"), kind=\"vision\")", "of the kind text"),
    ("clip", "rollout(embed_text(\"x\"), kind=\"vision\")", "of the kind text"),
    ("clip", "sheet(embed_text(\"x\"), kind=\"vision\")", "of the kind text"),
    ("clip", "classify(a, [])", "at least one"), ("clip", "embed_text([])", "at least one"),
    ("clip", "embed_image([])", "at least one"),
    ("vit", "describe(\"vision.bloks\")", "picture, vision"),
    ("vit", "resize(4096)", "at most 512"),
    ("blip2", "classify(a)", "list of classes"), ("blip2", "similarity(a, \"x\")", "one space"),
    ("vit", "position_similarity(kind=\"text\")", "no text tower"),
  ]) func aModelThatLacksAPartSaysSo(_ model: String, _ call: String, _ words: String) throws {
    let result = try workshop(model).run(call)
    let failure = try #require(result.failure, "\(call) should fail")
    let text = ([failure.message] + failure.notes).joined(separator: "\n")
    #expect(text.contains(words), "\(text)")
  }
}
