internal import Budget
internal import Characters
internal import Checkpoints
internal import Files
internal import Foundation
internal import Models
internal import Runtime
internal import Templates
internal import Tokenizers

extension Command {
  static let applyChatTemplate = Command(
    "apply_chat_template", group: "Conversation",
    "Lays a conversation out as the model's own chat template does, as one text or its tokens.",
    Parameter.any(
      "messages", expects: "a list of messages",
      "Dictionaries of role and content; the content is a text, or a list of {\"type\": \"image\"} and "
        + "{\"type\": \"text\", \"text\": …}."),
    Parameter.optional(
      .flag(
        "add_generation_prompt", default: nil,
        "Whether the text ends where an answer begins; None unless the last message is continued.")),
    Parameter.flag(
      "continue_final_message",
      "Whether the text ends where the last message does, for the model to go on with it."),
    Parameter.any(
      "tools", expects: "a list of JSON schemas or None", default: Value.none,
      "Functions that the model may call."),
    Parameter.any(
      "documents", expects: "a list of dictionaries or None", default: Value.none,
      "Texts that the model may quote, each with title and text."),
    Parameter.optional(
      .text(
        "chat_template",
        "The name of one of several templates, or a template itself; None for the folder's own.")),
    Parameter.flag("tokenize", default: false, "Whether to give the tokens in place of the text."),
    Parameter.optional(
      .path(
        "model",
        "A folder or a published model's id, of which no weights are read; None for the model in use."
      )),
    Parameter.others("variables", "Whatever else the template is given, by name."),
    returns: "the text, or Tokens with ids",
    details: """
      Templates are in Jinja, in chat_template.jinja, chat_template.json or tokenizer_config.json; they find \
      bos_token, eos_token and the like. A template may refuse a conversation; that is said with its line \
      and column. A picture is what the template writes for it: the places that a model fills with its numbers are not \
      put in. strftime_now tells this machine's time.
      """,
    examples: [
      Example(
        "chatml = \"{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\\n{% endfor %}\"\n"
          + "print(apply_chat_template([{\"role\": \"user\", \"content\": \"Hello\"}], chat_template=chatml))",
        "A template of one's own; with none given, the model's."),
      Example(
        "t = \"{{ greeting }}, {{ messages[0].content }}{{ eos_token }}\"\n"
          + "apply_chat_template([{\"role\": \"user\", \"content\": \"you\"}], chat_template=t, "
          + "greeting=\"Hello\", tokenize=True)",
        "What else a template is given, and the tokens of what it writes."),
    ], seeAlso: ["chat", "make_context", "tokenize"]
  ) {
    session, messages, addsPrompt, continues, tools, documents, template, tokenizes, model,
    variables in
    guard let entries = messages.json.array else {
      throw ArgumentFailure(
        parameter: "messages", "must be a list of messages, not \(messages.inMessage)")
    }
    for entry in entries where entry.object == nil {
      throw ArgumentFailure(
        parameter: "messages",
        "must be a list of dictionaries, as {\"role\": \"user\", \"content\": \"Hello\"}; it holds "
          + entry.kindName)
    }
    guard !continues || addsPrompt != true else {
      throw ArgumentFailure(
        parameter: "continue_final_message", "stands beside add_generation_prompt",
        note: "an answer begins, or the last message goes on")
    }
    let folder = try session.templateFolder(model)
    let used = try ChatTemplate.used(in: folder)
    var chat = used?.template
    var request = ChatTemplate.Request(
      entries, addsGenerationPrompt: addsPrompt ?? !continues, tools: tools.json,
      documents: documents.json,
      variables: JSON.Object(variables.values.map { ($0.name, $0.value.json) }))
    request.continuesLastMessage = continues
    if let template {
      if let chat, chat.templates.contains(where: { $0.name == template }) {
        request.template = template
      } else if template.contains("{") {
        chat = try ChatTemplate(template, name: "chat_template", in: folder)
      } else {
        throw ModelError.noChatTemplate(
          name: template, known: chat?.templates.map(\.name) ?? [])
      }
    }
    guard let chat else { throw ModelError.noChatTemplateFile(folder: folder.path) }
    if template == nil, let note = used?.note { session.note(note.visibleOnOneLine) }
    let text = try chat.render(request).text
    for (index, message) in entries.enumerated() where message["role"]?.text == "user" {
      guard let said = message["content"]?.text?.trimmingCharacters(in: .whitespacesAndNewlines),
        !text.contains(said)
      else { continue }
      session.note(
        "the template does not write what message \(index + 1) says; it may want a list, as [{\"type\": \"text\", "
          + "\"text\": \(JSON.string(String(said.prefix(40))).written())}]")
    }
    guard tokenizes else { return .text(text) }
    try MemoryGate.take(text.utf8.count, of: 64, for: "the tokens of \(text.utf8.count) bytes")
    let tokenizer = try Family.tokenizer(in: folder)
    let ids = try tokenizer.encode(
      text, options: EncodingOptions(addSpecialTokens: false, parseSpecialTokens: .all))
    return .object(TokenList(text: text, ids: ids, tokenizer: tokenizer))
  }
}

extension Session {
  /// The folder whose template is meant; no weights are read.
  fileprivate func templateFolder(_ model: String?) throws -> CheckpointFolder {
    if let model {
      return try CheckpointFolder(
        ModelPlace.folder(model, readsWeights: false) { readableURL(for: $0) })
    }
    if let current = self[CurrentModel.self] { return try CheckpointFolder(current.folder) }
    var choice = self[StartingPrecision.self]
    choice.folder = self[StartingModel.self]
    return try CheckpointFolder(choice.url)
  }
}

extension Value {
  /// The value as a template or a configuration gets it: what is no text, number, list or dictionary is named by
  /// its kind.
  var json: JSON {
    switch self {
    case .none: .null
    case .bool(let truth): .bool(truth)
    case .integer(let number): .integer(number)
    case .float(let number): .number(number)
    case .list(let list): .array(list.values.map(\.json))
    case .tuple(let values): .array(values.map(\.json))
    case .dictionary(let mapping):
      .object(
        JSON.Object(
          mapping.entries.map { ($0.key.text ?? $0.key.represented, $0.value.json) }))
    default: .string(text ?? "<\(typeName)>")
    }
  }
}
