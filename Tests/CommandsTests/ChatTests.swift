import Commands
import Files
import Foundation
import Language
import Models
import Runtime
import Synchronization
import TestSupport
import Testing

/// Conversations: with the model that ships, and with a small Qwen-VL.
@Suite struct ChatTests {
  /// The script that makes the README's pictures of a conversation holds what it asserts.
  @Test func theConversationOfTheReadmeIsAsItIsShown() throws {
    let workshop = try Workshop()
    let script = try String(
      contentsOf: Fixtures.project.appending(path: "scripts/conversation.fovea"), encoding: .utf8)
    let outcome = workshop.run(script)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
    for name in ["tokens", "box", "precisions"] {
      let file = workshop.folder.appending(path: "fovea-out/conversation-\(name).png")
      #expect(FileManager.default.fileExists(atPath: file.path))
    }
  }

  static let qwen = Fixtures.goldens.appending(path: "qwen-vl")

  private func holds(_ script: String, model: URL? = nil) throws {
    let workshop = try Workshop()
    if let model { workshop.session[StartingModel.self] = model }
    let outcome = workshop.run(script)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
  }

  private func failure(_ line: String, model: URL? = nil) throws -> String {
    let workshop = try Workshop()
    if let model { workshop.session[StartingModel.self] = model }
    return workshop.run(line).failure?.message ?? "nothing"
  }

  @Test func anAnswerIsThatOfARunOnTheSameWords() throws {
    try holds(
      """
      s = scene(7)
      a = chat(s, "how many shapes are there?")
      assert a.text == run(s, "Question: how many shapes are there? Answer:").text
      assert len(a.history) == 1
      assert a.history[0][1] == a.text
      b = chat("is there a star?", history=a)
      words = f"Question: how many shapes are there? Answer: {a.text}. Question: is there a star? Answer:"
      assert b.text == run(s, words).text
      assert b.context.text == words
      assert len(b.history) == 2
      c = chat("is there a star?", history=a.history, append_history=False)
      assert c.text == b.text and len(c.history) == 1
      assert chat("is there a star?", history=[([s, "how many shapes are there?"], a.text)]).text == b.text
      assert len(b.context.ids) == len(tokenize(words).ids) + 16
      """)
  }

  @Test func sharesOfALookAddUpToOne() throws {
    try holds(
      """
      s = scene(7)
      a = chat(s, "what color is the star?")
      for step in range(len(a.ids)):
          g = gaze(a, step=step)
          assert abs(g.tensor.sum() - 1) < 0.00001
          assert g.tensor.size == len(a.context.ids) + step
          assert g.maps[0].shape == (10, 10)
      first = a.trace["language.blocks.1.attention.pattern"][2, -1]
      assert (gaze(a, block=1, head=2).tensor - first).abs().max() == 0
      assert (gaze(a).shares is None) == False
      lean = chat(s, "what color is the star?", keep="")
      assert gaze(lean).maps[0].argmax() == gaze(a).maps[0].argmax()
      assert gaze(lean).maps[0].sum() == gaze(a).maps[0].sum()
      """)
  }

  @Test func settingsAreExchangedWithoutTheWeights() throws {
    let workshop = try Workshop()
    let file = workshop.folder.appending(path: "other.json")
    try Data(#"{"max_new_tokens": 1, "do_sample": true, "top_p": 0.25}"#.utf8).write(to: file)
    let outcome = workshop.run(
      """
      generation("other.json")
      a = chat(scene(7), "how many shapes are there?")
      assert len(a.ids) == 1
      t = str(generation())
      assert "0.25" in t and "other.json" in t and "default" in t
      """)
    #expect(outcome.failure == nil)
    try Data(#"{"top_p": 7}"#.utf8).write(to: file)
    #expect(workshop.run("generation(\"other.json\")").failure?.message.contains("top_p") == true)
    try Data(#"{"chat_format": "llama2"}"#.utf8).write(to: file)
    let message = workshop.run("generation(\"other.json\")").failure?.message ?? ""
    #expect(
      message.contains("'chat_format' is \"llama2\"")
        && message.contains("'question-answer' for this model"))
    #expect(
      workshop.run("generation(\"none.json\")").failure?.message.contains("none.json") == true)
    try Data("[1]".utf8).write(to: file)
    #expect(
      workshop.run("generation(\"other.json\")").failure?.message.contains("an object of settings")
        == true)
  }

  /// `stop_words_ids` of the file end an answer beside the marks of the chat format.
  @Test func stopWordsAreExchangedToo() throws {
    let workshop = try Workshop()
    let ids = try workshop.texts(
      """
      load("small-qwen-vl")
      s = scene(35, objects=3)
      a = chat(s, "描述这张图片。")
      a.ids
      """)
    let file = workshop.folder.appending(path: "other.json")
    func write(_ stopWords: String) throws {
      let text = #"{"max_new_tokens": 99, "stop_words_ids": \#(stopWords)}"#
      try Data(text.utf8).write(to: file)
    }
    try write("[[\(ids[2]), \(ids[3])]]")
    let outcome = workshop.run(
      """
      t = generation("other.json")
      assert "stop_words_ids" in str(t) and "other.json" in str(t) and "<|im_end|>" in str(t)
      assert get_stop_words_ids()[0] == a.ids[2:4] and len(get_stop_words_ids()) == 3
      assert get_stop_words_ids("raw")[1] == tokenize("Human:").ids
      b = chat(s, "描述这张图片。")
      assert b.ids == a.ids[:4]
      """)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
    for bad in ["[3]", "[[]]", "[[99999]]", "\"a\"", "[[1, \"a\"]]"] {
      try write(bad)
      let message = workshop.run("generation(\"other.json\")").failure?.message ?? ""
      #expect(message.contains("'stop_words_ids' is"), "\(bad): \(message)")
    }
  }

  @Test func anEditGoesOnFromAnAnswer() throws {
    try holds(
      """
      a = chat(scene(7), "how many shapes are there?")
      e = edit(a, change.zero("language.blocks.1.attention.mixed", head=0))
      b = chat(scene(7), "how many shapes are there?", changes=change.zero("language.blocks.1.attention.mixed", head=0))
      assert e.after.text == b.text
      assert e.after.history[0][1] == b.text
      """)
  }

  @Test func badInputIsOneSentence() throws {
    for (line, words) in [
      ("chat(7)", "must be a text, a picture or a list of them, not 7"),
      ("chat(\"\")", "must not be empty"),
      ("chat(\"how many shapes?\")", "cannot converse about nothing"),
      ("chat([scene(1), scene(2), \"which?\"])", "cannot look at 2 pictures at once"),
      ("chat(\"a\", history=3)", "must be an answer of chat()"),
      ("chat(\"a\", history=[(\"b\",)])", "must be a list of pairs"),
      ("chat([{\"sound\": \"a.wav\"}])", "has none of \"image\""),
      ("chat([{\"image\": \"gone.png\"}])", "gone.png: no such file"),
      ("chat(\"a\", temperature=0)", "temperature"),
      ("chat(\"gone.png\", \"what?\")", "must be a picture where text stands behind it"),
      (
        "save(scene(7), \"a.png\")\nchat([\"fovea-out/a.png\", \"what?\"])",
        "is the path 'fovea-out/a.png'"
      ),
      (
        "chat(scene(7), \"what?\", system=\"be brief\")", "system has no place in what scenes reads"
      ),
      ("chat([{\"box\": [1, 2, 3]}])", "four whole numbers or a list of such boxes"),
      ("chat(image(\"https://a/\(String(repeating: "b", count: 99)).png\"))", "'https://a/bbb"),
      ("decode_tokens(\"a\")", "must be a list of token ids"),
      ("gaze(run(scene(7)))", "must be an answer of chat()"),
      (
        "gaze(chat(scene(7), \"how many shapes are there?\"), step=99)",
        "must be a whole number from 0 to"
      ),
      ("load(\"small-clip\")\nchat(\"a\")", "chat needs a model that converses"),
    ] {
      let found = try failure(line)
      #expect(found.contains(words), "\(line): \(found)")
    }
  }

  @Test func picturesStandWhereTheyWereSaid() throws {
    try holds(
      """
      save(scene(7), "a.png")
      save(scene(8), "b.png")
      a = chat([image("fovea-out/a.png"), image("fovea-out/b.png"), "which?"], max_new_tokens=2)
      said = "Picture 1: <img>fovea-out/a.png</img>\\nPicture 2: <img>fovea-out/b.png</img>\\nwhich?"
      assert a.history[0][0] == said
      assert said in a.context.text
      b = chat(said, max_new_tokens=2)
      assert b.context.ids == a.context.ids and b.text == a.text
      listed = from_list_format([{"image": "fovea-out/a.png"}, {"image": "fovea-out/b.png"}, {"text": "which?"}])
      assert listed.text == said
      c = chat(listed, max_new_tokens=2)
      assert c.context.ids == a.context.ids
      tight = make_context(image("fovea-out/a.png"), "which?", label="Picture 1:")
      assert "Picture 1:<img>" in tight.text
      first = a.trace["vision.blocks.0.output"]
      second = a.trace["vision2.blocks.0.output"]
      assert (first - second).abs().max() > 0
      assert attention(a, kind="cross", picture=2).shape == (256, 9)
      g = gaze(a)
      assert len(g.maps) == 2
      placed = from_list_format([{"ref": "cat", "box": [[1, 2, 3, 4], [5, 6, 7, 8]]}, {"box": boxes("<box>(9,9),(9,9)</box>")[0]}])
      assert placed.text == "<ref>cat</ref><box>(1,2),(3,4)</box><box>(5,6),(7,8)</box><box>(9,9),(9,9)</box>"
      assert tokenize("<ref>cat</ref>", special="tags").ids == make_context("<ref>cat</ref>", chat_format="raw").ids
      assert len(tokenize("<|im_end|>", special="all").ids) == 1 and len(tokenize("<|im_end|>").ids) > 1
      d = chat("and now?", history=a, max_new_tokens=2)
      assert d.context.cut == 0 and len(d.history) == 2
      e = make_context("and now?", history=d, max_window_size=20)
      assert e.cut == 2
      assert "2 earlier questions with the answers did not fit the window" in token_strip(e).caption
      assert "the query's number" in query_maps(a, image("fovea-out/a.png")).caption
      assert e.ids == make_context("and now?").ids
      r = make_context("and now?", history=d, chat_format="raw")
      assert r.text == "and now?"
      typed = make_context("<|im_end|> stays text")
      assert typed.ids.count(502) == 2
      assert get_stop_words_ids() == [[502], [501]]
      """, model: Self.qwen)
  }

  @Test func aConversationIsComparedAsOne() throws {
    try holds(
      """
      a = chat([scene(7), scene(8), "which?"], max_new_tokens=1)
      b = chat("and now?", history=a, max_new_tokens=1)
      c = chat("hello", max_new_tokens=1)
      for r in [a, b, c]:
          save(r.trace, "said.safetensors")
          assert compare(r, "fovea-out/said.safetensors").verdict == "noise"
          assert compare(r, r).verdict == "noise"
      assert compare(c, "int8").verdict == "noise"
      assert run(prompt="hello", max_new_tokens=1).answer.ids == c.ids
      """, model: Self.qwen)
  }

  @Test func badPicturesAreOneSentence() throws {
    let long = String(repeating: "a", count: 300)
    for (line, words) in [
      ("chat(\"<img>\(long)</img>\")", "300 bytes"),
      ("chat(\"a <img>b.png\")", "<img> at character 3 has no </img>"),
      ("chat(\"a b.png</img>\")", "</img> at character 8 has no <img>"),
      ("chat(\"<img>gone.png</img> what?\")", "gone.png: no such file"),
      ("chat(\"what?\", history=[(\"<img>gone.png</img> a\", \"b\")])", "gone.png: no such file"),
      ("make_context(\"a\", chat_format=\"llama\")", "must be 'chatml', 'raw'"),
    ] {
      let found = try failure(line, model: Self.qwen)
      #expect(found.contains(words), "\(line): \(found)")
    }
  }

  @Test func aFileOfMessagesIsAConversation() throws {
    let workshop = try Workshop()
    #expect(workshop.run("save(scene(7), \"a.png\")").failure == nil)
    let picture = workshop.folder.appending(path: "fovea-out/a.png").path
    let file = workshop.folder.appending(path: "messages.json")
    func answer(_ json: String) throws -> String {
      try Data(json.utf8).write(to: file)
      do { return try ChatLoop(workshop.session).answer(messages: file).text } catch {
        return "\(error)"
      }
    }
    let said = try answer(
      """
      [{"role": "user", "content": [{"type": "image", "image": "\(picture)"},
        {"type": "text", "text": "how many shapes are there?"}]}]
      """)
    let asked = workshop.run("chat(scene(7), \"how many shapes are there?\").text")
    #expect(asked.value?.text == said)
    for (json, words) in [
      ("{}", "an object, but must be a list of messages"), ("[]", "an empty list"),
      (#"[{"role": "bot", "content": "a"}]"#, "'bot', but must be 'system', 'user' or 'assistant'"),
      (#"[{"role": "user"}]"#, "the content of message 1 is absent"),
      (
        #"[{"role": "user", "content": [{"type": "video"}]}]"#,
        "'video', but must be 'image' or 'text'"
      ),
      (#"[{"role": "user", "content": [{"type": "image", "url": "http://a"}]}]"#, "a 'url'"),
      (#"[{"role": "assistant", "content": "a"}]"#, "'user', whose question is answered"),
      (
        #"[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]"#,
        "a system speaks first"
      ),
      (
        #"[{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]"#,
        "the model has no place for what a system says"
      ),
    ] {
      #expect(try answer(json).contains(words), "\(json)")
    }
  }

  @Test func aConversationGoesOnLineByLine() throws {
    let workshop = try Workshop()
    #expect(workshop.run("save(scene(7), \"a.png\")").failure == nil)
    var loop = try ChatLoop(workshop.session)
    #expect(loop.history == nil && loop.back() == nil && loop.result == nil)
    #expect(loop.advice?.contains("small-qwen-vl") == true)
    _ = try loop.attach("fovea-out/a.png")
    _ = try loop.attach("fovea-out/a.png")
    // A BLIP-2 looks at one picture: the second goes back, and the question is asked again.
    #expect(throws: (any Error).self) { try loop.ask("how many shapes are there?") { _ in } }
    #expect(loop.back() == "fovea-out/a.png")
    var words = ""
    let reply = try loop.ask("how many shapes are there?") { words += $0 }
    #expect(words.contains(reply.text) && !reply.wasStopped)
    #expect(loop.history?.contains("how many shapes are there?") == true)
    let saved = try loop.save(to: "said.json")
    #expect(try JSON(file: URL(filePath: saved)).array?.count == 2)
    _ = try loop.ask("is there a star?") { _ in }
    workshop.session.remember("chat", giving: try #require(loop.result))
    let whole = workshop.run("assert len(_.history) == 2 and gaze(_).maps[0].shape == (10, 10)")
    #expect(whole.failure == nil, "\(whole.failure?.message ?? "")")
    #expect(loop.back() == "is there a star?")
    workshop.session.remember("chat", giving: try #require(loop.result))
    #expect(workshop.run("assert len(_) == 1").failure == nil)
    #expect(loop.history?.contains("is there a star?") == false)
    #expect(throws: (any Error).self) { try loop.attach("gone.png") }
  }

  /// What says how tokens are drawn does nothing where none is, and that is said; so is a template that is not the
  /// folder's.
  @Test func whatDoesNothingIsSaid() throws {
    let said = Mutex("")
    let session = Session(
      commands: Commands.all, output: { _ in }, notes: { text in said.withLock { $0 += text } })
    func notes(_ line: String) -> String {
      said.withLock { $0 = "" }
      let outcome = session.run(Source(name: "cell", text: line))
      #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
      return said.withLock { $0 }
    }
    let words = notes(
      "chat(scene(7), \"is there a star?\", top_p=0.1, temperature=0.7, max_new_tokens=2)")
    #expect(words.contains("temperature and top_p change nothing: do_sample is False"), "\(words)")
    #expect(
      notes("chat(scene(7), \"is there a star?\", top_p=0.1, do_sample=True, max_new_tokens=2)")
        == "")
    let soft = "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\n"
    #expect(
      notes(soft + "decode(soft, top_k=5, max_new_tokens=2)").contains("top_k changes nothing"))
    #expect(notes(soft + "decode(soft, max_new_tokens=2)") == "")
    let home = try TemporaryFolder()
    let bare = home.file("bare")
    try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: "idefics2"), to: bare)
    try FileManager.default.removeItem(at: bare.appending(path: "chat_template.jinja"))
    let note = "has no chat template: that of the published Idefics2 is taken"
    #expect(notes("load(\"\(bare.path)\")").contains(note))
    let applied = notes(
      "t = apply_chat_template([{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}])\n"
        + "assert t == \"User:<image><end_of_utterance>\\nAssistant:\", t")
    #expect(applied.contains(note), "\(applied)")
    let dropped = notes("t = apply_chat_template([{\"role\": \"user\", \"content\": \"plain\"}])")
    #expect(
      dropped.contains("does not write what message 1 says; it may want a list"), "\(dropped)")
    #expect(notes("g = generation()\nassert \"<end_of_utterance>\" in str(g), g") == "")
  }

  /// What was written before Ctrl-C is the last result.
  @Test(arguments: [
    "a = chat(scene(7), \"how many shapes are there?\", max_new_tokens=9)", "r = run(scene(7))",
    "d = decode(project(query(encode(embed(patchify(preprocess(scene(7))))))))",
  ])
  func whatWasWrittenIsKeptAsTheLastResult(_ line: String) throws {
    let running = Mutex<Session?>(nil)
    let said = Mutex("")
    let session = Session(
      commands: Commands.all, output: { _ in }, notes: { text in said.withLock { $0 += text } },
      progress: { state in
        if state.label == "tokens", state.completed == 1 {
          running.withLock { $0 }?.cancel()
        }
      })
    running.withLock { $0 = session }
    #expect(session.run(Source(name: "cell", text: line)).failure?.kind == .interrupted)
    running.withLock { $0 = nil }
    let written = session.run(Source(name: "cell", text: "_")).value?.text ?? ""
    #expect(!written.isEmpty)
    let note = said.withLock { $0 }
    #expect(note == "note: stopped after 1 token, kept as _; written: \(written)\n", "\(note)")
  }

  /// A path in a list of what is said would be read as words.
  @Test func aPathAmongWordsIsRefused() throws {
    let workshop = try Workshop()
    #expect(workshop.run("save(scene(7), \"a.png\")").failure == nil)
    for query in ["\"fovea-out/a.png\"", "[\"fovea-out/a.png\", \"which?\"]"] {
      let message = workshop.run("chat(\(query))").failure?.message ?? "nothing"
      #expect(message.contains("'fovea-out/a.png', which would be read as words"), "\(message)")
    }
  }

  /// A BLIP-2 with a LLaMA: its two folders, its ways to lay a conversation out, and the names that its own
  /// code gives to what was said before.
  @Test func aLLaMAReadsItsTurnsBehindThePicture() throws {
    let ziya = Fixtures.goldens.appending(path: "ziya").path
    try holds(
      """
      m = load("\(ziya)/visual", language="\(ziya)/llm")
      s = scene(7)
      a = chat(s, "how many?", max_new_tokens=4)
      assert a.context.text == "<human>:how many?\\n<bot>:", a.context.text
      assert len(a.context.ids) == 6 + 1 + len(tokenize(a.context.text).ids) - 1, len(a.context.ids)
      assert a.text == run(s, a.context.text, max_new_tokens=4).text
      b = chat("and now?", history=a, max_new_tokens=4)
      assert b.context.text == f"<human>:how many?\\n<bot>:{a.text}\\n<human>:and now?\\n<bot>:"
      c = chat([s, "and now?"], previous_querys=["how many?"], previous_outputs=[a.text], max_new_tokens=4)
      assert c.text == b.text and c.context.ids == b.context.ids
      d = chat(s, "how many?", chat_format="human-bot-no-bos", max_new_tokens=4)
      assert d.context.ids == a.context.ids[:6] + a.context.ids[7:]
      e = chat("and now?", history=a, chat_format="raw", max_new_tokens=4)
      assert e.context.text == "and now?"
      assert len(make_context("and now?", history=a, chat_format="raw").ids) == len(e.context.ids)
      x = chat(s, "how many?", do_sample=True, top_p=0.1, temperature=0.7, repetition_penalty=1.18, seed=3, max_new_tokens=4)
      y = chat(s, "how many?", do_sample=True, top_p=0.1, temperature=0.7, repetition_penalty=1.18, seed=3, max_new_tokens=4)
      assert x.ids == y.ids
      assert "<img>" not in str(b.history) and "[" in str(b.history)
      w = load("\(ziya)")
      assert chat(s, "how many?", max_new_tokens=4).ids == a.ids
      """)
    let whole = Fixtures.goldens.appending(path: "ziya")
    for (line, words) in [
      (
        "chat(scene(7), \"a\", previous_querys=[\"b\", \"c\"], previous_outputs=[\"d\"])",
        ["previous_outputs", "1 answer", "2 questions"]
      ),
      (
        "chat(scene(7), \"a\", previous_querys=[\"b\"])", ["previous_outputs", "0 answers"]
      ),
      (
        "chat(scene(7), \"a\", history=[(\"b\", \"c\")], previous_querys=[\"b\"], previous_outputs=[\"d\"])",
        ["history", "previous_querys"]
      ),
      (
        "chat(scene(7), \"a\", chat_format=\"chatml\")",
        ["chat_format", "chatml", "not made for"]
      ),
    ] {
      let found = try failure(line, model: whole)
      for word in words { #expect(found.contains(word), "\(line): \(found)") }
    }
  }
}
