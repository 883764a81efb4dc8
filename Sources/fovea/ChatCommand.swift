internal import ArgumentParser
internal import Commands
internal import Files
internal import Foundation
internal import Models
internal import Runtime
internal import Terminal

/// `fovea chat`: a conversation, from a file or line by line.
struct ChatCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat",
    abstract: "Converse with a model about pictures.",
    discussion: """
      With --messages the conversation in a JSON file is answered: a list of {"role": "user", \
      "content": …}, where the content is a text or a list of {"type": "image", "image": PATH} and \
      {"type": "text", "text": …}; paths are relative to the working folder. Without, a prompt \
      asks line by line; /help lists what it knows. Where no model is named, the small Qwen-VL \
      that ships answers.
      """)

  @OptionGroup var options: SessionOptions
  @Option(help: ArgumentHelp("A conversation to answer.", valueName: "file"))
  var messages: String?
  @Option(help: PictureLabel.help) var label = PictureLabel.newer
  @Option(help: "The most tokens of an answer; the model's own files say otherwise.")
  var maxNewTokens: Int?
  @Flag(
    help: ArgumentHelp(
      "Answer in JSON, an object a line: {\"text\": …} as words come, then the whole answer.",
      discussion:
        "The last has answer, tokens and ended: end_token, max_new_tokens, context_full or stopped."
    ))
  var json = false
  @Flag(help: "Take the likeliest token each time, whatever the model's files say.")
  var greedy = false

  func validate() throws {
    if let maxNewTokens, maxNewTokens < 1 {
      throw ValidationError("--max-new-tokens must be at least 1.")
    }
    if json, messages == nil {
      throw ValidationError("--json needs --messages FILE, the conversation to answer.")
    }
  }

  func run() throws {
    var options = options
    // The small BLIP-2 was trained on single questions.
    options.model.model = options.model.model ?? "small-qwen-vl"
    let progress = ProgressDisplay(environment: .process)
    let folder = SessionOptions.folder(FileManager.default.currentDirectoryPath)
    let session = try options.session(readingFrom: folder, progress: progress)
    try Interrupts.shared.begin(
      quittingAfter: messages == nil ? 3 : 2, onInterrupt: { session.cancel() })
    let loop = try ChatLoop(
      session, label: label.label, maxNewTokens: maxNewTokens, isGreedy: greedy)
    guard let messages else {
      try ChatPrompt(session: session, progress: progress, options: options).run(loop)
      return
    }
    let reply = try loop.answer(messages: URL(typed: messages)) { words in
      let piece =
        json ? JSON.object(JSON.Object([("text", .string(words))])).written() + "\n" : words
      progress.write(piece)
    }
    progress.end()
    guard json else {
      try Output.standardOutput.write("\n")
      return try end(reply)
    }
    let whole = JSON.object(
      JSON.Object([
        ("answer", .string(reply.text)), ("tokens", .integer(reply.tokenCount)),
        ("ended", .string(reply.ending)),
      ]))
    try Output.standardOutput.write(whole.written() + "\n")
    try end(reply)
  }

  private func end(_ reply: ChatLoop.Reply) throws {
    if reply.wasStopped {
      Display.note("stopped after \(reply.tokenCount) tokens; what was written stands above")
      throw Ending(status: 130)
    }
  }
}

/// What introduces a picture among words, as a word that can be typed.
enum PictureLabel: String, ExpressibleByArgument, CaseIterable {
  case newer
  case older
  case none

  var label: Models.Input.Mention.Label {
    switch self {
    case .newer: .spaced
    case .older: .tight
    case .none: .none
    }
  }

  static let help = ArgumentHelp(
    "What introduces a picture among words, of models that write it: 'Picture 1: ' as in newer code, "
      + "'Picture 1:' as in older, or none.", valueName: "which")
}
