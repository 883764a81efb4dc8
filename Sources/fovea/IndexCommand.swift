public import ArgumentParser
internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Runtime
public import Searching
internal import Terminal

/// `fovea index`: a folder of pictures made searchable.
struct IndexCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "Embed a folder of pictures, so that they can be searched.",
    discussion: """
      The index is a folder of plain files: index.json, embeddings in safetensors, a table with a \
      line a picture. Run again, it follows the folder: unchanged files are not embedded again, and \
      a run that was ended, by force even, goes on where it was.
      At the prompt: index("FOLDER.index"), then search("some words").
      """)

  @ArgumentParser.Argument(help: ArgumentHelp("The folder of pictures.", valueName: "folder"))
  var pictures: String
  @Option(
    help: ArgumentHelp(
      "The index's folder; FOLDER.index beside the pictures where none is given.",
      valueName: "folder"))
  var to: String?
  @OptionGroup var model: ModelOptions
  @Option(help: "Pictures in one pass of the model.")
  var batch = 16
  @Option(
    help: """
      How it will be searched: exact compares every picture, approximate links pictures with their \
      neighbours first, auto does that beyond a million.
      """)
  var method = SearchMethod.automatic
  @Flag(name: .shortAndLong, help: "No progress, no list of what was skipped.")
  var quiet = false
  @Flag(help: "Write what was done and where the time went as JSON.")
  var json = false

  func validate() throws {
    guard (1...1024).contains(batch) else { throw ValidationError("--batch must be 1 to 1024.") }
    // An empty path is the current folder to the system, and a shell's empty variable to a person.
    for (name, path) in [("The folder of pictures", pictures), ("--to", to ?? ".")]
    where path.isEmpty {
      throw ValidationError("\(name) is an empty path; name a folder, '.' for the current one.")
    }
  }

  func run() throws {
    let progress = ProgressDisplay(environment: .process)
    let began = ContinuousClock.now
    let job = IndexingJob(
      pictures: SessionOptions.folder(pictures), index: to.map { SessionOptions.folder($0) },
      model: try model.choice(), batch: batch, method: method)
    try Interrupts.shared.begin(quittingAfter: 2)
    let result: IndexingJob.Result
    var state: Runtime.Progress?
    do {
      result = try job.run(
        checkpoint: {
          if Interrupts.shared.isRequested { throw Ending(status: ExitStatus.interrupted) }
        },
        progress: { activity, done, total in
          let now = Runtime.Progress(activity, completed: done, total: total)
          if !quiet { progress.show(now) }
          state = now
        })
    } catch {
      progress.end()
      if error is Ending { try sayWhereItStopped(state) }
      throw error
    }
    progress.end()
    if !quiet {
      for line in result.skippedLines {
        try Output.standardError.write("skipped \(line.visibleOnOneLine)\n")
      }
    }
    let seconds = Double((ContinuousClock.now - began) / .milliseconds(1)) / 1000
    guard !json else { return try Output.standardOutput.write(result.facts.written() + "\n") }
    try Output.standardOutput.write(
      result.sentence + String(format: " in %.1f s", seconds)
        + "\n\(result.folder.visibleOnOneLine)\n")
  }
}

extension IndexCommand {
  private func sayWhereItStopped(_ state: Runtime.Progress?) throws {
    let place = state.flatMap { state in
      state.total.map { " \(state.label) after \(state.completed) of \($0)" }
    }
    // The terminal has written ^C at the beginning of the line, where the bar was.
    let start = Output.standardError.isTerminal ? "\r" : ""
    try Output.standardError.write("\(start)stopped\(place ?? ""); run again to go on\n")
  }
}

extension SearchMethod: ExpressibleByArgument {}
