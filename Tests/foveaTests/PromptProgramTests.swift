import Foundation
import TestSupport
import Testing

/// The prompt as a person types at it.
@Suite(.serialized) struct PromptProgramTests {
  /// What stands on the screen, without the editor's drawing.
  private func plain(_ seen: String) -> String {
    seen.replacing(/\u{1B}\[[0-9;?]*[A-Za-z]/, with: "").replacing("\r\n", with: "\n")
  }

  @Test func entriesAreNumberedAsTheyAreKept() throws {
    let run = try ProgramAtTerminal(
      ["--quiet"],
      typing: "20 + 3\rx = (]\r_ * 100\rOut[1] + _3\rIn[2]\r%%time\r7 * 7\r\r\u{4}")
    let seen = plain(run.seen)
    #expect(run.status == 0)
    for words in ["2300", "2323", "'x = (]'", "49", "took ", "[7]> "] {
      #expect(seen.contains(words), "\(words) in \(seen)")
    }
  }

  @Test func wordsMakeACallBehindAnEqualSign() throws {
    let run = try ProgramAtTerminal(
      ["--quiet"],
      typing: "s = scene 7\rs.seed\rscene = 3\rscene 4\rdel scene\rscene 9 objects=1;\r\u{4}")
    let seen = plain(run.seen)
    for words in [
      "s = scene(7)", "note: scene is a variable of yours now, and hides the command scene",
      "3 cannot be called", "del scene brings that back", "scene(9, objects=1);",
    ] { #expect(seen.contains(words), "\(words) in \(seen)") }
    #expect(seen.components(separatedBy: "error:").count == 2)
  }

  @Test func whatTheScreenDoesNotHoldGoesToThePager() throws {
    let folder = try TemporaryFolder()
    let pager = "cat > \(folder.file("paged").path); echo $LESS > \(folder.file("less").path)"
    let run = try ProgramAtTerminal(
      ["--quiet"], typing: "help()\r1 + 1\rhelp(len)\r\u{4}", environment: ["FOVEA_PAGER": pager])
    let paged = try String(contentsOf: folder.file("paged"), encoding: .utf8)
    #expect(paged.hasPrefix("Model\n  load") && paged.contains("\nFunctions\n"))
    #expect(!plain(run.seen).contains("Functions") && plain(run.seen).contains("How many elements"))
    #expect(try String(contentsOf: folder.file("less"), encoding: .utf8) == "FRX\n")
    // A pager that is not there loses nothing, and PAGER will do as well.
    for environment in [["FOVEA_PAGER": "/nowhere/pager"], ["FOVEA_PAGER": "cat", "PAGER": pager]] {
      let run = try ProgramAtTerminal(
        ["--quiet"], typing: "help()\r\u{4}", environment: environment)
      #expect(plain(run.seen).contains("Functions"), "\(environment)")
    }
    let piped = try ProgramTests().run(["-c", "help()"], environment: ["FOVEA_PAGER": pager])
    #expect(piped.output.contains("Functions"))
  }

  /// The narrowest window: nonsense, a page that is pasted, tables, help, Ctrl-C, and nothing is lost.
  @Test func aNarrowWindowLosesNothing() throws {
    let hostile = HostileTextTests.written(HostileTextTests.all)
    let page = String(repeating: "some page of a book. ", count: 50)
    let run = try ProgramAtTerminal(
      [],
      typing: "kept = 41\rstages()\r%who\rhelp(boxes)\rhelp(\"qformer\")\r)(]\r"
        + "\u{1B}[200~\(page)\n\(page)\u{1B}[201~\r"
        + "x = \(hostile)\rx\r%who\rquery = x\rquery(x)\r"
        + "unfinished\u{3}kept + 1\r\u{4}", columns: 20)
    #expect(run.status == 0)
    #expect(plain(run.seen).contains("42"))
    #expect(run.hostileScalars(isEdited: true) == [])
    // No line of a table or a page is longer than the window.
    let lines = plain(run.seen).split(separator: "\n").filter { $0.contains("──") }
    #expect(lines.count > 2 && lines.allSatisfy { $0.count <= 20 }, "\(lines)")
  }

  @Test func cellsOfAScriptShowTheirLastValues() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("walk.py")
    try Data("# %% first\nx = 2\nx * 3\n# %%\n%%time\nx + 5\n#%%\nx;\n".utf8).write(to: file)
    let run = try ProgramTests().run([file.path])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    #expect(
      run.output.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("took") }
        == ["6", "7"])
    try Data("1 + 1\n# %%\nx = (\n".utf8).write(to: file)
    let broken = try ProgramTests().run([file.path])
    #expect(broken.status == 65 && broken.output.isEmpty && broken.errors.contains(":3:5: error"))
    try Data("1 + 1\n# %%\nx = nope\n# %%\n3\n".utf8).write(to: file)
    let stopped = try ProgramTests().run([file.path])
    #expect(stopped.status == 1 && stopped.output == "2\n", "\(stopped)")
    let book = folder.file("walk.ipynb")
    try Data("{}".utf8).write(to: book)
    let refused = try ProgramTests().run(["run", book.path])
    #expect(refused.status == 65 && refused.errors.contains("walk.ipynb is a Jupyter notebook"))
    #expect(try ProgramTests().run([book.path]).status == 65)
  }

  @Test func helpOfTheProgramNamesTheOptionsThatAllWant() throws {
    let help = try ProgramTests().run(["--help"])
    for option in ["--model", "--dtype", "--out"] { #expect(help.output.contains(option)) }
    // What a usage error points to is there.
    for arguments in [
      ["--nonsense"], ["run"], ["tokenize", "--nonsense"], ["lesson", "--nonsense"],
      ["chat", "--nonsense"], ["lesson", "test", "--nonsense"], ["compare"],
    ] {
      let failed = try ProgramTests().run(arguments)
      #expect(failed.status == 64)
      let page = try #require(
        failed.errors.firstMatch(of: /See 'fovea ([^']*)'/), "\(failed.errors)")
      let found = try ProgramTests().run(page.1.split(separator: " ").map(String.init))
      #expect(found.status == 0 && found.output.contains("USAGE"), "\(page.0)")
    }
  }

  @Test func wideTablesAreWideWhereThatIsAskedFor() throws {
    let typed = "stages()\r\u{4}"
    let narrow = try ProgramAtTerminal(["--quiet"], typing: typed, columns: 60)
    #expect(
      narrow.seen.contains("no room for") || !narrow.seen.contains("centres its colours around 0."))
    let wide = try ProgramAtTerminal(["--quiet", "--wide"], typing: typed, columns: 60)
    #expect(wide.seen.contains("Resizes the picture and centres its colours around 0."))
  }
}
