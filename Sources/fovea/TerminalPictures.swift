internal import ArgumentParser
internal import Commands
internal import Figures
internal import Foundation
internal import Runtime
internal import Synchronization
internal import Terminal

/// How this process's terminal draws pictures, found out when there is the first.
final class TerminalPictures: Sendable {
  private let choice: GraphicsChoice
  private let environment: [String: String]
  private let found = Mutex<TerminalGraphics?>(nil)

  init(
    _ choice: GraphicsChoice, environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    (self.choice, self.environment) = (choice, environment)
  }

  var isInTmux: Bool { !(environment["TMUX"] ?? "").isEmpty }

  /// What was chosen, or what the terminal says it can.
  var graphics: TerminalGraphics {
    found.withLock { known in
      let graphics = known ?? find()
      known = graphics
      return graphics
    }
  }

  private func find() -> TerminalGraphics {
    if let chosen = choice.graphics { return chosen }
    guard !["dumb", ""].contains(environment["TERM"] ?? "") else { return .ascii }
    // iTerm2 and those that follow it say so in the environment; elsewhere it has to be asked.
    if ["iTerm.app", "vscode"].contains(environment["TERM_PROGRAM"] ?? "")
      || environment["LC_TERMINAL"] == "iTerm2"
    {
      return .iterm
    }
    // Far away, and where nobody looks, pictures as characters are small and always right.
    guard environment["SSH_CONNECTION"] == nil, environment["CI"] == nil else { return .blocks }
    let answer = GraphicsQuery.ask(in: .process)
    return answer.knowsKitty ? .kitty : answer.knowsSixel ? .sixel : .blocks
  }

  /// How a session draws in a terminal of so many columns.
  func style(columns: Int, depth: ColorDepth) -> TerminalStyleSettings {
    TerminalStyleSettings(
      columns: columns, colours: depth == .full ? 1 << 24 : depth == .indexed ? 256 : 0,
      isInTmux: isInTmux, graphics: { self.graphics })
  }
}

/// What `--graphics` and `FOVEA_GRAPHICS` take.
enum GraphicsChoice: String, ExpressibleByArgument, CaseIterable {
  case auto, kitty, iterm, sixel, blocks, ascii, none

  var graphics: TerminalGraphics? { TerminalGraphics(rawValue: rawValue) }

  /// What was asked for on the command line, or else in the environment.
  ///
  /// - Throws: `SettingFailure` where the environment asks for something else.
  static func chosen(_ asked: GraphicsChoice?) throws -> GraphicsChoice {
    if let asked { return asked }
    guard let text = ProcessInfo.processInfo.environment["FOVEA_GRAPHICS"], !text.isEmpty else {
      return .auto
    }
    guard let choice = GraphicsChoice(rawValue: text) else {
      throw SettingFailure(
        words: "FOVEA_GRAPHICS must be one of \(allCases.map(\.rawValue).joined(separator: ", ")), "
          + "not '\(text)'")
    }
    return choice
  }
}
