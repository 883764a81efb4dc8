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
      let seen = try shown("scene(7)\rgrid(scene(7))\rshow(preprocess(scene(7)))", graphics)
      #expect(seen.components(separatedBy: sign).count > 3, "\(graphics)")
      #expect(!(try shown("grid(scene(7));\r1 + 1", graphics).contains(sign)), "\(graphics)")
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
