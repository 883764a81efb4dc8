import ArgumentParser

@main struct Fovea: ParsableCommand {
  func run() throws { print("fovea") }
}
