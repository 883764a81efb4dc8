import Files
import Foundation
import TestSupport
import Testing

/// `fovea chat`, and what moves at a terminal while something runs.
@Suite struct ChatProgramTests {
  private static let model = Fixtures.goldens.appending(path: "qwen-vl").path
  /// Where the question is, as long as the test runs.
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The arguments that have a question about a picture answered.
  private func asking(_ more: String...) throws -> [String] {
    let file = folder.file("messages.json")
    let picture = Fixtures.goldens.appending(path: "picture.png").path
    let messages: JSON = [
      [
        "role": "user",
        "content": [
          ["type": "image", "image": .string(picture)], ["type": "text", "text": "what is this?"],
        ],
      ]
    ]
    try Data(messages.written().utf8).write(to: file)
    return ["chat", "--model", Self.model, "--messages", file.path, "--greedy"] + more
  }

  private func lines(_ output: String) throws -> [JSON] {
    try output.split(separator: "\n").map { try JSON(parsing: String($0)) }
  }

  @Test func jsonLinesHoldThePiecesAndThenTheAnswer() throws {
    let arguments = try asking("--json", "--max-new-tokens", "60")
    let run = try ProgramTests().run(arguments)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let lines = try lines(run.output)
    let whole = try #require(lines.last)
    let pieces = lines.dropLast().map { $0["text"]?.text ?? "?" }
    #expect(pieces.count > 10)
    #expect(pieces.joined() == whole["answer"]?.text)
    #expect(whole["tokens"]?.int == 60)
    #expect(whole["ended"]?.text == "max_new_tokens")
    let plain = try asking("--max-new-tokens", "60")
    #expect(try ProgramTests().run(plain).output == (whole["answer"]?.text ?? "") + "\n")
  }

  /// Both published spellings of the label, by the tokens that a trace holds.
  @Test func theLabelOfAPictureIsAnOption() throws {
    let asked = try asking()[4]
    let file = folder.file("trace.safetensors").path
    var counts: [Int] = []
    for label in ["newer", "older", "none"] {
      let run = try ProgramTests().run([
        "trace", "--model", Self.model, "--messages", asked, "--label", label, "--keep",
        "*.tokens.output",
        "--out", file,
      ])
      #expect(run.status == 0, "\(run)")
      let shape = try ProgramTests().run([
        "-c", "print(tensors(\"\(file)\")[\"language.tokens.output\"].shape[0])",
      ])
      counts.append(
        try #require(Int(shape.output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(shape)"))
    }
    #expect(counts[0] > counts[1] && counts[1] > counts[2], "\(counts)")
  }

  /// What tags say belongs to the text once they are read as tags.
  @Test func taggedTextsAreDecodedWhole() throws {
    let text = "<img>a b/图.png</img><ref>cat</ref><box>(1,2),(3,4)</box> <|im_end|>"
    for special in ["tags", "all"] {
      let run = try ProgramTests().run(
        ["tokenize", "--model", Self.model, "--special", special],
        input: JSON.object(JSON.Object([("text", .string(text))])).written() + "\n")
      #expect(try lines(run.output).first?["decoded"]?.text == text, "\(run)")
    }
  }

  @Test func questionsFromAPipeAreNotAskedFor() throws {
    let run = try ProgramTests().run(
      ["chat", "--model", Self.model, "--quiet", "--max-new-tokens", "2"],
      input: "what?\n/history\n")
    #expect(run.status == 0 && run.output.contains("what?"), "\(run)")
    #expect(!(run.errors + run.output).contains("you>"), "\(run)")
  }

  @Test func jsonNeedsAConversation() throws {
    let run = try ProgramTests().run(["chat", "--json"])
    #expect(run.status == 64 && run.errors.contains("--json needs --messages FILE"), "\(run)")
  }

  @Test func anInterruptKeepsWhatWasWrittenAndSaysSo() throws {
    // An answer may be over before the interrupt reaches it.
    for _ in 0..<8 {
      let arguments = try asking("--json", "--max-new-tokens", "290")
      let process = Process()
      process.executableURL = try ProgramTests.program()
      process.arguments = arguments
      let (output, errors) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (output, errors)
      process.standardInput = FileHandle.nullDevice
      try process.run()
      var bytes = output.fileHandleForReading.availableData
      process.interrupt()
      bytes += try output.fileHandleForReading.readToEnd() ?? Data()
      let said = String(
        decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      process.waitUntilExit()
      let lines = try lines(String(decoding: bytes, as: UTF8.self))
      guard let whole = lines.last, whole["ended"]?.text == "stopped" else { continue }
      #expect(process.terminationStatus == 130)
      #expect(whole["answer"]?.text == lines.dropLast().map { $0["text"]?.text ?? "?" }.joined())
      #expect(said.contains("stopped after \(whole["tokens"]?.int ?? -1) tokens"), "\(said)")
      return
    }
    Issue.record("no answer was stopped")
  }

  @Test func atATerminalTheWordsAreTheAnswer() throws {
    let plain = try asking("--max-new-tokens", "60")
    let answer = try ProgramTests().run(plain).output
    let seen = try ProgramAtTerminal(plain).seen
    // What stood behind the words was taken back.
    let words = seen.replacing(/\u{1B}\[K|\r(?!\n)|[^\r\n]*\u{8}+ +\u{8}+/, with: "")
    #expect(words.replacing("\r\n", with: "\n").hasSuffix(answer), "\(seen.debugDescription)")
  }

  /// What was said line by line goes on at the prompt.
  ///
  /// A terminal without an editor ends both at once.
  @Test func aConversationAtThePromptLeavesItsLastAnswer() throws {
    let picture = Fixtures.goldens.appending(path: "picture.png").path
    let program = try ProgramAtTerminal(
      ["--out", folder.url.path],
      typing: "chat\n/image \(picture)\nwhat is this?\n\u{4}",
      terminal: "dumb")
    #expect(program.seen.contains("scenes was trained on single questions"), "\(program.seen)")
    #expect(program.seen.contains("goes on with it"), "\(program.seen)")
  }

  /// Half a second is the promise; a busy machine gets more.
  @Test func somethingMovesWhileARunGoesOn() throws {
    let program = try ProgramAtTerminal([
      "-c", "s = scene(1)\nfor i in range(150): run(s, keep=\"\")",
    ])
    #expect(program.status == 0)
    #expect(program.longestSilence < 2, "\(program.longestSilence)")
    if program.duration > 3 {
      #expect(program.seen.contains("language.blocks") || program.seen.contains("vision.blocks"))
    }
  }
}
