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
  }

  func run() throws {
    let progress = ProgressDisplay(environment: .process)
    let began = ContinuousClock.now
    let job = IndexingJob(
      pictures: URL(filePath: pictures, directoryHint: .isDirectory),
      index: to.map { URL(filePath: $0, directoryHint: .isDirectory) },
      model: try model.choice(), batch: batch, method: method)
    let result: IndexingJob.Result
    do {
      result = try job.run { activity, done, total in
        if !quiet { progress.show(Progress(activity, completed: done, total: total)) }
      }
    } catch {
      progress.end()
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

extension SearchMethod: ExpressibleByArgument {}
