import Foundation
import TestSupport
import Testing

/// Pictures as the program shows them at a terminal.
@Suite struct PictureProgramTests {
  private func shown(_ line: String, _ graphics: String, terminal: String = "xterm") throws
    -> String
  {
    try ProgramAtTerminal(
      ["--graphics", graphics, "--out", URL.temporaryDirectory.path],
      typing: line + "\r\u{4}", terminal: terminal
    ).seen
  }

  @Test func aPictureOrFigureThatALineGivesIsShown() throws {
    for (graphics, sign) in [
      ("kitty", "\u{1B}_Ga=T,f=100"), ("iterm", "\u{1B}]1337;File=inline=1"),
      ("sixel", "\u{1B}Pq\""),
      ("blocks", "▀"),
    ] {
      for line in ["scene(7)", "grid(scene(7))", "show(preprocess(scene(7)))"] {
        #expect(try shown(line, graphics).contains(sign), "\(graphics) \(line)")
      }
      #expect(!(try shown("grid(scene(7));", graphics).contains(sign)), "\(graphics)")
      #expect(!(try shown("1 + 1", graphics).contains(sign)), "\(graphics)")
    }
    #expect(!(try shown("scene(7)", "none").contains("▀")))
    #expect(try shown("scene(7)", "ascii").contains("@@@@"))
  }

  @Test func whatIsNoWayToDrawIsRefused() throws {
    let run = try ProgramTests().run(["-c", "1"], environment: ["FOVEA_GRAPHICS": "crayon"])
    #expect(run.status == 0)
    let prompt = try ProgramAtTerminal(
      [], typing: "\u{4}", environment: ["FOVEA_GRAPHICS": "crayon"])
    #expect(prompt.status == 64)
    #expect(prompt.seen.contains("FOVEA_GRAPHICS must be one of auto, kitty"), "\(prompt.seen)")
  }
}
