import Checkpoints
import Files
import Foundation
import Models
import Templates
import TestSupport
import Testing

/// Where a folder's chat template is found, and what it is given.
@Suite struct ChatTemplateFolderTests {
  private static let messages: [JSON] = [["role": "user", "content": "hi"]]

  private func template(_ files: [String: String]) throws -> ChatTemplate? {
    let folder = try TemporaryFolder()
    for (name, text) in files {
      let url = folder.url.appending(path: name)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return try ChatTemplate(in: try CheckpointFolder(folder.url))
  }

  private func text(
    _ files: [String: String], _ request: ChatTemplate.Request = .init(messages)
  ) throws -> String {
    try #require(try template(files)).render(request).text
  }

  @Test func aFolderWithoutOneHasNone() throws {
    #expect(try template(["tokenizer_config.json": "{\"chat_template\": null}"]) == nil)
    #expect(try template([:]) == nil)
  }

  @Test func everyPlaceIsFoundInOrder() throws {
    var files = [
      "tokenizer_config.json": #"{"chat_template": "t{{ eos_token }}", "eos_token": "</s>"}"#
    ]
    #expect(try text(files) == "t</s>")
    files["processor_config.json"] = #"{"chat_template": "p"}"#
    #expect(try text(files) == "p")
    files["chat_template.json"] = #"{"chat_template": "j{{ bos_token }}"}"#
    files["special_tokens_map.json"] = #"{"bos_token": {"content": "<s>"}, "eos_token": "other"}"#
    #expect(try text(files) == "j<s>")
    files["chat_template.jinja"] = "f {{ messages[0].content }}{{ eos_token }}"
    #expect(try text(files) == "f hi</s>")
    files["additional_chat_templates/rag.jinja"] = "rag {{ documents|length }}"
    #expect(
      try text(files, .init(Self.messages, documents: [["title": "a"]], template: "rag"))
        == "rag 1")
    #expect(try text(files) == "f hi</s>")
  }

  @Test func ofNamedOnesToolsChooseTheirs() throws {
    let files = [
      "tokenizer_config.json": """
      {"chat_template": [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "d"}]}
      """
    ]
    #expect(try template(files)?.templates.map(\.name) == ["default", "tool_use"])
    #expect(try text(files) == "d")
    #expect(try text(files, .init(Self.messages, tools: [["name": "f"]])) == "tools")
    #expect(
      throws: ModelError.noChatTemplate(name: "rag", known: ["default", "tool_use"])
    ) { try text(files, .init(Self.messages, template: "rag")) }
  }

  @Test func whatIsNoTemplateIsSaidWithItsFile() throws {
    #expect(throws: ModelError.self) {
      try template(["tokenizer_config.json": #"{"chat_template": 7}"#])
    }
    do {
      _ = try template(["chat_template.jinja": "a\n{% fi %}"])
      Issue.record("a template that is none was read")
    } catch let error as TemplateError {
      #expect(error.description.hasSuffix("chat_template.jinja:2:4: there is no tag 'fi'"))
    }
  }

  @Test func nullsAreLeftOutAndReasoningHasItsNames() throws {
    let template = "{{ messages[0] }}"
    let message: JSON = ["role": "assistant", "content": .null, "reasoning": "r"]
    #expect(
      try text(["chat_template.jinja": template], .init([message]))
        == "{'thinking': 'r', 'role': 'assistant', 'reasoning': 'r', 'reasoning_content': 'r'}")
  }

  @Test func theLastMessageIsContinuedWhereTheReferenceContinuesIt() throws {
    let goldens = Fixtures.goldens.appending(path: "templates")
    let conversations = try JSON(file: goldens.appending(path: "conversations.json"))
    let continued = try JSON(file: goldens.appending(path: "continued.json"))
    let empty = try TemporaryFolder()
    let folder = try CheckpointFolder(empty.url)
    let now = TemplateDate(year: 2024, month: 7, day: 26, hour: 13, minute: 5, second: 9)
    var count = 0
    for (name, entries) in try #require(continued.object).members {
      let template = try ChatTemplate(
        String(contentsOf: goldens.appending(path: "\(name).jinja"), encoding: .utf8), name: name,
        in: folder)
      for (title, expected) in try #require(entries.object).members {
        let given = try #require(conversations[title]?.object)
        let own = ["messages", "tools", "documents", "add_generation_prompt"]
        var request = ChatTemplate.Request(
          given["messages"]?.array ?? [], addsGenerationPrompt: false,
          documents: given["documents"] ?? .null,
          variables: JSON.Object(
            given.members.filter { !own.contains($0.key) }.map { ($0.key, $0.value) }))
        request.continuesLastMessage = true
        let made = try? template.render(request, now: now).text
        #expect(
          made.map { Array($0.utf8) } == expected.text.map { Array($0.utf8) }, "\(name), \(title)")
        if made != nil { count += 1 }
      }
    }
    #expect(count == 170)
  }

  /// Idefics2's own, on a conversation as a run is given it.
  @Test func aConversationOfARunIsLaidOut() throws {
    let published = try String(
      contentsOf: Fixtures.goldens.appending(path: "templates/idefics2.jinja"), encoding: .utf8)
    let input = Input(turns: [
      Input.Turn(
        .user, [.text("What do these show?"), .picture(.standIn(0)), .picture(.standIn(0))]),
      Input.Turn(.assistant, [.text("A boat.")]),
      Input.Turn(.user, [.picture(.standIn(0)), .text("And this?")]),
    ])
    #expect(
      try text(["chat_template.jinja": published], .init(input)) == """
        User: What do these show?<image><image><end_of_utterance>
        Assistant: A boat.<end_of_utterance>
        User:<image>And this?<end_of_utterance>
        Assistant:
        """)
  }
}
