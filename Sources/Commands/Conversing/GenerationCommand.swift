internal import Checkpoints
internal import Files
internal import Foundation
internal import Models
internal import Runtime
internal import Tokenizers

extension Command {
  static let generation = Command(
    "generation", group: "Conversation",
    "Shows how a model's answers are written, or takes it from another file; weights stay.",
    Parameter.optional(
      .path(
        "path",
        "A generation_config.json, the folder of one, or a model's id; None shows what is in force."
      ).suggesting { _ in ModelPlace.names }),
    returns: "a Table: each setting, its value, and where it came from",
    details: """
      The third part of a checkpoint, beside tokenizer and weights. chat does what it says; run and \
      decode are greedy unless they are told otherwise. What a file does not say is the published \
      library's default.
      """,
    examples: [Example("generation()", "What is in force, and where each value came from.")],
    seeAlso: ["chat", "load"]
  ) { session, path in
    var model = try session.model()
    guard var chat = model.model.chatting else { throw model.lacks(.chatting, for: "generation") }
    if let path {
      let isFile = path.hasSuffix(".json") || !ModelPlace.isModel(path)
      let url =
        isFile
        ? session.readableURL(for: path)
        : try ModelPlace.folder(path, readsWeights: false) { session.readableURL(for: $0) }
      chat.settings = try GenerationSettings(at: url, for: chat)
      for note in chat.settings.notes { session.note(note) }
      model = model.with(chat)
      session[CurrentModel.self] = model
    }
    let ends = chat.stopSequences.map { chat.tokenizer.decode($0, skipSpecialTokens: false) }
    let own =
      ends.isEmpty
      ? []
      : [(name: "ends an answer too", value: ends.joined(separator: ", "), source: chat.family)]
    return .object(
      Table(
        ["setting", "value", "from"],
        (chat.settings.list + own).map { [.text($0.name), .text($0.value), .text($0.source)] }))
  }
}
