import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Text from files and people reaches a terminal visible, whatever slot it stands in.
@Suite(.serialized) struct HostileTextTests {
  /// Colours, titles, the clipboard, device strings, C1 forms of them, deletions, returns, bells,
  /// reversed and invisible letters.
  static let corpus = [
    "\u{1B}[31mred\u{1B}[2J\u{1B}[H", "\u{1B}]0;title\u{7}", "\u{1B}]52;c;ZXZpbA==\u{7}",
    "\u{1B}P+q544e\u{1B}\\", "\u{1B}_x\u{1B}\\", "\u{9B}2J", "\u{9D}0;t\u{9C}", "\u{90}q\u{9C}",
    "ab\u{8}\u{8}\u{7F}", "one\rtwo", "\u{202E}abc\u{202C}\u{2066}d\u{2069}\u{200F}",
    "zero\u{200B}width\u{2060}\u{FEFF}\u{AD}\u{200D}", "tags\u{E0041}\u{E0100}\u{FE0F}",
    "\u{3164}\u{115F}\u{34F}", "\u{E}\u{F}\u{5}\u{18}",
  ]
  static let all = corpus.joined(separator: " ")
  /// As a text of the language, in plain ASCII.
  static func written(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      let digits = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
    return "\"" + escaped.joined() + "\""
  }
  /// As the name of a file: no slash, at most 255 bytes.
  static let fileName = corpus.prefix(7).joined() + corpus[10] + corpus[11]

  /// Lines for the prompt, where `x` is the hostile text: some show it, some fail over it.
  static let lines = [
    "print(x)", "print([x], {x: x}, f\"{x:>500}\")", "x", "{x: [x]}", "help(x)", "show(x)",
    "describe([x])", "tokenize(x)", "run(scene(1), x, max_new_tokens=1)", "match(scene(1), [x, x])",
    "preprocess(x)", "load(x)", "image(x)", "assert False, x", "{}[x]", "{1: 2}[x]",
    "run(scene(1), max_new_tokens=1).trace[x]", "describe(x)", "int(x)", "print(x, nope=1)",
    "save(scene(1), x + \".gif\")", "%who", "heatmap(zeros(2, 2), title=x)", "x.nope",
    "scene(1, population=x)", "x + 1", "memory(x)", "load(\"scenes\", dtype=x)",
    "img = image(name + \".png\")", "print(img)", "img", "img.name", "describe(preprocess(img))",
    "show(run(img, max_new_tokens=1))", "image(name + \".pgn\")", "%history",
  ]

  @Test func aLineThatShowsHostileTextSteersNothing() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "picture.png"), to: folder.file(Self.fileName + ".png"))
    let typed =
      ["x = \(Self.written(Self.all))", "name = \(Self.written(Self.fileName))"] + Self.lines
    // A terminal that can do nothing: what reaches it are results and complaints alone.
    let run = try ProgramAtTerminal(
      ["--quiet"], typing: typed.joined(separator: "\n") + "\n\u{4}", in: folder.url,
      terminal: "dumb")
    for (number, line) in typed.enumerated() {
      #expect(run.seen.contains("[\(number + 1)]> "), "\(line) was not asked for")
    }
    #expect(run.status == 0 && run.seen.contains("⟨U+001B⟩[31mred"))
    #expect(run.hostileScalars() == [], "\(run.seen.debugDescription)")
  }

  @Test func labelsOfACheckpointAreShownAndNeverObeyed() throws {
    let folder = try TemporaryFolder()
    let model = folder.file("model")
    try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: "vit"), to: model)
    let file = model.appending(path: "config.json")
    var settings = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let labels = try #require(settings["id2label"] as? [String: Any])
    settings["id2label"] = labels.mapValues { _ in Self.all }
    settings["label2id"] = nil
    try JSONSerialization.data(withJSONObject: settings).write(to: file)
    let run = try ProgramAtTerminal([
      "--quiet", "--model", model.path, "-c",
      "print(describe())\nprint(classify(scene(1)))\nclassify(scene(1)).rows[0]",
    ])
    #expect(run.status == 0 && run.seen.contains("⟨U+001B⟩[31mred"), "\(run.seen)")
    #expect(run.hostileScalars() == [], "\(run.seen.debugDescription)")
  }

  @Test func namesOfFilesAreShownAndNeverObeyed() throws {
    let folder = try TemporaryFolder()
    let picture = folder.file(Self.fileName + ".png")
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "picture.png"), to: picture)
    let script = folder.file(Self.fileName + ".fovea")
    try Data("x = 1\nnope".utf8).write(to: script)
    for arguments in [
      [script.path], ["run", script.path + "x"], ["index", folder.url.path],
      ["--model", picture.path, "-c", "1"], ["--model", script.path + "x", "-c", "1"],
      ["convert", picture.path, "/nowhere/x"], ["compare", picture.path, picture.path],
      ["trace", "--out", picture.path + ".x"],
    ] {
      let run = try ProgramAtTerminal(arguments, in: folder.url)
      #expect(!run.seen.isEmpty)
      #expect(run.hostileScalars() == [], "\(arguments): \(run.seen.debugDescription)")
    }
  }

  @Test func namesOfTensorsAreShownAndNeverObeyed() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("names.safetensors")
    try Safetensors.write([(Self.all, Tensor([1, 2], shape: [2]))], metadata: [:], to: file)
    let golden = Fixtures.goldens.appending(path: "vit").path
    for arguments in [
      ["compare", file.path, file.path, "--model", golden], ["compare", golden, file.path],
    ] {
      let run = try ProgramAtTerminal(arguments)
      #expect(!run.seen.isEmpty)
      #expect(run.hostileScalars() == [], "\(run.seen.debugDescription)")
    }
  }

  @Test func usageErrorsSayWhatWasTypedVisibly() throws {
    let text = Self.all
    for arguments in [
      ["--" + text], ["--color", text], ["tokenize", "--" + text], ["scenes", "--count", text],
    ] {
      let run = try ProgramAtTerminal(arguments)
      #expect(run.status == 64)
      #expect(run.hostileScalars() == [], "\(run.seen.debugDescription)")
    }
  }

  @Test func thePromptShowsHostileTextAndStaysItself() throws {
    let run = try ProgramAtTerminal(
      ["--quiet"],
      typing: "help(\(Self.written(Self.all)))\r\(Self.written(Self.all))\r\u{4}")
    #expect(run.status == 0 && run.seen.contains("⟨U+001B⟩]52;c;ZXZpbA==⟨U+0007⟩"))
    #expect(run.hostileScalars(isEdited: true) == [], "\(run.seen.debugDescription)")
  }

  @Test func rawTextIsObeyedWhereAScriptAsksForIt() throws {
    let line = "print(\"\\x1b]0;t\\x07\", raw=True)"
    #expect(try ProgramAtTerminal(["-c", line]).seen == "\u{1B}]0;t\u{7}\r\n")
  }

  @Test func aPipeGetsWhatAScriptPrintsToTheByte() throws {
    let run = try ProgramTests().run(["-c", "print(\(Self.written(Self.all)))"])
    #expect(run.status == 0 && run.output == Self.all + "\n")
    // Messages are made visible wherever they go: logs are read in a terminal.
    let failed = try ProgramTests().run(["-c", "assert False, \(Self.written(Self.all))"])
    #expect(failed.errors.contains("⟨U+001B⟩[31mred") && !failed.errors.contains("\u{1B}"))
  }
}
