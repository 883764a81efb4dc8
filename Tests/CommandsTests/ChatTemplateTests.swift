import Commands
import Files
import Foundation
import Language
import Models
import Runtime
import Synchronization
import TestSupport
import Testing

/// The command that applies a folder's chat template.
@Suite struct ChatTemplateTests {
  private static let chatml =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}"
    + "{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}{% endif %}"
    + "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

  /// A workshop whose model in use is a copy of the small Qwen-VL with a template.
  private func workshop(
    _ files: [String: String] = ["chat_template.jinja": chatml]
  ) throws -> (Workshop, URL) {
    let workshop = try Workshop()
    let folder = workshop.folder.appending(path: "model", directoryHint: .isDirectory)
    try FileManager.default.copyItem(at: ChatTests.qwen, to: folder)
    for (name, text) in files {
      try Data(text.utf8).write(to: folder.appending(path: name))
    }
    workshop.session[StartingModel.self] = folder
    return (workshop, folder)
  }

  @Test func aFoldersTemplateLaysAConversationOut() throws {
    let (workshop, _) = try workshop()
    let outcome = workshop.run(
      """
      m = [{"role": "system", "content": "Be terse."},
           {"role": "user", "content": [{"type": "image", "image": scene(7)}, {"type": "text", "text": "What?"}]}]
      t = apply_chat_template(m)
      assert t == "<|im_start|>system\\nBe terse.<|im_end|>\\n<|im_start|>user\\n<image>What?<|im_end|>\\n<|im_start|>assistant\\n"
      assert apply_chat_template(m, add_generation_prompt=False) == t[:-22]
      ids = apply_chat_template(m[:1], tokenize=True).ids
      assert ids == apply_chat_template(m[:1], tokenize=True, model="model").ids
      c = make_context("What?", system="Be terse.")
      words = apply_chat_template([m[0], {"role": "user", "content": "What?"}], tokenize=True).ids
      assert words == c.ids, f"{words} {c.ids}"
      assert apply_chat_template(m, chat_template="{{ tools[0].name }}{{ x }}", tools=[{"name": "f"}], x=1.5) == "f1.5"
      """)
    #expect(outcome.failure == nil, "\(outcome.failure?.message ?? "")")
  }

  /// Each in one line that says what to do.
  @Test(arguments: [
    ("apply_chat_template(\"a\")", "messages must be a list of messages, not 'a'"),
    ("apply_chat_template([1])", "it holds an integer"),
    (
      "apply_chat_template([{\"role\": \"user\"}], chat_template=\"rag\")",
      "there is no chat template 'rag' in the model's folder; it has 'default'"
    ),
    ("apply_chat_template([{\"role\": \"user\"}], model=\"nowhere\")", "nowhere"),
    (
      "apply_chat_template([{\"role\": \"x\"}], chat_template=\"{% if x %}\")",
      "chat_template:1:11: the template ends where 'elif' or 'else' or 'endif' should be"
    ),
    (
      "apply_chat_template([{\"role\": \"x\"}], chat_template=\"\\n {{ raise_exception('odd') }}\")",
      "chat_template:2:20: the template refuses: odd"
    ),
    ("apply_chat_template([{\"role\": \"x\"}], y=1, y=2)", "y"),
    (
      "apply_chat_template([{\"role\": \"x\"}], add_generation_prompt=True, continue_final_message=True)",
      "continue_final_message stands beside add_generation_prompt"
    ),
    (
      "apply_chat_template([{\"role\": \"x\"}], continue_final_message=True, chat_template=\"{{ 1 }}\")",
      "the last message cannot be continued: it has no text"
    ),
    (
      "apply_chat_template([{\"role\": \"x\", \"content\": \"y\"}], continue_final_message=True, chat_template=\"{{ 1 }}\")",
      "the last message cannot be continued: the template does not write it as it is"
    ),
  ])
  func whatIsWrongIsOneClearLine(_ line: String, _ words: String) throws {
    let (workshop, _) = try workshop()
    let message = workshop.run(line).failure?.message ?? "\(workshop.run(line))"
    #expect(message.contains(words), "\(message)")
    #expect(!message.contains("\n"))
  }

  @Test func aModelWithoutATemplateSaysSo() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = ChatTests.qwen
    let message = workshop.run("apply_chat_template([{\"role\": \"user\"}])").failure?.message ?? ""
    #expect(message.contains("there is no chat template, in chat_template.jinja"), "\(message)")
  }
}

/// Answers as they come.
@Suite struct AnswerStreamTests {
  private func pieces(
    _ model: URL?, _ question: String, maxNewTokens: Int
  ) throws -> (pieces: [String], reply: ChatLoop.Reply) {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = model
    let file = workshop.folder.appending(path: "messages.json")
    let picture = Fixtures.goldens.appending(path: "picture.png").path
    try Data(
      """
      [{"role": "user", "content": [{"type": "image", "image": "\(picture)"},
        {"type": "text", "text": "\(question)"}]}]
      """.utf8
    ).write(to: file)
    var pieces: [String] = []
    let loop = try ChatLoop(workshop.session, maxNewTokens: maxNewTokens, isGreedy: true)
    let reply = try loop.answer(messages: file) { pieces.append($0) }
    // Line by line is no other way.
    var lines = loop
    _ = try lines.attach(picture)
    #expect(try lines.ask(question) { _ in }.text == reply.text)
    return (pieces, reply)
  }

  @Test(arguments: [1, 2, 7, 40])
  func piecesJoinedAreTheAnswer(_ count: Int) throws {
    for model in [nil, ChatTests.qwen] {
      let (pieces, reply) = try pieces(model, "how many shapes are there?", maxNewTokens: count)
      #expect(pieces.joined() == reply.text)
      #expect(
        pieces.allSatisfy { !$0.isEmpty && !$0.contains("\u{FFFD}") }
          || reply.text.contains("\u{FFFD}"))
      #expect(reply.tokenCount <= count)
      #expect(["end_token", "max_new_tokens"].contains(reply.ending))
      #expect(!reply.wasStopped)
    }
  }

  @Test func everyStepOfARunIsReported() throws {
    let states = Mutex<[Runtime.Progress]>([])
    let session = Session(
      commands: Commands.all, output: { _ in }, notes: { _ in },
      progress: { state in states.withLock { $0.append(state) } })
    session[StartingModel.self] = ChatTests.qwen
    let result = session.run(
      Source(
        name: "t", text: "a = chat(scene(7), \"what?\", max_new_tokens=3, do_sample=False)"))
    #expect(result.succeeded)
    let seen = states.withLock { $0 }
    #expect(seen.first?.label.hasPrefix("loading ") == true)
    for kind in ["vision.blocks", "language.blocks"] {
      let blocks = seen.filter { $0.label == kind }
      #expect(blocks.count == blocks.first?.total, "\(kind)")
      #expect(blocks.map(\.completed) == Array(0..<blocks.count))
    }
    #expect(seen.filter { $0.label == "tokens" }.map(\.completed) == [1, 2, 3])
  }
}
