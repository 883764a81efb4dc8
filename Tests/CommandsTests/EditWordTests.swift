import Commands
import Foundation
import Models
import Runtime
import Tensors
import TestSupport
import Testing

/// Words, of prompts and texts, by which a person chooses tokens.
extension EditTests {
  @Test func wordsAreWholeWordsOfThePrompt() throws {
    let workshop = try workshop("scenes")
    // Sixteen queries and the token that begins a text stand before the prompt's first word.
    for (words, tokens) in [
      ("\"Question\"", [17]), ("\"question: how\"", [17, 18, 19]),
      ("[\"are\", \"many\"]", [20, 22]),
    ] {
      let found = try workshop.texts(
        """
        p = "language.blocks.0.output"
        e = edit(r, change.zero(p, token=\(words)))
        [i for i in range(e.after[p].shape[0]) if e.after[p][i].abs().sum() == 0]
        """)
      #expect(found == tokens.map(String.init), "\(words)")
    }
    let failure = try #require(
      workshop.run("edit(r, change.zero(p, token=\"hap\"))").failure)
    #expect("\(failure)".contains("hap"))
    // A number that is named twice is one.
    #expect(
      try workshop.value(
        "(edit(r, change.scale(p, 2, token=[3, 3])).after[p][3] == 2 * r[p][3]).sum() == r[p].shape[1]"
      ).plain == "True")
  }

  @Test func wordsAndNumbersChooseTogether() throws {
    let workshop = try workshop("scenes")
    _ = try workshop.value(
      """
      p = "language.blocks.0.output"
      c = change.zero(p, token=["question", 3])
      e = edit(r, c)
      e
      """)
    #expect(
      try workshop.texts(
        "[i for i in range(e.after[p].shape[0]) if e.after[p][i].abs().sum() == 0]") == ["3", "17"])
    #expect(try workshop.value("str(c)").plain.contains("token=['question', 3]"))
    #expect(workshop.run("change.zero(p, token=[\"a\", True])").failure != nil)
  }

  /// CLIP's tower reads small letters without spaces.
  @Test func wordsOfCLIPsTextsAreFound() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = ShippedModel.jointFolder
    for (text, word, tokens) in [
      ("a photo of a star, isn't it?", "star,", [5, 6]),
      ("a photo of a star, isn't it?", "isn't", [7, 8, 9, 10, 11]),
      ("a star.", "star.", [2, 3]),
    ] {
      let found = try workshop.texts(
        """
        p = "text.blocks.0.output"
        m = load("small-clip")
        edits(m, change.zero(p, token="\(word)"))
        t = embed_text("\(text)").trace[p]
        edits(m, [])
        [i for i in range(t.shape[0]) if t[i].abs().sum() == 0]
        """)
      #expect(found == tokens.map(String.init), "\(word)")
    }
    _ = try workshop.value(
      """
      def logits(words):
          return classify(scene(31), ["a star", "a circle"], changes=change.mask(token=words))["logit"]
      plain = classify(scene(31), ["a star", "a circle"])["logit"]
      assert logits("star") != plain
      long = ["a star " * 60, "a circle"]
      a = classify(scene(31), long, truncate=True)["logit"]
      b = classify(scene(31), long, truncate=True, changes=change.mask(token="star"))["logit"]
      assert a[0] == b[0] and a[1] != b[1]
      assert logits(["star", "circle"]) != logits("star")
      logits("circle")
      """)
    let failure = try #require(workshop.run("logits(\"zebra\")").failure)
    #expect("\(failure)".contains("none of the 2 texts has the word 'zebra'"), "\(failure)")
  }

  @Test func wordsOfMatchedTextsAreHidden() throws {
    let workshop = try Workshop()
    _ = try workshop.value(
      """
      s = scene(31)
      texts = ["a star", "a large blue circle and a small black star", "a circle"]
      def numbers(changes):
          t = match(s, texts, changes=changes)
          return [[a, b] for a, b in zip(t["match"], t["similarity"])]
      plain = numbers([])
      masked = numbers(change.mask(token="star"))
      assert masked[0] != plain[0] and masked[1] != plain[1]
      assert masked[2] == plain[2]
      # Each pass has a change once; thrice would be more than float32 has.
      for row in numbers(change.scale("qformer.blocks.0.output", 1e15)):
          assert row[0] == row[0] and row[1] == row[1]
      plain
      """)
    for (call, words) in [
      ("numbers(change.mask(token=\"zebra\"))", ["none of the 3 texts", "zebra"]),
      (
        "numbers(change.zero(\"qformer.blocks.0.cross_attention.output\", token=\"star\"))",
        ["names words"]
      ),
    ] {
      let failure = try #require(workshop.run(call).failure, "\(call)")
      for word in words { #expect("\(failure)".contains(word), "\(call): \(failure)") }
    }
  }
}
