internal import ArgumentParser
internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Runtime
internal import Terminal

/// `fovea compare`: where two runs part.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Tell where two runs part, and which step is to blame.",
    discussion: """
      Each side is a trace's file (by fovea trace, save() or a forward hook; module paths are \
      matched with places) or a model, by its folder or its id, which then runs on --image \
      and --prompt. A file is judged by \
      running every step again with its numbers, in the model of the other side or of --model. \
      The second side may be a precision (float16, bfloat16, int8, int4, or by part \
      vision=int8,language=int4): the first side's model runs again in it. --dtype, --quantize \
      and --language hold for the folders that run.

      Exit status: 0 every step is noise; 1 a step is suspicious or a bug, a \
      number is NaN or infinite, or a shape differs; 65 a file that fits no model.
      """)

  @ArgumentParser.Argument(help: "One side: a file, or a model's folder or id.")
  var first: String
  @ArgumentParser.Argument(help: "The other side.")
  var second: String
  @OptionGroup var model: ModelOptions
  @Option(
    help: ArgumentHelp(
      "The picture that a folder's model runs on, if it looks at pictures.", valueName: "file"))
  var image: String?
  @Option(help: "The text that it goes on from.")
  var prompt = ""
  @Flag(help: "A row for every place instead of one for every block.")
  var every = false
  @Option(help: ArgumentHelp("Write the rows to this file.", valueName: "file"))
  var csv: String?
  @Option(help: ArgumentHelp("Draw the errors: .png, .svg or .pdf.", valueName: "file"))
  var chart: String?
  @Flag(help: "The table keeps all its columns, however narrow the terminal is.")
  var wide = false
  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if let chart, ![".png", ".svg", ".pdf"].contains(where: chart.lowercased().hasSuffix) {
      throw ValidationError("--chart must end in .png, .svg or .pdf.")
    }
  }

  func run() throws {
    var request = CompareTool.Request(first: first, second: second)
    request.model = try model.choice()
    request.image = image.map { URL(typed: $0) }
    (request.prompt, request.byPlace, request.note) = (prompt, every, Display.note)
    // What takes minutes is not begun where its result could not be kept.
    for file in [csv, chart].compactMap({ $0 }) {
      try WholeFile.checkWriting(to: URL(typed: file))
    }
    let progress = ProgressDisplay(environment: .process)
    let tool: CompareTool
    do {
      defer { progress.end() }
      tool = try CompareTool(request) {
        progress.show(Runtime.Progress($0, completed: $1, total: $2))
      }
    } catch let failure as RuntimeFailure {
      // What did not match is a list, a line each.
      let lines = ([failure.message] + [failure.hint].compactMap { $0 } + failure.notes)
      try Output.standardError.write(
        "fovea: error: " + lines.joined(separator: "\n  ") + "\n")
      throw Ending(status: ExitStatus.of(failure))
    }
    let screen = Output.standardOutput
    let columns = wide || !screen.isTerminal ? nil : screen.size(in: .process).columns
    try screen.write((json ? tool.json : Screen.fitted(to: columns) { tool.text }) + "\n")
    if let csv { try tool.writeCSV(to: URL(typed: csv)) }
    if let chart { try tool.writeChart(to: URL(typed: chart)) }
    if !tool.isClean { throw Ending(status: 1) }
  }
}
