public import ArgumentParser
internal import Commands
internal import Files
internal import Foundation
internal import Runtime
public import Terminal

/// What every way of running text takes.
struct SessionOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Where files are written.", valueName: "folder"))
  var out = "fovea-out"

  @Option(
    help: ArgumentHelp("A further folder that files may be written below.", valueName: "folder"))
  var allowWrite: [String] = []

  @Option(
    help: ArgumentHelp(
      "The model to start with, instead of the one that ships.",
      valueName: "folder"))
  var model: String?

  @Flag(name: .shortAndLong, help: "No banner, no progress.")
  var quiet = false

  @Option(help: "Colour: auto, always or never.")
  var color = ColorChoice.auto

  /// A session whose relative paths are read against `folder`.
  ///
  /// - Throws: `FileFailure` where the model's folder is missing.
  func session(readingFrom folder: URL, progress: ProgressDisplay) throws -> Session {
    let session = Session(
      commands: Commands.all,
      folders: Folders(
        script: folder, output: Self.folder(out), allowed: allowWrite.map(Self.folder)),
      output: { text in
        progress.hide()
        Display.write(text)
      },
      progress: { [quiet] state in if !quiet { progress.show(state) } })
    if let model {
      let url = Self.folder(model)
      guard (try? url.checkResourceIsReachable()) == true else {
        throw MissingInput(path: model, what: "the model's folder")
      }
      session[StartingModel.self] = url
    }
    return session
  }

  static func folder(_ path: String) -> URL { URL(filePath: path, directoryHint: .isDirectory) }
}

extension ColorChoice: ExpressibleByArgument {}

/// Something named on the command line that is not there.
struct MissingInput: HasExitCode, CustomStringConvertible {
  let path: String
  let what: String

  var exitCode: Int32 { Files.ExitCode.missingInput }
  var description: String { "\(path): \(what) is not there; check the path" }
}
