import Files
import Foundation
import TestSupport
import Testing

@testable import fovea

/// `fovea synthesize` and `fovea convert`, as they end.
@Suite struct ConvertProgramTests {
  /// Runs the program under the shell's `prefix`, such as a limit.
  func run(_ arguments: [String], after prefix: String = "") throws -> (status: Int32, text: String)
  {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    let program = try ProgramTests.program().path
    process.arguments = ["-c", "\(prefix) exec \"$0\" \"$@\"", program] + arguments
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    let text = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  func tiny(in folder: TemporaryFolder) throws -> String {
    let path = folder.file("tiny").path
    let made = try run(["synthesize", "blip2-tiny", "--seed", "2", path])
    #expect(made.status == 0, "\(made.text)")
    return path
  }

  @Test func aFullDiskLeavesTheOldCheckpointAndNothingElse() throws {
    let folder = try TemporaryFolder()
    let source = try tiny(in: folder)
    let target = folder.file("half").path
    #expect(try run(["convert", source, target, "--dtype", "float16"]).status == 0)
    let before = try WholeFile.read(folder.file("half/model.safetensors"))
    // A limit on the size of files, in blocks of 512 bytes, fails as a full disk does.
    let failed = try run(
      ["convert", source, target, "--dtype", "bfloat16"], after: "ulimit -f 600;")
    #expect(failed.status == 74, "\(failed.text)")
    #expect(failed.text.contains("no room left on the disk"), "\(failed.text)")
    #expect(failed.text.contains("half/model.safetensors"), "\(failed.text)")
    #expect(folder.names == ["half", "tiny"])
    #expect(try WholeFile.read(folder.file("half/model.safetensors")) == before)
  }

  @Test func aConvertedCheckpointRuns() throws {
    let folder = try TemporaryFolder()
    let source = try tiny(in: folder)
    let target = folder.file("small").path
    let made = try run([
      "convert", source, target, "--dtype", "float16", "--quantize", "language=int4,vision=int8",
      "--shard-size", "200KB",
    ])
    #expect(made.status == 0, "\(made.text)")
    let script = """
      print(run(scene(1), "what?", max_new_tokens=1).text is not None)
      m = load("\(target)")
      print(m.dtype)
      """
    let ran = try run(["--model", target, "-c", script])
    #expect(ran.status == 0, "\(ran.text)")
    #expect(ran.text.contains("'language': 'int4 and float16'"), "\(ran.text)")
    #expect(ran.text.contains("'qformer': 'float16'"), "\(ran.text)")
  }

  /// Starts the program, sends `signal` when half a megabyte of its result lies on the disk, and
  /// waits for its end.
  func interrupted(
    _ arguments: [String], by signal: Int32, in folder: TemporaryFolder, times: Int = 1
  ) throws -> (status: Int32, names: [String]) {
    let process = Process()
    process.executableURL = try ProgramTests.program()
    process.arguments = arguments
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    func written() -> Int {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
      return names.filter { $0.hasSuffix(".tmp") }.reduce(0) { sum, name in
        let inner = folder.url.appending(path: name)
        let files = (try? FileManager.default.contentsOfDirectory(atPath: inner.path)) ?? []
        return files.reduce(sum) { sum, file in
          var status = stat()
          stat(inner.appending(path: file).path, &status)
          return sum + Int(status.st_blocks) * 512
        }
      }
    }
    let end = Date(timeIntervalSinceNow: 60)
    while written() < 500_000, process.isRunning, Date() < end { usleep(2000) }
    #expect(process.isRunning, "it ended before it could be interrupted")
    for _ in 0..<times { kill(process.processIdentifier, signal) }
    process.waitUntilExit()
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
    return (process.terminationStatus, names)
  }

  @Test func whatIsInterruptedLeavesTheOldCheckpointAndNothingElse() throws {
    let folder = try TemporaryFolder()
    let source = folder.file("source").path
    let made = try run(["synthesize", "clip-vit-base-patch32", "--dtype", "bfloat16", source])
    #expect(made.status == 0, "\(made.text)")
    let target = try tiny(in: folder)
    let file = folder.file("tiny/model.safetensors")
    let before = try WholeFile.read(file)
    for arguments in [
      ["synthesize", "clip-vit-base-patch32", target],
      ["convert", source, target, "--dtype", "float32"],
      ["convert", source, target, "--quantize", "int4"],
    ] {
      for (signal, status) in [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)] {
        let ended = try interrupted(arguments, by: signal, in: folder)
        #expect(ended.status == status, "\(arguments)")
        #expect(ended.names == ["source", "tiny"], "\(arguments)")
        #expect(try WholeFile.read(file) == before)
      }
    }
    // Without an old one there is nothing afterwards, and twice means at once.
    let fresh = folder.file("fresh").path
    let ended = try interrupted(
      ["convert", source, fresh, "--quantize", "int8"], by: SIGINT, in: folder, times: 2)
    #expect(ended.status == 130)
    #expect(ended.names == ["source", "tiny"])
    // What was left to itself takes the old one's place in one step.
    #expect(try run(["convert", target, target + "2", "--dtype", "float16"]).status == 0)
    #expect(try run(["synthesize", "blip2-tiny", "--seed", "9", target]).status == 0)
    #expect(try WholeFile.read(file) != before)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
    #expect(names == ["source", "tiny", "tiny2"])
  }

  @Test(
    arguments: [
      (["--dtype", "vision=bfloat16,language=int4"], 0, "int4"),
      (["--quantize", "int8"], 0, "int8"),
      (["--dtype", "float8"], 64, "must be one of float32"),
      (["--dtype", "vision=int8,vision=int4"], 64, "--dtype names the part 'vision' twice"),
      (["--dtype", "vision=int8,"], 64, "and has '' in it"),
      (["--dtype", "vision=int8,language=int3"], 64, "for each part, not 'int3'"),
      (["--dtype", "ears=int8"], 64, "its parts are vision, qformer, projection, language"),
      (["--quantize", "int3"], 64, "must be one of int8, int4, or one a part"),
      (["--quantize", "int4", "--dtype", "int8"], 64, "quantize is int4 where dtype is int8"),
      (["--quantize", "language=int4", "--dtype", "bfloat16"], 0, "vision      bfloat16"),
      (
        ["--config", "vision_config.layer_norm_eps=0.001"], 0,
        "vision_config.layer_norm_eps is 0.001, given to load"
      ),
      (["--config", "vision_config"], 64, "--config must be KEY=VALUE, not 'vision_config'"),
      (["--memory", "lots"], 64, "lots"),
      (["--memory", "1KB", "--quantize", "int8"], 71, "converted weights"),
    ] as [([String], Int32, String)])
  func everyCommandTakesTheSameModelOptions(
    _ options: [String], _ status: Int32, _ words: String
  ) throws {
    let folder = try TemporaryFolder()
    let source = try tiny(in: folder)
    let ran = try run(
      ["--model", source] + options + ["-c", "print(describe())"])
    #expect(ran.status == status, "\(ran.text)")
    #expect(ran.text.contains(words), "\(ran.text)")
    // The others say the same.
    for command in [["bench", "--repeats", "1", "--tokens", "1"], ["evaluate", "--scenes", "1"]]
    where status == 64 && !options.contains("--memory") {
      let other = try run(command + ["--model", source] + options)
      #expect(other.status == status, "\(command): \(other.text)")
      #expect(other.text.contains(words), "\(command): \(other.text)")
    }
  }

  @Test(
    arguments: [
      (["convert", "SOURCE", "TARGET"], 64, "what should the weights become?"),
      (["convert", "SOURCE", "TARGET", "--dtype", "float8"], 64, "float8"),
      (
        ["convert", "SOURCE", "TARGET", "--quantize", "int3"], 64, "takes int8 or int4, not 'int3'"
      ),
      (
        ["convert", "SOURCE", "TARGET", "--quantize", "vision=int3"], 64,
        "takes int8 or int4, not 'int3'"
      ),
      (
        ["convert", "SOURCE", "TARGET", "--quantize", "vision=float16"], 64,
        "takes int8 or int4, not 'float16'"
      ),
      (
        ["convert", "SOURCE", "TARGET", "--quantize", "vision=int8,vision=int4"], 64,
        "--quantize names the part 'vision' twice"
      ),
      (
        ["convert", "SOURCE", "TARGET", "--quantize", "vision=int8,language"], 64,
        "and has 'language' in it"
      ),
      (["convert", "SOURCE", "TARGET", "--quantize", "ears=int4"], 64, "has no part 'ears'"),
      (["convert", "SOURCE", "SOURCE", "--dtype", "float16"], 64, "the same folder"),
      (["convert", "/nowhere", "TARGET", "--dtype", "float16"], 66, "/nowhere"),
      (["convert", "SOURCE", "/proc/x/y", "--dtype", "float16"], 73, "/proc/x/y"),
      (["convert", "SOURCE", "TAKEN", "--dtype", "float16"], 73, "holds other files"),
      (["synthesize", "gpt-7", "TARGET"], 64, "there are: blip2-opt-2.7b"),
      (["synthesize", "blip2-tiny", "TARGET", "--shard-size", "-3"], 64, "shard-size"),
      (["synthesize", "blip2-tiny", "TARGET", "--tokenizer", "/nowhere"], 66, "/nowhere"),
    ] as [([String], Int32, String)])
  func wrongArgumentsAreNamed(_ arguments: [String], _ status: Int32, _ words: String) throws {
    let folder = try TemporaryFolder()
    let source = try tiny(in: folder)
    try FileManager.default.createDirectory(
      at: folder.file("taken"), withIntermediateDirectories: true)
    try WholeFile.write("mine", to: folder.file("taken/notes.txt"))
    let places = [
      "SOURCE": source, "TARGET": folder.file("new").path, "TAKEN": folder.file("taken").path,
    ]
    let ended = try run(arguments.map { places[$0] ?? $0 })
    #expect(ended.status == status, "\(ended.text)")
    #expect(ended.text.contains(words), "\(ended.text)")
    #expect(folder.names == ["taken", "tiny"])
    #expect(try WholeFile.readText(folder.file("taken/notes.txt")) == "mine")
  }

  @Test(
    arguments: [
      (
        "dtype=\"float8\"",
        "must be one of float32, float16, bfloat16, int8, int8-bfloat16, int4, int4-bfloat16"
      ),
      ("dtype={\"ears\": \"int8\"}", "its parts are vision, qformer, projection, language"),
      ("dtype={\"vision\": 8}", "int4-bfloat16, not 8"),
      ("quantize=\"int3\"", "int8"),
      ("dtype=\"int8\", quantize={\"vision\": \"int4\"}", "quantize is int4 where dtype is int8"),
      ("quantize={\"vision\": \"bfloat16\"}", "must be one of int8, int4"),
    ])
  func aPrecisionThatDoesNotExistIsNamed(_ arguments: String, _ words: String) throws {
    let ended = try run(["-c", "load(\"scenes\", \(arguments))"])
    #expect(ended.status == 1)
    #expect(ended.text.contains(words), "\(ended.text)")
  }

  @Test func aModelTooLargeForTheMemoryIsRefusedBeforeItIsTaken() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("clip").path
    let made = try run(["synthesize", "clip-vit-base-patch32", "--dtype", "float32", path])
    #expect(made.status == 0, "\(made.text)")
    // 605 MB are mapped, 300 MB more would be taken.
    let refused = try run(
      ["-c", "load(\"\(path)\", dtype=\"float16\")"], after: "ulimit -v 1050000;")
    #expect(refused.status == 71, "\(refused.text)")
    #expect(refused.text.contains("can be had") || refused.text.contains("may map"))
  }
}
