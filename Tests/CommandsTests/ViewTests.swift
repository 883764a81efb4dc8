import Foundation
import Images
import Models
import Runtime
import Tensors
import TestSupport
import Testing

@testable import Commands

/// A model that splits pictures, at the prompt: every view alone, and all of them on the one picture.
@Suite struct ViewTests {
  static let idefics = Fixtures.goldens.appending(path: "idefics2")

  private func holds(_ script: String) throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.idefics
    let outcome = workshop.run(script)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
  }

  private func failure(_ line: String) throws -> String {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.idefics
    return workshop.run(line).failure?.message ?? "nothing"
  }

  @Test func theStagesTakeOneViewAndARunAll() throws {
    try holds(
      """
      s = scene(7)
      def way(view):
          soft = project(query(encode(embed(patchify(preprocess(s, view=view))))))
          return soft
      r = run(s, "what?", max_new_tokens=2)
      names = ["", "2", "3", "4", "5"]
      for i in range(5):
          soft = way(i + 1)
          assert soft.shape == (4, 16)
          assert (soft.tensor - r["resampler" + names[i] + ".norm.output"]).abs().max() == 0
      whole = way(None)
      assert (whole.tensor - way(5).tensor).abs().max() == 0
      assert len(decode(whole, "what?", max_new_tokens=2).ids) == 2
      assert r["vision5.blocks.0.attention.pattern"].shape == (2, 49, 49)
      t = encode(embed(patchify(preprocess(s).tensor)))
      assert (t.tensor - r["vision5.norm.output"]).abs().max() == 0
      assert image(preprocess(s, view=1)).size == (70, 70)
      """)
  }

  @Test func aMapIsDrawnOnTheOneOriginal() throws {
    try holds(
      """
      s = scene(7)
      r = run(s, "what?", max_new_tokens=2)
      all = attention(r, kind="cross", block=1)
      one = attention(r, kind="cross", block=1, view=2)
      assert all.address == "resampler5.blocks.1.attention.pattern"
      assert one.address == "resampler2.blocks.1.attention.pattern"
      save(overlay(all, s, query=3), "all.svg")
      save(overlay(one, s, query=3), "one.svg")
      save(overlay(attention(r, block=1), s, query=3), "own.svg")
      save(overlay(rollout(r), s), "rollout.svg")
      save(query_maps(r, s, block=1, view=3), "queries.svg")
      save(sheet(r), "sheet.svg")
      save(sheet(r, kind="cross"), "cross.svg")
      save(grid(s, view=4), "grid.svg")
      save(graph(one, image=s), "graph.svg")
      under = patches_under((120, 100, 160, 150), s, view=4)
      box = box_of(under, s, view=4)
      assert box[0] >= 80 and box[1] >= 80
      """)
  }

  /// Numbers taken out of one view lie where that view does, whatever was done with them: the drawing is that of
  /// the attention, which knows its view.
  @Test func numbersOfAViewLieOnThatView() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.idefics
    let outcome = workshop.run(
      """
      save(scene(7), "scene.png")
      s = image("fovea-out/scene.png")
      r = run(s, "what?", max_new_tokens=2)
      for v in range(1, 6):
          name = "vision" + ["", "2", "3", "4", "5"][v - 1] + ".blocks.1.attention.pattern"
          alone = encode(embed(patchify(preprocess(s, view=v))))
          save(overlay(attention(r, block=1, view=v), s, query=3, title="t"), f"{v}.svg")
          save(overlay(r[name].mean(axis=0)[3] * 2 / 2, s, title="t"), f"{v}-run.svg")
          save(overlay(alone["vision.blocks.1.attention.pattern"].mean(axis=0)[3], s, title="t"), f"{v}-stage.svg")
          rows = [t for n, t in r.trace.items(name)]
          save(overlay(rows[0].mean(axis=0)[3], s, title="t"), f"{v}-trace.svg")
          x = r[name].mean(axis=0)[3]
          for i in range(20):
              x = x + 0.0
          save(overlay(x, s, title="t"), f"{v}-long.svg")
          numbers = stack([x, x])[0]
          save(overlay(numbers, s, title="t", view=v), f"{v}-told.svg")
      a = chat(s, "what?", max_new_tokens=2)
      g = gaze(a)
      save(overlay(g.maps[0].views[1], s), "gaze-of-view.svg")
      save(overlay(g.maps[0], s, view=2), "view-of-gaze.svg")
      """)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
    func drawing(_ name: String) throws -> Data {
      try Data(contentsOf: workshop.folder.appending(path: "fovea-out/\(name).svg"))
    }
    for view in 1...5 {
      let known = try drawing("\(view)")
      for way in ["run", "stage", "trace", "long", "told"] {
        #expect(try drawing("\(view)-\(way)") == known, "view \(view), \(way)")
      }
    }
    #expect(try drawing("1") != drawing("2"))
    #expect(try drawing("gaze-of-view") == drawing("view-of-gaze"))
    let wrong = workshop.run("overlay(r[\"vision2.norm.output\"][:, 0], s, view=3)").failure?
      .message
    #expect(wrong?.contains("view is 3, but the map is of view 2") == true, "\(wrong ?? "nothing")")
  }

  /// Whether pictures are split, and how large they are, is changed for the model in use.
  @Test func splittingIsSwitchedOff() throws {
    try holds(
      """
      s = scene(7)
      a = chat(s, "what?", max_new_tokens=2)
      assert [p["what"] for p in a.context.parts if "picture" in p["what"]] == ["picture 1, top left", "picture 1, top right", "picture 1, bottom left", "picture 1, bottom right", "picture 1, the whole"]
      resize(split=False)
      b = chat(s, "what?", max_new_tokens=2)
      assert [p["what"] for p in b.context.parts if "picture" in p["what"]] == ["picture 1"]
      assert compare(b, "float32").verdict == "noise"
      assert "changed by resize()" in str(describe())
      resize(140, split=True)
      assert preprocess(s).shape[2] == 140
      c = chat(s, "what?", max_new_tokens=2)
      assert len(c.context.ids) == len(a.context.ids)
      """)
    #expect(try failure("resize()").contains("size must be given, or split"))
    let workshop = try Workshop()
    let found = workshop.run("resize(split=True)").failure?.message ?? "nothing"
    #expect(found.contains("cannot split pictures into views"), "\(found)")
  }

  /// What the published codes do each in its own way is chosen at load, and said.
  @Test func whatTheCodesDoEachInItsOwnWayIsGivenToLoad() throws {
    let folder = Self.idefics.path
    try holds(
      """
      s = scene(7)
      a = run(s, "what?", max_new_tokens=2)
      assert "given to load" not in str(describe())
      load("\(folder)", config={"perceiver_config.rms_norm_eps": 0.5, "vision_config": {"position_rounding": "4.40"}})
      said = str(describe())
      assert "rounded as in transformers 4.40: vision_config.position_rounding, given to load" in said, said
      assert "epsilon 0.5: perceiver_config.rms_norm_eps, given to load" in said, said
      b = run(s, "what?", max_new_tokens=2)
      assert (a["vision.norm.output"] - b["vision.norm.output"]).abs().max() == 0
      assert (a["resampler.norm.output"] - b["resampler.norm.output"]).abs().max() > 0.001
      assert compare(b, "float32").verdict == "noise"
      load("\(folder)", config={"vision_config.position_rounding": 4.4})
      assert "transformers 4.40" in str(describe())
      """)
    for (config, words) in [
      ("{\"perceiver_config.rms_norm_epz\": 1e-5}", "no key 'rms_norm_epz' is read in config.json"),
      ("{\"perceiver_config.rms_norm_eps\": \"x\"}", "must be a number of at least 0"),
      ("{\"vision_config.position_rounding\": 3}", "must be '5' or '4.40'"),
      ("{1: 2}", "must have keys' paths, not 1"), ("3", "must be a dictionary of keys and values"),
    ] {
      let found = try failure("load(\"\(folder)\", config=\(config))")
      #expect(found.contains(words), "\(config): \(found)")
    }
  }

  @Test func aLookGoesFromAWordThroughEveryViewToThePicture() throws {
    try holds(
      """
      s = scene(7)
      a = chat([s, "which?", scene(8)], max_new_tokens=3)
      g = gaze(a)
      assert abs(g.tensor.sum() - 1) < 0.00001
      assert len(g.maps) == 2
      assert len(g.maps[0].views) == 5
      assert "all views together or one by view=" in str(g)
      save(overlay(g.maps[0], s), "gaze.svg")
      save(overlay(g.maps[0].views[1], s), "view.svg")
      save(token_strip(a.context), "context.svg")
      parts = a.context.parts
      b = chat("and now?", history=a, max_new_tokens=2)
      assert len(b.history) == 2 and b.context.cut == 0
      assert b.context.text == "User:<image>which?<image><end_of_utterance>\\nAssistant: " + a.text + "<end_of_utterance>\\nUser: and now?<end_of_utterance>\\nAssistant:"
      """)
  }

  @Test func runsOfSeveralViewsAreCompared() throws {
    try holds(
      """
      r = run(scene(7), "what?", max_new_tokens=1)
      a = chat([scene(7), scene(8), "which?"], max_new_tokens=1)
      for one in [r, a]:
          save(one.trace, "said.safetensors")
          assert compare(one, "fovea-out/said.safetensors").verdict == "noise"
      assert compare(r, "int8").verdict == "noise"
      view = project(query(encode(embed(patchify(preprocess(scene(7), view=2))))))
      again = project(query(encode(embed(patchify(preprocess(scene(7), view=2))))))
      assert compare(view, again).verdict == "noise"
      e = edit(r, change.mask(patch=(1, 1), view=2))
      assert (e.after["picture2.patches.output"] - r["picture2.patches.output"]).abs().max() > 0
      assert (e.after["picture.patches.output"] - r["picture.patches.output"]).abs().max() == 0
      bill(scene(7), "what?")
      """)
  }

  @Test func aBoxHidesWhatItHoldsInEveryView() throws {
    try holds(
      """
      s = scene(7)
      r = run(s, "what?", max_new_tokens=1)
      names = ["", "2", "3", "4", "5"]
      def hidden(e, i):
          place = "picture" + names[i] + ".patches.output"
          return [p for p in range(r[place].shape[0]) if (e.after[place][p] - r[place][p]).abs().max() > 0]
      middle = (90, 90, 140, 140)
      e = edit(r, change.mask(box=middle))
      for i in range(5):
          assert hidden(e, i) == [int(p) for p in patches_under(middle, s, view=i + 1)], i
      corner = (10, 10, 40, 40)
      e = edit(r, change.mask(box=corner))
      assert [len(hidden(e, i)) > 0 for i in range(5)] == [True, False, False, False, True]
      e = edit(r, change.mask(box=corner, view=5))
      assert [len(hidden(e, i)) > 0 for i in range(5)] == [False, False, False, False, True]
      e = edit(r, change.mask(box=corner, where="attention"))
      seen = patches_under(corner, s, view=1)
      assert e.after["vision.blocks.0.attention.pattern"][:, 48, seen].max() == 0
      load("scenes")
      r = run(s)
      a = edit(r, change.mask(box=middle)).after
      b = edit(r, change.mask(patch=patches_under(middle, s))).after
      assert (a["vision.norm.output"] - b["vision.norm.output"]).abs().max() == 0
      """)
    #expect(
      try failure("edit(run(scene(7)), change.mask(box=(900, 900, 950, 950)))")
        .contains("change.mask(box=(900, 900, 950, 950)) lies where the model sees nothing"))
    #expect(try failure("change.mask()").contains("box or token must be given"))
  }

  /// What the five views give their patches is all on the one picture, each where it was seen.
  @Test func aMapOfAllViewsHasWhatEachViewGives() throws {
    var random = SplitMix64(seed: 9)
    let preprocessing = try Preprocessing(target: .longestEdge(70, atLeast: 30), splits: true)
    for _ in 0..<20 {
      let size = PixelSize(width: 60 + random.below(200), height: 60 + random.below(200))
      let views = try (0..<5).map { view in
        let way = try preprocessing.way(of: size, view: view, patchSize: 10)
        let numbers = (0..<way.patchCount).map { _ in Float(random.below(100)) }
        return (way: way, map: Tensor(numbers, shape: [way.rowCount, way.columnCount]))
      }
      let together = ViewedMap(views)
      #expect(together.cells.count == together.numbers.count)
      let unit = views[4].way.patchRectangle(row: 0, column: 0)
      let mass = zip(together.cells, together.numbers.elements).reduce(0.0) {
        $0 + Double($1.1) * $1.0.width * $1.0.height / (unit.width * unit.height)
      }
      let given = views.reduce(0.0) { $0 + Double($1.map.elements.reduce(0, +)) }
      #expect(abs(mass - given) < given * 1e-4, "\(size): \(mass), not \(given)")
      for _ in 0..<50 {
        let point = Point(
          x: Double(random.below(size.width)) + 0.5, y: Double(random.below(size.height)) + 0.5)
        let expected = views.reduce(Float(0)) { sum, view in
          guard let patch = view.way.patch(at: point) else { return sum }
          let place = view.way.patchRectangle(row: patch.row, column: patch.column)
          let share = unit.width * unit.height / (place.width * place.height)
          return sum + view.map.elements[patch.row * view.way.columnCount + patch.column]
            * Float(share)
        }
        let cell = together.cells.firstIndex { $0.contains(point) }
        let found = cell.map { together.numbers.elements[$0] } ?? 0
        #expect(abs(found - expected) <= 1e-3 * max(1, expected), "\(point) of \(size)")
      }
    }
  }

  /// The reference's run of two pictures in ten views, filled up to one size.
  @Test func aRunOfTheReferenceIsComparedViewByView() throws {
    let (folder, goldens) = (Self.idefics.path, Fixtures.goldens.path)
    try holds(
      """
      p = image("\(goldens)/picture.png")
      t = image("\(goldens)/tall.png")
      said = [([p, "What is in the picture?"], "a red circle.")]
      r = chat(["And here?", t], history=said, max_new_tokens=1)
      c = compare(r, "\(folder)/trace.safetensors")
      assert c.verdict == "noise", c
      """)
  }

  @Test func whatDoesNotFitIsOneSentence() throws {
    for (line, words) in [
      ("run(scene(7), \"<image> and <image>\")", "the words hold 2 '<image>', but 1 picture goes"),
      ("chat([scene(7), scene(8), \"<image>?\"])", "hold 1 '<image>', but 2 pictures go"),
      (
        "attention(run(scene(7), \"a\"), kind=\"cross\", picture=2)",
        "picture must be from 1 to 1, not 2"
      ),
      ("attention(preprocess(scene(7)))", "has no"),
      ("embed(zeros([49, 300]))", "how many patches stand in a row is not known"),
      ("overlay(zeros([3, 3]), scene(7))", "7 × 7 for this picture"),
    ] {
      let found = try failure(line)
      #expect(found.contains(words), "\(line): \(found)")
    }
    // A model that splits nothing has no views.
    let workshop = try Workshop()
    let found = workshop.run("preprocess(scene(7), view=2)").failure?.message ?? "nothing"
    #expect(found.contains("view is for a model that splits pictures"), "\(found)")
  }
}
