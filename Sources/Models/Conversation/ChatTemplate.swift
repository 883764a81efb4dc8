public import Checkpoints
public import Files
internal import Foundation
public import Templates

/// How a model's own folder lays a conversation out as one text: its chat template, as transformers'
/// `apply_chat_template` applies it.
public struct ChatTemplate: Sendable {
  /// The templates by name, `default` first; most folders have that one alone.
  public let templates: [(name: String, template: Template)]
  /// What a template finds as `bos_token`, `eos_token` and so on.
  public let specialTokens: JSON.Object

  /// Reads the templates of a folder, without tokenizer or weights; nil where it has none.
  ///
  /// In this order: `chat_template.jinja` with `additional_chat_templates/NAME.jinja`,
  /// `chat_template.json`, `processor_config.json`, `tokenizer_config.json`, whose `chat_template` is a text or
  /// a list of named ones.
  ///
  /// - Throws: `TemplateError` for a template that is none; what is wrong with a file.
  public init?(in folder: CheckpointFolder) throws {
    var found = try Self.files(folder)
    if found.isEmpty {
      for name in ["chat_template.json", "processor_config.json", "tokenizer_config.json"]
      where found.isEmpty {
        guard let value = try folder.jsonIfPresent(name)?["chat_template"], !value.isNull else {
          continue
        }
        found = try Self.named(value, in: folder.url.appending(path: name).path)
      }
    }
    guard !found.isEmpty else { return nil }
    templates = try found.map { ($0.name, try Template($0.text, name: $0.file)) }
    specialTokens = try Self.specialTokens(in: folder)
  }

  /// The template that a folder's model converses by: its own, or where it brings none its family's published
  /// one, with what is to be said of that; nil where there is neither.
  ///
  /// - Throws: what reading the folder's own throws.
  public static func used(
    in folder: CheckpointFolder
  ) throws -> (template: ChatTemplate, note: String?)? {
    if let own = try ChatTemplate(in: folder) { return (own, nil) }
    let type = try folder.jsonIfPresent("config.json")?["model_type"]?.text
    guard let family = Family.all.first(where: { $0.type == type }),
      let published = family.chatTemplate
    else { return nil }
    return (
      try ChatTemplate(published, name: "the published template", in: folder),
      "\(folder.path) has no chat template: that of the published \(family.name) is taken"
    )
  }

  /// Another template, with a folder's special tokens.
  ///
  /// - Throws: `TemplateError` where the text is no template; what is wrong with a file.
  public init(_ text: String, name: String, in folder: CheckpointFolder) throws {
    templates = [("default", try Template(text, name: name))]
    specialTokens = try Self.specialTokens(in: folder)
  }

  private static func specialTokens(in folder: CheckpointFolder) throws -> JSON.Object {
    let settings = try folder.jsonIfPresent("tokenizer_config.json")
    let map = try folder.jsonIfPresent("special_tokens_map.json")
    return JSON.Object(
      roles.compactMap { role in
        (spelling(settings?[role]) ?? spelling(map?[role])).map { (role, .string($0)) }
      })
  }

  private static let roles = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  private static func spelling(_ token: JSON?) -> String? { token?.text ?? token?["content"]?.text }

  private typealias Found = (name: String, text: String, file: String)

  private static func files(_ folder: CheckpointFolder) throws -> [Found] {
    func read(_ name: String) throws -> Found {
      let url = folder.url.appending(path: name)
      let bytes = try WholeFile.read(url, limit: CheckpointFolder.configurationLimit)
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw ModelError.badChatTemplate(
          file: folder.url.appending(path: name).path, found: "bytes that are not UTF-8")
      }
      let stem = url.deletingPathExtension().lastPathComponent
      return (
        stem == "chat_template" ? "default" : stem, text, folder.url.appending(path: name).path
      )
    }
    var found: [Found] = []
    if folder.has("chat_template.jinja") { found.append(try read("chat_template.jinja")) }
    let more = "additional_chat_templates"
    if folder.has(more) {
      let inner = try CheckpointFolder(
        folder.url.appending(path: more, directoryHint: .isDirectory))
      for name in inner.listing() where name.hasSuffix(".jinja") {
        found.append(try read("\(more)/\(name)"))
      }
    }
    return found
  }

  private static func named(_ value: JSON, in file: String) throws -> [Found] {
    if let text = value.text { return [("default", text, "\(file), chat_template")] }
    let entries: [(name: String?, text: String?)]
    if let list = value.array {
      entries = list.map { ($0["name"]?.text, $0["template"]?.text) }
    } else if let object = value.object {
      entries = object.members.map { ($0.key, $0.value.text) }
    } else {
      throw ModelError.badChatTemplate(file: file, found: value.kindName)
    }
    var found: [Found] = []
    for (name, text) in entries {
      guard let name, let text else {
        throw ModelError.badChatTemplate(file: file, found: "an entry without name or template")
      }
      found.append((name, text, "\(file), chat_template '\(name)'"))
    }
    return found.filter { $0.name == "default" } + found.filter { $0.name != "default" }
  }

  /// What a template is given.
  public struct Request: Sendable {
    /// The conversation: objects with `role` and `content`, the content a text or a list of `{"type": …}`.
    public var messages: [JSON]
    /// Whether the text ends where the model's answer begins.
    public var addsGenerationPrompt: Bool
    /// Whether the text ends where the last message does, which the model's answer then goes on with.
    public var continuesLastMessage = false
    /// Functions that the model may call, as JSON schemas.
    public var tools: JSON
    /// Texts that the model may quote.
    public var documents: JSON
    /// What else the template is given, by name; it goes before special tokens.
    public var variables: JSON.Object
    /// Which of several templates; nil for `tool_use` where there are tools and such a template, else `default`.
    public var template: String?

    /// A conversation as a run is given it, each turn as a list of its pictures and words.
    ///
    /// Of a picture the template sees that it is there: `{"type": "image"}`.
    public init(_ input: Input, addsGenerationPrompt: Bool = true) {
      self.init(
        input.turns.map { turn in
          let parts = turn.segments.map { segment -> JSON in
            switch segment {
            case .picture: ["type": "image"]
            case .text(let words): ["type": "text", "text": .string(words)]
            case .tokens: ["type": "text", "text": ""]
            }
          }
          return ["role": .string(turn.speaker.rawValue), "content": .array(parts)]
        }, addsGenerationPrompt: addsGenerationPrompt)
    }

    /// A conversation.
    public init(
      _ messages: [JSON], addsGenerationPrompt: Bool = true, tools: JSON = .null,
      documents: JSON = .null, variables: JSON.Object = JSON.Object(), template: String? = nil
    ) {
      (self.messages, self.addsGenerationPrompt) = (messages, addsGenerationPrompt)
      (self.tools, self.documents) = (tools, documents)
      (self.variables, self.template) = (variables, template)
    }
  }

  /// The conversation as the template writes it.
  ///
  /// - Parameter now: the moment that `strftime_now` tells.
  /// - Throws: `TemplateError` where the template refuses or fails; `ModelError.noChatTemplate` where none has the
  ///   name, `nothingToContinue` where the last message is none that the text could end with.
  public func render(_ request: Request, now: TemplateDate? = nil) throws -> Template.Rendering {
    guard request.continuesLastMessage else {
      return try rendering(request.messages.map(Self.normalized), of: request, now: now)
    }
    let marked = try MarkedConversation(request.messages.map(Self.normalized))
    return try marked.cut(rendering(marked.messages, of: request, now: now))
  }

  private func rendering(
    _ messages: [JSON], of request: Request, now: TemplateDate?
  ) throws -> Template.Rendering {
    var variables = specialTokens.members.map { ($0.key, $0.value) }
    variables += request.variables.members.map { ($0.key, $0.value) }
    variables += [
      ("messages", .array(messages)), ("tools", request.tools),
      ("documents", request.documents),
      ("add_generation_prompt", .bool(request.addsGenerationPrompt)),
    ]
    return try template(request).render(JSON.Object(variables), now: now)
  }

  private func template(_ request: Request) throws -> Template {
    let names =
      request.template.map { [$0] } ?? (request.tools.isNull ? [] : ["tool_use"]) + ["default"]
    for name in names {
      if let found = templates.first(where: { $0.name == name }) { return found.template }
    }
    throw ModelError.noChatTemplate(
      name: request.template ?? "default", known: templates.map(\.name))
  }

  /// A message as transformers hands it on: keys whose value is null left out, reasoning under the names by which
  /// templates look for it.
  private static func normalized(_ message: JSON) -> JSON {
    guard let object = message.object else { return message }
    var members = object.members.filter { !$0.value.isNull }.map { ($0.key, $0.value) }
    let fields = ["reasoning_content", "thinking", "reasoning"]
    if let reasoning = fields.lazy.compactMap({ name in members.first { $0.0 == name }?.1 }).first {
      // Of two with one name the later value stands at the earlier place.
      members = [("thinking", reasoning)] + members + [("reasoning_content", reasoning)]
    }
    return .object(JSON.Object(members))
  }
}
