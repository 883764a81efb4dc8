public import ArgumentParser
public import Commands
internal import Foundation
internal import Terminal

/// `fovea tokenize`: texts to token ids.
struct TokenizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenize",
    abstract: "Cut texts into a model's tokens.",
    discussion: """
      With a text, prints a table of its tokens. Without one, reads lines {"text": …} on standard \
      input and writes a line {"ids": […], "decoded": …} for each.
      """)

  @Option(
    help: ArgumentHelp(
      "The model's folder, or the id of one that was downloaded; the model that ships where none is "
        + "given.", valueName: "model"))
  var model: String?
  @Option(
    help: ArgumentHelp(
      "The folder of its language model, of a BLIP-2 that is published in two.",
      valueName: "model"))
  var language: String?
  @Option(
    help: ArgumentHelp(
      "Which special tokens the text may name: all, none, or tags, those around pictures' paths, names "
        + "and boxes; none for Qwen-VL and all for others where nothing is given.",
      valueName: "which"))
  var special: TokenizeTool.Special?
  @ArgumentParser.Argument(help: "The text.")
  var text: String?

  func run() throws {
    let tool = try TokenizeTool(
      folder: try model.map { try SessionOptions.modelFolder($0, readsWeights: false) },
      language: try language.map { try SessionOptions.modelFolder($0, readsWeights: false) },
      special: special)
    if let text { return try Output.standardOutput.write(try tool.table(text) + "\n") }
    var number = 0
    while let line = readLine() {
      number += 1
      if line.isEmpty { continue }
      try Output.standardOutput.write(try tool.answer(line: line, number: number) + "\n")
    }
  }
}

extension TokenizeTool.Special: ExpressibleByArgument {}
