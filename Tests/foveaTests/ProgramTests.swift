import Files
import Foundation
import TestSupport
import Testing

@testable import fovea

/// The program itself, as it was built beside these tests.
@Suite struct ProgramTests {
  /// Where it is; a test without it fails, and does not pass over what it should show.
  static func program() throws -> URL {
    let beside = Bundle.main.bundleURL.appending(path: "fovea")
    let built = Fixtures.project.appending(path: ".build/debug/fovea")
    return try #require(
      [beside, built].first { FileManager.default.isExecutableFile(atPath: $0.path) },
      "the program is not built: swift build --product fovea")
  }

  struct Run {
    var status: Int32
    var output: String
    var errors: String
  }

  private static let goldens = Fixtures.goldens.path

  /// Runs the program to its end.
  func run(
    _ arguments: [String], input: String = "", interruptAfter: Double? = nil,
    folder: URL = URL.temporaryDirectory, executable: URL? = nil,
    environment: [String: String] = [:]
  ) throws -> Run {
    let process = Process()
    process.executableURL = try executable ?? Self.program()
    process.arguments = arguments
    process.environment = [
      "HOME": "/nonexistent", "FOVEA_HISTORY": "", "PATH": "/usr/bin:/bin",
    ].merging(environment) { $1 }
    process.currentDirectoryURL = folder
    let (standardInput, output, errors) = (Pipe(), Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (standardInput, output)
    process.standardError = errors
    try process.run()
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    if let interruptAfter {
      Thread.sleep(forTimeInterval: interruptAfter)
      process.interrupt()
    }
    let written = try output.fileHandleForReading.readToEnd() ?? Data()
    let complained = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Run(
      status: process.terminationStatus, output: String(decoding: written, as: UTF8.self),
      errors: String(decoding: complained, as: UTF8.self))
  }

  @Test(arguments: ["many", "", "0", "-1", "1.5", "4 "])
  func aNumberOfThreadsThatIsNoneIsRefused(_ text: String) throws {
    let run = try run(["-c", "1 + 1"], environment: ["FOVEA_THREADS": text])
    #expect(run.status == 64 && run.output.isEmpty)
    #expect(
      run.errors
        == "fovea: error: FOVEA_THREADS must be a whole number of at least 1, not '\(text)'\n")
  }

  @Test(
    arguments: ["1", "3", "9223372036854775807", "99999999999999999999999"])
  func anyNumberOfThreadsRuns(_ text: String) throws {
    let run = try run(
      ["-c", "run(scene(1), \"what?\", max_new_tokens=1)"], environment: ["FOVEA_THREADS": text])
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test(
    arguments: [
      (["-c", "1 + 1"], 0, "2\n", ""), (["-c", "x = 1;"], 0, "", ""),
      (["-c", "x = nope"], 1, "", "-c:1:5: error:"), (["-c", "x = ("], 65, "", "-c:1:5: error:"),
      (["nothere.fovea"], 66, "", "nothere.fovea: the script is not there"),
      (["run", "/"], 65, "", "is a folder"), (["--bogus"], 64, "", "Unknown option"),
      (["-c", "1", "file"], 64, "", "not both"), (["--version"], 0, "fovea ", ""),
      (["--model", "/nowhere", "-c", "1"], 66, "", "/nowhere: no such folder"),
      (["index", "\(goldens)/picture.png"], 66, "", "is a file, a folder was expected"),
      (["index", "--model", "\(goldens)/vit", goldens], 1, "", "give another with --model FOLDER"),
      (
        ["--dtype", "int3", "-c", "1"], 64, "", "or one a part, as in vision=bfloat16,language=int4"
      ),
    ] as [([String], Int32, String, String)])
  func everyEndHasItsStatus(
    _ arguments: [String], _ status: Int32, _ output: String, _ errors: String
  ) throws {
    let run = try run(arguments)
    #expect(run.status == status, "\(run.errors)")
    #expect(output.isEmpty ? run.output.isEmpty : run.output.hasPrefix(output))
    #expect(errors.isEmpty ? run.errors.isEmpty : run.errors.contains(errors))
  }

  @Test func aBadConfigurationIsBadData() throws {
    let folder = try TemporaryFolder()
    let copy = folder.file("model")
    try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: "clip-open"), to: copy)
    let settings = copy.appending(path: "open_clip_config.json")
    try Data(#"{"model_cfg": {"embed_dim": 0}}"#.utf8).write(to: settings)
    #expect(try run(["--model", copy.path, "-c", "describe()"]).status == 65)
    try Data("{}".utf8).write(to: copy.appending(path: "config.json"))
    let ended = try run(["--model", copy.path, "-c", "describe()"])
    #expect(ended.status == 65 && ended.errors.contains("has no model_type"), "\(ended.errors)")
  }

  @Test func tokensAreThoseOfTheModelInsideAFolder() throws {
    let folder = try TemporaryFolder()
    let clip = Fixtures.goldens.appending(path: "clip")
    try FileManager.default.copyItem(at: clip, to: folder.file("0_CLIPModel"))
    try Data(
      #"[{"path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]"#.utf8
    ).write(to: folder.file("modules.json"))
    let inner = try run(["tokenize", "--model", clip.path, "a circle"])
    let outer = try run(["tokenize", "--model", folder.url.path, "a circle"])
    #expect(outer.status == 0 && outer.output == inner.output, "\(outer.errors)")
  }

  @Test func whatIsSkippedTakesOneLineEach() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.file("pictures"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "picture.png"), to: folder.file("pictures/a.png"))
    try Data("no picture".utf8).write(to: folder.file("pictures/b\n\u{1B}[31m.png"))
    try Data("x".utf8).write(to: folder.file("pictures/notes.txt"))
    let ended = try run(["index", folder.file("pictures").path])
    #expect(ended.status == 0)
    #expect(ended.output.hasPrefix("1 picture, 1 embedded, 1 skipped, 1 other file in"))
    let lines = ended.errors.split(separator: "\n").filter { $0.hasPrefix("skipped") }
    #expect(lines.count == 1 && lines[0].hasPrefix("skipped b⏎⟨U+001B⟩[31m.png is text"))
  }

  @Test func aLinkWhereFilesAreToBeWrittenIsRefused() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.file("real"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link").path, withDestinationPath: "real")
    let (link, line) = (folder.file("link").path, "save(scene(1), \"1.png\")")
    for arguments in [
      ["--out", "link/sub"], ["--out", "./link/sub/"], ["--allow-write", "link"],
      ["--allow-write", "link/"], ["--allow-write", link],
    ] {
      let run = try run(arguments + ["-c", line], folder: folder.url)
      #expect(run.status == 73, "\(arguments)")
      #expect(run.errors.contains("link: is a symbolic link to real;"), "\(run.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("real").path) == [])
    #expect(try run(["--out", "real/sub", "-c", line], folder: folder.url).status == 0)
  }

  @Test func aRevisionWithoutAModelIsRefused() throws {
    let run = try run(["--revision", "main", "-c", "1"])
    #expect(run.status == 64)
    #expect(run.errors.contains("--revision main is a revision of a downloaded model"))
  }

  @Test func aWrongOptionPointsToHelpThatThereIs() throws {
    let run = try run(["--bogus"])
    #expect(run.status == 64 && run.errors.contains("See 'fovea --help'"), "\(run.errors)")
    #expect(!run.errors.contains("fovea start"))
  }

  @Test func standardInputRuns() throws {
    let run = try run([], input: "x = 20\nprint('so', x)\nx + 1\n")
    #expect(run.status == 0)
    #expect(run.output == "so 20\n21\n")
  }

  @Test func anInterruptEndsAScriptWithItsStatus() throws {
    let run = try run(
      ["-c", "x = ones([4000, 4000])\nwhile True:\n    x = x @ x"], interruptAfter: 1)
    #expect(run.status == 130)
    #expect(run.errors.contains("interrupted"))
  }

  @Test func aLessonRunsItsCellsAndAFailedCheckSaysWhere() throws {
    let lesson = URL.temporaryDirectory.appending(path: "lesson-\(UUID().uuidString).md")
    defer { try? FileManager.default.removeItem(at: lesson) }
    let text = """
      # Two cells
      ```fovea
      a = 2
      a * 3
      ```
      ```python
      this is not run
      ```
      ````fovea
      assert a == 3, "a should be 3"
      ````
      """
    try Data(text.utf8).write(to: lesson)
    let run = try run([lesson.path])
    #expect(run.output.contains("\n6\n"))
    #expect(run.status == 2)
    #expect(run.errors.contains("\(lesson.path):10:8: error:"))
  }

  @Test func aFullDiskIsAnErrorAndNotSilence() throws {
    let process = Process()
    process.executableURL = try Self.program()
    process.arguments = ["-c", "print(1)"]
    process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
    process.standardError = Pipe()
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 74)
  }

  @Test func comparingTellsByItsStatusWhetherRunsPart() throws {
    let golden = Fixtures.goldens.appending(path: "blip2").path
    let picture = Fixtures.goldens.appending(path: "picture.png").path
    let file = golden + "/trace.safetensors"
    let broken = URL.temporaryDirectory.appending(path: "broken-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: broken) }
    try FileManager.default.copyItem(atPath: golden, toPath: broken.path)
    let configuration = broken.appending(path: "config.json")
    let text = try String(contentsOf: configuration, encoding: .utf8)
    try text.replacing("\"layer_norm_eps\": 1e-06", with: "\"layer_norm_eps\": 1e-05")
      .write(to: configuration, atomically: true, encoding: .utf8)

    let prompt = "Question: how many circles? Answer:"
    let clean = try run(["compare", golden, file, "--image", picture, "--prompt", prompt])
    #expect(clean.status == 0, "\(clean.errors)")
    #expect(clean.output.contains("no step has an error of its own beyond rounding"))
    let csv = broken.appending(path: "rows.csv")
    let parted = try run([
      "compare", broken.path, golden, "--image", picture, "--prompt", prompt, "--json", "--csv",
      csv.path, "--chart", broken.appending(path: "rows.png").path,
    ])
    #expect(parted.status == 1, "\(parted.errors)")
    let json = try JSON(parsing: Array(parted.output.utf8))
    #expect(json["first"]?.text == "vision.blocks.0.norm1.output")
    #expect(json["stage"]?.text == "encode" && json["clean"]?.bool == false)
    #expect(json["rows"]?.array?.count == 18)
    #expect(try String(contentsOf: csv, encoding: .utf8).contains("vision.blocks.0,encode"))
    #expect(
      FileManager.default.fileExists(atPath: broken.appending(path: "rows.png").path))

    for (arguments, status) in [
      (["compare", file, golden], 64), (["compare", file], 64),
      (["compare", golden, "vision=int8,vision=int4", "--image", picture], 64),
      (["compare", file, file, "--chart", "x.gif"], 64),
      (["compare", file, "/nowhere.safetensors"], 66), (["compare", file, picture], 65),
      (["compare", file, file], 65), (["compare", file, file, "--model", golden], 0),
      (["compare", golden + "/model.safetensors", file, "--model", golden], 65),
    ] as [([String], Int32)] {
      let run = try run(arguments)
      #expect(run.status == status, "\(arguments): \(run.errors)")
      // On a busy machine a comparison takes long enough to show how far it is.
      let complaints = run.errors.split(separator: "\n").filter { !$0.hasPrefix("comparing") }
      #expect(complaints.isEmpty == (status == 0), "\(run.errors)")
    }
  }
}
