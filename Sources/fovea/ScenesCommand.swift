internal import ArgumentParser
internal import Foundation
internal import Scenes
internal import Terminal

/// `fovea scenes`: pictures with known contents.
struct ScenesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scenes",
    abstract: "Write pictures of shapes with captions, questions, answers and boxes.",
    discussion: """
      The same seed gives the same bytes on every machine. Scene number i has the seed S + i; it \
      is written as 00000i.png, and scenes.jsonl has one record a line. The folder takes its name when \
      all is written; scenes that are there already are replaced then.
      """)

  @Option(help: "How many scenes; with --raw, 0 is without end.")
  var count = 10
  @Option(help: "The first scene's seed.")
  var seed: UInt64 = 1
  @Option(help: "usual (1 to 4 objects), a range such as 1-3, or crowded.")
  var population = "usual"
  @Option(help: "The folder for the files.")
  var out: String?
  @Flag(help: "Write frames to standard output instead: length, record, pixels, owners.")
  var raw = false
  @Option(help: "With --raw: cells on a side of the map of owners; 0 leaves pixels and map out.")
  var grid = 40
  @Option(
    help: """
      With --raw: dialogues of each kind and language in every record; those about two pictures \
      are about this scene and the next.
      """)
  var dialogues = 0

  func validate() throws {
    guard raw != (out != nil) else {
      throw ValidationError("give either --out FOLDER or --raw")
    }
    guard (0...100).contains(dialogues), raw || dialogues == 0 else {
      throw ValidationError("--dialogues must be 0 to 100, and goes with --raw")
    }
    guard count >= (raw ? 0 : 1), (0...Scene.side).contains(grid) else {
      throw ValidationError("--count must be at least 1, --grid 0 to \(Scene.side)")
    }
  }

  func run() throws {
    let population = try Scene.Population(parsing: population)
    if let out {
      let folder = SessionOptions.folder(out)
      let job = try FileJob("writing scenes", total: count, unit: 1, to: folder)
      defer { job.end() }
      try SceneFolder.write(
        count: count, seed: seed, population: population, to: folder, progress: job.report)
      return
    }
    var index: UInt64 = 0
    var scene = Scene(seed: seed, population: population)
    while count == 0 || index < UInt64(count) {
      let next = Scene(seed: seed &+ index &+ 1, population: population)
      let grid = grid == 0 ? nil : grid
      let frame =
        dialogues == 0
        ? SceneFrame(of: scene, grid: grid)
        : SceneFrame(of: scene, and: next, dialogues: dialogues, grid: grid)
      do throws(TerminalError) {
        try Output.standardOutput.write(bytes: frame.bytes)
      } catch {
        // A reader that has what it wanted leaves.
        if error.isClosedPipe { return }
        throw error
      }
      scene = next
      index += 1
    }
  }
}
