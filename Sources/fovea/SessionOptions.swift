public import ArgumentParser
internal import Budget
internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Models
internal import Runtime
public import Terminal

/// What every way of running text takes.
struct SessionOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where scripts write: files go below this folder, which is made when it is needed, and nowhere "
        + "else. Scripts read whatever you may read.", valueName: "folder"))
  var out = "fovea-out"

  @Option(
    help: ArgumentHelp("A further folder that files may be written below.", valueName: "folder"))
  var allowWrite: [String] = []

  @OptionGroup(title: "Model") var model: ModelOptions
  @OptionGroup(title: "Model") var memory: MemoryOptions

  @Flag(name: .shortAndLong, help: "No banner, no progress.")
  var quiet = false

  @Option(help: "Colour: auto, always or never.")
  var color = ColorChoice.auto

  @Option(
    help: ArgumentHelp(
      "How a terminal draws pictures: auto asks it; kitty, iterm, sixel, blocks, ascii or none.",
      valueName: "how"))
  var graphics: GraphicsChoice?

  @Flag(help: "Tables keep all their columns, however narrow the terminal is.")
  var wide = false

  /// The columns of the terminal that results are shown in; nil where lines have no end.
  var columns: Int? {
    wide || !Output.standardOutput.isTerminal
      ? nil : Output.standardOutput.size(in: .process).columns
  }

  /// Fits what a session shows to the window, which may have another size by now.
  func fit(_ session: Session) {
    session[Screen.self] = columns
    session[TerminalStyle.self]?.columns = Self.figureColumns
  }

  /// How wide figures are drawn in the terminal.
  static var figureColumns: Int { min(100, Output.standardOutput.size(in: .process).columns) }

  /// A session whose relative paths are read against `folder`.
  ///
  /// - Throws: where the model is missing, or has no such part as a precision names; where files would
  ///   be written through a link.
  ///
  /// - Parameter isMuted: whether what is printed goes nowhere, at this moment.
  func session(
    readingFrom folder: URL, progress: ProgressDisplay,
    isMuted: @escaping @Sendable () -> Bool = { false }
  ) throws -> Session {
    // The output folder itself may be a link that nothing is written to.
    let onTheWay = out.split(separator: "/").dropLast().joined(separator: "/")
    if !out.hasPrefix("/"), !out.hasPrefix("~") { try FolderTree.refuseLinks(on: onTheWay) }
    for folder in allowWrite { try FolderTree.refuseLinks(on: folder) }
    let session = Session(
      commands: Commands.all,
      folders: Folders(
        script: folder, output: Self.folder(out), allowed: allowWrite.map(Self.folder)),
      output: { text in if !isMuted() { progress.write(text) } },
      exactOutput: { text in
        if !isMuted() { progress.write(text) { Display.write(exactly: $0) } }
      },
      notes: { text in
        if isMuted() { return }
        progress.hide()
        let stream = Output.standardError
        let words =
          stream.isTerminal ? text.broken(toColumns: stream.size(in: .process).columns) : text
        try? stream.write(words)
      },
      progress: { [quiet] state in if !quiet { progress.show(state) } })
    let choice = try model.choice()
    session[Screen.self] = columns
    session[StartingModel.self] = choice.folder
    session[StartingPrecision.self] = choice
    session.memory.limit = memory.memory?.count
    return session
  }

  /// The folder of a model: one that ships by its name, a path, or the id of one that was downloaded.
  static func modelFolder(
    _ name: String, revision: String? = nil, readsWeights: Bool = true
  ) throws -> URL {
    do {
      return try ModelPlace.folder(name, revision: revision, readsWeights: readsWeights)
    } catch let failure as ArgumentFailure {
      let hint = NearestFile.hint(
        for: name, at: URL(typed: name), or: ShippedModel.all.map(\.name))
      throw SettingFailure(
        words: "--\(failure.parameter) \(failure.message)" + (hint.map { "; \($0)" } ?? ""))
    }
  }

  static func folder(_ path: String) -> URL { URL(typed: path, isFolder: true) }
}

extension ColorChoice: ExpressibleByArgument {}

/// Something named on the command line that is not there.
struct MissingInput: HasExitCode, CustomStringConvertible {
  let path: String
  let what: String
  /// What to do about it.
  private let advice: String

  /// - Parameter names: names that would have done as well.
  init(path: String, what: String, or names: [String] = []) {
    (self.path, self.what) = (path, what)
    advice =
      NearestFile.hint(for: path, at: URL(filePath: path), or: names) ?? "check the path"
  }

  var exitCode: Int32 { Files.ExitCode.missingInput }
  var description: String { "\(path.withVisibleControls): \(what) is not there; \(advice)" }
}
