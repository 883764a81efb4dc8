import Commands
import Foundation
import Models
import Runtime
import TestSupport
import Testing

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

  @Test func aLookGoesFromAWordThroughEveryViewToThePicture() throws {
    try holds(
      """
      s = scene(7)
      a = chat([s, "which?", scene(8)], max_new_tokens=3)
      g = gaze(a)
      assert abs(g.tensor.sum() - 1) < 0.00001
      assert len(g.maps) == 2
      assert len(g.maps[0].views) == 5
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
      e = edit(r, change.mask(patch=(1, 1), view=2))
      assert (e.after["picture2.patches.output"] - r["picture2.patches.output"]).abs().max() > 0
      assert (e.after["picture.patches.output"] - r["picture.patches.output"]).abs().max() == 0
      bill(scene(7), "what?")
      """)
  }

  @Test func whatDoesNotFitIsOneSentence() throws {
    for (line, words) in [
      ("run(scene(7), \"<image> and <image>\")", "the words hold 2 '<image>', but 1 picture goes"),
      ("chat([scene(7), scene(8), \"<image>?\"])", "hold 1 '<image>', but 2 pictures go"),
      ("attention(run(scene(7), \"a\"), kind=\"cross\", picture=2)", "picture must be from 1 to 1, not 2"),
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
