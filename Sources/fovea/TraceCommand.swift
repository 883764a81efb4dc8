public import ArgumentParser
internal import Characters
public import Commands
internal import Files
internal import Foundation
internal import Terminal

/// `fovea trace`: every place of one run, in a file.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Run a model and write every tensor on the way to a safetensors file.",
    discussion: """
      With --text the picture is compared with texts, by a retrieval model; else the model answers \
      --prompt, or writes a caption. Published names are the module paths of the published \
      implementation, attention probabilities as PATH.probs, so that a file compares key by key \
      with what a forward hook writes.
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var memory: MemoryOptions
  @Option(
    help: ArgumentHelp(
      "A picture; several, each with its own --image, for a model that takes them.",
      valueName: "file"))
  var image: [String] = []
  @Option(help: "What a model that writes goes on from, after the picture if it looks at one.")
  var prompt = ""
  @Option(parsing: .upToNextOption, help: "Texts that the picture is compared with.")
  var text: [String] = []
  @Option(
    help: ArgumentHelp(
      "A conversation to answer, as fovea chat takes it, in place of --image and --prompt.",
      valueName: "file"))
  var messages: String?
  @Option(help: PictureLabel.help) var label = PictureLabel.newer
  @Flag(
    help: """
      Cut texts of more tokens than the model reads before their end token, instead of refusing \
      them.
      """)
  var truncate = false
  @Option(help: "The names of the tensors: fovea or published.")
  var names = TraceTool.Names.fovea
  @Option(
    help: ArgumentHelp("Which of the names are kept; * stands for anything.", valueName: "pattern"))
  var keep = "*"
  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var out: String

  func validate() throws {
    if !text.isEmpty, !prompt.isEmpty {
      throw ValidationError("Give either --prompt or --text, not both.")
    }
    if messages != nil, !prompt.isEmpty || !image.isEmpty || !text.isEmpty {
      throw ValidationError("Give either --messages or --image, --prompt and --text.")
    }
  }

  func run() throws {
    // What may take minutes is not begun where its result could not be kept.
    try WholeFile.checkWriting(to: URL(typed: out))
    let tool = try TraceTool(model.choice(), memory: memory.memory?.count)
    var broken: String?
    let count = try tool.write(
      images: image.map { URL(typed: $0) }, prompt: prompt, texts: text,
      messages: messages.map { URL(typed: $0) }, label: label.label, truncate: truncate,
      names: names, keep: keep, to: URL(typed: out), note: Display.note, broken: { broken = $0 })
    try Output.standardOutput.write("wrote \(count.counted(as: "tensor")) to \(out)\n")
    if let broken { throw Display.badNumbers(broken) }
  }
}

extension TraceTool.Names: ExpressibleByArgument {}
