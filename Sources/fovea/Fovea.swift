import ArgumentParser

@main struct Fovea: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fovea", subcommands: [ScenesCommand.self])
  func run() throws { print("fovea") }
}
