import Commands
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

/// A hand inside the model: what is changed, what runs again, and that it is what a run from nothing
/// would give.
@Suite struct EditTests {
  static let models = [
    "scenes", "blip2", "vit", "clip", "llama", "mistral", "qwen-vl", "idefics2", "ziya",
  ]

  /// A session with a model of each family, a run of it, another on other things, and a comparison.
  func workshop(_ name: String) throws -> Workshop {
    let workshop = try Workshop()
    let golden = Fixtures.goldens.appending(path: name)
    if name != "scenes" { workshop.session[StartingModel.self] = golden }
    let (first, second) =
      switch name {
      case "scenes":
        (
          "s, \"Question: how many shapes are there? Answer:\", max_new_tokens=4",
          "scene(8), \"Question: how many shapes are there? Answer:\", max_new_tokens=4"
        )
      case "blip2", "qwen-vl", "idefics2", "ziya":
        ("s, \"a red circle\", max_new_tokens=4", "scene(8), \"a red circle\"")
      case "vit", "clip": ("s", "scene(8)")
      default:
        (
          "None, \"a red circle is here\", max_new_tokens=4",
          "None, \"a red circle is here\", changes=change.scale(\"language.tokens.output\", 2)"
        )
      }
    _ = try workshop.value(
      """
      s = scene(7)
      def same(a, b):
          assert a.text == b.text
          count = 0
          for name, t in a.trace.items():
              u = b.trace[name]
              assert t.shape == u.shape, name
              assert (t == u).sum() == t.size, name
              count += 1
          assert len(b.trace.keys()) == count
          return count
      def again(changes):
          return run(\(first), changes=changes)
      r = run(\(first))
      other = run(\(second))
      r
      """)
    return workshop
  }

  @Test func whatAMaskForbidsStaysForbidden() throws {
    let outcome = try workshop("scenes").run(
      """
      place = "language.blocks.0.attention.scores"
      x = r[place]
      for one in [change.add(place, x, by=0), change.scale(place, 0), change.add(place, x, by=-1)]:
          e = edit(r, one)
          assert e.divergence == e.divergence
          p = e.after["language.blocks.0.attention.pattern"]
          assert p[0, 0, 1:].sum() == 0
      assert edit(r, change.add(place, x, by=0)).divergence == 0
      """)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
  }

  /// Changes of every kind, in the first tower of each family and in its second.
  static func changes(_ model: String) -> [String] {
    let tower = ["llama", "mistral"].contains(model) ? "language" : "vision"
    let a = "\(tower).blocks.1.attention"
    var all = [
      "change.zero(\"\(a).mixed\", head=0)", "change.zero(\"\(a).pattern\", head=1, token=2)",
      "change.scale(\"\(a).values\", 2, head=0)", "change.scale(\"\(a).keys\", -1, token=[1, 2])",
      "change.scale(\"\(a).scores\", 0.5)",
      "change.zero(\"\(tower).blocks.0.mlp.activated\", channel=3)",
      "change.add(\"\(tower).blocks.0.output\", r[\"\(tower).blocks.0.output\"][1], token=2, by=0.5)",
      "change.replace(\"\(tower).blocks.1.mlp.output\", r[\"\(tower).blocks.1.mlp.output\"] * 2)",
      "change.replace(\"\(tower).blocks.1.output\", zeros([2, r[\"\(tower).blocks.1.output\"].shape[1]]), token=[0, 3])",
      "change.take(\"\(a).output\", other, token=range(1, 4))",
      "change.freeze(other, \"\(a).pattern\")",
      "[change.zero(\"\(a).mixed\"), change.scale(\"\(tower).blocks.0.output\", 1.5)]",
    ]
    if tower == "vision" {
      all += [
        "change.mask(patch=(1, 1))", "change.mask(patch=[0, 5], where=\"attention\")",
        "change.zero(\"vision.blocks.0.output\", patch=(0, 1))",
      ]
    }
    if ["scenes", "blip2", "ziya"].contains(model) {
      all += [
        "change.take(\"qformer.blocks.*.cross_attention.pattern\", other)",
        "change.scale(\"projection.output\", 3, token=0)",
        "change.zero(\"language.blocks.0.attention.queries\", head=1)",
        "change.zero(\"language.blocks.*.mlp.output\")",
      ]
    }
    if model == "scenes" { all.append("change.mask(token=\"shapes\")") }
    return all
  }

  @Test(arguments: models) func anEditEqualsARunFromNothing(_ name: String) throws {
    let workshop = try workshop(name)
    var counts: Set<String> = []
    for change in Self.changes(name) {
      let count = try workshop.value(
        "c = \(change)\ne = edit(r, c)\nsame(e.after, again(c))"
      ).integer
      #expect(count ?? 0 > 10, "\(change)")
      #expect(try workshop.value("same(e.before, r)").integer == count)
      counts.insert(try workshop.value("f\"{e.steps} of {e.of}\"").plain)
      // Something has changed, and nothing before it.
      let differing = try workshop.texts(
        "[n for n, t in r.trace.items() if (t == e.after.trace[n]).sum() < t.size]")
      #expect(!differing.isEmpty, "\(change)")
    }
    #expect(counts.count >= 2, "\(counts)")
    print("edits of \(name): \(Self.changes(name).count) equal to the bit")
  }

  @Test(arguments: models) func anEditOfAnEditEqualsARunFromNothing(_ name: String) throws {
    let workshop = try workshop(name)
    let all = Self.changes(name)
    for (first, second) in [(all[0], all[5]), (all[5], all[0]), (all[2], all[2])] {
      let count = try workshop.value(
        "a = \(first)\nb = \(second)\nsame(edit(edit(r, a).after, b).after, again([a, b]))")
      #expect(count.integer ?? 0 > 10)
    }
  }

  @Test(arguments: models) func anEditThatChangesNothingGivesTheSameBits(_ name: String) throws {
    let workshop = try workshop(name)
    let count = try workshop.value(
      """
      names = r.trace.keys()
      # One place in five alone, and every place with others.
      for name in names[::5]:
          same(edit(r, change.scale(name, 1)).after, r)
      for i in range(5):
          same(edit(r, [change.scale(name, 1) for name in names[i::5]]).after, r)
      same(edit(r, change.scale("*", 1)).after, r)
      same(edit(r, change.take("*", r)).after, r)
      """)
    #expect(count.integer ?? 0 > 10)
  }

  @Test func fewStatesAreKeptWhereFewPlacesAre() throws {
    let workshop = try workshop("scenes")
    _ = try workshop.value(
      "p = run(s, max_new_tokens=2, keep=\"\")\n"
        + "c = change.zero(\"language.blocks.1.attention.mixed\", head=0)\n"
        + "e = edit(p, c)\ne.steps")
    // From the beginning of the stage, rather than of the block.
    let (few, many) = (
      try workshop.value("e.steps").integer, try workshop.value("edit(run(s), c).steps").integer
    )
    #expect(try #require(few) > (try #require(many)))
    #expect(
      try workshop.value("e.text == run(s, max_new_tokens=2, changes=c).text").plain == "True")
    #expect(try workshop.value("len(e.after.trace.keys())").integer == 0)
  }

  @Test func aModelKeepsItsChanges() throws {
    let workshop = try workshop("scenes")
    let text = try workshop.value(
      """
      c = change.zero("language.blocks.1.attention.mixed", head=0)
      q = "Question: how many shapes are there? Answer:"
      m = load("scenes")
      with_change = edit(r, c).text
      edits(m, c)
      soft = project(query(encode(embed(patchify(preprocess(s))))))
      assert run(s, q).text == with_change
      assert decode(soft, q).text == with_change
      assert str(next_token(assemble(soft, q), top=1)["token"][0]).endswith(with_change)
      edits(m, [])
      assert run(s, q).text == r.text
      assert decode(soft, q, changes=c).text == with_change
      with_change
      """)
    #expect(text.plain != (try workshop.value("r.text").plain))
    let clip = try Workshop()
    clip.session[StartingModel.self] = ShippedModel.jointFolder
    _ = try clip.value(
      """
      m = load("small-clip")
      a = [scene(1), scene(2)]
      plain = embed_image(a)
      edits(m, change.zero("vision.blocks.1.attention.mixed", head=0))
      both = embed_image(a)
      one = embed_image(a[1])
      assert (both == plain).sum() == 0
      assert (both[1] == one[0]).sum() == one.size
      m
      """)
    // What puts pictures beside texts has the changes as well; what goes in batches says that it has not.
    _ = try clip.value(
      """
      def numbers():
          return [str(similarity(a[0], ["a circle"])), word_map(a[0], "a circle")[0, 0], classify(a[0], ["a circle", "a star"])["logit"][0]]
      def labels(changes):
          return classify(a[0], ["a circle", "a star"], changes=changes)["logit"]
      changed = numbers()
      edits(m, [])
      for x, y in zip(changed, numbers()):
          assert x != y
      c = change.zero("vision.blocks.1.attention.mixed", head=0)
      assert labels(c) != labels([])
      assert labels(change.mask(token="circle")) != labels([])
      edits(m, [c, change.mask(token="red")])
      assert (embed_text("a red circle") == embed_text("a red circle")).sum() > 0
      embed_text("a circle")
      """)
    let failure = try #require(
      clip.run("save(scene(1), \"p/a.png\")\nindex(\"fovea-out/p\")").failure)
    #expect("\(failure)".contains("changed models") && "\(failure)".contains("change.zero"))
  }

  @Test func changesReachMatchingAndClasses() throws {
    let workshop = try Workshop()
    _ = try workshop.value(
      """
      s = scene(7)
      c = change.mask(patch=patches_under(s.objects[0]["box"], s))
      a = match(s, s.caption)
      b = match(s, s.caption, changes=c)
      assert a["match"][0] != b["match"][0]
      assert match(s, s.caption, changes=change.zero("retrieval.match_head.output"))["match"][0] == 0.5
      s
      """)
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: "vit")
    let vit = try Workshop()
    vit.session[StartingModel.self] = Fixtures.goldens.appending(path: "vit")
    _ = try vit.value(
      """
      s = scene(7)
      a = classify(s)
      b = classify(s, changes=change.zero("vision.norm.output", token=0))
      assert a["logit"] != b["logit"]
      e = edit(run(s), change.zero("vision.norm.output", token=0))
      assert e.divergence > 0
      e
      """)
  }

  @Test func whatFitsNothingIsSaid() throws {
    let workshop = try workshop("scenes")
    for (line, words) in [
      (
        "change.zero(\"vision.blocs.1.output\")",
        ["vision.blocs.1.output", "vision.blocks.1.output"]
      ),
      ("change.zero(\"retrieval.match_head.output\")", ["no place that runs here"]),
      ("change.zero(\"language.blocks.0\")", ["language.blocks.0", "that is a part"]),
      ("change.zero(\"vision.blocks.1.output\", patch=100)", ["100 patches"]),
      ("change.zero(\"vision.blocks.1.attention.pattern\", head=99)", ["head", "99"]),
      ("change.zero(\"vision.blocks.1.output\", head=0)", ["no heads", "token, channel"]),
      ("change.zero(\"vision.blocks.1.output\", token=1000)", ["1000"]),
      ("change.zero(\"vision.blocks.1.output\", patch=(40, 0))", ["row 40"]),
      ("change.zero(\"language.blocks.1.output\", patch=(0, 0))", ["no patches"]),
      ("change.zero(\"language.blocks.1.output\", token=\"elephant\")", ["elephant", "shapes"]),
      ("change.zero(\"vision.blocks.1.output\", token=\"shapes\")", ["no words"]),
      ("change.zero(\"vision.blocks.1.output\", key=0)", ["no keys"]),
      ("change.add(\"vision.blocks.1.output\", zeros([7]))", ["(7,)", "[7]"]),
      ("change.replace(\"vision.blocks.1.output\", zeros([3, 3]))", ["[3, 3]"]),
      ("change.take(\"language.blocks.0.output\", run(scene(1), \"a\"))", ["shape"]),
    ] {
      let failure = try #require(workshop.run("edit(r, \(line))").failure, "\(line)")
      #expect(words.contains { "\(failure)".contains($0) }, "\(line): \(failure)")
      #expect("\(failure)".contains(words[0]) || words[0] == "(7,)", "\(line): \(failure)")
    }
    for (line, words) in [
      ("change.take(\"vision.*\", 3)", ["source"]),
      ("change.take(\"vision.*\", run(s, keep=\"language.*\"))", ["place", "kept"]),
      ("change.mask()", ["patch", "token"]),
      ("change.zero(\"vision.*\", patch=(20, 30, 50, 60))", ["patch", "patches_under"]),
      ("change.zero(\"vision.*\", head=True)", ["head"]),
      ("change.mask(patch=(0, 0), token=1)", ["patch", "token"]),
      ("change.zero(\"vision.*\", token=1, patch=(0, 0))", ["patch"]),
      ("change.zer(\"vision.*\")", ["zer", "zero"]),
      ("edit(r, [])", ["changes"]),
      ("edit(s, change.zero(\"vision.*\"))", ["run"]),
      ("edits(load(\"scenes\"), change.zero(\"visoin.*\"))", ["visoin"]),
      (
        "decode(project(query(encode(embed(patchify(preprocess(s)))))), changes=change.zero(\"vision.blocks.0.output\"))",
        ["no place that runs here"]
      ),
      ("compare(edit(r, change.zero(\"vision.blocks.0.output\")).after, \"int8\")", ["changes"]),
    ] {
      let failure = try #require(workshop.run(line).failure, "\(line)")
      for word in words { #expect("\(failure)".contains(word), "\(line): \(failure)") }
    }
  }

  /// What is masked stays masked, and everything else becomes 0.
  @Test(arguments: models) func zeroedScoresAreEven(_ name: String) throws {
    let workshop = try workshop(name)
    let tower = ["llama", "mistral"].contains(name) ? "language" : "vision"
    let all = try workshop.texts(
      """
      p = "\(tower).blocks.1.attention.scores"
      e = edit(r, [change.zero(p), change.scale("*.scores", 0)])
      x, y = r[p], e.after[p]
      seen = x > -float("inf")
      assert (y[seen] == 0).sum() == seen.sum()
      assert (y == -float("inf")).sum() == x.size - seen.sum()
      pattern = e.after["\(tower).blocks.1.attention.pattern"]
      assert (pattern == pattern).sum() == pattern.size
      nothing = edit(r, change.zero("*"))
      [n for n, t in nothing.after.trace.items() if (t != t).sum() > 0]
      """)
    #expect(all == [])
  }

  @Test func aDivergenceThatIsNoNumberIsSaidToBeNone() throws {
    let workshop = try workshop("scenes")
    let text = try workshop.value(
      "e = edit(r, change.replace(\"language.head.output\", r[\"language.head.output\"] * float(\"nan\")))\n"
        + "e")
    let shown = text.displayed
    #expect(shown.contains("divergence nan") && !shown.contains("-nan"), "\(shown)")
  }

  @Test func channelsOfAHeadCountWithinIt() throws {
    let workshop = try workshop("scenes")
    _ = try workshop.value(
      """
      p = "language.blocks.0.attention.mixed"
      width = r[p].shape[1] // r.trace["language.blocks.0.attention.pattern"].shape[0]
      e = edit(r, change.replace(p, ones([1]), head=1, channel=[0, 2]))
      y = e.after[p]
      assert (y[:, [width, width + 2]] == 1).sum() == 2 * y.shape[0]
      assert (y != r[p]).sum() == 2 * y.shape[0]
      y
      """)
    let failure = try #require(
      workshop.run("edit(r, change.zero(p, head=1, channel=width))").failure)
    #expect("\(failure)".contains("each head"), "\(failure)")
  }

  @Test func numbersAreTakenFromAFile() throws {
    let workshop = try workshop("scenes")
    _ = try workshop.value(
      """
      save(other.trace, "other.safetensors")
      t = tensors("fovea-out/other.safetensors")
      p = "projection.output"
      same(edit(r, change.take(p, t)).after, edit(r, change.take(p, other)).after)
      same(edit(r, change.freeze(t, "vision.*.pattern")).after, edit(r, change.freeze(other, "vision.*.pattern")).after)
      """)
    let failure = try #require(workshop.run("change.take(\"projection.outptu\", t)").failure)
    #expect("\(failure)".contains("projection.output"), "\(failure)")
  }

  @Test func whatNoModelHasIsSaidInTheWordsOfTheCall() throws {
    for (model, call, words) in [
      ("vit", "edit(r, change.mask(token=\"a\"))", ["token='a'", "is for a text", "a ViT"]),
      ("clip", "edit(r, change.mask(token=\"a\"))", ["is for a text"]),
      ("llama", "edit(r, change.mask(patch=0))", ["is for a picture"]),
      ("llama", "edit(r, change.mask(patch=0, where=\"attention\"))", ["is for a picture"]),
      (
        "scenes",
        "decode(project(query(encode(embed(patchify(preprocess(s)))))), changes=change.mask(patch=3))",
        ["change.mask(patch=3) is for a picture"]
      ),
      (
        "scenes", "edit(r, change.zero(\"picture.pixels.output\", patch=(0, 0)))",
        ["has no patches", "picture.patches.output"]
      ),
      (
        "scenes", "edit(r, change.take(\"*.output\", encode(embed(patchify(preprocess(s))))))",
        ["nothing stands at", "in the result of encode"]
      ),
    ] {
      let workshop = try workshop(model)
      let failure = try #require(workshop.run(call).failure, "\(call)")
      for word in words { #expect("\(failure)".contains(word), "\(call): \(failure)") }
      #expect(!"\(failure)".contains("no place that runs here"), "\(failure)")
      #expect(!"\(failure)".contains("StageResult"), "\(failure)")
    }
    let workshop = try workshop("scenes")
    let count = try workshop.value(
      """
      k = "qformer.blocks.0.cross_attention"
      e = edit(r, [change.zero(k + ".keys", patch=(0, 0)), change.zero(k + ".key.output", patch=(0, 1))])
      (e.after[k + ".keys"][0].abs().sum(axis=1) == 0).sum()
      """)
    #expect(count.number == 2)
  }

  @Test func aRowForTheKeysOfThePromptLeavesLaterKeysAlone() throws {
    let workshop = try workshop("scenes")
    _ = try workshop.value(
      """
      a = run(s, max_new_tokens=6)
      n = a["language.blocks.0.attention.pattern"].shape[2]
      c = change.add("language.blocks.0.attention.pattern", ones(n))
      e = edit(a, c)
      same(e.after, run(s, max_new_tokens=6, changes=c))
      """)
    // A head's channels take a vector as wide as a head.
    _ = try workshop.value(
      """
      p = "language.blocks.0.attention.mixed"
      width = r[p].shape[1] // r.trace["language.blocks.0.attention.pattern"].shape[0]
      e = edit(r, change.replace(p, ones(width), head=1))
      assert (e.after[p][:, width:2 * width] == 1).sum() == e.after[p].shape[0] * width
      assert (e.after[p][:, :width] == r[p][:, :width]).sum() == e.after[p].shape[0] * width
      e
      """)
  }

  @Test func anEditAsksForMemoryAsARunDoes() throws {
    let workshop = try workshop("scenes")
    let failure = try #require(
      workshop.run(
        "memory(\"100KB\")\nedit(r, change.zero(\"vision.blocks.0.output\"))"
      ).failure)
    #expect("\(failure)".contains("100 KB") || "\(failure)".contains("102"), "\(failure)")
  }

  @Test func weightsAreRead() throws {
    let workshop = try Workshop()
    let folder = Fixtures.goldens.appending(path: "blip2").path
    _ = try workshop.value(
      """
      m = load("\(folder)")
      t = tensors("\(folder)")
      w = m["vision.blocks.0.attention.qkv.weight"]
      stored = t[w.name]
      assert w.shape == (72, 24)
      assert (w == stored).sum() == stored.size
      assert (w[3] == stored[3]).sum() == 24
      assert (w[-2:] == stored[-2:]).sum() == 48
      assert (w[:, 2] == stored[:, 2]).sum() == 72
      assert w.file.endswith("model.safetensors")
      assert m["language.head.weight"].name == m["language.tokens.weight"].name
      h = m["language.head.weight"]
      n = load("\(folder)", quantize="int8")
      q = n["language.head.weight"]
      assert q.dtype == "int8" and h.dtype == "float16"
      assert 0 < abs(q[0] - h[0]).max() < 0.01
      m
      """)
    let failure = try #require(workshop.run("m[\"vision.blocks.0.attention.qvk.weight\"]").failure)
    #expect("\(failure)".contains("qkv"))
    #expect(workshop.run("w[100]").failure != nil)
  }
}
