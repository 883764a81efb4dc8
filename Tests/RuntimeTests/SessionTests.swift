import Foundation
import Language
import Runtime
import Testing

@Suite struct SessionTests {
  func session(_ output: Output = Output()) -> Session {
    Session(commands: TestCommands.all, output: { output.write($0) })
  }

  func run(_ text: String, _ session: Session) -> CellResult {
    session.run(Source(name: "cell", text: text))
  }

  @Test func variablesLastFromCellToCell() {
    let session = session()
    #expect(run("x = 2", session).succeeded)
    #expect(run("x + 1", session).shown == "3")
    #expect(run("_ * 2", session).shown == "6")
    #expect(session.variables.map(\.name) == ["x"])
  }

  @Test func anErrorKeepsTheSession() {
    let session = session()
    #expect(!run("x = 1\ny = 1 / 0\nz = 3", session).succeeded)
    #expect(run("x", session).shown == "1")
    #expect(session["z"] == nil)
  }

  /// Interrupts a text once it has set `x`: a request before that would be forgotten.
  ///
  /// On a thread of its own, since the other tests may keep all of Swift's pool busy.
  func interrupt(_ session: Session) {
    Thread.detachNewThread {
      while session["x"] == nil { usleep(1000) }
      session.cancel()
    }
  }

  @Test func whatIsMeasuredMayBeKept() {
    let output = Output()
    let session = session(output)
    #expect(run("%time x = y = 2 + 3", session).shown == nil)
    #expect(output.text.hasPrefix("took "))
    #expect(run("x + y", session).shown == "10")
    #expect(run("%time 2 + 3", session).shown == "5")
    let function = "def f():\n    %time z = 7\n    return z\nf()"
    #expect(run(function, session).shown == "7" && session["z"] == nil)
    #expect(!run("%time x += 1", session).succeeded && !run("%time pass", session).succeeded)
  }

  @Test func resultsAndTextsHaveTheirNumbers() {
    let session = session()
    #expect(run("2 + 3", session).shown == "5")
    #expect(!run("x = (", session).succeeded)
    #expect(run("x = 7", session).succeeded)
    #expect(run("x * 2", session).shown == "14")
    #expect(session.nextEntryNumber == 5)
    #expect(
      run("[_, __, _1, Out[4], In[4], In[2], len(In)]", session).shown
        == "[14, 5, 5, 14, 'x * 2', 'x = (', 6]")
    #expect(run("___", session).shown == "5" && run("_5[0]", session).shown == "14")
    #expect(run("_3", session).failure?.message == "entry 3 gave no result that is kept")
    #expect(session.unseen { run("99", session).shown } == "99")
    #expect(run("_", session).shown == "14")
    #expect(run("%reset", session).succeeded && !run("_", session).succeeded)
    // A name of one's own goes before.
    #expect(run("_1 = 3\n_1", session).shown == "3")
  }

  @Test func largeResultsGoWhenNewOnesCome() {
    let session = session()
    for _ in 0..<8 { #expect(run("zeros(4096, 4096)", session).succeeded) }
    #expect(run("len(Out)", session).value?.integer ?? 0 < 8)
    #expect(run("_8.shape, __[0]", session).value != nil)
  }

  @Test func aCellIsMeasuredAsAWhole() {
    let output = Output()
    let session = session(output)
    #expect(run("%%time\nx = 2\nfor i in range(3):\n    x += i\nx", session).shown == "5")
    #expect(output.text.hasPrefix("took "))
    #expect(run("%%time\nx;", session).shown == nil)
    #expect(run("%%timeit\ny = x", session).shown == nil && output.text.contains("best "))
    let failed = run("%%time\nx = nope", session)
    #expect(failed.diagnostics.first?.place == "cell:2:5")
    #expect(Program.isIncomplete("%%time") && Program.isIncomplete("%%time\nx"))
    #expect(!Program.isIncomplete("%%time\nx\n") && !Program.isIncomplete("%time x"))
  }

  @Test func tablesOfVariablesFitTheScreen() {
    let output = Output()
    let session = session(output)
    session[Screen.self] = 30
    _ = run("first = \"a \" * 40\nsecond = zeros(3, 160, 160)\n%who", session)
    let lines = output.text.split(separator: "\n")
    #expect(lines.count > 4 && lines.allSatisfy { $0.count <= 30 }, "\(output.text)")
    #expect(output.text.contains("second") && output.text.contains("[3, 160, 160]"))
  }

  @Test func whatIsLongGoesToThePager() {
    let (output, paged) = (Output(), Output())
    let session = session(output)
    session[Paging.self] = { paged.write($0 + "|") }
    _ = run("help(double)\nprint(1)\ndouble?\n%history", session)
    #expect(output.text == "1\n")
    #expect(paged.text.split(separator: "|").count == 2)
  }

  @Test func aFailedCheckEvaluatesItsSidesOnce() {
    let session = session()
    #expect(run("n = []\ndef f():\n    n.append(1)\n    return len(n)", session).succeeded)
    let failed = run("assert f() == 4, \"no\"", session)
    #expect(failed.failure?.notes == ["f() is 1"])
    #expect(run("assert f() == 2", session).succeeded)
    #expect(run("len(n)", session).shown == "2")
  }

  @Test func drawingsAndRawTextHaveTheirOwnWay() {
    let (plain, exact) = (Output(), Output())
    let session = Session(output: { plain.write($0) }, exactOutput: { exact.write($0) })
    #expect(run("print(1)\nprint(2, raw=True)\nprint(3, raw=False)", session).succeeded)
    #expect(plain.text == "1\n3\n" && exact.text == "2\n")
  }

  @Test func helpOnAFunctionSaysHowItIsCalled() {
    let session = session()
    #expect(
      session.help(on: "print").hasPrefix("print(*values, sep=\" \", end=\"\\n\", raw=False)\n"))
    #expect(session.help(on: "zeros").hasPrefix("zeros(*shape)\n"))
    #expect(session.help(on: "sorted").hasPrefix("sorted(iterable, key=None, reverse=False)\n"))
  }

  @Test func cancellingStopsALoop() {
    let session = session()
    interrupt(session)
    #expect(run("while True:\n    x = 1", session).wasInterrupted)
    #expect(run("x", session).shown == "1")
  }

  @Test func cancellingStopsACommand() {
    let session = session()
    interrupt(session)
    #expect(run("x = 1\nsleep()", session).wasInterrupted)
    #expect(run("1", session).shown == "1")
  }

  @Test func loopsHaveALimit() {
    var limits = Limits()
    limits.loopSteps = 100
    let session = Session(limits: limits)
    let result = run("while True:\n    pass", session)
    #expect(result.failure?.kind == .limit)
    #expect(run("for i in range(50):\n    pass", session).succeeded)
  }

  @Test func commandsMayCallFunctions() {
    let session = session()
    #expect(run("twice(lambda x: x * 10)", session).shown == "[10, 20]")
    let failed = run("def f(x):\n    return 1 / 0\ntwice(f)", session)
    #expect(failed.diagnostics.first?.place == "cell:2:12")
  }

  @Test func aFunctionOfAnEarlierCellIsShownThere() {
    let session = session()
    _ = session.run(Source(name: "In [1]", text: "def f(x):\n    return 1 / x"))
    let result = session.run(Source(name: "In [2]", text: "f(0)"))
    #expect(
      result.diagnostics.first?.drawn() == """
        In [1]:2:12: error: division by zero
            return 1 / x
                   ^^^^^
        In [2]:1:1: note: in f, called here
            f(0)
            ^^^^
        """)
  }

  @Test func aChainOfCallsFromOnePlaceIsShort() {
    let session = session()
    let text = "def f(n):\n    return 1 / n if n == 0 else f(n - 1)\nf(9)"
    let result = run(text, session)
    #expect(
      result.diagnostics.first?.drawn() == """
        cell:2:12: error: division by zero
            return 1 / n if n == 0 else f(n - 1)
                   ^^^^^
            8 more calls in between
        cell:2:33: note: in f, called here
            return 1 / n if n == 0 else f(n - 1)
                                        ^^^^^^^^
        cell:3:1: note: in f, called here
            f(9)
            ^^^^
        """)
  }

  @Test func anArgumentsDiagnosticPointsAtIt() {
    let result = run("double(number=13)", session())
    #expect(
      result.diagnostics.first?.drawn() == """
        cell:1:15: error: double: number must not be 13
            double(number=13)
                          ^^
            it brings bad luck
        """)
  }

  @Test func shorthandKnowsTheCommands() {
    let session = session()
    #expect(session.expandedShorthand("double 4") == "double(4)")
    #expect(session.expandedShorthand("help double") == "help(\"double\")")
    #expect(session.expandedShorthand("double(4)") == nil)
    #expect(session.expandedShorthand("x = double 4") == "x = double(4)")
    // Where a variable hides the command, the call will say so.
    session["double"] = .integer(1)
    #expect(session.expandedShorthand("double 4") == "double(4)")
    #expect(run("double(4)", session).failure?.hint?.contains("del double") == true)
  }

  @Test func manyOperatorsAndDeepRecursionDoNotOverflowTheStack() {
    let sum = (0..<900).map(String.init).joined(separator: " + ")
    let nested =
      String(repeating: "(", count: 150) + "f(n - 1)" + String(repeating: ")", count: 150)
    let text = "def f(n):\n    return 0 if n == 0 else \(nested)\nf(199)\n\(sum)"
    #expect(run(text, session()).shown == "404550")
  }

  @Test func filesAreWrittenBelowTheOutputFolderOnly() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let out = folder.appending(path: "fovea-out")
    let session = Session(folders: Folders(script: folder, output: out))
    #expect(try session.writableURL(for: "a/b.png").path == out.appending(path: "a/b.png").path)
    #expect(
      try session.writableURL(for: "fovea-out/c.png").path == out.appending(path: "c.png").path)
    for path in ["../x.png", "/etc/x", "a/../../x", "~/x.png", "", "a\0b", "fovea-out/../../x"] {
      #expect(throws: RuntimeFailure.self) { try session.writableURL(for: path) }
    }
    try FileManager.default.createSymbolicLink(
      at: out.appending(path: "link"), withDestinationURL: folder)
    #expect(throws: RuntimeFailure.self) { try session.writableURL(for: "link/x.png") }
    #expect(session.readableURL(for: "cat.png").path == folder.appending(path: "cat.png").path)
    let home = try #require(ProcessInfo.processInfo.environment["HOME"])
    #expect(session.readableURL(for: "~/cat.png").path == home + "/cat.png")
  }

  /// As in a folder that somebody else made, and that is run where it lies.
  @Test func anOutputFolderThatIsALinkIsNotWrittenThrough() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (lesson, elsewhere) = (
      folder.appending(path: "lesson"), folder.appending(path: "elsewhere")
    )
    for made in [lesson, elsewhere] {
      try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
    }
    let out = lesson.appending(path: "fovea-out", directoryHint: .isDirectory)
    try FileManager.default.createSymbolicLink(at: out, withDestinationURL: elsewhere)
    let session = Session(folders: Folders(script: lesson, output: out))
    for path in ["x.png", "fovea-out/x.png", "deeper/x.png", out.path + "/x.png"] {
      let failure = #expect(throws: RuntimeFailure.self) { try session.writableURL(for: path) }
      #expect(failure?.message.contains("is a symbolic link to \(elsewhere.path)") == true)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: elsewhere.path) == [])
    // A link on the way there is the person's own, as where /tmp is one.
    let way = folder.appending(path: "way")
    try FileManager.default.createSymbolicLink(at: way, withDestinationURL: elsewhere)
    let inside = way.appending(path: "out", directoryHint: .isDirectory)
    let other = Session(folders: Folders(script: lesson, output: inside))
    #expect(try other.writableURL(for: "x.png").path == inside.appending(path: "x.png").path)
    let allowed = Session(
      folders: Folders(script: lesson, output: out, allowed: [elsewhere]))
    #expect(throws: Never.self) { try allowed.writableURL(for: "x.png") }
  }

  @Test func helpFindsEverything() {
    let session = session()
    #expect(session.help(on: "double").hasPrefix("double: Twice"))
    #expect(session.help(on: "").contains("double"))
    #expect(session.help(on: "language").contains("subset of Python"))
    #expect(session.help(on: "duoble") == "there is no help on 'duoble'; did you mean 'double'?")
    #expect(session.help(on: "len").contains("How many"))
    // A subject finds the pages that have to do with it.
    let pages = session.help(on: "stopped waits")
    #expect(pages.hasPrefix("on 'stopped waits':\n  sleep  Waits"), "\(pages)")
    #expect(session.help(on: "numbers").contains("double"))
  }
}

@Suite struct HelpColumnTests {
  @Test(arguments: [30, 40, 60, 79])
  func helpIsBrokenBetweenWords(_ columns: Int) {
    let session = Session(commands: [])
    let whole = session.help(on: "language")
    session[Screen.self] = columns
    let narrow = session.help(on: "language")
    let words = whole.split(whereSeparator: \.isWhitespace)
    #expect(narrow.split(whereSeparator: \.isWhitespace) == words)
    let longest = words.map(\.count).max() ?? 0
    for line in narrow.split(separator: "\n") {
      #expect(line.count <= max(columns, longest + 30), "\(line)")
      if line.count > columns { #expect(line.split(separator: " ").count <= 2, "\(line)") }
    }
    session[Screen.self] = 500
    #expect(session.help(on: "language") == whole)
  }
}
