internal import ArgumentParser
internal import Commands
internal import Foundation
internal import Runtime
internal import Terminal

/// `fovea evaluate`: how well a model answers about scenes.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measure a model on fresh scenes of one to three objects.",
    discussion: """
      Every scene is asked at most one question of each kind, and for a caption. Answers are greedy \
      and count when they equal the right one to the letter; boxes are measured by their overlap. \
      Of a model that converses about several pictures: dialogues in English and Chinese, later \
      questions behind the model's own answers. Of a model with one space for pictures and texts: names of single objects, and retrieval among \
      all the scenes, for captions that are true of one scene alone.
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: "How many scenes.")
  var scenes = 300
  @Option(help: "The first scene's seed; none that the model was trained on begins here.")
  var seed: UInt64 = 900_000_000

  func validate() throws {
    guard scenes >= 1 else { throw ValidationError("--scenes must be at least 1.") }
  }

  func run() throws {
    var evaluation = try Evaluation(model.choice())
    let progress = ProgressDisplay(environment: .process)
    let total = evaluation.total(scenes)
    try evaluation.run(count: scenes, seed: seed) { done in
      progress.show(Progress("asking about scenes", completed: done, total: total))
    }
    progress.end()
    for line in evaluation.lines {
      let score =
        line.kind.hasPrefix("box")
        ? String(format: "%.3f", line.score) : String(format: "%.1f %%", line.score * 100)
      let cells = [
        line.kind.padding(toLength: 22, withPad: " ", startingAt: 0),
        "\(line.count)".padding(toLength: 7, withPad: " ", startingAt: 0),
        score.padding(toLength: 9, withPad: " ", startingAt: 0), line.measure,
      ]
      try Output.standardOutput.write(cells.joined() + "\n")
    }
  }
}
